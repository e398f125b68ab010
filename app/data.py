"""Read-only queries on the published file. Every query is a file in `app/sql`; its first comment states the grain.

The published file is replaced whole at the end of a run. `stamp` changes when that happens, and everything cached hangs on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from models import settings, store
from models.errors import NotPublishedError, StoreError

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

SQL = Path(__file__).with_name("sql")
Stamp = tuple[str, int, int]


def home() -> settings.Settings:
    """The settings in force, read anew so that a test or a restart may change them."""
    return settings.load()


def stamp() -> Stamp:
    """Path, inode and time of the published file: another one means other data.

    Raises
    ------
    NotPublishedError
        when there is no published file yet.

    """
    path = home().published
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise NotPublishedError(f"{path} does not exist yet; run `lifeline run` (or `lifeline up`) first") from error
    return str(path), found.st_ino, found.st_mtime_ns


@st.cache_resource(max_entries=3, show_spinner=False, on_release=lambda con: con.close())
def _connection(stamp: Stamp) -> duckdb.DuckDBPyConnection:
    """One instance per published file. Attached from memory, because `connect` on a path hands out the old file while it is open."""
    import duckdb

    con = duckdb.connect(":memory:", config=dict(store.SAFE_CONFIG))
    try:
        con.execute(f"attach '{stamp[0].replace(chr(39), chr(39) * 2)}' as published (read_only)")
        con.execute("set enable_external_access = false")
    except duckdb.Error as error:
        con.close()
        raise StoreError(
            f"{stamp[0]} cannot be opened ({str(error).splitlines()[0][:200]}); run `lifeline run --stage publish` to write it anew"
        ) from error
    return con


def read(name: str, **parameters: Any) -> pd.DataFrame:
    """Rows of the query `app/sql/<name>.sql`; lists, dates and texts go in as named parameters.

    All sessions share the rows behind the frame; each gets a frame of its own, whose columns it may replace.
    """
    return _read(stamp(), name, tuple(sorted((key, _hashable(value)) for key, value in parameters.items()))).copy(deep=False)


# cache_resource hands out the very frame; cache_data would copy every row of it for every reader, by way of pickle.
@st.cache_resource(max_entries=400, show_spinner=False)
def _read(stamp: Stamp, name: str, parameters: tuple[tuple[str, Any], ...]) -> pd.DataFrame:
    import duckdb
    import pandas as pd

    pd.set_option("mode.copy_on_write", True)  # what one session writes into a frame no other session sees
    cursor = _connection(stamp).cursor()
    try:
        cursor.execute("set timezone = 'UTC'; use published")
        given = {key: list(value) if isinstance(value, tuple) else value for key, value in parameters}
        return cursor.execute(_sql(name), given).df(date_as_object=True)
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise StoreError(
            f"{stamp[0]} was published by another version of lifeline ({str(error).splitlines()[0][:160]}); "
            "run `lifeline run --stage detect --stage derive --stage publish` to publish it anew"
        ) from error
    finally:
        cursor.close()


@contextmanager
def published() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the published file for estimates that read it themselves; read-only, and one's own."""
    cursor = _connection(stamp()).cursor()
    try:
        cursor.execute("set timezone = 'UTC'; use published")
        yield cursor
    finally:
        cursor.close()


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, set, frozenset)) else value


@cache
def _sql(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def one(name: str, **parameters: Any) -> dict[str, Any] | None:
    """The first row of a query as a dict, unknown values as None; None when there is no row."""
    found = records(read(name, **parameters).head(1))
    return found[0] if found else None


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame as dicts, unknown values as None."""
    names = [str(name) for name in frame.columns]
    columns = [[None if _is_missing(value) else value for value in frame[name]] for name in frame.columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame as dicts, values as they are."""
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*(frame[name] for name in frame.columns), strict=True)]


def _is_missing(value: Any) -> bool:
    from app.text import is_unknown

    return is_unknown(value)


def state() -> dict[str, Any]:
    """What the file holds and until when: one row of counts."""
    return dict(_state(stamp()))


@st.cache_resource(max_entries=3, show_spinner=False)
def _state(stamp: Stamp) -> dict[str, Any]:
    return records(_read(stamp, "state", ()))[0]


def as_of() -> date | None:
    """The day the published estimates stand on; None before the first one."""
    return state()["as_of"]


def product_names(ids: Sequence[str] = ()) -> dict[str, str]:
    """Name of every product, or of those asked for, in order of name."""
    rows = read("product_names", ids=list(ids))
    return dict(zip(rows["product_id"].tolist(), rows["name"].tolist(), strict=True))
