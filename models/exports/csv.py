"""CSV that a spreadsheet cannot mistake for a program: the one writer that pages, commands and exports share."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from models.exports.cells import csv_cell

# A spreadsheet runs a cell that begins so; some trim blanks, quotes, invisible marks and full-width forms first.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "＝", "＋", "－", "＠")
TRIMMED = " '\"\u00a0\u200b\u200c\u200d\u2060\ufeff"


def neutralise(value: Any) -> Any:
    """`value`, with a leading apostrophe when it is a text that a spreadsheet would run as a formula; numbers stay numbers."""
    if not isinstance(value, str) or not value.lstrip(TRIMMED).startswith(FORMULA):
        return value
    return value if _is_number(value) else "'" + value


def restore(value: Any) -> Any:
    """Take back the apostrophe that `neutralise` added."""
    is_added = isinstance(value, str) and value.startswith("'") and neutralise(value[1:]) == value
    return value[1:] if is_added else value


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return value[-1].isalnum() or value[-1] == "."


def write_csv(rows: Iterable[Mapping[str, Any]], file: TextIO, columns: Sequence[str] | None = None) -> int:
    """Write rows under a header, lists joined by `;`, unknown as empty, formulas neutralised; returns the number of rows.

    `columns` default to those of the first row; nothing is written for no rows and no columns.
    """
    writer = csv.writer(file, lineterminator="\n")
    names = list(columns) if columns is not None else []
    n_rows = 0
    for row in rows:
        if not n_rows:
            names = names or list(row)
            writer.writerow(map(neutralise, names))
        writer.writerow([_cell(row.get(name)) for name in names])
        n_rows += 1
    if not n_rows and names:
        writer.writerow(map(neutralise, names))
    return n_rows


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A header and rows, given as sequences, as CSV text by the same rules."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(map(neutralise, columns))
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def _cell(value: Any) -> str:
    """A cell's text; a lone surrogate, which UTF-8 cannot carry, becomes a question mark."""
    return neutralise(csv_cell(value)).replace("\0", "").encode("utf-8", "replace").decode()
