"""RSS 0.9-2.0, RDF, Atom and JSON Feed."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from flows.parse.dates import from_struct, parse_moment
from flows.parse.text import html_to_line, html_to_text
from flows.parse.types import MAX_ENTRIES, Parsed
from models.documents import Entry
from models.errors import ParseError
from models.identity import one_line, safe_link

# entities that hold entities grow without bound, external ones reach for files; a feed needs neither
UNSAFE_ENTITY = re.compile(rb"<!ENTITY\s+(?:%\s+)?[^\s>]+\s+(?:SYSTEM|PUBLIC|\"[^\"]*[&%][^\"]*\"|'[^']*[&%][^']*')[^>]*>", re.I)
ITEM_END = re.compile(rb"</(?:[\w-]+:)?(?:item|entry)\s*>", re.I)


def parse_feed(body: bytes, url: str = "", content_type: str = "") -> Parsed:
    """Entries of a feed in any of its dialects, in the feed's order.

    Raises
    ------
    ParseError
        health "empty" for an answer of no bytes, "not_a_feed" for anything that is none.

    """
    if not body.strip():
        raise ParseError("the answer was empty (0 bytes)", health="empty")
    if body.lstrip()[:1] == b"{" or ("json" in content_type and body.lstrip()[:1] == b"["):
        return parse_json_feed(body, url)
    body, n_cut = _cut(UNSAFE_ENTITY.sub(b"", body) if b"<!ENTITY" in body[:65536] else body)
    found = _read(body, url, content_type)
    if not found.get("version") and not found.get("entries"):
        raise ParseError(_what_instead(body, content_type))
    entries, n_skipped = [], n_cut
    lang = one_line(found["feed"].get("language") or "", limit=10)[:2].lower()
    for raw in found["entries"][:MAX_ENTRIES]:
        entry = _entry(raw, lang)
        if entry is None:
            n_skipped += 1
        else:
            entries.append(entry)
    if found["entries"] and not entries:
        raise ParseError("the feed has entries, but none with a title, a text or a link")
    note = f"{n_cut} entries past the first {MAX_ENTRIES} were left out" if n_cut else ""
    site = safe_link(found["feed"].get("link"))
    return Parsed("feed", html_to_line(found["feed"].get("title") or ""), site, lang, tuple(entries), n_skipped, note)


def _cut(body: bytes) -> tuple[bytes, int]:
    """At most MAX_ENTRIES entries, since a parser takes seconds for 200,000 of them; and how many were cut off."""
    n = 0
    for n, match in enumerate(ITEM_END.finditer(body), start=1):
        if n == MAX_ENTRIES:
            rest = len(ITEM_END.findall(body, match.end()))
            return (body[: match.end()], rest) if rest else (body, 0)
    return body, 0


def _read(body: bytes, url: str, content_type: str) -> Any:
    """Feedparser on a stream: given bytes it would open the file of that name, given text it would fetch."""
    import feedparser

    headers = {"content-location": url, **({"content-type": content_type} if content_type else {})}
    return feedparser.parse(io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False)


def _entry(raw: Mapping[str, Any], lang: str) -> Entry | None:
    """One entry, or None if it says nothing."""
    title = html_to_line(raw.get("title") or "")
    text = html_to_text(_longest(raw))
    link = safe_link(raw.get("link")) or next(
        (safe_link(item.get("href")) for item in raw.get("links", ()) if safe_link(item.get("href"))), ""
    )
    guid = one_line(raw.get("id") or "", limit=1000)
    if not (title or text or link):
        return None
    if not link and safe_link(guid):
        link = guid
    return Entry(title or text.split("\n")[0][:120] or link, text, link, guid, _moment(raw), lang)


def _longest(raw: Mapping[str, Any]) -> str:
    """Content or summary, whichever says more."""
    texts = [
        part.get("value") or ""
        for part in raw.get("content", ())
        if (part.get("type") or "text/html").startswith(("text", "application/xhtml"))
    ]
    return max([*texts, raw.get("summary") or ""], key=len)


def _moment(raw: Mapping[str, Any]) -> Any:
    """When the entry says it was published; failing that, updated. Only its own words count, never the feed's."""
    said = dict(raw.items())  # feedparser's own mapping passes one field off as another
    for name in ("published", "updated", "created"):
        if name in said:
            found = from_struct(said.get(f"{name}_parsed")) or parse_moment(str(said[name] or ""))
            if found:
                return found
    return None


def _what_instead(body: bytes, content_type: str) -> str:
    """Words for what came where a feed was expected."""
    head = body[:4096].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")) or (b"<title" in head and b"<rss" not in head) or "html" in content_type:
        title = re.search(rb"<title[^>]*>([^<]{0,200})", body[:65536], re.I)
        name = one_line(title[1].decode("utf-8", "replace")) if title else ""
        return "a web page" + (f" titled {name!r}" if name else "") + " came where a feed was expected; check the address"
    if head[:1] in (b"{", b"["):
        return "JSON came that is no JSON Feed; check the address and the kind"
    return "what came is no feed (no RSS, Atom, RDF or JSON Feed could be read from it)"


def parse_json_feed(body: bytes, url: str = "") -> Parsed:
    """Entries of a JSON Feed (versions 1 and 1.1)."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ParseError("what came looks like JSON but cannot be read as such") from error
    items = data.get("items") if isinstance(data, dict) else None
    if not isinstance(items, list) or (
        "jsonfeed.org" not in str(data.get("version", "")) and not all(isinstance(i, dict) and "id" in i for i in items)
    ):
        raise ParseError("JSON came that is no JSON Feed; check the address and the kind")
    lang = one_line(str(data.get("language") or ""), limit=10)[:2].lower()
    found = [_json_entry(item, url, lang) for item in items[:MAX_ENTRIES] if isinstance(item, dict)]
    entries = tuple(entry for entry in found if entry)
    return Parsed(
        "feed",
        html_to_line(str(data.get("title") or "")),
        safe_link(str(data.get("home_page_url") or "")),
        lang,
        entries,
        len(items) - len(entries),
    )


def _json_entry(item: Mapping[str, Any], url: str, lang: str) -> Entry | None:
    text = html_to_text(str(item.get("content_html") or item.get("content_text") or item.get("summary") or ""))
    title = html_to_line(str(item.get("title") or "")) or text.split("\n")[0][:120]
    link = (
        safe_link(urljoin(url, str(item.get("url") or item.get("external_url") or "")))
        if item.get("url") or item.get("external_url")
        else ""
    )
    guid = one_line(str(item.get("id") or ""), limit=1000)
    if not (title or link):
        return None
    when = parse_moment(str(item.get("date_published") or item.get("date_modified") or ""))
    return Entry(title or link, text, link or safe_link(guid), guid, when, str(item.get("language") or lang)[:2])
