"""What a command answers: lines for people, data for programs, and the exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Report:
    """`lines` are printed, or with `--json` `data` as JSON; `exit_code` is 0 for success, 1 when part of the work failed."""

    lines: Sequence[str] = ()
    data: Any = field(default_factory=dict)
    exit_code: int = 0


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> list[str]:
    """Rows as aligned text columns under a header."""
    cells = [list(columns)] + [[_cell(row.get(name)) for name in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def say(message: str) -> None:
    """Progress, on standard error, so that standard output stays the answer.

    Where nobody listens any more, as when a run's worker died, the work goes on all the same.
    """
    with suppress(BrokenPipeError):
        print(message, file=sys.stderr, flush=True)  # noqa: T201
