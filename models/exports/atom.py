"""Atom feeds (RFC 4287) of jumps and of alerts.

Ids are name-based UUIDs of the key, so an entry keeps its id over runs and machines; every text is plain text, so nothing from a
source can be taken for markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID, uuid5
from xml.sax.saxutils import escape, quoteattr

NAMESPACE = UUID("6f1f2f0a-6f5c-5b0e-9d0a-2f1f0b7c1c55")
GENERATOR = "Lifeline"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: `key` names it for ever, `updated_at` is when it last said something new."""

    key: str
    title: str
    summary: str
    updated_at: datetime
    published_at: datetime | None = None
    url: str = ""
    categories: tuple[str, ...] = ()


def feed(key: str, title: str, subtitle: str, entries: Sequence[Entry], now: datetime) -> str:
    """A whole feed as XML text; its own `updated` is that of its newest entry, or `now` when it has none."""
    updated = max((entry.updated_at for entry in entries), default=now)
    head = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"  <id>{urn(f'feed:{key}')}</id>",
        f"  <title>{clean(title)}</title>",
        f"  <subtitle>{clean(subtitle)}</subtitle>",
        f"  <updated>{stamp(updated)}</updated>",
        "  <author><name>Lifeline</name></author>",
        f"  <generator>{GENERATOR}</generator>",
    ]
    return "\n".join([*head, *(line for entry in entries for line in _entry(key, entry)), "</feed>", ""])


def _entry(feed_key: str, entry: Entry) -> Iterable[str]:
    yield "  <entry>"
    yield f"    <id>{urn(f'{feed_key}:{entry.key}')}</id>"
    yield f"    <title>{clean(entry.title)}</title>"
    yield f"    <updated>{stamp(entry.updated_at)}</updated>"
    if entry.published_at:
        yield f"    <published>{stamp(entry.published_at)}</published>"
    if entry.url:
        yield f'    <link rel="alternate" href={quoteattr(_legal(entry.url))}/>'
    for category in entry.categories:
        yield f"    <category term={quoteattr(_legal(category))}/>"
    yield f"    <summary>{clean(entry.summary)}</summary>"
    if not entry.url:
        # without an alternate link an entry must have content
        yield f"    <content>{clean(entry.summary or entry.title)}</content>"
    yield "  </entry>"


def urn(name: str) -> str:
    """A stable id for a name."""
    return uuid5(NAMESPACE, name).urn


def stamp(at: datetime) -> str:
    """An instant as RFC 3339 in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def midnight(day: date) -> datetime:
    """The first instant of a day, UTC."""
    return datetime.combine(day, time(), UTC)


def clean(text: str) -> str:
    """Text of an element: escaped, without characters that XML 1.0 does not know."""
    return escape(_legal(text))


def _legal(text: str) -> str:
    return "".join(char if char >= " " else " " for char in text if not _is_illegal(char))


def _is_illegal(char: str) -> bool:
    return (
        (char < " " and char not in "\t\n\r")
        or "\ud800" <= char <= "\udfff"
        or char in "\ufffe\uffff"
        or "\x7f" <= char <= "\x9f"
    )
