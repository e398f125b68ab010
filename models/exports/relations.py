"""Every published relation as Parquet, CSV and (the main ones) JSON, straight from the published file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.exports.cells import json_cell
from models.exports.csv import FORMULA, TRIMMED
from models.exports.files import write_atomically
from models.exports.lists import Table, fetch
from models.store import SCHEMA_VERSION

if TYPE_CHECKING:
    import duckdb

# what other programs ask for; documents and their tags are left to Parquet, because they are large
JSON_RELATIONS = (
    "accuracy",
    "capability",
    "exposure",
    "finding",
    "jump",
    "jump_capability",
    "lifeline",
    "lifeline_curve",
    "lifeline_factor",
    "product",
    "product_job",
    "product_moat",
    "run",
    "source",
)
PLAIN = frozenset({"VARCHAR", "JSON", "BOOLEAN", "INTEGER", "BIGINT"})
Column = tuple[str, str]


def columns_of(con: duckdb.DuckDBPyConnection) -> dict[str, list[Column]]:
    """Name and type of the columns of each published relation."""
    rows = con.execute(
        "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'main' and not internal "
        "order by table_name, column_index"
    ).fetchall()
    found: dict[str, list[Column]] = {}
    for table, column, kind in rows:
        found.setdefault(table, []).append((column, kind))
    return found


def write_parquet(con: duckdb.DuckDBPyConnection, sql: str, file: Path) -> None:
    """The rows of a query as Parquet, in place of `file` in one step."""
    with _replacing(file) as temporary:
        con.execute(f"copy ({sql}) to '{_quoted(temporary)}' (format parquet, compression zstd)").fetchall()


def write_csv(con: duckdb.DuckDBPyConnection, sql: str, columns: Sequence[Column], file: Path) -> None:
    """The rows of a query as CSV by the rules of `models.exports.csv`, written by DuckDB because there may be very many."""
    cells = ", ".join(f"{csv_sql(name, kind)} as {name}" for name, kind in columns)
    with _replacing(file) as temporary:
        con.execute(
            f"copy (select {cells} from ({sql})) to '{_quoted(temporary)}' (format csv, header true, nullstr '')"
        ).fetchall()


def csv_sql(name: str, kind: str) -> str:
    """A column as text: ISO instants, lists joined by `;`, formulas neutralised."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"strftime({name} at time zone 'UTC', '%Y-%m-%dT%H:%M:%SZ')"
    if kind == "VARCHAR[]":
        return _neutral(f"array_to_string({name}, ';')")
    if kind in ("VARCHAR", "JSON"):
        return _neutral(f"{name}::varchar")
    return name


def _neutral(text: str) -> str:
    """SQL for `neutralise`."""
    formula = "".join(_in_class(char) for char in FORMULA)
    trimmed = "".join(_in_class(char) for char in TRIMMED)
    clean = f"replace({text}, chr(0), '')"
    is_formula = f"regexp_matches({clean}, '^[{trimmed}]*[{formula}]') and try_cast(trim({clean}) as double) is null"
    return f"case when {is_formula} then '''' || {clean} else {clean} end"


def _in_class(char: str) -> str:
    """A character inside a bracket of a regular expression of RE2, in a string of SQL."""
    return f"\\x{{{ord(char):x}}}"


def write_json(con: duckdb.DuckDBPyConnection, relation: str, sql: str, file: Path, now: datetime) -> int:
    """A relation as one JSON object with its meaning: schema version, time, grain, columns with comments, rows."""
    table = fetch(con, f"{sql} order by all")
    grain = con.execute("select comment from duckdb_tables() where table_name = ?", [relation]).fetchall()[0][0]
    comments = con.execute(
        "select column_name, comment from duckdb_columns() where table_name = ? order by column_index", [relation]
    )
    content = {
        "schema_version": SCHEMA_VERSION,
        "generated_at": now.isoformat(timespec="seconds"),
        "relation": relation,
        "grain": grain,
        "columns": dict(comments.fetchall()),
        "n_rows": len(table.rows),
        "rows": json_rows(table),
    }
    write_atomically(file, dumps(content))
    return len(table.rows)


def json_rows(table: Table) -> list[dict[str, Any]]:
    """Rows as JSON objects; columns of plain text, numbers and flags are taken as they are, which makes it four times as fast."""
    n = len(table.columns)
    convert = [i for i in range(n) if table.types[i] not in PLAIN]
    found = []
    for row in table.rows:
        cells = list(row)
        for i in convert:
            cells[i] = json_cell(cells[i])
        found.append(dict(zip(table.columns, cells, strict=True)))
    return found


def dumps(content: Any) -> bytes:
    """Strict JSON in UTF-8."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace") + b"\n"


@contextmanager
def _replacing(file: Path) -> Iterator[Path]:
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
