"""What rings, once, and what has ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from models import alarms
from models.vitals import Vital

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
OLD = NOW - timedelta(hours=2)


def keys(vitals):
    """What rings."""
    return [one.key for one in alarms.firing(vitals, NOW)]


def test_late_and_failing_parts_ring_those_that_matter_first():
    """A part that is fine or unknown is silent; the order is by what matters, then by how bad it is."""
    rows = [
        Vital("look", "late", "missed", OLD, matters=False),
        Vital("tags", "late", "missed", OLD),
        Vital("pass", "failing", "broken", OLD),
        Vital("disk", "fine", "room"),
        Vital("prefect", "unknown", "?"),
    ]
    assert keys(rows) == ["pass", "tags", "look"]


def test_what_mends_itself_within_minutes_rings_nobody():
    """A run that failed a moment ago is tried again first; a day looked back on was somebody's choice."""
    rows = [Vital("pass", "failing", "broken", NOW - timedelta(minutes=14)), Vital("published", "late", "a run looked back", OLD)]
    assert keys(rows) == []
    assert keys([Vital("pass", "failing", "broken", NOW - timedelta(minutes=15))]) == ["pass"]


def test_an_alarm_is_told_once_and_once_more_when_it_has_ended():
    """Told, not again, even when it gets worse, then ended, then nothing."""
    late, worse, fine = (Vital("poll", state, state, OLD) for state in ("late", "failing", "fine"))
    first = alarms.changes([late], {}, NOW)
    assert [one.key for one in first.raised] == ["poll"]
    told = alarms.after({}, first)
    assert alarms.changes([worse], told, NOW).n == 0
    last = alarms.changes([fine], told, NOW)
    assert (last.raised, dict(last.ended)) == ((), {"poll": "poll: late"})
    assert alarms.after(told, last) == {}


def test_what_cannot_be_seen_neither_rings_nor_ends():
    """Unknown is no recovery; nor is a list of sources that nobody could read."""
    told = {"workers": "workers: none", "source:a": "source:a: 500"}
    blind = [Vital("workers", "unknown", "?"), Vital("sources", "unknown", "?")]
    assert alarms.changes(blind, told, NOW) == alarms.Changes((), {}, ())


def test_what_is_listed_only_while_in_trouble_ends_when_it_is_not_listed():
    """A source that left the list is well again; a worker that left it is gone without a word."""
    told = {"source:a": "source:a: 500", "worker:b": "worker:b: silent", "schedules": "schedules: gone"}
    change = alarms.changes([Vital("sources", "fine", "90 fine")], told, NOW)
    assert sorted(change.ended) == ["schedules", "source:a"]
    assert change.dropped == ("worker:b",)
    assert alarms.after(told, change) == {}


def test_the_message_counts_says_what_to_do_and_holds_no_markup_of_others():
    """A title with counts, a line each with since and remedy; hostile words mean themselves; a long list is cut."""
    hostile = Vital("source:x", "failing", "<b>[click](http://evil.example)</b>\n# big", OLD, "see it")
    change = alarms.changes([hostile], {"poll": "poll: late"}, NOW)
    message = alarms.compose(alarms.Changes(change.raised, {"poll": "poll: late"}), "host", NOW)
    assert message.title == "Lifeline, host: 1 alarm and 1 recovery"
    assert "Since 2026-08-22 10:00 UTC. See it." in message.body
    assert "<b>" not in message.body
    assert "[click](" not in message.body
    assert not any(line.startswith("# ") for line in message.body.splitlines())
    many = alarms.changes([Vital(f"source:{i}", "failing", "x", OLD) for i in range(50)], {}, NOW)
    assert "and 30 more" in alarms.compose(many, "host", NOW).body
