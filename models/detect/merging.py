"""One event, one jump: reports by several tongues, days apart and in other words become one event.

Leaders, not chains: reports are taken in order of authority and date, and each joins the best event whose *leading* reports it
matches, so that A like B and B like C never makes one event of A and C. The order rests on the reports alone, never on arrival.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from models.detect.types import TIER_RANK, Event, Report

SAME_RELEASE_DAYS = 45
SAME_WORDS_DAYS = 10
NEW_STAGE_DAYS = 7
SAME_WORDS = 0.38
SAME_WORDS_AND_LABEL = 0.28
N_LEADERS = 3


class _Growing:
    """An event while it is being gathered; the first reports lead."""

    __slots__ = ("first_on", "keys", "last_on", "members", "order")

    def __init__(self, order: int, report: Report) -> None:
        self.order = order
        self.members = [report]
        self.keys = set(report.keys[:1])
        self.first_on = self.last_on = report.dated_on

    def add(self, report: Report) -> None:
        self.members.append(report)
        self.first_on = min(self.first_on, report.dated_on)
        self.last_on = max(self.last_on, report.dated_on)


def merge(reports: Iterable[Report]) -> list[Event]:
    """Events that the reports of one provider tell of, in order of their canonical reports.

    Candidates are found by release key and by week, so the work grows with the reports, not their square.
    """
    events: list[_Growing] = []
    by_key: dict[tuple[str, ...], list[_Growing]] = defaultdict(list)
    by_week: dict[int, list[_Growing]] = defaultdict(list)
    for report in sorted(reports, key=lambda report: report.rank):
        home = _best(report, by_key, by_week)
        if home is None:
            home = _Growing(len(events), report)
            events.append(home)
            by_week[_week(report.dated_on)].append(home)
            for key in report.keys[:1]:
                by_key[key].append(home)
        else:
            home.add(report)
    return [Event(tuple(sorted(event.members, key=lambda one: one.rank))) for event in events]


def _best(report, by_key, by_week):  # type: ignore[no-untyped-def]
    """The event that the report belongs to, or None."""
    near = {id(event): event for key in report.keys for event in by_key[key]}
    week = _week(report.dated_on)
    for shift in range(-2, 3):
        near |= {id(event): event for event in by_week[week + shift]}
    best, best_score = None, 0.0
    for event in sorted(near.values(), key=lambda event: event.order):
        score = max(likeness(leader, report) for leader in event.members[:N_LEADERS])
        if score > best_score:
            best, best_score = event, score
    return best


def _week(day: date) -> int:
    return day.toordinal() // 7


def likeness(leader: Report, report: Report) -> float:
    """How surely two reports of one provider tell of one event; 0 when they do not."""
    if leader.is_retirement != report.is_retirement:
        return 0.0
    apart = abs(leader.dated_on - report.dated_on)
    if leader.is_retirement:
        return _retirement_likeness(leader, report, apart)
    if leader.keys and report.keys:
        return _release_likeness(leader, report, apart)
    if apart > timedelta(days=SAME_WORDS_DAYS) or _is_new_stage(leader, report, apart):
        return 0.0
    shared = overlap(leader.words, report.words)
    if shared >= SAME_WORDS:
        return shared
    if shared >= SAME_WORDS_AND_LABEL and leader.capabilities.keys() & report.capabilities.keys():
        return shared
    return 0.0


def _release_likeness(leader: Report, report: Report, apart: timedelta) -> float:
    """Two reports that name versions: one event if the first names agree and neither stage nor time tells them apart."""
    if apart > timedelta(days=SAME_RELEASE_DAYS) or _is_new_stage(leader, report, apart):
        return 0.0
    closeness = 1 - apart.days / (2 * SAME_RELEASE_DAYS)
    if leader.keys[0] == report.keys[0]:
        if leader.tier == report.tier == "official" and not _agree(leader, report):
            return 0.0
        return closeness
    if apart <= timedelta(days=4) and (leader.keys[0] in report.keys or report.keys[0] in leader.keys):
        return 0.8 * closeness
    return 0.0


def _agree(one: Report, other: Report) -> bool:
    """Two pages of one provider about one release are one event if they come together or carry a label in common."""
    return abs(one.dated_on - other.dated_on) <= timedelta(days=2) or bool(one.capabilities.keys() & other.capabilities.keys())


def _retirement_likeness(leader: Report, report: Report, apart: timedelta) -> float:
    """Two notices of an end: the same release, or the same effective day and much the same words."""
    if leader.keys and report.keys:
        if not set(leader.keys) & set(report.keys):
            return 0.0
        near = abs(leader.happened_on - report.happened_on) <= timedelta(days=45) or apart <= timedelta(days=30)
        return 0.9 if near else 0.0
    same_day = leader.happened_on == report.happened_on or apart <= timedelta(days=SAME_WORDS_DAYS)
    shared = overlap(leader.words, report.words)
    return shared if same_day and shared >= SAME_WORDS else 0.0


_ORDER = {"announced": 0, "preview": 1, "ga": 2, "retired": 3}


def _is_new_stage(leader: Report, report: Report, apart: timedelta) -> bool:
    """Whether two stages are too far apart in time to be loose words for one."""
    return (
        leader.stage != report.stage
        and apart > timedelta(days=NEW_STAGE_DAYS)
        and TIER_RANK.get(report.tier, 2) <= 2
        and _firm(leader, report)
    )


def _firm(leader: Report, report: Report) -> bool:
    """A later stage only follows in time: preview after ga is a loose word, not a new stage."""
    first, second = sorted((leader, report), key=lambda one: one.dated_on)
    return _ORDER[second.stage] > _ORDER[first.stage]


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared words over the smaller set, damped for very short ones."""
    if not one or not other:
        return 0.0
    return len(one & other) / (min(len(one), len(other)) + 2)
