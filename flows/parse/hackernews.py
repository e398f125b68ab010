"""A Hacker News search (Algolia's JSON): stories with their link; points and comments change all the time and are left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flows.parse.dates import parse_moment
from flows.parse.text import html_to_line, html_to_text
from flows.parse.types import Parsed
from models.documents import Entry
from models.errors import ParseError
from models.identity import safe_link

ITEM = "https://news.ycombinator.com/item?id="


def parse_hackernews(body: bytes, url: str = "") -> Parsed:
    """Entries of a search. The discussion is the document, its story's link stands in the text: the story itself is another one.

    Raises
    ------
    ParseError
        when the answer is no JSON of that shape.

    """
    try:
        hits = json.loads(body)["hits"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ParseError("what came is no answer of the Hacker News search (no list `hits`)") from error
    found = [_entry(hit) for hit in hits if isinstance(hit, dict)]
    entries = tuple(entry for entry in found if entry)
    return Parsed("hackernews", "Hacker News", "https://news.ycombinator.com/", "en", entries, len(hits) - len(entries))


def _entry(hit: Mapping[str, Any]) -> Entry | None:
    number, title = str(hit.get("objectID") or ""), html_to_line(str(hit.get("title") or hit.get("story_title") or ""))
    if not number.isdigit() or not title:
        return None
    link = safe_link(str(hit.get("url") or ""))
    text = "\n".join(filter(None, [html_to_text(str(hit.get("story_text") or "")), link]))
    return Entry(title, text, ITEM + number, f"hn:{number}", parse_moment(str(hit.get("created_at") or "")), "en")
