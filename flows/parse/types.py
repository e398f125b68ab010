"""What a parser returns, and its form on the wire between the parsing process and ours (JSON, never a pickle)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from models.documents import Entry

MAX_ENTRIES = 5000


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one answer holds. `models` is set by registries alone; `note` is a warning in words that goes to the source's last error."""

    kind: str
    title: str = ""
    site: str = ""
    lang: str = ""
    entries: tuple[Entry, ...] = ()
    n_skipped: int = 0
    note: str = ""
    models: Mapping[str, Mapping[str, Any]] | None = None
    links: tuple[str, ...] = field(default=())


def to_wire(parsed: Parsed) -> dict[str, Any]:
    """Plain JSON values."""
    return {
        "kind": parsed.kind,
        "title": parsed.title,
        "site": parsed.site,
        "lang": parsed.lang,
        "entries": [_entry_to_wire(entry) for entry in parsed.entries],
        "n_skipped": parsed.n_skipped,
        "note": parsed.note,
        "models": parsed.models,
        "links": list(parsed.links),
    }


def _entry_to_wire(entry: Entry) -> list[Any]:
    moment = entry.published_at.isoformat() if entry.published_at else None
    return [entry.title, entry.text, entry.url, entry.guid, moment, entry.lang, entry.facts, entry.key]


def from_wire(data: Mapping[str, Any]) -> Parsed:
    """The way back."""
    known = Parsed(**{**data, "entries": (), "links": tuple(data["links"])})
    entries = tuple(
        Entry(title, text, url, guid, datetime.fromisoformat(moment) if moment else None, lang, facts, key)
        for title, text, url, guid, moment, lang, facts, key in data["entries"]
    )
    return replace(known, entries=entries)
