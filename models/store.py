"""The writer's store and the published file.

One writer owns `work.duckdb`; at the end of a run `publish` copies the views of schema `pub` into a new file and renames it over
`lifeline.duckdb`, so readers never wait and never see half a run.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models import migrate, stale
from models.errors import NotPublishedError, StoreError, StoreLockedError

if TYPE_CHECKING:
    import duckdb

SQL = Path(__file__).with_name("sql")
SCHEMA_VERSION = "1"
SAFE_CONFIG: Mapping[str, Any] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


@contextmanager
def open_work(home: Path, *, purpose: str = "a run", wait_s: float = 0.0) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the work file as its only writer, its schema in place.

    Raises
    ------
    StoreLockedError
        when another process holds it for longer than `wait_s`; names that process.
    StoreError
        when the home cannot be written or the file is of another version.

    """
    make_home(home)
    with hold_lock(home, purpose, wait_s):
        con = _connect(home / "work.duckdb")
        try:
            prepare(con)
            yield con
        finally:
            con.close()


def open_memory() -> duckdb.DuckDBPyConnection:
    """A store in memory with the same schema, for `lifeline estimate`, `lifeline detect` and tests."""
    import duckdb

    con = duckdb.connect(":memory:", config=dict(SAFE_CONFIG))
    prepare(con)
    return con


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing, bring what an earlier release wrote up to date; refuse a file of another version.

    A store that these very scripts have been through is left as it is: they take longer than many a run.
    """
    con.execute("set timezone = 'UTC'")
    con.execute("create table if not exists meta (key varchar primary key, value varchar)")
    meta: dict[str, str] = dict(con.execute("from meta").fetchall())
    found = meta.get("schema_version")
    if found not in (None, SCHEMA_VERSION):
        raise StoreError(migrate.refusal(found, SCHEMA_VERSION))
    scripts = _scripts()
    digest = sha256("".join(scripts.values()).encode()).hexdigest()[:16]
    if meta.get("schema_digest") == digest:
        return
    con.execute("begin")
    try:
        con.execute(scripts["kept.sql"])
        if found is not None:
            migrate.bring_up(con, scripts["kept.sql"], scripts["derived.sql"])
        con.execute("drop schema if exists pub cascade")
        con.execute("create schema pub")
        for script in scripts.values():
            con.execute(script)
        con.execute("insert or replace into meta values ('schema_version', ?), ('schema_digest', ?)", [SCHEMA_VERSION, digest])
        con.execute("commit")
    except BaseException:
        _roll_back(con)
        raise


def _scripts() -> dict[str, str]:
    """The text of every script that makes the schema, in the order in which they run."""
    files = [SQL / "kept.sql", SQL / "derived.sql", SQL / "current.sql", *sorted((SQL / "published").glob("*.sql"))]
    return {file.name: file.read_text(encoding="utf-8") for file in files}


def run_sql(con: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Execute every statement of one SQL file."""
    con.execute(file.read_text(encoding="utf-8"))


def replace_rows(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Make `rows` the whole content of a derived table; columns that a row lacks become null."""
    con.execute(f"delete from {table}")
    return insert_rows(con, table, rows)


def insert_rows(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]], *, conflict: str = "") -> int:
    """Append rows by column name through Arrow, which is hundreds of times faster than `executemany`.

    `conflict` may be "or ignore" or "or replace". Values are Python scalars, dates, aware datetimes or lists; JSON goes in as text.
    """
    if not rows:
        return 0
    import pyarrow as pa

    names = sorted({name for row in rows for name in row})
    batch = pa.table({name: pa.array([row.get(name) for row in rows], **_arrow_type(rows, name)) for name in names})
    con.register("incoming_rows", batch)
    try:
        con.execute(f"insert {conflict} into {table} by name select {', '.join(names)} from incoming_rows")
    finally:
        con.unregister("incoming_rows")
    return len(rows)


def _arrow_type(rows: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any]:
    """A column of nothing but nulls has no type of its own; DuckDB casts text nulls into anything."""
    import pyarrow as pa

    return {} if any(row.get(name) is not None for row in rows) else {"type": pa.string()}


def set_as_of(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Let SQL files read the day by `getvariable('as_of')`."""
    con.execute(f"set variable as_of = date '{as_of.isoformat()}'")


def publish(con: duckdb.DuckDBPyConnection, target: Path) -> dict[str, int]:
    """Write every relation of schema `pub` with its comments to a new file and put it in place of `target`; returns row counts.

    Raises
    ------
    StoreError
        when tables are not whole: emptied by an upgrade, or left half-way by a run that died.

    """
    stale.refuse_publish(con)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    for leftover in target.parent.glob(f".{target.name}.*.tmp*"):
        leftover.unlink(missing_ok=True)
    con.execute(f"attach '{_quoted(temporary)}' as published")
    try:
        con.execute("begin")  # one commit, not one per comment
        counts = {name: _publish_one(con, name, comment) for name, comment in published_views(con)}
        con.execute("commit")
        con.execute("checkpoint published")
    except BaseException:
        _roll_back(con)
        raise
    finally:
        con.execute("detach published")
    os.replace(temporary, target)
    return counts


def _roll_back(con: duckdb.DuckDBPyConnection) -> None:
    """End a transaction that failed, if one is still open."""
    import duckdb

    with suppress(duckdb.Error):
        con.execute("rollback")


def published_views(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Name and grain of each published relation, in order of name."""
    return con.execute("select view_name, comment from duckdb_views() where schema_name = 'pub' order by 1").fetchall()


def _publish_one(con: duckdb.DuckDBPyConnection, name: str, comment: str | None) -> int:
    con.execute(f"create table published.main.{name} as from pub.{name}")
    con.execute(f"comment on table published.main.{name} is '{(comment or '').replace(chr(39), chr(39) * 2)}'")
    columns = con.execute(
        "select column_name, comment from duckdb_columns() where schema_name = 'pub' and table_name = ? and database_name <> 'published'",
        [name],
    ).fetchall()
    for column, meaning in columns:
        con.execute(f"comment on column published.main.{name}.{column} is '{(meaning or '').replace(chr(39), chr(39) * 2)}'")
    row = con.execute(f"select count(*) from published.main.{name}").fetchone()
    assert row is not None
    return int(row[0])


@contextmanager
def open_published(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published file read-only.

    Raises
    ------
    NotPublishedError
        when there is none yet.
    StoreError
        when the file cannot be read by this version of DuckDB.

    """
    import duckdb

    if not path.is_file():
        raise NotPublishedError(f"{path} does not exist yet; run `lifeline run` (or `lifeline up`) first")
    try:
        con = duckdb.connect(str(path), read_only=True, config=dict(SAFE_CONFIG))
    except duckdb.Error as error:
        raise StoreError(
            f"{path} cannot be opened ({_first_line(error)}); run `lifeline run --stage publish` to write it anew"
        ) from error
    try:
        con.execute("set timezone = 'UTC'")
        yield con
    finally:
        con.close()


def make_home(home: Path) -> None:
    """Create the home with its folders."""
    try:
        for folder in (home, home / "rulings", home / "exports", home / "models", home / "catalogue", home / "watchlists"):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot create {error.filename or home} ({error.strerror}); set LIFELINE_HOME to a folder you may write to"
        ) from error
    if not os.access(home, os.W_OK):
        raise StoreError(f"{home} cannot be written to; mend its permissions or set LIFELINE_HOME to another folder")


def lock_holder(home: Path) -> str | None:
    """Who writes to the work file right now, in words; None when nobody does."""
    import fcntl

    try:
        handle = open(home / "work.lock", encoding="utf-8")  # noqa: SIM115
    except OSError:
        return None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return handle.read().strip() or "another process"
    return None


@contextmanager
def hold_lock(home: Path, purpose: str, wait_s: float = 0.0) -> Iterator[None]:
    """Hold `work.lock`, which names its holder; the kernel frees it when the process dies, however it dies."""
    import fcntl

    path = home / "work.lock"
    try:
        handle = open(path, "a+", encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        raise StoreError(
            f"cannot write {path} ({error.strerror}); mend its permissions or set LIFELINE_HOME to another folder"
        ) from error
    with handle:
        until = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= until:
                    handle.seek(0)
                    holder = handle.read().strip() or "another process"
                    raise StoreLockedError(f"the work file is in use by {holder}; wait for it to end, or stop it") from error
                time.sleep(0.1)
        handle.truncate(0)
        handle.write(f"{purpose} (process {os.getpid()} on {socket.gethostname()})")
        handle.flush()
        yield


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    import duckdb

    try:
        return duckdb.connect(str(path), config=dict(SAFE_CONFIG))
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise StoreLockedError(f"{path} is open in another program ({_first_line(error)}); close it there") from error
        raise StoreError(f"{path} cannot be opened ({_first_line(error)}); move it away or restore a backup") from error
    except duckdb.Error as error:
        raise StoreError(
            f"{path} is no work file of this version ({_first_line(error)}); move it away or set LIFELINE_HOME"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
