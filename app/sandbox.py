"""One read-only statement of an analyst on the published file, in a process that is thrown away afterwards.

`query` is the only door: `lifeline sql`, the SQL page and the MCP server all go through it. This module imports neither duckdb nor
pandas, so that a query costs one start of Python and DuckDB (0.2-0.4 s) and no more.
"""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from datetime import time as time_of_day
from decimal import Decimal
from pathlib import Path
from typing import Any

from models.errors import NotPublishedError, QueryError

CHILD = Path(__file__).with_name("sandbox_child.py")
MEMORY_MB = 2048  # address space of the process: DuckDB, Python and the answer
DUCKDB_MEMORY_MB = 768  # what DuckDB itself may hold
LISTED = "page SQL and docs/sql.md list the relations with their columns"
REMEDIES = {
    "Parser Error": "write one SELECT in DuckDB's SQL, as in: from product limit 10",
    "Binder Error": LISTED,
    "Catalog Error": LISTED,
    "IO Error": "`lifeline run --stage publish` writes the published file anew",
}
MAX_BYTES = 64 * 1024 * 1024  # of an answer, as JSON
MAX_SQL = 100_000  # characters
THREADS = 2
MAX_AT_ONCE = 4  # queries of one process that run side by side; the others wait
_SLOTS = threading.BoundedSemaphore(MAX_AT_ONCE)


@dataclass(frozen=True, slots=True)
class Result:
    """What a query answered: rows as tuples of Python values (date, datetime, Decimal; nested values as lists and dicts).

    `types` are DuckDB's names. `is_truncated` says that a limit cut the rows off; `limit` says which in words, else it is empty.
    """

    columns: Sequence[str]
    types: Sequence[str]
    rows: Sequence[tuple[Any, ...]]
    is_truncated: bool
    seconds: float
    limit: str = ""

    def records(self) -> list[dict[str, Any]]:
        """Rows as dicts; a column name that occurs twice gets a number."""
        names = unique(self.columns)
        return [dict(zip(names, row, strict=True)) for row in self.rows]


def query(
    path: Path,
    sql: str,
    params: Mapping[str, Any] | None = None,
    *,
    timeout_s: float = 10.0,
    max_rows: int = 10_000,
    hide_private: bool = False,
) -> Result:
    """Run one SELECT on the published file; with `hide_private` as if it held no private products.

    Raises
    ------
    QueryError
        when the statement is refused, wrong, or runs past a limit; one line that says which, without any path of this machine.
    NotPublishedError
        when there is no published file yet.

    """
    _check(path, sql, timeout_s, max_rows)
    started = time.monotonic()
    if not _SLOTS.acquire(timeout=timeout_s):
        raise QueryError(f"{MAX_AT_ONCE} other queries are still running; try again in a moment")
    try:
        request = _request(path, sql, params or {}, timeout_s, max_rows, hide_private)
        lines, code = _run(request, timeout_s)
    finally:
        _SLOTS.release()
    return _result(lines, code, time.monotonic() - started, timeout_s, max_rows)


def _check(path: Path, sql: str, timeout_s: float, max_rows: int) -> None:
    if not path.is_file():
        raise NotPublishedError("there is no published file yet; run `lifeline run` (or `lifeline up`) first")
    if not sql.strip():
        raise QueryError("the query is empty; write one SELECT, as in: from product limit 10")
    if len(sql) > MAX_SQL:
        raise QueryError(f"the query has {len(sql):,} characters, at most {MAX_SQL:,} are read; shorten it")
    if "\0" in sql:
        raise QueryError("the query holds a NUL character; remove it")
    if not (0 < timeout_s <= 600 and math.isfinite(timeout_s)):
        raise QueryError(f"a time-out of {timeout_s:g} s cannot be; give more than 0 and at most 600 seconds")
    if not 1 <= max_rows <= 1_000_000:
        raise QueryError(f"a limit of {max_rows} rows cannot be; give 1 to 1,000,000")


def _request(path: Path, sql: str, params: Mapping[str, Any], timeout_s: float, max_rows: int, hide_private: bool) -> bytes:
    request = {
        "path": str(path.absolute()),
        "sql": sql,
        "params": {name: _param(name, value) for name, value in params.items()},
        "hide_private": hide_private,
        "root": str(CHILD.parent.parent),
        "max_rows": max_rows,
        "max_bytes": MAX_BYTES,
        "memory_mb": MEMORY_MB,
        "duckdb_memory_mb": DUCKDB_MEMORY_MB,
        "threads": THREADS,
        "cpu_s": math.ceil(timeout_s * THREADS) + 2,
    }
    try:
        return json.dumps(request, ensure_ascii=True).encode()
    except (TypeError, ValueError) as error:
        raise QueryError(
            f"a parameter cannot be sent ({error}); use text, numbers, dates, true, false or lists of them"
        ) from error


def _param(name: str, value: Any) -> list[Any]:
    """Kind and value: JSON knows no dates, and text is not compared with a date."""
    if not name.isidentifier():
        raise QueryError(
            f"parameter name {name!r} cannot be; use letters, digits and _, and write ${{name}} as $name in the query"
        )
    if isinstance(value, datetime):
        return ["datetime", value.isoformat()]
    return ["date", value.isoformat()] if isinstance(value, date) else ["", value]


def _run(request: bytes, timeout_s: float) -> tuple[list[bytes], int]:
    """Start the child, hand it the request, take its lines; kill it when the time is over."""
    child = subprocess.Popen(
        [sys.executable, "-I", "-B", str(CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    try:
        out, _ = child.communicate(request, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise QueryError(_too_long(timeout_s)) from error
    finally:
        if child.poll() is None:
            child.kill()
            child.communicate()
    return out.splitlines(), child.returncode


def _with_remedy(said: str) -> str:
    """The database's own words, and what to do about them where they do not say it."""
    for kind, remedy in REMEDIES.items():
        if said.startswith(kind):
            return f"{said.rstrip('.!')}; {remedy}"
    return said


def _result(lines: list[bytes], code: int, seconds: float, timeout_s: float, max_rows: int) -> Result:
    last = _last(lines)
    if "error" in last:
        raise QueryError(_with_remedy(last["error"]))
    if code != 0 or "cut_by" not in last:
        raise QueryError(_died(code, timeout_s))
    head, rows = json.loads(lines[0]), map(json.loads, lines[1:-1])
    limits = {
        "": "",
        "rows": f"only the first {max_rows:,} rows are shown",
        "bytes": f"only the first {last['n']:,} rows are shown: the answer is larger than {MAX_BYTES // 2**20} MB",
    }
    readers = [_reader(kind) for kind in head["types"]]
    values = [
        tuple(cell if cell is None or read is None else read(cell) for cell, read in zip(row, readers, strict=True))
        for row in rows
    ]
    return Result(tuple(head["columns"]), tuple(head["types"]), values, bool(last["cut_by"]), seconds, limits[last["cut_by"]])


def _last(lines: list[bytes]) -> dict[str, Any]:
    """The line that ends every answer; empty when the process died before it wrote one."""
    try:
        found = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _reader(kind: str) -> Callable[[Any], Any] | None:
    """What turns a JSON cell back into the value of its type; None where JSON carries it as it is."""
    if kind.startswith("DECIMAL") and not kind.endswith("]"):
        return Decimal
    return {
        "DATE": _lenient(date.fromisoformat),
        "TIME": _lenient(time_of_day.fromisoformat),
        "TIMESTAMP": _lenient(datetime.fromisoformat),
        "TIMESTAMP_S": _lenient(datetime.fromisoformat),
        "TIMESTAMP_MS": _lenient(datetime.fromisoformat),
        "TIMESTAMP_NS": _lenient(datetime.fromisoformat),
        "TIMESTAMP WITH TIME ZONE": _lenient(datetime.fromisoformat),
    }.get(kind)


def _lenient(read: Callable[[str], Any]) -> Callable[[Any], Any]:
    """DuckDB knows days that Python does not (infinity, the year 10000); they stay text."""

    def cell(value: Any) -> Any:
        try:
            return read(value)
        except (ValueError, TypeError):
            return value

    return cell


def _too_long(timeout_s: float) -> str:
    return f"the query was stopped after {timeout_s:g} s; filter earlier, or allow more time"


def _died(code: int, timeout_s: float) -> str:
    """Why a process ended without an answer."""
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return _too_long(timeout_s)
    return f"the query was stopped: it needs more than the {DUCKDB_MEMORY_MB} MB of memory it may have, or cannot be run at all"


def unique(columns: Sequence[str]) -> list[str]:
    """Column names, each once: a second `n` becomes `n_2`."""
    seen: dict[str, int] = {}
    names: list[str] = []
    for name in columns:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return names
