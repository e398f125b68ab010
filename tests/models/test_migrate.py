"""A store that an earlier release wrote opens in this one, with everything that was kept."""

from __future__ import annotations

import duckdb

from models.migrate import bring_up, changes
from models.store import SQL, open_work


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
