"""Bring a store that an earlier release wrote to the schema of this one.

Tables that every run recomputes are dropped where they differ, and marked as stale until the next run has filled them; kept tables get
the columns that they lack, empty. Nothing kept is ever dropped, renamed or converted: such a change raises `SCHEMA_VERSION` and
refuses the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from models import stale

if TYPE_CHECKING:
    import duckdb

Columns = Mapping[str, Mapping[str, str]]
_COLUMNS = "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'main' and not internal order by column_index"


def bring_up(con: duckdb.DuckDBPyConnection, kept_sql: str, derived_sql: str) -> list[str]:
    """Alter the tables of `con` where they differ from what the two scripts declare; returns the statements that were run."""
    derived, found = declared(derived_sql), columns_of(con)
    statements = changes(declared(kept_sql), derived, found)
    for statement in statements:
        con.execute(statement)
    if any(found.get(table) != columns for table, columns in derived.items()):
        stale.mark(con, *stale.STAGES)
    return statements


def refusal(found: str, known: str) -> str:
    """Why a store of schema version `found` is not opened by a program that writes version `known`, and what to do."""
    if found.isdigit() and int(found) > int(known):
        return (
            f"work.duckdb was written by a newer release (schema version {found}, this program knows version {known}); "
            "install that release, or set LIFELINE_HOME to another folder"
        )
    return (
        f"work.duckdb has schema version {found}, this program writes version {known}; "
        "install the matching version of lifeline or set LIFELINE_HOME to another folder"
    )


def changes(kept: Columns, derived: Columns, found: Columns) -> list[str]:
    """The statements that turn `found` into what is declared. Tables that are missing are left to the scripts."""
    outdated = [table for table, columns in derived.items() if table in found and dict(found[table]) != dict(columns)]
    added = [
        f"alter table {table} add column {name} {kind}"
        for table, columns in kept.items()
        if table in found
        for name, kind in columns.items()
        if name not in found[table]
    ]
    return [f"drop table {table}" for table in outdated] + added


def declared(script: str) -> Columns:
    """Columns by table that a script makes in an empty database."""
    import duckdb

    with duckdb.connect(":memory:") as empty:
        empty.execute(script)
        return columns_of(empty)


def columns_of(con: duckdb.DuckDBPyConnection) -> Columns:
    """Name and type of each column by table of the main schema, views left out."""
    views: Sequence[tuple[str]] = con.execute(
        "select view_name from duckdb_views() where schema_name = 'main' and not internal"
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for table, name, kind in con.execute(_COLUMNS).fetchall():
        if (table,) not in views:
            found.setdefault(table, {})[name] = kind
    return found
