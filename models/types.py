"""A type per stage, frozen, named by the field's noun.

Days end in `_on` (date), instants in `_at` (datetime, UTC, aware). Unknown is None: never now, never false.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Source:
    """Where we read. `tier` is its standing as evidence: official, registry, press or discussion."""

    source_id: str
    title: str
    kind: str
    url: str
    site: str = ""
    provider: str = ""
    lang: str = ""
    every_hours: float = 6.0
    is_active: bool = True
    tier: str = "press"
    product_id: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One dated text from a source, in its newest version.

    `facts` is set by machine-readable sources only (a registry's change): what is certain, in the words of the schema.
    """

    document_id: str
    source_id: str
    url: str
    title: str
    text: str
    lang: str
    published_at: datetime | None
    first_seen_at: datetime
    updated_at: datetime | None = None
    content_hash: str = ""
    is_date_suspect: bool = False
    facts: Mapping[str, Any] | None = None

    @property
    def dated_on(self) -> date:
        """The day it tells of, as far as the document itself knows: published, else first seen."""
        return (self.published_at or self.first_seen_at).date()


@dataclass(frozen=True, slots=True)
class TextIn:
    """What a tagger reads."""

    id: str
    title: str
    text: str
    lang: str = ""
    url: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Tags:
    """What a tagger says of one document.

    `scores` holds a probability for every label of the taxonomy; `capabilities` only those past their threshold, and none unless
    the kind is capability_jump or product_shutdown. `evidence` maps a capability to the sentence that carried it.
    """

    document_id: str
    event_kind: str
    kind_scores: Mapping[str, float]
    capabilities: tuple[str, ...]
    scores: Mapping[str, float]
    provider: str | None
    magnitude: int | None
    tagger: str
    evidence: Mapping[str, str] = field(default_factory=dict)
    products: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Jump:
    """A dated public event in which a platform makes a capability available, lifts it by a step, or retires it.

    `capabilities` maps each label to its probability (1 where a person checked it).
    """

    jump_id: str
    happened_on: date
    known_on: date
    platform: str
    provider: str
    release: str
    stage: str
    reach: str
    magnitude: int
    weight: float
    summary: str
    confidence: float
    origin: str
    capabilities: Mapping[str, float]
    document_ids: tuple[str, ...] = ()
    is_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A published fact that two sources tell differently, or that a ruling changed."""

    changed_at: datetime
    relation: str
    key: str
    field: str
    before: str | None
    after: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change to the catalogue that documents suggest and an analyst has to decide.

    `kind` is one of new_product, end, pivot, acquisition, launch; `fields` are the values that would be written.
    """

    proposal_id: str
    kind: str
    subject: str
    fields: Mapping[str, Any]
    document_ids: tuple[str, ...]
    proposed_on: date
    reason: str
    status: str = "open"
