"""A store that an earlier release wrote opens in this one, with everything that was kept."""

from __future__ import annotations

import duckdb
import pytest

from models import stale
from models.errors import StoreError
from models.migrate import bring_up, changes, declared
from models.store import SQL, open_memory, open_work, publish
from tests.models.schema_snapshots import FOLDER

RELEASES = sorted(file.stem for file in FOLDER.glob("*.sql"))
KEPT = declared((SQL / "kept.sql").read_text(encoding="utf-8"))


def left_by(release, home):
    """A home as an earlier release left it; returns its kept rows by table."""
    home.mkdir()
    with duckdb.connect(str(home / "work.duckdb")) as old:
        old.execute("set timezone = 'UTC'")
        old.execute((FOLDER / f"{release}.sql").read_text(encoding="utf-8"))
        return rows_of(
            old, {table: list(columns) for table, columns in _columns(old).items() if table in KEPT and table != "meta"}
        )


def _columns(con):
    from models.migrate import columns_of

    return columns_of(con)


def rows_of(con, columns):
    """Rows by table, of these columns."""
    return {
        table: (names, con.execute(f"select {', '.join(names)} from {table} order by all").fetchall())
        for table, names in columns.items()
    }


def test_a_kept_table_gets_the_columns_that_it_lacks():
    """What was kept stays; the new column is empty."""
    assert changes({"document": {"id": "VARCHAR", "facts": "JSON"}}, {}, {"document": {"id": "VARCHAR"}}) == [
        "alter table document add column facts JSON"
    ]


def test_a_kept_column_that_is_declared_no_more_stays():
    """Nothing that is kept is ever dropped."""
    assert changes({"document": {"id": "VARCHAR"}}, {}, {"document": {"id": "VARCHAR", "old": "INTEGER"}}) == []


def test_a_derived_table_of_another_shape_is_made_anew():
    """It is recomputed by the next run anyway."""
    found = {"lifeline": {"product_id": "VARCHAR", "old": "INTEGER"}}
    assert changes({}, {"lifeline": {"product_id": "VARCHAR"}}, found) == ["drop table lifeline"]


def test_a_store_of_the_first_release_opens_with_its_documents(tmp_path):
    """An older file: a column fewer in a kept table, another shape in a derived one, both under this program's views."""
    home = tmp_path / "home"
    home.mkdir()
    with duckdb.connect(str(home / "work.duckdb")) as old:
        old.execute((SQL / "kept.sql").read_text())
        old.execute((SQL / "derived.sql").read_text())
        old.execute("insert into meta values ('schema_version', '1')")
        old.execute("alter table document drop column facts")
        old.execute("alter table lifeline drop column p_silent_12")
        old.execute("insert into document (document_id, title, first_seen_at) values ('d1', 'kept', '2026-08-01')")
    with open_work(home) as con:
        assert con.execute("select title, facts from document").fetchall() == [("kept", None)]
        assert con.execute("select count(p_silent_12) from pub.lifeline").fetchone() == (0,)
    with open_work(home) as con:
        assert bring_up(con, (SQL / "kept.sql").read_text(), (SQL / "derived.sql").read_text()) == []


@pytest.mark.parametrize("release", RELEASES)
def test_a_store_of_every_release_opens_with_all_its_rows(release, home):
    """What an earlier release kept is there, row for row, and a second opening changes nothing more."""
    before = left_by(release, home)
    for _ in range(2):
        with open_work(home) as con:
            after = rows_of(con, {table: names for table, (names, _) in before.items()})
            assert after == before
            assert all(len(rows) == 2 for _, rows in after.values())
            found = _columns(con)
            assert {table: found[table] for table in KEPT} == KEPT


def test_todays_kept_tables_have_a_snapshot():
    """A change of kept.sql needs a snapshot, by which later releases show that they can still read what this one wrote.

    `python -m tests.models.schema_snapshots RELEASE` writes it; a change that no added column can make raises SCHEMA_VERSION.
    """
    snapshots = [declared((FOLDER / f"{release}.sql").read_text(encoding="utf-8")) for release in RELEASES]
    assert any({table: old.get(table) for table in KEPT} == KEPT for old in snapshots)


def test_emptied_tables_are_not_published(home, tmp_path):
    """After an upgrade that made derived tables anew, publishing waits for the stages that fill them, and says which."""
    left_by("0.1.0.dev1", home)
    with open_work(home) as con:
        assert stale.stale(con) == ("detect", "derive")
        with pytest.raises(StoreError, match="--stage detect --stage derive --stage publish"):
            publish(con, tmp_path / "lifeline.duckdb")
        with pytest.raises(StoreError, match="derive has nothing whole"), stale.rebuilding(con, "derive"):
            pass
        with stale.rebuilding(con, "detect"):
            pass
        with pytest.raises(StoreError, match="run `lifeline run --stage derive --stage publish`"):
            publish(con, tmp_path / "lifeline.duckdb")
        with stale.rebuilding(con, "derive"):
            pass
        assert publish(con, tmp_path / "lifeline.duckdb")["document"] == 2


def test_a_stage_that_died_half_way_is_not_published(tmp_path):
    """Tables that a stage had emptied when it failed stay marked until it has run again."""
    con = open_memory()
    with pytest.raises(ZeroDivisionError), stale.rebuilding(con, "detect"):
        raise ZeroDivisionError
    with pytest.raises(StoreError, match="left half-way"):
        publish(con, tmp_path / "lifeline.duckdb")
    with stale.rebuilding(con, "detect"):
        pass
    assert stale.stale(con) == ()


def test_a_store_of_a_newer_release_is_left_alone(home):
    """It says which release is needed, and not a byte changes."""
    with open_work(home) as con:
        con.execute("update meta set value = '2' where key = 'schema_version'")
    before = (home / "work.duckdb").read_bytes()
    with (
        pytest.raises(
            StoreError, match=r"newer release \(schema version 2, this program knows version 1\); install that release"
        ),
        open_work(home),
    ):
        pass
    assert (home / "work.duckdb").read_bytes() == before
