"""Detected events meet the catalogue: the same event is one jump that keeps its checked fields and gains the documents."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from models.detect.merging import overlap
from models.detect.releases import Key, is_versioned, releases_in
from models.detect.reports import words_of
from models.detect.types import Event
from models.types import Jump

WINDOW_DAYS = {"day": 12, "month": 35, "year": 200}
LINKED_DAYS = 60
WIDEST = timedelta(days=max(*WINDOW_DAYS.values(), LINKED_DAYS))
SAME_WORDS_DAYS = 7
CONFLICT_DAYS = 3


@dataclass(frozen=True, slots=True)
class Checked:
    """A catalogue jump with what it can be recognised by."""

    jump: Jump
    precision: str
    links: frozenset[str]
    keys: tuple[Key, ...]
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that the catalogue and the documents tell differently."""

    jump_id: str
    field: str
    checked: str
    told: str


def checked_jumps(jumps: Sequence[Jump], rows: Mapping[str, Mapping[str, Any]]) -> list[Checked]:
    """Catalogue jumps with their marks of recognition."""
    return [_checked(jump, rows.get(jump.jump_id, {})) for jump in jumps]


def _checked(jump: Jump, row: Mapping[str, Any]) -> Checked:
    named = releases_in(jump.release) or releases_in(jump.summary)
    return Checked(
        jump=jump,
        precision=row.get("date_precision") or "day",
        links=frozenset(link_key(url) for url in (row.get("source_url") or "").split()),
        keys=tuple(one.key for one in named if is_versioned(one.key)),
        words=words_of(f"{jump.release} {jump.summary}"),
    )


def join(checked: Sequence[Checked], events: Sequence[Event], detected: Sequence[Jump]) -> tuple[list[Jump], list[Conflict]]:
    """All jumps, each event once; `detected` are the jumps of `events`, in the same order."""
    by_provider: dict[str, list[Checked]] = defaultdict(list)
    for one in sorted(checked, key=_day):
        by_provider[one.jump.provider].append(one)
    gained: dict[str, list[int]] = defaultdict(list)
    alone: list[Jump] = []
    for number, (event, jump) in enumerate(zip(events, detected, strict=True)):
        home = _best(by_provider.get(jump.provider, ()), event, jump)
        if home is None:
            alone.append(jump)
        else:
            gained[home.jump.jump_id].append(number)
    taken = {one.jump.jump_id for one in checked}
    known = [_with_documents(one.jump, [detected[number] for number in gained[one.jump.jump_id]]) for one in checked]
    conflicts = [
        conflict for one in checked for number in gained[one.jump.jump_id][:1] for conflict in _conflicts(one, detected[number])
    ]
    return [*known, *(replace(jump, jump_id=_free(jump.jump_id, taken)) for jump in alone)], conflicts


def _best(checked: Sequence[Checked], event: Event, jump: Jump) -> Checked | None:
    """The checked jump that an event is; `checked` are those of its provider, by day."""
    links = {link_key(report.url) for report in event.reports}
    first = bisect_left(checked, jump.happened_on - WIDEST, key=_day)
    last = bisect_right(checked, jump.happened_on + WIDEST, key=_day)
    scored = [(sameness(one, event, jump, links), one) for one in checked[first:last]]
    scored = [(score, one) for score, one in scored if score > 0]
    return max(scored, key=lambda pair: (pair[0], pair[1].jump.jump_id))[1] if scored else None


def _day(one: Checked) -> date:
    return one.jump.happened_on


def sameness(one: Checked, event: Event, jump: Jump, links: Set[str]) -> float:
    """How surely a checked jump and an event, whose documents have these link keys, are one; 0 when they are not."""
    known = one.jump
    if (known.stage == "retired") != (jump.stage == "retired"):
        return 0.0
    apart, window = abs((known.happened_on - jump.happened_on).days), WINDOW_DAYS[one.precision]
    if apart > max(window, LINKED_DAYS):
        return 0.0
    linked = not links.isdisjoint(one.links)
    if apart > (LINKED_DAYS if linked else window):
        return 0.0
    closeness = 1 - apart / (2 * max(window, LINKED_DAYS)) + 0.1 * (known.stage == jump.stage)
    if linked:
        return 4 + closeness
    keys = {report.keys[0] for report in event.reports[:3] if report.keys}
    if one.keys and keys:
        return 2 + closeness if keys & set(one.keys) else 0.0
    shared = max(overlap(one.words, report.words) for report in event.reports[:3])
    has_label = bool(known.capabilities.keys() & jump.capabilities.keys())
    return 1 + shared * closeness if shared >= (0.25 if has_label else 0.4) and apart <= SAME_WORDS_DAYS else 0.0


def _with_documents(jump: Jump, told: Sequence[Jump]) -> Jump:
    documents = tuple(dict.fromkeys(document for one in told for document in one.document_ids))
    return replace(jump, document_ids=documents) if documents else jump


def _conflicts(one: Checked, told: Jump) -> Iterator[Conflict]:
    known = one.jump
    if one.precision == "day" and abs(known.happened_on - told.happened_on) > timedelta(days=CONFLICT_DAYS):
        yield Conflict(known.jump_id, "happened_on", known.happened_on.isoformat(), told.happened_on.isoformat())
    if known.stage != told.stage:
        yield Conflict(known.jump_id, "stage", known.stage, told.stage)


def link_key(url: str) -> str:
    """An address without scheme, www, query, fragment and last slash."""
    return re.sub(r"^https?://(?:www\.)?", "", re.sub(r"[?#].*$", "", url.strip())).rstrip("/").lower()


def _free(jump_id: str, taken: set[str]) -> str:
    """An id that no checked jump has."""
    while jump_id in taken:
        jump_id = f"{jump_id}-detected"
    taken.add(jump_id)
    return jump_id
