"""A whole copy of a DuckDB file that another process may be writing to, without asking that process.

    look -> copy the log, then the file -> look again -> sure? -> replay the log in the copy -> read every block -> rows by table

The file changes in place only at a checkpoint; between two of them commits are appended to the log (`.wal`) and new blocks go where
nothing points yet. So a file together with a log that was read *before* it is the store as of the last commit in that log, if

- the headers, which count checkpoints, are the same before and after, and no checkpoint was under way (no marker, no second log);
- nothing was dropped or altered meanwhile, for that frees blocks which the earlier part of the log may still point to.

Or nothing was written at all. Anything else is tried again. Measured with DuckDB 2.0: a log entry is size, checksum, data; the data
begin with the entry's type; the entry `WAL_FLUSH` ends a commit.

Never call this in the process that has the file open: closing a file ends that process's own lock on it.
"""

from __future__ import annotations

import os
import shutil
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from models.errors import StoreError

if TYPE_CHECKING:
    import duckdb

HEADERS = 3 * 4096
LOGS = (".wal", ".wal.checkpoint", ".wal.recovery")
LOG_VERSION = 2
FLUSH, CHECKPOINT = 100, 99
# creations, use table, insert, delete, update, row groups, sequence values, flush; whatever drops or alters is not here
HARMLESS = frozenset({1, 3, 5, 8, 10, 11, 13, 21, 23, 25, 26, 27, 28, 29, 30, FLUSH})
# the clock of a file system ticks in steps of up to ten milliseconds
QUIET_NS = 100_000_000
PAUSE_S = 0.05

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """What can be seen of a file and its logs from outside at one instant: headers; inode, size and last change by suffix."""

    headers: bytes
    stamps: Mapping[str, Stamp]
    at_ns: int


@dataclass(frozen=True, slots=True)
class Log:
    """A log as far as it was read: where its last commit ends, and the types of entries up to there and behind."""

    committed_to: int = 0
    before: frozenset[int] = frozenset()
    behind: frozenset[int] = frozenset()


def snapshot(file: Path, target: Path, *, wait_s: float, clock: Callable[[], float] = time.monotonic) -> dict[str, int]:
    """Copy `file` as of some moment after this call began to `target`, with its log worked in; returns rows by table.

    Raises
    ------
    StoreError
        when the file cannot be read, or never stood still enough within `wait_s`.

    """
    until, reason = clock() + wait_s, ""
    while True:
        try:
            reason = _attempt(file, target)
            if not reason:
                return settle(target)
        except StoreError as error:
            reason = str(error)
        except FileNotFoundError as error:
            if not file.is_file():
                raise StoreError(f"{file} does not exist; there is nothing to copy") from error
            reason = "a log came or went"
        except OSError as error:
            raise StoreError(f"{file} cannot be copied to {target.parent} ({error.strerror}); make room and try again") from error
        if clock() >= until:
            raise StoreError(
                f"no whole copy of {file} within {wait_s:g} s ({reason}); try again when the run is over, or wait longer"
            )
        time.sleep(PAUSE_S)


def _attempt(file: Path, target: Path) -> str:
    """Copy once; returns why the copy cannot be trusted, or nothing."""
    _clear(target)
    before = look(file)
    for suffix in LOGS:
        if suffix in before.stamps:
            shutil.copyfile(_beside(file, suffix), _beside(target, suffix))
    shutil.copyfile(file, target)
    after = look(file)
    if is_quiet(before, after):
        return ""
    copied = _beside(target, LOGS[0])
    log = read_log(copied) if copied.exists() else Log()
    grown = read_log(_beside(file, LOGS[0]), log.committed_to) if LOGS[0] in after.stamps else Log()
    reason = unsure(before, after, log, grown)
    if not reason and copied.exists():
        os.truncate(copied, log.committed_to)
    return reason


def look(file: Path) -> Look:
    """Look at a file and its logs."""
    stamps = {}
    with file.open("rb") as handle:
        headers = handle.read(HEADERS)
    for suffix in ("", *LOGS):
        try:
            found = os.stat(_beside(file, suffix))
        except FileNotFoundError:
            continue
        stamps[suffix] = (found.st_ino, found.st_size, found.st_mtime_ns)
    return Look(headers, stamps, time.time_ns())


def is_quiet(before: Look, after: Look) -> bool:
    """Whether nothing was written between two looks, the grain of the file system's clock allowed for."""
    newest = max(changed for _, _, changed in before.stamps.values())
    return before.headers == after.headers and before.stamps == after.stamps and newest < before.at_ns - QUIET_NS


def unsure(before: Look, after: Look, log: Log, grown: Log) -> str:
    """Why a copy made between two looks may mix two states; empty when it cannot.

    `log` is the log as copied, `grown` what the original holds behind the last commit in it.
    """
    if before.headers != after.headers:
        return "a checkpoint was written meanwhile"
    if any(suffix in stamps for stamps in (before.stamps, after.stamps) for suffix in LOGS[1:]):
        return "a checkpoint is under way"
    if CHECKPOINT in log.before | log.behind | grown.before | grown.behind:
        return "a checkpoint is under way"
    old, new = before.stamps.get(LOGS[0]), after.stamps.get(LOGS[0])
    if old and (not new or new[0] != old[0] or new[1] < log.committed_to):
        return "the log was begun anew"
    if not grown.before | grown.behind <= HARMLESS:
        return "a table was dropped or altered meanwhile"
    return ""


def read_log(path: Path, start: int = 0) -> Log:
    """Read the entries of a log from byte `start`, the end of an earlier commit; a torn one at the end is left out.

    Raises
    ------
    StoreError
        when it is no log of the version that is known here.

    """
    with path.open("rb") as handle:
        committed_to, before, behind = start, set[int](), set[int]()
        for kind, end in _entries(handle, start or _end_of_header(handle)):
            behind.add(kind)
            if kind == FLUSH:
                committed_to, before, behind = end, before | behind, set()
    return Log(committed_to, frozenset(before), frozenset(behind))


def _entries(handle: BinaryIO, start: int) -> Iterator[tuple[int, int]]:
    """Type and end of each whole entry."""
    n_bytes = os.fstat(handle.fileno()).st_size
    while start + 19 <= n_bytes:
        handle.seek(start)
        raw = handle.read(19)
        if len(raw) < 19 or not 0 < (size := struct.unpack_from("<Q", raw)[0]) <= n_bytes - start - 16:
            return
        if raw[16:18] != b"\x64\x00":
            raise StoreError("the log has entries of a kind that is not known; is this another version of DuckDB?")
        start += 16 + size
        yield raw[18], start


def _end_of_header(handle: BinaryIO) -> int:
    """Where the first entry begins: behind fields 100 (type), 101 (version), 102 (id of the file), 103 (checkpoint), end mark."""
    raw = handle.read(256)
    if not raw:
        return 0
    position, version = 0, None
    try:
        while (name := struct.unpack_from("<H", raw, position)[0]) != 0xFFFF:
            value, position = _varint(raw, position + 2)
            version = value if name == 101 else version
            for _ in range(value if name == 102 else 0):
                _, position = _varint(raw, position)
    except (struct.error, IndexError) as error:
        raise StoreError("the log has a header that is not known; is this another version of DuckDB?") from error
    if version != LOG_VERSION:
        raise StoreError(f"the log has version {version}, not {LOG_VERSION}; is this another version of DuckDB?")
    return position + 2


def _varint(raw: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position


def settle(file: Path) -> dict[str, int]:
    """Work the log into a file that nobody else has open, then read all of it; returns rows by table.

    Raises
    ------
    StoreError
        when it does not open or a block cannot be read.

    """
    import duckdb

    from models.store import SAFE_CONFIG

    try:
        with duckdb.connect(str(file), config=dict(SAFE_CONFIG)) as con:
            con.execute("checkpoint")
        with duckdb.connect(str(file), read_only=True, config=dict(SAFE_CONFIG)) as con:
            return count_rows(con)
    except duckdb.Error as error:
        raise StoreError(f"{file.name} cannot be read whole ({str(error).splitlines()[0][:200]})") from error


def count_rows(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows by table, with every value of every column read on the way."""
    tables = con.execute(
        "select schema_name, table_name from duckdb_tables() where not internal and not temporary order by all"
    ).fetchall()
    counts = {}
    for schema, table in tables:
        found = con.execute(f'select count(*), bit_xor(hash(t)) from "{schema}"."{table}" as t').fetchone()
        counts[table] = int(found[0]) if found else 0
    return counts


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)


def _clear(target: Path) -> None:
    for suffix in ("", *LOGS):
        _beside(target, suffix).unlink(missing_ok=True)
