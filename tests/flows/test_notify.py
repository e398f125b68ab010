"""A digest reaches a real webhook and a real mail server exactly once."""

from __future__ import annotations

import json
import socketserver
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flows.notify import fingerprint, notify, read_addresses, scheme
from models import settings, watchlists
from tests.app import published

NOON = datetime(2026, 8, 22, 12, tzinfo=UTC)
NIGHT = datetime(2026, 8, 22, 23, tzinfo=UTC)


class Webhook(BaseHTTPRequestHandler):
    """Keeps what is posted; answers with the server's status."""

    def do_POST(self):
        """Take one message."""
        self.server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


class Mail(socketserver.StreamRequestHandler):
    """Just enough SMTP to take mail."""

    def handle(self):
        """Speak with one client."""
        self.wfile.write(b"220 sink\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.got.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            if word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 sink\r\n")


@contextmanager
def serving(server):
    """Serve on a thread; the server keeps what it got."""
    server.got, server.status = [], 200
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def webhook():
    """A webhook on loopback."""
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Webhook)) as server:
        yield server


@pytest.fixture
def mail():
    """A mail server on loopback."""
    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)) as server:
        yield server


@pytest.fixture
def watched(home):
    """A home with a published file and a watchlist."""
    published.write(home / "lifeline.duckdb")
    watchlists.add(home / "watchlists", "mine", ["noteshell", "agentco", "secretco"], ["noteshell", "agentco", "secretco"])
    return home


def port(server):
    """Where it listens."""
    return server.server_address[1]


def run(con, monkeypatch, now=NOON, **given):
    """One notify with these settings; returns counts and what was said."""
    for name, value in given.items():
        monkeypatch.setenv(f"LIFELINE_{name.upper()}", value)
    inside, said = settings.load(), []
    return notify(con, inside.published, inside, now, say=said.append), said


def test_a_webhook_gets_exactly_one_digest(store, watched, webhook, monkeypatch):
    """The first run sends one digest with every alert and no private product; the second run sends nothing."""
    counts, _ = run(store, monkeypatch, notify_urls=f"json://127.0.0.1:{port(webhook)}/hook")
    assert (counts["digests"], counts["alerts"], counts["failed"]) == (1, 2, 0)
    assert run(store, monkeypatch)[0]["digests"] == 0
    (message,) = webhook.got
    assert message["title"] == "Lifeline, mine: 2 changes for 2 products"
    assert "Assistants API is switched off on 2026-09-15" in message["message"]
    assert "Secret" not in str(message)


def test_mail_arrives_exactly_once_as_text_nobody_runs(store, watched, mail, monkeypatch):
    """A real SMTP dialogue delivers one message; a hostile product name is escaped in its HTML."""
    address = f"mailto://127.0.0.1:{port(mail)}?from=lifeline@sender.example&to=me@reader.example&mode=insecure"
    for _ in range(2):
        run(store, monkeypatch, notify_urls=address)
    (raw,) = mail.got
    message = message_from_bytes(raw, policy=policy.default)
    assert "2 changes for 2 products" in message["Subject"]
    assert message["To"].endswith("me@reader.example") or "me@reader.example" in message["To"]
    html = message.get_body(("html",)).get_content()
    assert "NoteShell" in html
    assert "&lt;script&gt;alert" in html
    assert "<script" not in html


def test_an_address_that_was_down_gets_it_later_and_the_other_not_twice(store, watched, webhook, monkeypatch):
    """A failing address is counted, said without its secret, and tried again; the good one is not bothered."""
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Webhook)) as other:
        other.status = 500
        addresses = f"json://127.0.0.1:{port(webhook)}/ json://user:s3cret@127.0.0.1:{port(other)}/"
        counts, said = run(store, monkeypatch, notify_urls=addresses)
        assert (counts["digests"], counts["failed"]) == (1, 1)
        assert "s3cret" not in "".join(said)
        assert "address 2 of 2 (json)" in said[0]
        other.status, other.got = 200, []
        assert run(store, monkeypatch)[0]["digests"] == 1
        assert (len(webhook.got), len(other.got)) == (1, 1)
    kept = str(store.execute("from notice").fetchall())
    assert "s3cret" not in kept
    assert "127.0.0.1" not in kept


def test_quiet_hours_hold_and_do_not_lose(store, watched, webhook, monkeypatch):
    """At night nothing is sent; the first run in the morning sends it."""
    address = f"json://127.0.0.1:{port(webhook)}/"
    counts, _ = run(store, monkeypatch, NIGHT, notify_urls=address, quiet_hours="22-07")
    assert (counts["held"], counts["digests"], webhook.got) == (2, 0, [])
    assert run(store, monkeypatch, NOON)[0]["digests"] == 1
    assert len(webhook.got) == 1


def test_private_products_only_when_the_owner_says_so(store, watched, webhook, monkeypatch):
    """With notify_private the owner's own product is in the digest, too."""
    counts, _ = run(store, monkeypatch, notify_urls=f"json://127.0.0.1:{port(webhook)}/", notify_private="1")
    assert counts["alerts"] == 3
    assert "Secret Co" in webhook.got[0]["message"]


def test_nothing_to_do_is_no_error(store, home, monkeypatch):
    """Without a watchlist or an address nothing is read or sent, even before the first publish."""
    assert run(store, monkeypatch)[0] == {"watchlists": 0, "addresses": 0, "digests": 0, "alerts": 0, "held": 0, "failed": 0}


def test_an_address_nobody_understands_fails_without_being_shown(store, watched, monkeypatch):
    """A wrong address counts as failed, and neither it nor its parts are said."""
    counts, said = run(store, monkeypatch, notify_urls="notascheme://token-abc/xyz justwords")
    assert counts["failed"] == 2
    assert "token-abc" not in "".join(said)
    assert "justwords" not in "".join(said)


def test_a_sender_that_breaks_harms_no_other(store, watched, monkeypatch):
    """An exception inside one sending is a failure of that address only, and its text is not passed on."""

    def send(address, title, body):
        if "bad" in address:
            raise RuntimeError(f"cannot reach {address}")
        return True

    monkeypatch.setenv("LIFELINE_NOTIFY_URLS", "json://bad.example/ json://good.example/")
    said = []
    counts = notify(store, watched / "lifeline.duckdb", settings.load(), NOON, send=send, say=said.append)
    assert (counts["digests"], counts["failed"]) == (1, 1)
    assert "bad.example" not in "".join(said)


def test_addresses_are_read_once_each_and_told_apart():
    """Blanks and line breaks separate addresses; the fingerprint does not change with the password."""
    assert read_addresses(" json://a/ \n json://b/ json://a/ ") == ["json://a/", "json://b/"]
    assert fingerprint("json://u:one@host.example/") == fingerprint("json://u:two@host.example/")
    assert fingerprint("json://host.example/") != fingerprint("json://other.example/")
    assert scheme("slack://token/a/b") == "slack"
