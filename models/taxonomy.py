"""The label set: capabilities, event kinds, wrapper tiers, outcomes. A new label is a new line in `taxonomy.yaml`, no code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("taxonomy.yaml")
STAGES = ("announced", "preview", "ga", "retired")
REACHES = ("api", "consumer", "enterprise", "suite", "device", "open_weights", "limited", "developers", "paid", "everyone")
SEGMENTS = ("eye", "brain", "hand", "make", "terms", "platform")
MOATS = ("data", "reputation", "distribution", "workflow", "ecosystem", "users", "compute", "hardware")
MAGNITUDES = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Term:
    """One label with its definition. `segment` and `name_zh` are set for capabilities only."""

    id: str
    kind: str
    name_en: str
    name_zh: str
    definition: str
    excludes: str
    segment: str


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The terms in file order."""

    version: int
    terms: tuple[Term, ...]

    def of(self, kind: str) -> tuple[str, ...]:
        """Ids of one kind: capability, event_kind, wrapper_tier or outcome."""
        return tuple(term.id for term in self.terms if term.kind == kind)

    @property
    def capabilities(self) -> tuple[str, ...]:
        """Ids of the capability labels."""
        return self.of("capability")

    @property
    def event_kinds(self) -> tuple[str, ...]:
        """Ids of the event kinds."""
        return self.of("event_kind")

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Ids of the outcomes."""
        return self.of("outcome")

    @property
    def segment_of(self) -> dict[str, str]:
        """Segment of each capability."""
        return {term.id: term.segment for term in self.terms if term.kind == "capability"}


@cache
def load(file: Path = FILE) -> Taxonomy:
    """Read the label set; the file is ours, so a wrong one is a programming error."""
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    groups = [
        ("capability", "capabilities"),
        ("event_kind", "event_kinds"),
        ("wrapper_tier", "wrapper_tiers"),
        ("outcome", "outcomes"),
    ]
    terms = tuple(_term(kind, entry) for kind, group in groups for entry in raw[group])
    return Taxonomy(raw["version"], terms)


def _term(kind: str, entry: dict) -> Term:
    label = str(entry["id"])
    return Term(
        id=label,
        kind=kind,
        name_en=entry.get("en") or (f"tier {label}" if kind == "wrapper_tier" else label.replace("_", " ")),
        name_zh=entry.get("zh", ""),
        definition=entry["is"],
        excludes=entry.get("not", ""),
        segment=entry.get("segment", ""),
    )
