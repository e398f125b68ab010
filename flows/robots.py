"""robots.txt, asked once a host and run, for pages (feeds are offered to programs; pages are not always)."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

from flows.fetch import Client
from models.errors import FetchError

AGENT = "lifeline"
MAX_RULES = 500_000


class Robots:
    """Remembers what each host allows; shared by the threads of a run."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.rules: dict[str, object | None] = {}
        self.locks: dict[str, threading.Lock] = {}
        self.lock = threading.Lock()

    def allows(self, url: str) -> bool:
        """Whether the host's robots.txt lets us read this page. No robots.txt allows all; one that fails to answer, nothing for now."""
        from protego import Protego

        parts = urlsplit(url)
        host = f"{parts.scheme}://{parts.netloc}"
        with self.lock:
            lock = self.locks.setdefault(host, threading.Lock())
        with lock:
            if host not in self.rules:
                self.rules[host] = self._ask(host)
        rules = self.rules[host]
        return isinstance(rules, Protego) and bool(rules.can_fetch(url, AGENT))

    def _ask(self, host: str) -> object | None:
        """The host's rules, or None where they cannot be known."""
        from protego import Protego

        try:
            answer = self.client.get(f"{host}/robots.txt")
        except FetchError:
            return None
        if answer.status >= 500 or answer.status == 429:
            return None
        text = answer.body[:MAX_RULES].decode("utf-8", "replace") if answer.status == 200 else ""
        return Protego.parse(text)
