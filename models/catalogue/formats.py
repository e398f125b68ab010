"""Catalogue rows from files that are no CSV: JSON Lines, Parquet and OPML, told by the file's ending.

Each reader gives the column names and numbered rows of text cells, just as a CSV would, so that one door validates them all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.errors import CatalogueError

MAX_BYTES = 512 * 1024 * 1024
Numbered = Sequence[tuple[int, Mapping[str, str]]]


def read_other(file: Path) -> tuple[list[str], Numbered] | None:
    """Columns and numbered rows of a JSON Lines, Parquet or OPML file; None for any other ending.

    Raises
    ------
    CatalogueError
        when the file does not exist, is too large, or is not what its ending says.

    """
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        return None
    try:
        size = file.stat().st_size
    except OSError as error:
        raise CatalogueError(f"{file} does not exist; give the path of a file") from error
    if size > MAX_BYTES:
        raise CatalogueError(f"{file} has {size / 2**20:.0f} MB, at most {MAX_BYTES // 2**20} are read; split it")
    rows = reader(file)
    names = dict.fromkeys(name for _, row in rows for name in row)
    return list(names), rows


def as_cell(value: Any) -> str:
    """A typed value as the text that a CSV would hold."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple, set)):
        return ";".join(as_cell(part) for part in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _jsonl(file: Path) -> Numbered:
    return list(_json_lines(file))


def _json_lines(file: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Objects of a JSON Lines file with their line numbers; blank lines are passed over."""
    try:
        with file.open(encoding="utf-8-sig") as handle:
            for number, line in enumerate(handle, start=1):
                if not line.strip():
                    continue
                found = json.loads(line)
                if not isinstance(found, dict):
                    raise CatalogueError(f"{file}, line {number}: not an object; write one JSON object a line")
                yield number, {str(name): as_cell(value) for name, value in found.items()}
    except json.JSONDecodeError as error:
        raise CatalogueError(f"{file}, line {number}: not JSON ({error.msg}); write one JSON object a line") from error
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise CatalogueError(f"{file} cannot be read as JSON Lines in UTF-8 ({error}); save it anew and try again") from error


def _parquet(file: Path) -> Numbered:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(file).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise CatalogueError(f"{file} cannot be read as Parquet ({str(error).splitlines()[0]}); write it anew") from error
    return [(number, {name: as_cell(value) for name, value in row.items()}) for number, row in enumerate(rows, start=1)]


def _opml(file: Path) -> Numbered:
    from models.opml import read_opml

    rows = read_opml(file)
    return [(number, {name: as_cell(value) for name, value in row.items()}) for number, row in enumerate(rows, start=1)]


READERS: Mapping[str, Callable[[Path], Numbered]] = {
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".parquet": _parquet,
    ".opml": _opml,
    ".xml": _opml,
}
