"""The ingest stage: poll sources and store what they list.

    sources -> due (pure) -> fetch and parse, many at once -> settle and plan (pure) -> one transaction a batch -> counts

This thread alone writes. A source's documents, state and log line are committed together: a run that dies anywhere leaves each source
either before its poll or after it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flows import health
from flows.fulltext import read_full_texts
from flows.health import State
from flows.parse.pool import shared_pool
from flows.polling import Polled, Tools, open_client, poll_all
from flows.robots import Robots
from flows.settling import commit, log
from flows.signs import SIGNS, count_signs
from flows.sources import read_states, sync
from models.types import Source

if TYPE_CHECKING:
    import duckdb

    from models.settings import Settings

BATCH_SOURCES, BATCH_SECONDS = 64, 2.0
# kinds that this stage polls; liveness and archives have stages of their own
POLLED = ("auto", "feed", "changelog", "registry", "sitemap", "hackernews", *SIGNS)
Store = Callable[[Sequence[Polled]], None]
Elsewhere = Callable[[Sequence[State], Store, datetime], Sequence[State]]


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


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"select count(*) from {table}").fetchall()[0][0])
