"""Facts out of a store, into `vitals.json` and back."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.vitals.facts import Facts, Totals, Trouble, attempts_of

if TYPE_CHECKING:
    import duckdb

FILE = "vitals.json"
# what counts signs of life: hundreds of repositories whose silence is a finding, not a failure
SIGN_KINDS = ("commits", "npm", "releases")
WELL = ("fine", "moved")
MAX_TROUBLES = 1000
MAX_ERROR = 300
_TROUBLES = f"""
select source_id, coalesce(title, source_id), health, health_since_at, coalesce(n_failures, 0), coalesce(last_error, '')[:{MAX_ERROR}]
from source where is_active and kind not in {SIGN_KINDS} and health not in {WELL}
order by health_since_at, source_id limit {MAX_TROUBLES}
"""
_HEALTH = "select coalesce(health, 'not_polled'), count(*) from source where is_active and kind {} in {} group by 1 order by 1"


def gather(
    con: duckdb.DuckDBPyConnection,
    now: datetime,
    *,
    tagger: str = "",
    current: Mapping[str, Any] | None = None,
    listed: Collection[str] | None = None,
    totals: Totals | None = None,
) -> Facts:
    """What a store says, the writer's own or a published one.

    `current` is the ledger row of a run under way, whose counts are not stored yet, with its `stage`; `listed` are the sources in force,
    so that one that was dropped is no trouble; `tagger` the one whose queue counts, and without it the queue is unknown.
    """
    rows = {row["run_id"]: row for row in ledger(con)}
    if current:
        rows[current["run_id"]] = {**rows.get(current["run_id"], {}), **current}
    newest = max(rows.values(), key=lambda row: row["started_at"], default={})
    troubles = [Trouble(*row) for row in con.execute(_TROUBLES).fetchall()]
    keep = None if listed is None else set(listed)
    return Facts(
        written_at=now,
        run_id=newest.get("run_id", ""),
        purpose=newest.get("purpose", ""),
        status=newest.get("status", ""),
        stage=newest.get("stage", ""),
        started_at=newest.get("started_at"),
        first_run_at=min((row["started_at"] for row in rows.values()), default=None),
        as_of=_published_as_of(rows.values()),
        n_documents=int(con.execute("select count(*) from document").fetchall()[0][0]),
        n_untagged=_untagged(con, tagger) if tagger else None,
        attempts=attempts_of(rows.values()),
        sources=dict(con.execute(_HEALTH.format("not", SIGN_KINDS)).fetchall()),
        signs=dict(con.execute(_HEALTH.format("", SIGN_KINDS)).fetchall()),
        troubles=tuple(one for one in troubles if keep is None or one.source_id in keep),
        totals=totals or Totals(),
    )


def ledger(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Rows of the run ledger with their counts as values."""
    found = con.execute("select run_id, as_of, started_at, finished_at, status, counts from run").fetchall()
    names = ("run_id", "as_of", "started_at", "finished_at", "status", "counts")
    rows = [dict(zip(names, row, strict=True)) for row in found]
    return [{**row, "counts": json.loads(row["counts"]) if row["counts"] else {}} for row in rows]


def _published_as_of(rows: Collection[Mapping[str, Any]]) -> Any:
    """The day that the published file stands on: that of the newest run that published."""
    done = [row for row in rows if "publish" in (row["counts"] or {}) and not row["counts"]["publish"].get("error")]
    return max(done, key=lambda row: row["started_at"])["as_of"] if done else None


def _untagged(con: duckdb.DuckDBPyConnection, tagger: str) -> int:
    from models.tags import n_pending

    return n_pending(con, tagger)


def write(home: Path, facts: Facts) -> None:
    """Put the facts in place of the last ones, whole or not at all."""
    temporary = home / f".{FILE}.{os.getpid()}.tmp"
    temporary.write_text(json.dumps(facts.to_json(), ensure_ascii=True, default=str), encoding="utf-8")
    os.replace(temporary, home / FILE)


def read(home: Path) -> Facts | None:
    """What the writer left, or what the published file says where it left nothing; None when there is neither."""
    return read_file(home) or read_published(home / "lifeline.duckdb")


def read_file(home: Path) -> Facts | None:
    """What the writer left; None when it left nothing that this release understands."""
    try:
        return Facts.from_json(json.loads((home / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def read_published(path: Path) -> Facts | None:
    """What the published file says of the runs and sources; None when it cannot be read."""
    import duckdb

    from models.errors import StoreError
    from models.store import open_published

    try:
        with open_published(path) as con:
            at = max((row["finished_at"] or row["started_at"] for row in ledger(con)), default=None)
            return gather(con, at) if at else None
    except (StoreError, duckdb.Error):
        return None
