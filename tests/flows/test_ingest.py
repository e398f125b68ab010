"""Polling as a whole: what is stored, what is asked again, what one bad source costs the others, and what a crash leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from flows.health import State
from flows.ingest import ingest
from flows.polling import Dispatcher
from flows.signs import addresses, read_signals, signal_sources
from models import store as stores
from tests.flows.site import NOW, config, item, rss, source

ROOT = Path(__file__).resolve().parents[2]


def poll(con, home, *sources, days=0, **more):
    return ingest(con, sources, clock=lambda: NOW + timedelta(days=days), settings=config(home), **more)


def rows(con, query):
    return con.execute(query).fetchall()


def test_a_second_poll_gets_304_and_adds_nothing(site, store, tmp_path):
    """Validators are kept and sent; nothing is stored twice."""
    site.pages["/feed"] = (200, {"ETag": '"1"'}, rss(item("a"), item("b")))
    first = poll(store, tmp_path, source(site.url + "/feed"))
    second = poll(store, tmp_path, source(site.url + "/feed"), days=1)
    assert (first["new"], second["new"], second["not_modified"]) == (2, 0, 1)
    assert site.asked[1][1]["if-none-match"] == '"1"'
    assert rows(store, "select outcome, n_new from fetch_log order by fetched_at") == [("new", 2), ("not_modified", 0)]


def test_a_rolling_feed_loses_nothing(site, store, tmp_path):
    """Entries that a feed drops stay stored; what it lists anew is added."""
    feed = source(site.url + "/feed")
    for first in range(5):
        site.pages["/feed"] = (200, {}, rss(*[item(f"n{first + i}") for i in range(3)]))
        poll(store, tmp_path, feed, days=first)
    assert rows(store, "select count(*), count(distinct url) from document") == [(7, 7)]


def test_one_entry_in_feed_and_second_scraper_is_one_document(site, store, tmp_path):
    """Two sources of one site that list one page share its document, in one run and whichever is first."""
    site.pages["/a"] = (200, {}, rss(item("x", link="https://example.org/x", guid="1")))
    site.pages["/b"] = (200, {}, rss(item("x", link="http://www.example.org/x/", guid="https://example.org/x")))
    poll(store, tmp_path, source(site.url + "/a", "a"), source(site.url + "/b", "b"))
    assert rows(store, "select count(*) from document") == [(1,)]
    assert rows(store, "select count(*) from document_source") == [(2,)]


def registry(*models):
    listed = {
        name: {"name": name, "reasoning": True, "cost": {"input": price}, "limit": {"context": 1000}} for name, price in models
    }
    return json.dumps({"lab": {"name": "Lab", "models": listed}}).encode()


def test_a_registry_is_read_as_changes(site, store, tmp_path):
    """The first poll keeps the state and tells nothing; later ones make a document with facts for each change, once."""
    api = source(site.url + "/api.json", "api", "registry")
    site.pages["/api.json"] = (200, {}, registry(("one", 1.0)))
    assert poll(store, tmp_path, api)["new"] == 0
    site.pages["/api.json"] = (200, {}, registry(("one", 0.5), ("two", 1.0)))
    assert poll(store, tmp_path, api, days=1)["new"] == 2
    assert poll(store, tmp_path, api, days=2)["new"] == 0
    facts = [json.loads(row[0]) for row in rows(store, "select facts from document")]
    assert {(fact["change"], fact["model"]) for fact in facts} == {("price_drop", "one"), ("new_model", "two")}


def broken(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "9999")
    handler.end_headers()
    handler.wfile.write(b"<rss")


FAULTS = {
    "500": ((500, {}, b""), "failing", "500"),
    "403": ((403, {}, b""), "blocked", "403"),
    "429": ((429, {"Retry-After": "7200"}, b""), "blocked", "again in 7200 s"),
    "404": ((404, {}, b""), "failing", "404"),
    "410": ((410, {}, b""), "gone", "410"),
    "empty": ((200, {}, b""), "empty", "0 bytes"),
    "login": ((200, {"Content-Type": "text/html"}, b"<!doctype html><title>Sign in</title>"), "not_a_feed", "Sign in"),
    "noise": ((200, {}, bytes(range(256)) * 9), "not_a_feed", "no feed"),
    "loop": ((302, {"Location": "/bad"}, b""), "failing", "redirects more than"),
    "private": ((302, {"Location": "http://169.254.169.254/"}, b""), "failing", "was not asked"),
    "reset": (broken, "failing", "peer closed"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_source_harms_no_other_and_says_what_is_wrong(site, store, tmp_path, fault):
    """The healthy source is stored; the bad one has a health, words and a count of failures."""
    page, health, words = FAULTS[fault]
    site.pages |= {"/good": (200, {}, rss(item("a"))), "/bad": page}
    counts = poll(store, tmp_path, source(site.url + "/bad", "bad"), source(site.url + "/good", "good"))
    assert (counts["new"], counts["failed"]) == (1, 1)
    (found,) = rows(store, "select health, last_error, n_failures, last_success_at from source where source_id = 'bad'")
    assert found[0] == health
    assert words in found[1]
    assert (found[2], found[3]) == (1, None)


def test_a_server_that_asks_for_a_second_gets_it(site, store, tmp_path):
    """A short Retry-After is waited for within the run."""
    answers = iter([(429, {"Retry-After": "0"}, b"")])

    def moody(handler):
        status, headers, body = next(answers, (200, {}, rss(item("a"))))
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    site.pages["/feed"] = moody
    assert poll(store, tmp_path, source(site.url + "/feed"))["new"] == 1


def test_a_kind_that_nobody_knows_is_seen_from_the_answer(site, store, tmp_path):
    """Sources of kind auto are read as what they are."""
    site.pages |= {
        "/f": (200, {}, rss(item("a"))),
        "/c.md": (200, {}, b"# Log\n\n## 1.0 (2026-08-01)\n\n- x\n"),
        "/r": (200, {}, registry(("m", 1.0))),
    }
    counts = poll(store, tmp_path, *[source(site.url + path, path, "auto") for path in ("/f", "/c.md", "/r")])
    assert (counts["new"], counts["failed"]) == (2, 0)


def test_robots_keep_us_from_pages_and_not_from_feeds(site, store, tmp_path):
    """A page that robots.txt forbids is not read and its source says so; a feed is offered to programs."""
    site.pages |= {
        "/robots.txt": (200, {}, b"User-agent: *\nDisallow: /"),
        "/notes": (200, {}, b"<main><h2>2026-08-01</h2><p>x</p></main>"),
        "/feed": (200, {}, rss(item("a"))),
    }
    poll(store, tmp_path, source(site.url + "/notes", "page", "changelog"), source(site.url + "/feed", "feed"))
    assert rows(store, "select source_id, health from source order by 1") == [("feed", "fine"), ("page", "blocked")]
    assert "/notes" not in [path for path, _ in site.asked]


def test_a_source_that_moved_in_the_catalogue_starts_anew(site, store, tmp_path):
    """A corrected address forgets validators, failures and retirement of the old one."""
    site.pages["/new"] = (200, {}, rss(item("a")))
    site.pages["/old"] = (410, {}, b"")
    poll(store, tmp_path, source(site.url + "/old"))
    assert poll(store, tmp_path, source(site.url + "/old"), days=30)["polled"] == 0
    assert poll(store, tmp_path, source(site.url + "/new"), days=31)["new"] == 1
    assert rows(store, "select health, n_failures, retired_at from source") == [("fine", 0, None)]


def test_offline_enters_the_sources_and_asks_nobody(site, store, tmp_path):
    """Without the network the sources are known and untouched."""
    counts = poll(store, tmp_path, source(site.url + "/feed"), offline=True)
    assert (counts["sources"], counts["polled"]) == (1, 0)
    assert site.asked == []


def test_a_hosts_sources_are_handed_out_two_at_a_time():
    """Two threads at most ask one host; other hosts go on meanwhile; a host that says wait drops the rest."""
    states = [State(source(f"https://a.org/{i}", f"a{i}")) for i in range(4)] + [State(source("https://b.org/1", "b"))]
    dispatcher = Dispatcher(states)
    taken = [dispatcher.take() for _ in range(3)]
    assert sorted(state.source.source_id for _, state in taken) == ["a0", "a1", "b"]
    rest = dispatcher.give_back("a.org", drop_rest=True)
    assert [state.source.source_id for state in rest] == ["a2", "a3"]
    assert dispatcher.take() is None


def test_signs_of_life_are_counted_by_month(site, store, tmp_path):
    """Releases are counted, not kept as documents; a product's own feed counts as documents; a second poll counts nothing twice."""
    atom = "<feed xmlns='http://www.w3.org/2005/Atom'>{}</feed>"
    entry = "<entry><id>tag:github.com,2008:{0}</id><title>{0}</title><updated>2026-0{1}-10T00:00:00Z</updated></entry>"
    site.pages["/releases.atom"] = (200, {}, atom.format(entry.format("v1", 7) + entry.format("v2", 8)).encode())
    site.pages["/feed"] = (200, {}, rss(item("a"), item("b", date="")))
    both = [source(site.url + "/releases.atom", "r", "releases", product_id="p"), source(site.url + "/feed", "f", product_id="p")]
    for day in (0, 1):
        poll(store, tmp_path, *both, days=day)
    found = rows(store, "select month::varchar, kind, n from activity_count order by 1, 2")
    assert found == [("2026-07-01", "releases", 1), ("2026-08-01", "documents", 1), ("2026-08-01", "releases", 1)]
    assert rows(store, "select count(*) from document") == [(2,)]


def test_every_shipped_signal_has_an_address_to_poll():
    """Repositories and packages become feeds; ids are unique."""
    assert addresses("repository", "https://github.com/A/b") == [
        ("releases", "https://github.com/A/b/releases.atom"),
        ("commits", "https://github.com/A/b/commits.atom"),
    ]
    assert addresses("pypi", "https://pypi.org/project/x-y/") == [("releases", "https://pypi.org/rss/project/x-y/releases.xml")]
    assert addresses("npm", "https://www.npmjs.com/package/@a/b") == [("npm", "https://registry.npmjs.org/@a%2fb")]
    signals = read_signals()
    found = signal_sources(signals)
    assert len({one.source_id for one in found}) == len(found) >= len(signals)


KILLED = """
import sys, json
from datetime import datetime, UTC
from models import store, settings
from flows.ingest import ingest
from tests.flows.site import config, source, NOW
home, url, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
import flows.ingest
flows.ingest.BATCH_SOURCES, flows.ingest.BATCH_SECONDS = 2, 0.0
with store.open_work(__import__("pathlib").Path(home), wait_s=20) as con:
    print("started", flush=True)
    ingest(con, [source(f"{url}/f{i}", f"f{i:02}") for i in range(n)], clock=lambda: NOW, settings=config(home), say=lambda line: print(line, flush=True))
print("finished", flush=True)
"""


# each round starts two processes; more rounds by the environment
KILL_ROUNDS = int(os.environ.get("KILL_ROUNDS", "4"))


def run_child(home, site, n, n_lines=None):
    """Start a poll in another process and kill it just after its n-th line of progress (a commit), or let it end."""
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(home), site.url, str(n)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.stdout.readline() == b"started\n"
    if n_lines is not None:
        for _ in range(n_lines):
            child.stdout.readline()
        time.sleep(0.003 * n_lines)
        child.send_signal(signal.SIGKILL)
    child.communicate(timeout=120)
    return child.returncode


@pytest.mark.slow
def test_killed_anywhere_nothing_is_lost_or_doubled(site, tmp_path):
    """Rounds of kill -9 before, between and in commits, then one whole run: each document stands once, with its source's state."""
    n, per_feed = 12, 5
    for i in range(n):
        site.pages[f"/f{i}"] = (200, {"ETag": f'"{i}"'}, rss(*[item(f"f{i}-{j}", text=f"text {j}") for j in range(per_feed)]))
    stored = 0
    for round_ in range(KILL_ROUNDS):
        assert run_child(tmp_path / "home", site, n, round_ % 6) == -signal.SIGKILL
        with stores.open_work(tmp_path / "home", wait_s=20) as con:
            now = rows(con, "select count(*) from document")[0][0]
            halves = rows(con, f"select source_id, count(*) from document_source group by 1 having count(*) <> {per_feed}")
            unlogged = rows(
                con, "select source_id from document_source except select source_id from source where last_success_at is not null"
            )
        assert now >= stored
        assert halves == []
        assert unlogged == []
        stored = now
    assert run_child(tmp_path / "home", site, n) == 0
    with stores.open_work(tmp_path / "home", wait_s=20) as con:
        assert rows(con, "select count(*), count(distinct url) from document") == [(n * per_feed, n * per_feed)]
        assert rows(con, "select count(*) from source where health = 'fine'") == [(n,)]


def test_a_second_run_says_who_holds_the_store(tmp_path):
    """Two runs at once: the second names the first and leaves the store alone."""
    from models.errors import StoreLockedError

    home = tmp_path / "home"
    with (
        stores.open_work(home, purpose="the first run"),
        pytest.raises(StoreLockedError, match="the first run"),
        stores.open_work(home),
    ):
        pass


def test_a_full_disk_is_one_line(site, store, tmp_path, monkeypatch):
    """A store that cannot be written ends the run with words, and the batch is not half there."""
    import duckdb

    from flows import settling
    from models.errors import StoreError

    def full(*_):
        raise duckdb.IOException("Could not write file: No space left on device")

    site.pages["/feed"] = (200, {}, rss(item("a")))
    monkeypatch.setattr(settling, "write_states", full)
    with pytest.raises(StoreError, match="No space left"):
        poll(store, tmp_path, source(site.url + "/feed"))
    assert rows(store, "select count(*) from document") == [(0,)]


def test_a_file_of_sources_may_say_little(tmp_path):
    """A loose kind is seen from the answer, a missing id is made from the address; a word that means nothing is named."""
    from models.catalogue import read_sources
    from models.errors import CatalogueError

    file = tmp_path / "s.csv"
    file.write_text("url,kind\nhttps://a.org/feed,news\nhttps://a.org/feed?x,\n")
    found = [(row["source_id"], row["kind"], row["title"]) for row in read_sources(file)]
    assert found == [("a-org-feed", "auto", "a-org-feed"), ("a-org-feed-x", "auto", "a-org-feed-x")]
    file.write_text("source_id,title,kind,url\na,A,fred,https://a.org/feed\n")
    with pytest.raises(CatalogueError, match="row 2, column kind: 'fred' is not known"):
        read_sources(file)


def test_a_feed_that_was_only_built_anew_is_not_parsed_again(site, store, tmp_path):
    """A server without validators that sends the same entries under a new build date has nothing new; a new entry is seen."""
    feed = source(site.url + "/feed")
    built = "<lastBuildDate>Sat, 0{} Aug 2026 10:00:00 GMT</lastBuildDate>"
    for day, items, expected in ((1, ["a"], (1, 0)), (2, ["a"], (0, 1)), (3, ["a", "b"], (1, 0))):
        site.pages["/feed"] = (200, {}, rss(*map(item, items), extra=built.format(day)))
        counts = poll(store, tmp_path, feed, days=day)
        assert (counts["new"], counts["not_modified"]) == expected
