"""Sources in the store: take over what the catalogue says, read and write what polls have taught."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flows.health import State
from models.identity import site_of
from models.store import insert_rows
from models.types import Source

if TYPE_CHECKING:
    import duckdb

SAID = ("source_id", "title", "kind", "url", "site", "provider", "lang", "every_hours", "is_active", "tier", "product_id")
LEARNT = (
    "health",
    "health_since_at",
    "last_fetch_at",
    "last_success_at",
    "last_new_at",
    "newest_at",
    "next_fetch_at",
    "hold_until_at",
    "retired_at",
    "etag",
    "last_modified",
    "moved_to",
    "body_hash",
    "n_failures",
    "last_error",
)


def as_source(row: Source | Mapping[str, Any]) -> Source:
    """A source from a validated row of sources.csv or of the table."""
    if isinstance(row, Source):
        return row
    hours = row.get("every_hours")
    return Source(
        source_id=row["source_id"],
        title=row.get("title") or row["source_id"],
        kind=row.get("kind") or "auto",
        url=row["url"],
        site=row.get("site") or "",
        provider=row.get("provider") or "",
        lang=row.get("lang") or "",
        every_hours=6.0 if hours is None else float(hours),
        is_active=row.get("is_active") is not False,
        tier=row.get("tier") or "press",
        product_id=row.get("product_id") or "",
    )


def sync(con: duckdb.DuckDBPyConnection, sources: Iterable[Source | Mapping[str, Any]]) -> list[str]:
    """Make the store's sources say what `sources` say, keep what polls taught; returns their ids in order.

    A source whose address or kind changed starts anew. Sources that are not named stay as they are.
    """
    wanted = {source.source_id: source for source in map(as_source, sources)}
    known = {row[0]: row[1:] for row in con.execute("select source_id, url, kind from source").fetchall()}
    changed = [key for key, source in wanted.items() if key in known and known[key] != (source.url, source.kind)]
    for key in changed:
        con.execute(
            f"update source set {', '.join(f'{name} = null' for name in LEARNT if name != 'n_failures')}, n_failures = 0 where source_id = ?",
            [key],
        )
    rows = [{name: getattr(source, name) for name in SAID} for source in wanted.values()]
    insert_rows(con, "source", [row for row in rows if row["source_id"] not in known])
    _overwrite(con, [row for row in rows if row["source_id"] in known], [name for name in SAID if name != "source_id"])
    return list(wanted)


def read_states(con: duckdb.DuckDBPyConnection, source_ids: Sequence[str] | None = None) -> list[State]:
    """The state of each source, of all when none are named, in the order of their ids."""
    cursor = con.execute(f"select {', '.join([*SAID, *LEARNT])} from source order by source_id")
    names = [column[0] for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    chosen = None if source_ids is None else set(source_ids)
    return [
        State(
            source=as_source(row),
            **{name: row[name] for name in LEARNT if name != "n_failures"},
            n_failures=row["n_failures"] or 0,
        )
        for row in rows
        if chosen is None or row["source_id"] in chosen
    ]


def write_states(con: duckdb.DuckDBPyConnection, states: Sequence[State]) -> None:
    """Store what polls taught."""
    rows = [{"source_id": state.source.source_id, **{name: getattr(state, name) for name in LEARNT}} for state in states]
    _overwrite(con, rows, list(LEARNT))


def _overwrite(con: duckdb.DuckDBPyConnection, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    if not rows:
        return
    con.execute("create or replace temp table changed_source as from source limit 0")
    insert_rows(con, "changed_source", rows)
    sets = ", ".join(f"{name} = changed_source.{name}" for name in columns)
    con.execute(f"update source set {sets} from changed_source where source.source_id = changed_source.source_id")
    con.execute("drop table changed_source")


def politeness_key(url: str) -> str:
    """Whom requests are spaced for: a host; on this machine itself every address is its own."""
    from urllib.parse import urlsplit

    from flows.fetch import is_loopback

    host = urlsplit(url).hostname or ""
    return url if is_loopback(host) else host or site_of(url)
