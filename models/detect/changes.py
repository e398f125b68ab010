"""What changed since the last run: only real differences are appended, so running again appends nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from models.detect.joining import Conflict
from models.store import insert_rows

if TYPE_CHECKING:
    import duckdb

WATCHED = ("happened_on", "provider", "stage", "reach", "magnitude", "release", "is_confirmed", "capabilities")
Facts = Mapping[str, Mapping[str, str | None]]


def facts(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str | None]]:
    """The watched fields of every jump in the store, as text."""
    rows = con.execute(
        """
        select jump.*, (select string_agg(capability, ';' order by capability) from jump_capability as c where c.jump_id = jump.jump_id) as capabilities
        from jump
        """
    )
    names = [column[0] for column in rows.description or ()]
    found = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
    return {row["jump_id"]: {name: _text(row[name]) for name in WATCHED} for row in found}


def differences(before: Facts, after: Facts, why: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows of table change for jumps that are no longer there and fields that have another value; `why` is by jump."""
    rows = []
    for key in sorted(before):
        if key not in after:
            rows.append(_row(key, "jump_id", key, None, why.get(key, "no longer detected")))
            continue
        for name in WATCHED:
            if before[key][name] != after[key][name]:
                rows.append(_row(key, name, before[key][name], after[key][name], why.get(key, "detected anew")))
    return rows


def conflict_rows(conflicts: Iterable[Conflict]) -> list[dict[str, Any]]:
    """Rows for fields that documents tell otherwise than the catalogue; the checked value stands."""
    return [
        _row(one.jump_id, one.field, one.checked, one.told, "conflict: documents tell otherwise, the checked value stands")
        for one in conflicts
    ]


def append(
    con: duckdb.DuckDBPyConnection, differences: Sequence[dict[str, Any]], standing: Sequence[dict[str, Any]], as_of: date
) -> int:
    """Append what changed, and of what stands (conflicts, rulings) only what was not the last word about its field already."""
    told = {
        tuple(row[:4]): (row[4]["before"], row[4]["after"])
        for row in con.execute(
            "select relation, key, field, why, arg_max({'before': before, 'after': after}, changed_at) from change group by all"
        ).fetchall()
    }
    new = [
        row
        for row in standing
        if told.get((row["relation"], row["key"], row["field"], row["why"])) != (row["before"], row["after"])
    ]
    at = datetime.combine(as_of, time(23, 59, 59), UTC)
    return insert_rows(con, "change", [{**row, "changed_at": at} for row in (*differences, *new)])


def _row(key: str, field: str, before: str | None, after: str | None, why: str, relation: str = "jump") -> dict[str, Any]:
    return {"relation": relation, "key": key, "field": field, "before": before, "after": after, "why": why}


def product_rows(told: Iterable[tuple[str, str, Any, Any, str]]) -> list[dict[str, Any]]:
    """Rows for (product_id, column, before, after, why) that rulings changed."""
    return [_row(key, name, _text(before), _text(after), why, "product") for key, name, before, after, why in told]


def _text(value: Any) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
