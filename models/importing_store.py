"""Bring documents and activity into the store; the whole file is validated first, and a wrong row changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.catalogue.files import Column, Row, day, number, one_of, read_csv, text
from models.errors import CatalogueError
from models.importing import Imported
from models.store import insert_rows
from models.types import Source

if TYPE_CHECKING:
    import duckdb

ACTIVITY_KINDS = ("documents", "releases", "commits", "mentions")


def month(value: str) -> date:
    """A month as YYYY-MM or any day of it; its first day."""
    return day(f"{value}-01" if len(value) == 7 else value).replace(day=1)


def count(value: str) -> int:
    """A whole number of zero or more."""
    found = number(value)
    if found != int(found):
        raise ValueError("is not a whole number")
    return int(found)


def one_of_products(products: Sequence[str]) -> Callable[[str], str]:
    """A product of the catalogue in force."""
    known = set(products)

    def parse(value: str) -> str:
        if value not in known:
            near = get_close_matches(value, known, n=1)
            raise ValueError(
                "is no product of the catalogue; import the product first" + (f", or use {near[0]!r}" if near else "")
            )
        return value

    return parse


def read_activity(file: Path, products: Sequence[str]) -> list[Row]:
    """Rows product_id, month, n and (if given) kind of an activity file; `products` are the ids that may occur."""
    columns = {
        "product_id": Column(one_of_products(products), is_required=True),
        "month": Column(month, is_required=True),
        "n": Column(count, is_required=True),
        "kind": Column(one_of(ACTIVITY_KINDS)),
    }
    rows = read_csv(file, columns, ("product_id", "kind", "month"))
    return [{**row, "kind": row["kind"] or "releases"} for row in rows]


def store_activity(con: duckdb.DuckDBPyConnection, rows: Sequence[Row], now: datetime) -> Imported:
    """Keep imported counts; a month that was imported before is replaced."""
    n_before = _n_imported(con)
    insert_rows(con, "activity_count", [{**row, "origin": "import", "known_at": now} for row in rows], conflict="or replace")
    n_new = _n_imported(con) - n_before
    return Imported("activity", len(rows), n_new, len(rows) - n_new, "work.duckdb")


def _n_imported(con: duckdb.DuckDBPyConnection) -> int:
    return con.execute("select count(*) from activity_count where origin = 'import'").fetchall()[0][0]


def read_documents(file: Path) -> list[Row]:
    """Rows of a documents file: title and text, and where known id, url, lang, source, published and first_seen."""
    columns = {
        "id": Column(text),
        "title": Column(text, is_required=True),
        "text": Column(text),
        "url": Column(text),
        "lang": Column(text),
        "source": Column(text),
        "published": Column(instant),
        "first_seen": Column(instant),
    }
    rows = read_csv(file, columns, "id")
    if not rows:
        raise CatalogueError(f"{file} holds no document; give at least one")
    return rows


def instant(value: str) -> datetime:
    """An ISO date or instant, UTC where it names no zone."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError("is not a date; write YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def store_imported(con: duckdb.DuckDBPyConnection, rows: Sequence[Row], now: datetime) -> Imported:
    """Store documents through the same door as fetched ones, each seen when the file says, else `now`."""
    from models.documents import Entry, store_listings, transaction

    listings: dict[datetime, dict[str, list[Any]]] = {}
    for row in rows:
        seen_at = min(row["first_seen"] or now, now)
        entry = Entry(
            title=row["title"],
            text=row["text"] or "",
            url=row["url"] or "",
            guid=row["id"] or "",
            published_at=row["published"],
            lang=row["lang"] or "",
        )
        listings.setdefault(seen_at, {}).setdefault(row["source"] or "import", []).append(entry)
    n_new = n_changed = 0
    with transaction(con):
        sources = {name: _source(con, name) for by_source in listings.values() for name in by_source}
        for seen_at in sorted(listings):
            counts = store_listings(con, [(sources[name], entries) for name, entries in listings[seen_at].items()], seen_at)
            n_new += sum(one.n_new for one in counts.values())
            n_changed += sum(one.n_changed for one in counts.values())
    return Imported("documents", len(rows), n_new, n_changed, "work.duckdb")


def _source(con: duckdb.DuckDBPyConnection, name: str) -> Source:
    """The source that the file names; one that is not known is noted as an archive that nobody polls."""
    found = con.execute("select title, kind, url, lang, tier from source where source_id = ?", [name]).fetchall()
    if found:
        title, kind, url, lang, tier = (value or "" for value in found[0])
        return Source(source_id=name, title=title, kind=kind, url=url, lang=lang, tier=tier or "press")
    row = {"source_id": name, "title": name, "kind": "archive", "tier": "press", "is_active": False, "is_listed": False}
    insert_rows(con, "source", [row])
    return Source(source_id=name, title=name, kind="archive", url="", is_active=False)
