"""What the state of each part is, from facts and a clock."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from models import runs, vitals
from models.store import insert_rows, publish
from models.vitals import Attempt, Facts, Prefect, Surroundings, Totals, Trouble, Worker

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def ran(hours_ago, error=""):
    """A stage that came off so many hours ago, or failed a moment ago after that."""
    at = NOW - hours_ago * HOUR
    return Attempt(NOW - HOUR / 10 if error else at, at, 1.0, error)


def facts(**stages):
    """Facts of a house in good health, with these stages as given."""
    well = {
        "ingest": ran(0.5),
        "tag": ran(0.5),
        "detect": ran(7),
        "derive": ran(7),
        "publish": ran(7),
        "look": ran(48),
        "judge": ran(300),
        "train": ran(300),
    }
    return Facts(
        NOW,
        "run-1",
        "hourly",
        "ok",
        "",
        NOW - HOUR,
        NOW - 2000 * HOUR,
        date(2026, 8, 22),
        100,
        0,
        {**well, **stages},
        {"fine": 90, "stale": 5},
    )


AROUND = Surroundings(None, {"work": 10**7, "wal": 0, "published": 10**7}, NOW - 7 * HOUR, 10**11)


def states(told, around=AROUND, now=NOW):
    """State by part."""
    return {one.part: one.state for one in vitals.judge(told, around, now)}


def test_a_house_in_good_health_is_fine_throughout():
    """Every part that is known is fine, and so is the whole."""
    rows = vitals.judge(facts(), AROUND, NOW)
    assert {one.state for one in rows} <= {"fine", "unknown"}
    assert vitals.overall(rows) == "fine"


@pytest.mark.parametrize(
    ("stage", "part", "hours", "state"),
    [
        ("ingest", "poll", 1.9, "fine"),
        ("ingest", "poll", 2.1, "late"),
        ("ingest", "poll", 3.1, "failing"),
        ("tag", "tags", 3.1, "failing"),
        ("publish", "pass", 26.3, "fine"),
        ("publish", "pass", 26.5, "late"),
        ("publish", "pass", 50.5, "failing"),
        ("look", "look", 7 * 24 + 18, "late"),
        ("look", "look", 10_000, "late"),
        ("judge", "backtest", 31 * 24 + 80, "late"),
    ],
)
def test_a_schedule_is_missed_after_its_period_and_some_grace(stage, part, hours, state):
    """Lag past the period makes a part late, twice the period failing; what may wait is never failing."""
    assert states(facts(**{stage: ran(hours)}))[part] == state


def test_a_failed_try_is_failing_at_once_and_says_why():
    """The newest try decides, whichever stage of the pass it broke in."""
    rows = {one.part: one for one in vitals.judge(facts(derive=ran(7, "no numbers today")), AROUND, NOW)}
    assert rows["pass"].state == "failing"
    assert "no numbers today" in rows["pass"].words
    assert vitals.overall(rows.values()) == "failing"


def test_a_failed_try_before_the_last_success_is_forgotten():
    """An error that a later success made good does not show."""
    old = Attempt(NOW - 9 * HOUR, NOW - 30 * HOUR, 1.0, "broken then")
    assert states(facts(detect=old))["pass"] == "fine"


def test_what_never_ran_is_unknown_until_its_time_is_up():
    """A part that has never come off counts from the first run."""
    young = replace(facts(look=Attempt()), first_run_at=NOW - 24 * HOUR)
    assert states(young)["look"] == "unknown"
    assert states(replace(young, first_run_at=NOW - 9 * 24 * HOUR))["look"] == "late"
    assert states(None)["poll"] == "unknown"
    assert vitals.overall(vitals.judge(None, Surroundings(), NOW)) == "fine"


def test_a_run_that_never_came_back_shows_and_one_that_hangs_fails():
    """Running by the facts but held by nobody is late; held for longer than a run may take is failing."""
    going = replace(facts(), status="running", stage="derive", started_at=NOW - HOUR)
    assert states(going)["writer"] == "late"
    held = replace(AROUND, writer="the daily pipeline (process 7)")
    assert states(going, held)["writer"] == "fine"
    assert states(replace(going, started_at=NOW - 7 * HOUR), held)["writer"] == "failing"


def test_a_lost_published_file_a_full_disk_and_a_dead_keeper_are_failing():
    """What lies around the store is judged, too."""
    assert states(facts(), replace(AROUND, files={"published": 0}))["published"] == "failing"
    assert states(facts(), replace(AROUND, free_bytes=10**6))["disk"] == "failing"
    assert states(facts(), replace(AROUND, free_bytes=10**9))["disk"] == "late"
    assert states(facts(), replace(AROUND, keeper=False))["schedules"] == "failing"
    assert "schedules" not in states(facts())


def test_sources_show_one_by_one_once_patience_is_over():
    """Stale at once, failing after a day; many at once are one more row."""
    troubles = (
        Trouble("old", "Old", "stale", NOW - HOUR, 0),
        Trouble("new", "New", "failing", NOW - 2 * HOUR, 3, "500"),
        Trouble("down", "Down", "blocked", NOW - 30 * HOUR, 9, "403"),
    )
    seen = states(replace(facts(), troubles=troubles))
    assert (seen.get("source:old"), seen.get("source:new"), seen.get("source:down")) == ("late", None, "failing")
    assert seen["sources"] == "fine"
    assert states(replace(facts(), sources={"fine": 60, "failing": 40}))["sources"] == "late"
    assert states(replace(facts(), sources={"fine": 30, "failing": 70, "not_polled": 500}))["sources"] == "failing"


def test_workers_are_judged_by_their_heartbeats():
    """One alive is enough for the pool; a silent one shows for a day; none alive, or no server, is failing."""
    alive, dead = Worker("a", NOW - timedelta(seconds=20)), Worker("b", NOW - HOUR)
    gone = Worker("c", NOW - 48 * HOUR)
    seen = states(facts(), replace(AROUND, prefect=Prefect(True, (alive, dead, gone))))
    assert (seen["workers"], seen["worker:b"], seen["worker:a"], "worker:c" in seen) == ("fine", "late", "fine", False)
    assert states(facts(), replace(AROUND, prefect=Prefect(True, (dead,))))["workers"] == "failing"
    assert states(facts(), replace(AROUND, prefect=Prefect(True, ())))["workers"] == "failing"
    assert states(facts(), replace(AROUND, prefect=Prefect(False)))["prefect"] == "failing"
    assert "workers" not in states(facts(), replace(AROUND, prefect=Prefect(True)))


def a_run(store, run_id, started_at, counts, as_of=None, status="ok"):
    """A row of the ledger."""
    runs.begin(store, run_id, as_of=as_of or started_at.date(), started_at=started_at, catalogue_hash="")
    runs.record(store, run_id, status=status, finished_at=started_at + HOUR / 6, counts=counts)


def test_facts_come_from_the_ledger_and_the_sources(store, home):
    """Attempts by stage, sources by health, trouble without signs of life or dropped sources, and the queue."""
    a_run(store, "r1", NOW - 26 * HOUR, {"ingest": {"polled": 9, "failed": 1, "seconds": 2}, "publish": {"row": 1}})
    a_run(store, "r2", NOW - 2 * HOUR, {"ingest": {"polled": 9, "failed": 9}, "tag": {"failed": 1, "error": "no tagger"}})
    a_run(store, "r3", NOW - HOUR, {"publish": {"row": 1}}, as_of=date(2026, 3, 1))
    a_run(store, "r4", NOW - HOUR / 2, {"ingest": {"polled": 0, "network": "out"}})
    for name, kind, health in (("a", "feed", "fine"), ("b", "feed", "failing"), ("c", "commits", "stale"), ("d", "feed", "gone")):
        insert_rows(store, "source", [{"source_id": name, "title": name, "kind": kind, "is_active": True, "health": health}])
    insert_rows(store, "document", [{"document_id": "x", "title": "x", "first_seen_at": NOW, "content_hash": "1"}])
    found = vitals.gather(store, NOW, tagger="keyword", listed=["a", "b", "c"])
    assert found.attempts["ingest"].success_at == NOW - 26 * HOUR + HOUR / 6
    assert found.attempts["ingest"].error == ""
    assert found.attempts["tag"].error == "no tagger"
    assert found.attempts["publish"].attempt_at == NOW - 26 * HOUR + HOUR / 6
    assert (found.n_documents, found.n_untagged, found.as_of) == (1, 1, date(2026, 3, 1))
    assert (found.sources, found.signs) == ({"fine": 1, "failing": 1, "gone": 1}, {"stale": 1})
    assert [one.source_id for one in found.troubles] == ["b"]
    home.mkdir()
    vitals.write(home, found)
    assert vitals.read(home) == found


def test_without_the_file_the_published_one_answers(store, home):
    """A house that an earlier release ran shows what its published file holds; an empty one shows nothing."""
    assert vitals.read(home) is None
    a_run(store, "r1", NOW, {"ingest": {"polled": 1}})
    home.mkdir()
    publish(store, home / "lifeline.duckdb")
    assert vitals.read(home).attempts["ingest"].success_at == NOW + HOUR / 6


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 99}', '{"version": 1}', '{"version": 1, "written_at": "x"}'])
def test_a_file_that_is_none_is_as_good_as_no_file(home, text):
    """Whatever lies there in its place does no harm."""
    home.mkdir()
    (home / "vitals.json").write_text(text)
    assert vitals.read(home) is None


def test_totals_only_rise_and_survive_the_file(home):
    """Counts of runs, polls and documents add up from run to run."""
    one = Totals().with_stage("ingest", {"polled": 5, "failed": 1, "new": 3}, 1.5).with_run("partial")
    two = one.with_stage("ingest", {"polled": 5, "not_modified": 5}, 0.5).with_stage("tag", {"tagged": 3}, 1).with_run("ok")
    assert two.polls == {"polled": 10, "not_modified": 5, "failed": 1}
    assert two.documents == {"new": 3, "changed": 0, "tagged": 3}
    assert (two.runs, two.stage_seconds["ingest"]) == ({"partial": 1, "ok": 1}, 2.0)
    assert Facts.from_json(json.loads(json.dumps(replace(facts(), totals=two).to_json(), default=str))).totals == two
