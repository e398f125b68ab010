"""A small web server on loopback whose pages the tests write, and the sources and settings that go with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from models import settings
from models.types import Source

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
Page = tuple[int, dict[str, str], bytes]


class Site:
    """Pages by path: a (status, headers, body) or a function of the request handler. `asked` lists (path, headers) as they came."""

    def __init__(self) -> None:
        self.pages: dict[str, Page | Callable] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                path = urlsplit(self.path).path
                site.asked.append((path, {name.lower(): value for name, value in self.headers.items()}))
                page = site.pages.get(path, (404, {}, b"nothing here"))
                if callable(page):
                    self.close_connection = True
                    return page(self)
                status, headers, body = page
                if "ETag" in headers and self.headers.get("If-None-Match") == headers["ETag"]:
                    status, body = 304, b""
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 304:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return None

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()


def rss(*items: str, title: str = "A feed", extra: str = "") -> bytes:
    return (
        f"<?xml version='1.0'?><rss version='2.0'><channel><title>{title}</title>{extra}{''.join(items)}</channel></rss>".encode()
    )


def item(name: str, link: str | None = None, text: str = "", date: str = "Sat, 01 Aug 2026 10:00:00 GMT", guid: str = "") -> str:
    parts = [
        f"<title>{name}</title>",
        f"<link>{link or f'https://example.org/{name}'}</link>",
        f"<description>{text}</description>",
        f"<pubDate>{date}</pubDate>" if date else "",
        f"<guid isPermaLink='false'>{guid}</guid>" if guid else "",
    ]
    return f"<item>{''.join(parts)}</item>"


def source(url: str, source_id: str = "s", kind: str = "feed", **more) -> Source:
    return Source(source_id, more.pop("title", source_id), kind, url, **more)


def config(home, **more: str):
    return settings.load({"LIFELINE_HOME": str(home), "LIFELINE_ALLOW_PRIVATE": "1", "LIFELINE_FULLTEXT_PER_RUN": "0", **more})
