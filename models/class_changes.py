"""Remember each product's lifeline class from run to run, so that a change of it becomes a row of table change.

Lifelines are recomputed whole on every run; the class said last is kept in table notice under the empty watchlist.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from models.store import insert_rows

if TYPE_CHECKING:
    import duckdb

PREFIX = "class:"


def note(con: duckdb.DuckDBPyConnection, as_of: date) -> int:
    """Append a change for every product whose class differs from the one said last; returns how many.

    A first class is no change. A run that stands on an earlier day than the last one changes nothing: it tells history again.
    """
    at = datetime.combine(as_of, time(23, 59, 58), UTC)
    said, last_at = _said(con)
    if last_at is not None and last_at > at:
        return 0
    now: dict[str, str] = dict(con.execute("select product_id, coalesce(lifeline_class, 'unsure') from lifeline").fetchall())
    changes = [
        {
            "changed_at": at,
            "relation": "lifeline",
            "key": key,
            "field": "lifeline_class",
            "before": before,
            "after": after,
            "why": "estimate",
        }
        for key, before, after in differences(said, now)
    ]
    insert_rows(con, "change", changes)
    con.execute("delete from notice where watchlist = ''")
    rows: list[dict[str, Any]] = [
        {"watchlist": "", "milestone": f"{PREFIX}{value}:{key}", "noticed_at": at} for key, value in (said | now).items()
    ]
    insert_rows(con, "notice", rows)
    return len(changes)


def differences(said: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(product, before, after) where a class was said before and is another one now."""
    return [(key, said[key], now[key]) for key in sorted(now) if key in said and said[key] != now[key]]


def _said(con: duckdb.DuckDBPyConnection) -> tuple[dict[str, str], datetime | None]:
    rows = con.execute("select milestone, noticed_at from notice where watchlist = ''").fetchall()
    said = {}
    for milestone, _ in rows:
        value, _, key = milestone.removeprefix(PREFIX).partition(":")
        said[key] = value
    return said, max((at for _, at in rows), default=None)
