"""Sources, products, jumps and lifelines as files that `lifeline import` (or a spreadsheet) reads again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import UsageError
from models.exports.cells import json_cell
from models.exports.csv import csv_text
from models.exports.files import write_atomically

if TYPE_CHECKING:
    import duckdb

SQL = Path(__file__).with_name("sql")
KINDS = ("sources", "products", "jumps", "lifelines")
FORMATS = ("csv", "jsonl", "parquet", "opml")


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, DuckDB's names of their types, and rows."""

    columns: Sequence[str]
    types: Sequence[str]
    rows: Sequence[tuple[Any, ...]]

    def records(self) -> list[dict[str, Any]]:
        """Rows as dicts."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def read(con: duckdb.DuckDBPyConnection, kind: str, *, include_private: bool = False) -> Table:
    """One of the lists from a published file, in the columns of the catalogue files; private products only when asked for."""
    return fetch(con, (SQL / f"{kind}.sql").read_text(encoding="utf-8"), {"include_private": include_private})


def fetch(con: duckdb.DuckDBPyConnection, sql: str, params: Mapping[str, Any] | None = None) -> Table:
    """The whole answer to a query of our own."""
    cursor = con.cursor().execute(sql, dict(params) if params else None)
    described = cursor.description or []
    return Table([str(column[0]) for column in described], [str(column[1]) for column in described], cursor.fetchall())


def write(table: Table, file: Path) -> int:
    """Write the rows in the format of the file's ending (csv, jsonl, parquet, or opml for sources); returns their number."""
    form = file.suffix.lower().removeprefix(".")
    if form == "csv":
        content = csv_text(table.columns, table.rows).encode()
    elif form == "jsonl":
        content = "".join(json.dumps(json_cell(row), ensure_ascii=False) + "\n" for row in table.records()).encode()
    elif form == "parquet":
        from models.exports.parquet import parquet_bytes

        content = parquet_bytes(table.columns, table.types, table.rows)
    elif form == "opml" and "url" in table.columns:
        from models.opml import write_opml

        content = write_opml(row for row in table.records() if row["url"]).encode()
    else:
        raise UsageError(f"{file} ends in none of .csv, .jsonl, .parquet (or .opml for sources); choose one of them")
    write_atomically(file, content)
    return len(table.rows)
