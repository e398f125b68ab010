"""The run ledger: one row of table `run` a run, from its start to its end.

status: running, then ok, partial (a source, a stage that others do not need) or failed; interrupted is a run that never came back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from models.store import insert_rows

if TYPE_CHECKING:
    import duckdb

Counts = Mapping[str, Any]


def new_id(started_at: datetime, salt: str) -> str:
    """An id that sorts by time."""
    return f"{started_at:%Y%m%dT%H%M%SZ}-{salt}"


def begin(con: duckdb.DuckDBPyConnection, run_id: str, *, as_of: date, started_at: datetime, catalogue_hash: str) -> None:
    """Open a row; rows still open belong to runs that were killed, for only one run holds the store at a time."""
    con.execute("update run set status = 'interrupted' where status = 'running'")
    row = {"run_id": run_id, "as_of": as_of, "started_at": started_at, "status": "running", "catalogue_hash": catalogue_hash}
    insert_rows(con, "run", [row])


def record(
    con: duckdb.DuckDBPyConnection, run_id: str, *, status: str, finished_at: datetime, counts: Mapping[str, Counts]
) -> None:
    """Write what the run has done so far; called before each publish, so that the published file tells of its own run."""
    con.execute(
        "update run set status = ?, finished_at = ?, counts = ?, tagger = (select value from meta where key = 'tagger'), "
        "method_version = (select value from meta where key = 'method_version') where run_id = ?",
        [status, finished_at, json.dumps(counts, ensure_ascii=False, default=str), run_id],
    )


def status_of(counts: Mapping[str, Counts]) -> str:
    """`partial` when any stage says that something failed, else `ok`."""
    return "partial" if any(stage.get("failed") for stage in counts.values()) else "ok"


def prune(con: duckdb.DuckDBPyConnection, keep: int) -> int:
    """Drop all but the newest `keep` rows; returns how many went."""
    con.execute(
        "delete from run where run_id not in (select run_id from run order by started_at desc, run_id desc limit ?)", [keep]
    )
    row = con.fetchone()
    return int(row[0]) if row else 0
