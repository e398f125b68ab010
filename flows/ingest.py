"""Poll sources and store what they list.

    sources -> due (pure) -> fetch and parse, many at once -> settle and plan (pure) -> one transaction a batch -> counts

Threads fetch, pooled processes parse, this thread alone writes. A source's documents, state and log line are committed
together: a run that dies anywhere leaves each source either before its poll or after it.
"""

from __future__ import annotations

import json
import queue
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flows import health
from flows.fetch import Answer, Client
from flows.fulltext import read_full_texts
from flows.health import Outcome, State
from flows.parse.pool import ParsePool, shared_pool
from flows.robots import Robots
from flows.signs import SIGNS, count_signs, sign_rows
from flows.sources import politeness_key, read_states, sync, write_states
from models import logs
from models.documents import Entry, store_listings, transaction
from models.errors import FetchError, ParseError, StoreError
from models.registry import diff
from models.store import insert_rows
from models.types import Source

if TYPE_CHECKING:
    import duckdb

    from models.settings import Settings

BATCH_SOURCES, BATCH_SECONDS = 64, 2.0
PER_HOST = 2
# a server that asks for so short a pause gets it within the run
SHORT_PAUSE_S = 5.0
# kinds that this stage polls; liveness and archives have stages of their own
POLLED = ("auto", "feed", "changelog", "registry", "sitemap", "hackernews", *SIGNS)


def ingest(
    con: duckdb.DuckDBPyConnection,
    sources: Iterable[Source | Mapping[str, Any]],
    *,
    clock: Callable[[], datetime],
    settings: Settings,
    only_due: bool = False,
    offline: bool = False,
    say: Callable[[str], None] = lambda line: None,
    elsewhere: Elsewhere | None = None,
) -> dict[str, int]:
    """Poll `sources` as of `clock()`: those that are due, or (`only_due=False`) all but those that asked us to wait.

    `elsewhere` may poll some of them on other machines and hand the polls back to be stored here; what it leaves is polled here.
    Returns counts of sources: sources, polled = fetched + not_modified + failed + held (their host said wait); and of documents: new,
    changed, documents. Failures are states of their sources, never exceptions.
    """
    now = clock()
    named = sync(con, sources)
    states = [state for state in read_states(con, named) if state.source.kind in POLLED]
    due = [] if offline else [state for state in states if health.is_due(state, now, only_due=only_due)]
    counts: Counter[str] = Counter(
        sources=len(states), polled=len(due), fetched=0, new=0, changed=0, not_modified=0, failed=0, held=0
    )

    def store(batch: Sequence[Polled]) -> None:
        counts.update(commit(con, batch, now))
        log(batch)
        say(f"{counts['done']} of {len(due)} sources polled, {counts['new']} new documents")

    if due:
        left = elsewhere(due, store, now) if elsewhere else due
        with open_client(settings) as client:
            tools = Tools(client, shared_pool(), Robots(client))
            for batch in _batches(poll_all(left, tools, n_threads=settings["fetch_concurrency"])):
                store(batch)
            if settings["fulltext_per_run"]:
                counts.update(read_full_texts(con, client, tools.pool, tools.robots, now, settings["fulltext_per_run"]))
            count_signs(con)
    counts.pop("done", None)
    counts["documents"] = _count(con, "document")
    return dict(counts)


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


Store = Callable[[Sequence[Polled]], None]
Elsewhere = Callable[[Sequence[State], Store, datetime], Sequence[State]]


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
    done: queue.Queue[list[Polled] | None] = queue.Queue(maxsize=BATCH_SOURCES)

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


def _batches(polled: Iterator[Polled]) -> Iterator[list[Polled]]:
    """Groups to commit together: one commit costs as much for sixty sources as for one."""
    batch: list[Polled] = []
    since = time.monotonic()
    for one in polled:
        batch.append(one)
        if len(batch) >= BATCH_SOURCES or time.monotonic() - since > BATCH_SECONDS:
            yield batch
            batch, since = [], time.monotonic()
    if batch:
        yield batch


def commit(con: duckdb.DuckDBPyConnection, batch: Sequence[Polled], now: datetime) -> dict[str, int]:
    """Write one batch in one transaction.

    Raises
    ------
    StoreError
        when the store cannot be written, as on a full disk; nothing of the batch is kept then.

    """
    import duckdb as engine

    try:
        with transaction(con):
            return _write(con, batch, now)
    except (engine.IOException, engine.OutOfMemoryException, engine.FatalException) as error:
        line = str(error).splitlines()[0][:200]
        raise StoreError(f"the store cannot be written ({line}); free some disk space or memory and run again") from error


def log(batch: Sequence[Polled]) -> None:
    """A line for each source that failed, and for each that came back."""
    for one in batch:
        source, n_before, outcome = one.state.source.source_id, one.state.n_failures, one.outcome
        if outcome.kind == "failed":
            told: dict[str, Any] = {"error": outcome.error, "health": outcome.health, "http_status": outcome.status}
            logs.event("source.failed", "warning", source=source, n_failures=n_before + 1, **told)
        elif n_before and outcome.kind != "held":
            logs.event("source.recovered", source=source, n_failures=n_before)


def _write(con: duckdb.DuckDBPyConnection, batch: Sequence[Polled], now: datetime) -> dict[str, int]:
    ready = [_with_registry(con, one, now) for one in batch]
    told = [(one.state.source, one.outcome.parsed.entries) for one in ready if one.outcome.parsed]
    stored = store_listings(con, [(source, entries) for source, entries in told if source.kind not in SIGNS], now)
    signs = [row for source, entries in told if source.kind in SIGNS for row in sign_rows(source, entries, now)]
    insert_rows(con, "sign", signs, conflict="or ignore")
    counts: Counter[str] = Counter(done=len(ready))
    after, log = [], []
    for one in ready:
        found = stored.get(one.outcome.source_id)
        n_new, n_changed = (found.n_new, found.n_changed) if found else (0, 0)
        kind = "fetched" if one.outcome.kind == "new" else one.outcome.kind
        counts.update({"new": n_new, "changed": n_changed, kind: 1})
        after.append(_settled(one, now, n_new))
        log.append(_log_row(one.outcome, now, n_new, n_changed))
    write_states(con, after)
    insert_rows(con, "fetch_log", log)
    return dict(counts)


def _settled(one: Polled, now: datetime, n_new: int) -> State:
    if one.outcome.kind == "held":
        return replace(one.state, hold_until_at=health.settle(one.state, one.outcome, now).hold_until_at)
    return health.settle(one.state, one.outcome, now, n_new)


def _with_registry(con: duckdb.DuckDBPyConnection, one: Polled, now: datetime) -> Polled:
    """A registry's state becomes the documents that tell what changed; the state is kept for the next poll."""
    parsed = one.outcome.parsed
    if parsed is None or parsed.models is None:
        return one
    source = one.state.source
    rows = con.execute("select model, state from registry_state where source_id = ?", [source.source_id]).fetchall()
    try:
        entries: list[Entry] = diff({model: json.loads(state) for model, state in rows}, parsed.models, source, now.date())
    except ParseError as error:
        return replace(one, outcome=replace(one.outcome, kind="failed", parsed=None, error=str(error), health=error.health))
    con.execute("delete from registry_state where source_id = ?", [source.source_id])
    insert_rows(
        con,
        "registry_state",
        [
            {"source_id": source.source_id, "model": model, "state": json.dumps(state), "seen_at": now}
            for model, state in parsed.models.items()
        ],
        conflict="or replace",
    )
    return replace(one, outcome=replace(one.outcome, parsed=replace(parsed, entries=tuple(entries))))


def _log_row(outcome: Outcome, now: datetime, n_new: int, n_changed: int) -> dict[str, Any]:
    return {
        "source_id": outcome.source_id,
        "fetched_at": now,
        "outcome": outcome.kind,
        "http_status": outcome.status,
        "n_bytes": outcome.n_bytes,
        "n_entries": len(outcome.parsed.entries) if outcome.parsed else None,
        "n_new": n_new,
        "n_changed": n_changed,
        "n_skipped": outcome.parsed.n_skipped if outcome.parsed else None,
        "seconds": outcome.seconds,
        "error": outcome.error or None,
    }


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"select count(*) from {table}").fetchall()[0][0])
