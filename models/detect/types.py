"""What detection works with: a document with its tags, the report read from it, and the event that reports tell of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from models.detect.releases import Key

TIER_RANK = {"official": 0, "registry": 1, "press": 2, "discussion": 3}


@dataclass(frozen=True, slots=True)
class TaggedDocument:
    """A document with what the tagger says of it. `tier` is the best standing among the sources that list it.

    `kind_scores` and `scores` are probabilities by label; `ruled` holds what analysts decided about its tags (label -> kept or not).
    """

    document_id: str
    url: str
    title: str
    text: str
    lang: str
    published_on: date | None
    first_seen_on: date
    tier: str
    source_id: str
    source_provider: str
    kind_scores: Mapping[str, float]
    scores: Mapping[str, float]
    provider: str
    magnitude: int | None
    ruled: Mapping[str, bool] = field(default_factory=dict)
    facts: Mapping[str, Any] | None = None
    is_day_known: bool = True

    @property
    def dated_on(self) -> date:
        """The day it tells of: published, unless that is unknown or later than the day it was seen."""
        return min(self.published_on or self.first_seen_on, self.first_seen_on)


@dataclass(frozen=True, slots=True)
class Report:
    """One document read as the report of an event by one provider."""

    document_id: str
    url: str
    title: str
    tier: str
    source_id: str
    dated_on: date
    known_on: date
    happened_on: date
    is_dated_by_text: bool
    provider: str
    keys: tuple[Key, ...]
    release: str
    words: frozenset[str]
    stage: str
    reach: str
    magnitude: int
    capabilities: Mapping[str, float]
    confidence: float
    is_day_known: bool = True

    @property
    def rank(self) -> tuple[int, bool, date, str]:
        """Order of authority, the same however the documents arrived."""
        return (TIER_RANK.get(self.tier, 2), not self.is_day_known, self.dated_on, self.document_id)

    @property
    def is_retirement(self) -> bool:
        """Whether it tells of an end."""
        return self.stage == "retired"


@dataclass(frozen=True, slots=True)
class Event:
    """Reports of one event, the most authoritative first."""

    reports: tuple[Report, ...]

    @property
    def canonical(self) -> Report:
        """The best source: official before registry before press before discussion, then the earliest."""
        return self.reports[0]
