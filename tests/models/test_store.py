"""The writer's store and the published file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime

import duckdb
import pytest

from models import store as stores
from models.errors import NotPublishedError, StoreError, StoreLockedError

DESIGN = {
    "source": "source_id title kind url site provider is_active health last_fetch_at last_success_at n_documents n_failures last_error",
    "document": "document_id source_id url title text lang published_at first_seen_at updated_at n_versions story_id",
    "tag": "document_id capability score tagger is_confirmed",
    "document_kind": "document_id event_kind score provider magnitude tagger",
    "jump": "jump_id happened_on known_on platform provider release stage reach magnitude weight summary confidence origin n_documents is_confirmed",
    "jump_capability": "jump_id capability share",
    "jump_document": "jump_id document_id",
    "product": "product_id name vendor homepage category segment wrapper_tier coupling launched_on launched_precision outcome ended_on "
    "ended_known_on last_alive_on cohort sample_weight note source_url",
    "product_job": "product_id capability role share",
    "product_moat": "product_id moat",
    "exposure": "product_id jump_id capability role exposed_on weight is_decisive",
    "spell": "product_id entered_on exited_on ended outcome age_months overtaken_on weight",
    "lifeline": "product_id as_of s3 s3_low s3_high s6 s6_low s6_high s12 s12_low s12_high median_months safe_until_months lifeline_class "
    "overtaken_on p_overtaken_3 p_overtaken_6 p_overtaken_12 p_shut_down_12 p_acquired_12 p_pivoted_12 silent_since p_silent_3 "
    "p_silent_6 p_silent_12 lost_months main_jump_id n_at_risk evidence reason",
    "activity": "product_id month n_documents n_releases n_commits n_mentions state",
    "lifeline_curve": "product_id as_of months survival low high",
    "lifeline_factor": "product_id as_of factor jump_id lost_months",
    "forecast": "product_id made_on horizon_months survival low high method_version",
    "accuracy": "origin_on horizon_months method n n_ended brier brier_life_table auc slope oe",
    "capability": "id segment name_en name_zh definition excludes",
    "taxonomy_term": "id segment name_en name_zh definition excludes",
    "change": "changed_at relation key field before after why",
    "run": "run_id as_of started_at finished_at status tagger catalogue_hash method_version counts",
}


@pytest.fixture
def published(store, tmp_path):
    """A file published from an empty store."""
    stores.publish(store, tmp_path / "lifeline.duckdb")
    return tmp_path / "lifeline.duckdb"


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """One file published from an empty store, for tests that only look."""
    con = stores.open_memory()
    file = tmp_path_factory.mktemp("published") / "lifeline.duckdb"
    stores.publish(con, file)
    con.close()
    return file


@pytest.mark.parametrize("relation", DESIGN)
def test_every_relation_has_its_columns_and_comments(empty, relation):
    """Each published relation has the columns of the contract, and a comment on itself and on every column."""
    with stores.open_published(empty) as con:
        columns = dict(
            con.execute("select column_name, comment from duckdb_columns() where table_name = ?", [relation]).fetchall()
        )
        grain = con.execute("select comment from duckdb_tables() where table_name = ?", [relation]).fetchone()
    assert set(DESIGN[relation].split()) <= set(columns)
    assert [name for name, comment in columns.items() if not comment] == []
    assert grain is not None
    assert grain[0].startswith("One row per")


def test_a_reader_keeps_its_file_while_a_new_one_is_published(store, published):
    """Publishing never disturbs a reader: it goes on reading the old file, the next reader gets the new one."""
    with stores.open_published(published) as reader:
        stores.insert_rows(store, "product", [{"product_id": "a", "name": "A"}])
        stores.publish(store, published)
        assert reader.execute("select count(*) from product").fetchone() == (0,)
    with stores.open_published(published) as reader:
        assert reader.execute("select name from product").fetchall() == [("A",)]


def test_the_published_file_refuses_writes(published):
    """Readers cannot write."""
    with stores.open_published(published) as con, pytest.raises(duckdb.Error, match="read-only"):
        con.execute("delete from product")


def test_a_second_writer_is_told_who_holds_the_work_file(home):
    """The second writer learns who holds the lock, and gets it when that one is done."""
    with (
        stores.open_work(home, purpose="the nightly run"),
        pytest.raises(StoreLockedError, match="the nightly run"),
        stores.open_work(home),
    ):
        pass
    with stores.open_work(home) as con:
        assert con.execute("select count(*) from document").fetchone() == (0,)


def test_a_killed_writer_leaves_no_lock(home):
    """After `kill -9` of a writer the next one opens the store and finds what was committed."""
    code = (
        "import pathlib, sys, time; from models import store\n"
        "with store.open_work(pathlib.Path(sys.argv[1])) as con:\n"
        "    con.execute(\"insert into meta values ('kept', 'yes')\"); print('in', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"in\n"
    child.send_signal(signal.SIGKILL)
    child.wait(timeout=60)
    with stores.open_work(home, wait_s=20) as con:
        assert con.execute("select value from meta where key = 'kept'").fetchone() == ("yes",)


def test_waiting_for_the_lock_ends(home):
    """A writer that waits gives up after its time."""
    with stores.open_work(home):
        start = time.monotonic()
        with pytest.raises(StoreLockedError), stores.open_work(home, wait_s=0.3):
            pass
        assert 0.3 <= time.monotonic() - start < 30


def test_a_store_of_another_version_is_left_alone(home):
    """A work file of another schema version is refused with the remedy, and nothing in it changes."""
    with stores.open_work(home) as con:
        con.execute("update meta set value = '999' where key = 'schema_version'")
    with pytest.raises(StoreError, match=r"version 999.*LIFELINE_HOME"), stores.open_work(home):
        pass
    con = duckdb.connect(str(home / "work.duckdb"))
    assert con.execute("select value from meta where key = 'schema_version'").fetchone() == ("999",)


def test_a_work_file_that_is_none_is_named(home):
    """A file that is no database gives one line that names it."""
    stores.make_home(home)
    (home / "work.duckdb").write_text("not a database " * 500)
    with pytest.raises(StoreError, match=r"work\.duckdb"), stores.open_work(home):
        pass


def test_reading_before_the_first_publish_says_what_to_do(tmp_path):
    """Without a published file the reader is told which command makes one."""
    with pytest.raises(NotPublishedError, match="lifeline run"), stores.open_published(tmp_path / "lifeline.duckdb"):
        pass


def test_rows_of_every_type_come_back_as_they_went_in(store):
    """Dates, instants, lists, numbers and nulls survive the way through Arrow."""
    moment = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    rows = [
        {
            "document_id": "a",
            "tagger": "t",
            "tagged_at": moment,
            "products": ["x", "y"],
            "magnitude": 2,
            "kind_score": 0.5,
            "scores": '{"a": 1}',
        },
        {
            "document_id": "b",
            "tagger": "t",
            "tagged_at": None,
            "products": None,
            "magnitude": None,
            "kind_score": None,
            "scores": None,
        },
    ]
    assert stores.insert_rows(store, "tagging", rows) == 2
    names = ", ".join(rows[0])
    assert store.execute(f"select {names} from tagging order by document_id").fetchall() == [tuple(row.values()) for row in rows]


def test_comments_with_quotes_are_published_as_they_are(store, tmp_path):
    """A quote in a comment is not the end of it."""
    store.execute("comment on column pub.product.note is 'the analyst''s word'")
    stores.publish(store, tmp_path / "x.duckdb")
    with stores.open_published(tmp_path / "x.duckdb") as con:
        found = con.execute(
            "select comment from duckdb_columns() where table_name = 'product' and column_name = 'note'"
        ).fetchone()
    assert found == ("the analyst's word",)


def test_as_of_is_a_variable_of_the_connection(store):
    """SQL files read the day they stand on from the connection."""
    stores.set_as_of(store, date(2025, 6, 30))
    assert store.execute("select getvariable('as_of')").fetchone() == (date(2025, 6, 30),)
