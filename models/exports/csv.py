"""CSV that a spreadsheet cannot mistake for a program: the one writer that pages, commands and exports share."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutralise(value: Any) -> Any:
    """`value`, with a leading apostrophe when it is a text that a spreadsheet would run as a formula; numbers stay numbers."""
    if not isinstance(value, str) or not value.lstrip(" '\"\u00a0\ufeff").startswith(FORMULA):
        return value
    return value if _is_number(value) else "'" + value


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


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
            writer.writerow(names)
        writer.writerow([neutralise(_cell(row.get(name))) for name in names])
        n_rows += 1
    if not n_rows and names:
        writer.writerow(names)
    return n_rows


def _cell(value: Any) -> Any:
    if value is None or value != value:  # not-a-number is unknown, too
        return ""
    if isinstance(value, (list, tuple, set)):
        return ";".join(str(part) for part in value)
    return value
