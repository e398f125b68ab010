"""Which of the tables that every run recomputes are not whole right now, by the stage that fills them.

A stage marks its tables before it empties them and takes the mark away when they are full again; a migration that made tables anew
marks them all. What is marked is not published, and `derive` does not read what `detect` still owes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from models.errors import StoreError

if TYPE_CHECKING:
    import duckdb

KEY = "stale"
STAGES = ("detect", "derive")


def stale(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Stages whose tables are not whole, in the order in which they have to run."""
    row = con.execute("select value from meta where key = ?", [KEY]).fetchone()
    named = set(row[0].split(",")) if row else set()
    return tuple(stage for stage in STAGES if stage in named)


def mark(con: duckdb.DuckDBPyConnection, *stages: str) -> None:
    """Note that what these stages fill is not whole."""
    _write(con, {*stale(con), *stages})


@contextmanager
def rebuilding(con: duckdb.DuckDBPyConnection, stage: str) -> Iterator[None]:
    """Mark the tables of a stage while it fills them; the mark stays when it fails or is killed.

    Raises
    ------
    StoreError
        when an earlier stage still owes the tables that this one reads.

    """
    refuse(con, stage, [one for one in stale(con) if STAGES.index(one) < STAGES.index(stage)])
    mark(con, stage)
    yield
    _write(con, {one for one in stale(con) if one != stage})


def refuse_publish(con: duckdb.DuckDBPyConnection) -> None:
    """Tables that are not whole are not published.

    Raises
    ------
    StoreError
        naming the stages that have to run first.

    """
    refuse(con, "publish", stale(con))


def refuse(con: duckdb.DuckDBPyConnection, stage: str, owed: Sequence[str]) -> None:
    """One line when stages are owed that `stage` stands on."""
    if owed:
        words = " ".join(f"--stage {name}" for name in dict.fromkeys((*owed, *stale(con), "publish")))
        raise StoreError(
            f"{stage} has nothing whole to work on: the tables of {' and '.join(owed)} were made anew by an upgrade or left half-way; "
            f"run `lifeline run {words}`, or the whole `lifeline run`"
        )


def _write(con: duckdb.DuckDBPyConnection, stages: set[str]) -> None:
    if stages:
        con.execute("insert or replace into meta values (?, ?)", [KEY, ",".join(sorted(stages))])
    else:
        con.execute("delete from meta where key = ?", [KEY])
