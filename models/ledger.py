"""Whether the counts of the run ledger add up: within a run, from run to run, and with what the store and the published file hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.store import open_published

if TYPE_CHECKING:
    import duckdb

# stage -> total -> its parts; "x_*" stands for all counts whose names begin so. What a stage did not count is not checked.
SUMS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "ingest": {
        "polled": ("fetched", "not_modified", "failed", "held"),
        "documents": ("documents_before", "new"),
    },
    "tag": {"pending": ("tagged", "left")},
    "detect": {"jump": ("origin_*",)},
}
# counts that say how many rows a table got, by the stage that fills it whole
TABLES: Mapping[str, Sequence[str]] = {
    "detect": ("product", "jump", "jump_capability", "jump_document", "proposal", "ruling"),
    "derive": ("exposure", "spell", "activity", "lifeline", "lifeline_curve", "lifeline_factor"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One run: its counts by stage, in the order in which the stages ran."""

    run_id: str
    status: str
    counts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def check(con: duckdb.DuckDBPyConnection, published: Path | None = None, *, last: int = 200) -> list[str]:
    """One line for each count that is wrong, over the `last` runs; nothing when all add up. Opens no transaction and changes nothing."""
    rows = read(con, last)
    tables = {name: _count(con, name) for names in TABLES.values() for name in names}
    wrong = [line for row in rows for line in wrong_sums(row)]
    wrong += [*wrong_steps(rows), *wrong_tables(rows, tables)]
    if published is not None and published.is_file():
        wrong += wrong_published(rows, published_counts(published))
    return wrong


def read(con: duckdb.DuckDBPyConnection, last: int) -> list[Row]:
    """The last rows of the ledger, the oldest first."""
    found = con.execute("select run_id, status, counts from run order by started_at desc, run_id desc limit ?", [last]).fetchall()
    return [Row(run_id, status, json.loads(counts) if counts else {}) for run_id, status, counts in reversed(found)]


def wrong_sums(row: Row) -> list[str]:
    """Totals of one run that are not the sum of their parts."""
    wrong = []
    for stage, sums in SUMS.items():
        counts = row.counts.get(stage) or {}
        for total, parts in sums.items():
            names = [name for part in parts for name in _named(part, counts)]
            if total in counts and names and all(name in counts for name in names):
                found = sum(counts[name] for name in names)
                if counts[total] != found:
                    said = " + ".join(f"{counts[name]} {name}" for name in names)
                    wrong.append(f"run {row.run_id}: {stage} counts {counts[total]} {total}, but {said} = {found}")
    return wrong


def _named(part: str, counts: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in counts if name.startswith(part[:-1])) if part.endswith("*") else [part]


def wrong_steps(rows: Sequence[Row]) -> list[str]:
    """Runs that found fewer documents than an earlier one had left: documents are never dropped."""
    wrong, most, by = [], 0, ""
    for row in rows:
        counts = row.counts.get("ingest") or {}
        if counts.get("documents_before", most) < most:
            wrong.append(f"run {row.run_id} found {counts['documents_before']} documents, run {by} had left {most}")
        if counts.get("documents", 0) >= most:
            most, by = counts.get("documents", 0), row.run_id
    return wrong


def wrong_tables(rows: Sequence[Row], tables: Mapping[str, int]) -> list[str]:
    """Tables that do not hold what the last run to fill them counted; a run that never came back may have begun to fill them anew."""
    wrong = []
    for stage, names in TABLES.items():
        last = _last(rows, stage)
        if last is None:
            continue
        for name in names:
            told = last.counts[stage].get(name)
            if told is not None and name in tables and tables[name] != told:
                wrong.append(f"run {last.run_id}: {stage} counts {told} rows of {name}, the store holds {tables[name]}")
    return wrong


def _last(rows: Sequence[Row], stage: str) -> Row | None:
    """The last run with a count of this stage; none when a later one was killed or failed and may have been in the middle of it."""
    for row in reversed(rows):
        if (row.counts.get(stage) or {}).get("failed", 0) == 0 and stage in row.counts:
            return row
        if row.status in ("interrupted", "running", "failed"):
            return None
    return None


def wrong_published(rows: Sequence[Row], published: Mapping[str, int]) -> list[str]:
    """A published file with other rows than the run that wrote it counted."""
    last = _last(rows, "publish")
    told, found = (last.counts["publish"].get("row") if last else None), sum(published.values())
    if last is None or told is None or told == found:
        return []
    return [f"run {last.run_id}: publish counts {told} rows, the published file holds {found}"]


def published_counts(file: Path) -> dict[str, int]:
    """Rows of each relation of a published file."""
    with open_published(file) as con:
        names = [name for (name,) in con.execute("select table_name from duckdb_tables() order by 1").fetchall()]
        return {name: _count(con, name) for name in names}


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0
