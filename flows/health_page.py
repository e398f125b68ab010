"""`/metrics` and `/health` over HTTP: for Prometheus, for a load balancer or container engine, and for people.

/health   200 while every part that matters works, 503 when one is failing; JSON, or a page to a browser
/metrics  the same for Prometheus
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flows.metrics import Look, exposition
from models.errors import UsageError
from models.logs import masked

SAFE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
TIMEOUT_S = 10.0
_STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;color:#1d232a;background:#fff}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .7rem;border-bottom:1px solid #d8dde3;vertical-align:top}
.fine{color:#1a6b3c}.late{color:#8a5a00}.failing{color:#a4161a;font-weight:600}.unknown{color:#5a6470}
@media(prefers-color-scheme:dark){body{color:#e6e9ed;background:#14181d}th,td{border-color:#333b45}.fine{color:#6fcf97}.late{color:#f2c14e}
.failing{color:#ff8a8a}.unknown{color:#9aa5b1}}"""


def as_data(look: Look) -> dict[str, Any]:
    """One look as plain values, without secrets."""
    rows = [
        {
            "part": one.part,
            "state": one.state,
            "since": one.since_at,
            "last_success": one.last_at,
            "words": masked(one.words),
            "remedy": one.remedy if one.state in ("late", "failing") else "",
            "matters": one.matters,
        }
        for one in look.vitals
    ]
    untagged = look.facts.n_untagged if look.facts else None
    return {"state": look.state, "at": look.at, "untagged_documents": untagged, "parts": rows}


def as_page(look: Look) -> str:
    """One look as a page that needs nothing from anywhere."""
    told = as_data(look)
    rows = "".join(map(_row, told["parts"]))
    waiting = "" if told["untagged_documents"] is None else f", {told['untagged_documents']} documents wait for their tags"
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><meta http-equiv=refresh content=60><title>Lifeline: {told['state']}</title>"
        f"<style>{_STYLE}</style></head><body><h1>Lifeline is <span class={told['state']}>{told['state']}</span></h1>"
        f"<p>{told['at']:%Y-%m-%d %H:%M:%S} UTC{waiting}; the same as <a href=/metrics>metrics</a></p>"
        f"<table><thead><tr><th>part<th>state<th>since, UTC<th>what is known<th>what to do</tr></thead><tbody>{rows}</tbody></table></body></html>"
    )


def _row(row: Mapping[str, Any]) -> str:
    since = f"{row['since']:%Y-%m-%d %H:%M}" if row["since"] else ""
    cells = [row["part"], since, row["words"], row["remedy"]]
    part, since, words, remedy = (escape(" ".join(str(cell).split())) for cell in cells)
    return f"<tr><td>{part}<td class={row['state']}>{row['state']}<td>{since}<td>{words}<td>{remedy}</tr>"


def handler(look: Callable[[], Look]) -> type[BaseHTTPRequestHandler]:
    """A handler that looks anew at each request."""

    class Handler(BaseHTTPRequestHandler):
        timeout = TIMEOUT_S
        server_version, sys_version = "lifeline", ""

        def do_GET(self) -> None:
            """Answer one of two addresses."""
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            """The same without its body."""
            self._answer(with_body=False)

        def log_message(self, *_: object) -> None:
            """Say nothing: scrapes are no news."""

        def _answer(self, *, with_body: bool) -> None:
            status, kind, body = respond(look, self.path.split("?")[0], self.headers.get("Accept") or "")
            self.send_response(status)
            for name, value in {**SAFE, "Content-Type": kind, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    return Handler


def respond(look: Callable[[], Look], path: str, accept: str) -> tuple[int, str, bytes]:
    """Status, content type and body of one request."""
    if path == "/metrics":
        return 200, *exposition(look(), accept)
    if path not in ("/", "/health"):
        return 404, "text/plain; charset=utf-8", b"there are /health and /metrics\n"
    seen = look()
    status = 503 if seen.state == "failing" else 200
    if path == "/" or "text/html" in accept:
        return status, "text/html; charset=utf-8", as_page(seen).encode()
    return status, "application/json", json.dumps(as_data(seen), default=str, ensure_ascii=True).encode()


class Server(ThreadingHTTPServer):
    """A thread a request; one that hangs holds up nobody."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


@contextmanager
def serving(look: Callable[[], Look], host: str, port: int) -> Iterator[int]:
    """Serve on a thread until left; yields the port, which is a free one for 0.

    Raises
    ------
    UsageError
        when the port cannot be had.

    """
    try:
        server = Server((host, port), handler(look))
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"port {port} on {host} cannot be had ({error}); choose another with `metrics_port` or --port"
        ) from error
    threading.Thread(target=server.serve_forever, name="health page", daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
