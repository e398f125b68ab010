"""The run ledger: what each row says, and what becomes of rows whose run never came back."""

from datetime import UTC, date, datetime, timedelta

from models import runs

NOON = datetime(2026, 8, 22, 12, tzinfo=UTC)


def begin(store, number):
    """A run that began `number` hours after noon."""
    at = NOON + timedelta(hours=number)
    runs.begin(store, f"r{number}", as_of=date(2026, 8, 22), started_at=at, catalogue_hash="c")


def test_a_run_that_never_came_back_is_interrupted(store):
    """The next run closes the row of one that was killed; it alone holds the store."""
    begin(store, 0)
    begin(store, 1)
    runs.record(store, "r1", status="ok", finished_at=NOON, counts={"tag": {"tagged": 3}})
    found = store.execute("select run_id, status, counts ->> '$.tag.tagged' from run order by 1").fetchall()
    assert found == [("r0", "interrupted", None), ("r1", "ok", "3")]


def test_one_failure_makes_a_run_partial():
    """A single source or stage that failed is not kept quiet."""
    assert runs.status_of({"ingest": {"failed": 0}, "tag": {"tagged": 2}}) == "ok"
    assert runs.status_of({"ingest": {"failed": 1}, "tag": {"tagged": 2}}) == "partial"


def test_only_the_newest_rows_are_kept(store):
    """The ledger does not grow for ever."""
    for number in range(5):
        begin(store, number)
    assert runs.prune(store, 2) == 3
    assert [key for (key,) in store.execute("select run_id from run order by 1").fetchall()] == ["r3", "r4"]


def test_ids_sort_by_time():
    """The order of ids is the order of runs."""
    assert runs.new_id(NOON, "zz") < runs.new_id(NOON + timedelta(seconds=1), "aa")
