"""Poll sources: fetch and parse, many at once, each host with its pauses. Nothing is stored here.

Threads fetch, pooled processes parse; every way to fail becomes an outcome.
"""

from __future__ import annotations

import queue
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flows import health
from flows.fetch import Answer, Client
from flows.health import Outcome, State
from flows.parse.pool import ParsePool
from flows.robots import Robots
from flows.sources import politeness_key
from models.errors import FetchError, ParseError
from models.types import Source

if TYPE_CHECKING:
    from models.settings import Settings

PER_HOST = 2
# a server that asks for so short a pause gets it within the run
SHORT_PAUSE_S = 5.0
# polls that wait to be taken; beyond that the threads wait
AHEAD = 64


def open_client(settings: Settings | Mapping[str, Any]) -> Client:
    """The HTTP client that the settings ask for."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        release = version("lifeline")
    except PackageNotFoundError:
        release = "0"
    return Client(
        contact=settings["contact"],
        allow_private=settings["allow_private"],
        deadline_s=settings["fetch_deadline_s"],
        max_bytes=int(settings["fetch_max_mb"] * 1e6),
        spacing_s=settings["host_spacing_s"],
        n_connections=settings["fetch_concurrency"],
        version=release,
    )


@dataclass(frozen=True, slots=True)
class Tools:
    """What a poll works with; shared by the threads of a run."""

    client: Client
    pool: ParsePool
    robots: Robots


def is_page(source: Source) -> bool:
    """Whether a source is a page for people, which robots.txt may keep programs from; feeds and files are offered to programs."""
    return source.kind in ("changelog", "sitemap") and not re.search(
        r"\.(md|markdown|json|xml|atom|rss|txt)$", source.url.split("?")[0]
    )


@dataclass(frozen=True, slots=True)
class Polled:
    """A source's state before its poll, and what the poll brought."""

    state: State
    outcome: Outcome


class Dispatcher:
    """Hands out sources so that no host is asked by more than PER_HOST threads, and a host that said wait is left alone."""

    def __init__(self, states: Iterable[State]) -> None:
        self.waiting: dict[str, deque[State]] = {}
        for state in states:
            self.waiting.setdefault(politeness_key(state.url), deque()).append(state)
        self.busy: Counter[str] = Counter()
        self.order = deque(self.waiting)
        self.changed = threading.Condition()

    def take(self) -> tuple[str, State] | None:
        """The next source, waiting for a host to come free; None when all are handed out."""
        with self.changed:
            while self.waiting:
                for _ in range(len(self.order)):
                    host = self.order[0]
                    self.order.rotate(-1)
                    if host in self.waiting and self.busy[host] < PER_HOST:
                        return host, self._hand_out(host)
                self.changed.wait()
            return None

    def _hand_out(self, host: str) -> State:
        self.busy[host] += 1
        state = self.waiting[host].popleft()
        if not self.waiting[host]:
            del self.waiting[host]
            self.order.remove(host)
            self.changed.notify_all()
        return state

    def give_back(self, host: str, *, drop_rest: bool = False) -> list[State]:
        """Free a host's place; with `drop_rest` its remaining sources are not handed out any more but returned."""
        with self.changed:
            self.busy[host] -= 1
            rest: list[State] = []
            if drop_rest and host in self.waiting:
                rest = list(self.waiting.pop(host))
                self.order.remove(host)
            self.changed.notify_all()
            return rest


def poll_all(states: Sequence[State], tools: Tools, *, n_threads: int) -> Iterator[Polled]:
    """Poll every source with a few threads; yields as they finish."""
    dispatcher = Dispatcher(states)
    done: queue.Queue[list[Polled] | None] = queue.Queue(maxsize=AHEAD)

    def work() -> None:
        while (job := dispatcher.take()) is not None:
            host, state = job
            outcome = poll(state, tools)
            is_long = (outcome.hold_s or 0) > SHORT_PAUSE_S
            rest = dispatcher.give_back(host, drop_rest=is_long)
            held = [Polled(other, _held(other, outcome)) for other in rest]
            done.put([Polled(state, outcome), *held])
        done.put(None)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(n_threads, len(states)))]
    for thread in threads:
        thread.start()
    left = len(threads)
    while left:
        got = done.get()
        if got is None:
            left -= 1
        else:
            yield from got


def _held(state: State, because: Outcome) -> Outcome:
    return Outcome(state.source.source_id, "held", error=f"left alone: its host {because.error}", hold_s=because.hold_s)


def poll(state: State, tools: Tools) -> Outcome:
    """Fetch and parse one source; every way to fail becomes an outcome."""
    source = state.source
    start = time.monotonic()
    try:
        if is_page(source) and not tools.robots.allows(state.url):
            words = "robots.txt does not allow this page, or could not be read"
            return Outcome(source.source_id, "failed", error=words, health="blocked")
        answer = _get(state, tools.client)
    except FetchError as error:
        return Outcome(
            source.source_id, "failed", error.status, error=str(error), health=error.health, seconds=time.monotonic() - start
        )
    except Exception as error:
        return Outcome(
            source.source_id, "failed", error=f"it cannot be fetched ({type(error).__name__}: {error})", health="failing"
        )
    told = Outcome(source.source_id, "new", answer.status, answer.headers, len(answer.body), answer.seconds, answer.moved_to)
    if answer.status == 304:
        return replace(told, kind="not_modified")
    if answer.status != 200:
        name, words = health.status_words(answer.status)
        wait = health.retry_after_s(answer.headers, datetime.now(UTC))
        return replace(told, kind="failed", health=name, error=words + (f", again in {wait:g} s" if wait else ""), hold_s=wait)
    told = replace(told, body_hash=health.fingerprint(answer.body))
    if health.says_the_same(state, told.body_hash):
        return replace(told, kind="not_modified")
    try:
        parsed = tools.pool.parse(
            source.kind, answer.body, url=answer.url, content_type=answer.headers.get("content-type", ""), title=source.title
        )
        return replace(told, parsed=parsed)
    except ParseError as error:
        return replace(told, kind="failed", error=str(error), health=error.health)


def _get(state: State, client: Client) -> Answer:
    """Ask once, and once more after a pause that the server wants and that is short."""
    answer = client.get(state.url, state.conditions)
    if answer.status in (429, 503):
        wait = health.retry_after_s(answer.headers, datetime.now(UTC))
        if wait is not None and wait <= SHORT_PAUSE_S:
            time.sleep(wait)
            answer = client.get(state.url, state.conditions)
    return answer
