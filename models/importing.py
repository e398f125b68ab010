"""Bring files in: the whole file is validated first, and a wrong row changes nothing.

    file -> rows, validated (file, row, column, value and remedy named) -> laid over what the home holds, by key -> one atomic write

Products, jumps and sources become CSVs in the folder `catalogue` of the home, which every run lays over the shipped ones.
Activity goes into the store, and so do documents: see `models.archive`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.catalogue.files import Column, Row, day, number, one_of, read_csv, read_jumps, read_products, read_sources
from models.catalogue.formats import read_other
from models.errors import CatalogueError
from models.exports.cells import csv_cell
from models.exports.csv import restore
from models.exports.files import write_atomically

if TYPE_CHECKING:
    import duckdb

ACTIVITY_KINDS = ("documents", "releases", "commits")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did; `n_same` rows were there already, word for word."""

    kind: str
    n_rows: int
    n_new: int
    n_changed: int
    target: str
    ignored: tuple[str, ...] = ()

    @property
    def n_same(self) -> int:
        """Rows that changed nothing."""
        return self.n_rows - self.n_new - self.n_changed


@dataclass(frozen=True, slots=True)
class Overlay:
    """How one kind of catalogue file is read and where it is kept."""

    read: Callable[[Path], list[Row]]
    key: str
    file: str


OVERLAYS: Mapping[str, Overlay] = {
    "products": Overlay(read_products, "product_id", "products.csv"),
    "private": Overlay(read_products, "product_id", "private_products.csv"),
    "jumps": Overlay(read_jumps, "jump_id", "jumps.csv"),
    "sources": Overlay(read_sources, "source_id", "sources.csv"),
}


def as_it_is(row: Row) -> Row:
    """No change."""
    return row


def import_catalogue(kind: str, file: Path, folder: Path, *, amend: Callable[[Row], Row] = as_it_is) -> Imported:
    """Lay the rows of `file` over `folder`'s CSV of the same kind (products, private, jumps, sources), by id.

    `amend` may change a row on its way (a cohort's name, say). A private product stays private when it comes again as a
    public one, because a home must not publish it by accident.

    Raises
    ------
    CatalogueError
        at the first wrong row; nothing has changed then.

    """
    overlay = OVERLAYS[kind]
    rows = [amend({name: _restored(value) for name, value in row.items()}) for row in overlay.read(file)]
    if not rows:
        raise CatalogueError(f"{file} holds no row; give a file with at least one row under its header")
    if kind == "products":
        _refuse_private(rows, file, folder)
    target = folder / overlay.file
    before = {row[overlay.key]: row for row in overlay.read(target)} if target.is_file() else {}
    after = before | {row[overlay.key]: row for row in rows}
    n_new = sum(row[overlay.key] not in before for row in rows)
    n_same = sum(before.get(row[overlay.key]) == row for row in rows)
    if n_same < len(rows):
        write_atomically(target, catalogue_csv(list(after.values())).encode())
    return Imported(kind, len(rows), n_new, len(rows) - n_new - n_same, str(target), ignored_columns(file, rows[0]))


def _refuse_private(rows: Sequence[Row], file: Path, folder: Path) -> None:
    private = folder / OVERLAYS["private"].file
    hidden = {row["product_id"] for row in read_products(private)} if private.is_file() else set()
    for number_, row in enumerate(rows, start=2):
        if row["product_id"] in hidden:
            raise CatalogueError(
                f"{file}, row {number_}, column product_id: {row['product_id']!r} is a private product of this home; "
                "import it with --private, or give the public one another id"
            )


def _restored(value: Any) -> Any:
    """Text as it was before an export made it harmless for spreadsheets."""
    return tuple(map(restore, value)) if isinstance(value, tuple) else restore(value)


def catalogue_csv(rows: Sequence[Row]) -> str:
    """Validated rows as a catalogue CSV, not neutralised: it is read by this program alone."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    names = list(rows[0])
    writer.writerow(names)
    writer.writerows([csv_cell(row[name]) for name in names] for row in rows)
    return buffer.getvalue()


def ignored_columns(file: Path, row: Row) -> tuple[str, ...]:
    """Columns of the file that have no meaning here; the caller should say so, since one may be a slip of the pen."""
    other = read_other(file)
    if other is not None:
        header = other[0]
    else:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            header = next(csv.reader(handle), [])
    return tuple(name for name in header if name and name not in row)


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


def store_activity(con: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> Imported:
    """Keep imported counts; a month that was imported before is replaced.

    Since when a count was known is left open, so a run that stands on an earlier day may look at the months before it.
    """
    from models.store import insert_rows

    n_before = _n_imported(con)
    insert_rows(con, "activity_count", [{**row, "origin": "import"} for row in rows], conflict="or replace")
    n_new = _n_imported(con) - n_before
    return Imported("activity", len(rows), n_new, len(rows) - n_new, "work.duckdb")


def _n_imported(con: duckdb.DuckDBPyConnection) -> int:
    return con.execute("select count(*) from activity_count where origin = 'import'").fetchall()[0][0]
