"""`lifeline sql`: one read-only statement on the published file."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from app import elsewhere
from app.sandbox import Result, query
from models import settings
from models.errors import UsageError
from models.exports.cells import json_cell
from models.report import Report, say

FORMATS = ("table", "csv", "json", "parquet")
ENDINGS = {".csv": "csv", ".json": "json", ".parquet": "parquet"}
WIDEST_CELL = 60  # characters of a cell in the table for people


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("query", help="one SELECT (also FROM, WITH, VALUES, DESCRIBE, SUMMARIZE); - reads it from standard input")
    parser.add_argument("--format", choices=FORMATS, help="table (default), csv, json (one array of objects) or parquet")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the answer there instead of to standard output")
    parser.add_argument(
        "--timeout", type=float, metavar="S", help="seconds that the query may take (default: setting sql_timeout_s)"
    )
    parser.add_argument(
        "--max-rows", type=int, metavar="N", help="rows that are returned at most (default: setting sql_max_rows)"
    )
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="value for $NAME in the query; repeatable"
    )
    parser.add_argument("--from", dest="origin", metavar="ADDRESS", help=elsewhere.HELP)


def run(args: argparse.Namespace) -> Report:
    """Run the query and show its rows; limits that were hit are said on standard error."""
    form = args.format or ("json" if args.json else ENDINGS.get(args.output.suffix.lower(), "table") if args.output else "table")
    if args.json and form != "json" and args.output is None:
        raise UsageError(f"--json and --format {form} ask for two things; give one of them, or add --output FILE")
    if form == "parquet" and args.output is None:
        raise UsageError("Parquet is not for a terminal; add --output FILE.parquet")
    inside = settings.load()
    text = sys.stdin.read() if args.query == "-" else args.query
    result = query(
        elsewhere.published_at(args.origin, inside) if args.origin else inside.published,
        text,
        params(args.param),
        timeout_s=inside["sql_timeout_s"] if args.timeout is None else args.timeout,
        max_rows=inside["sql_max_rows"] if args.max_rows is None else args.max_rows,
    )
    if result.limit:
        say(f"{result.limit}; raise --max-rows or aggregate")
    if args.output is not None:
        return _to_file(result, form, args.output)
    records = json_records(result) if form == "json" else []
    return Report(_lines(result, form, records), data=records)


def params(pairs: Sequence[str]) -> dict[str, Any]:
    """`name=value` options as typed values."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--param {pair!r} is not NAME=VALUE; write it as in --param provider=OpenAI")
        found[name] = typed(value)
    return found


def typed(value: str) -> Any:
    """Whole numbers, numbers, true, false, null and ISO dates become themselves; quotes keep text that looks like one."""
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    words = {"true": True, "false": False, "null": None}
    if value.lower() in words:
        return words[value.lower()]
    for read in (int, float, date.fromisoformat, datetime.fromisoformat):
        try:
            return read(value)
        except ValueError:
            continue
    return value


def json_records(result: Result) -> list[dict[str, Any]]:
    """Rows as objects that strict JSON can carry."""
    return [{name: json_cell(value) for name, value in record.items()} for record in result.records()]


def _lines(result: Result, form: str, records: list[dict[str, Any]]) -> Sequence[str]:
    if form == "json":
        return [json.dumps(records, ensure_ascii=False, indent=None)]
    if form == "csv":
        from models.exports.csv import csv_text

        return csv_text(result.columns, result.rows).removesuffix("\n").split("\n")
    return [*text_table(result), f"({len(result.rows)} row{'s' * (len(result.rows) != 1)}, {result.seconds:.2f} s)"]


def text_table(result: Result) -> list[str]:
    """Rows under a header, columns aligned, long cells cut, control characters made visible."""
    cells = [list(map(_shown, result.columns)), *[[_shown(value) for value in row] for row in result.rows]]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    return ["  ".join(cell + " " * (w - _width(cell)) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells]


def _shown(value: Any) -> str:
    """One line without terminal codes, however hostile the text."""
    text = "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    text = "".join(char if char.isprintable() else " " for char in text)
    return text if len(text) <= WIDEST_CELL else text[: WIDEST_CELL - 1] + "…"


def _width(text: str) -> int:
    """Columns on a terminal: East Asian characters take two."""
    from unicodedata import east_asian_width

    return len(text) if text.isascii() else sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def _to_file(result: Result, form: str, file: Path) -> Report:
    """Write the answer atomically, in the format asked for or that of the file's ending."""
    from models.exports.files import write_atomically

    write_atomically(file, _bytes(result, form))
    note = f", {result.limit}" if result.limit else ""
    data = {"output": str(file), "n_rows": len(result.rows), "is_truncated": result.is_truncated}
    return Report([f"{file}: {len(result.rows)} rows{note}"], data)


def _bytes(result: Result, form: str) -> bytes:
    if form == "parquet":
        from app.sandbox import unique
        from models.exports.parquet import parquet_bytes

        return parquet_bytes(unique(result.columns), result.types, result.rows)
    if form == "csv":
        from models.exports.csv import csv_text

        return csv_text(result.columns, result.rows).encode()
    if form == "json":
        return json.dumps(json_records(result), ensure_ascii=False).encode() + b"\n"
    return ("\n".join(text_table(result)) + "\n").encode()
