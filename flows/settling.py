"""Store what polls brought: a batch of sources in one transaction, with their documents, states and log lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flows import health
from flows.health import Outcome, State
from flows.polling import Polled
from flows.signs import SIGNS, sign_rows
from flows.sources import write_states
from models import logs
from models.documents import Entry, store_listings, transaction
from models.errors import ParseError, StoreError
from models.registry import diff
from models.store import insert_rows

if TYPE_CHECKING:
    import duckdb


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
