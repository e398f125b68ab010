"""The article on a page, by trafilatura; its date only where the page states it in its own head."""

from __future__ import annotations

import re
from datetime import datetime

from flows.parse.dates import parse_moment
from flows.parse.text import decode, html_to_line, html_to_text
from flows.parse.types import Parsed
from models.documents import Entry
from models.errors import ParseError

STATED = re.compile(
    r"<meta[^>]+(?:property|name|itemprop)=[\"'](?:article:published_time|datePublished|date|pubdate|publishdate)[\"'][^>]*>",
    re.I,
)
MAX_PAGE = 3_000_000


def parse_fulltext(body: bytes, url: str = "", content_type: str = "") -> Parsed:
    """One entry: title, text and stated date of a page's article.

    Raises
    ------
    ParseError
        when there is no article of any length on the page.

    """
    import trafilatura

    page = decode(body[:MAX_PAGE], content_type)
    text = trafilatura.extract(
        page, url=url, include_comments=False, include_tables=True, favor_precision=True, deduplicate=False
    )
    if not text or len(text) < 200:
        raise ParseError("no article was found on the page")
    title = re.search(r"<title[^>]*>([^<]{0,500})", page, re.I)
    return Parsed(
        "fulltext", entries=(Entry(html_to_line(title[1]) if title else "", html_to_text(text), url, published_at=_stated(page)),)
    )


def _stated(page: str) -> datetime | None:
    for tag in STATED.findall(page[:200_000]):
        value = re.search(r"content=[\"']([^\"']{4,40})[\"']", tag, re.I)
        found = parse_moment(value[1]) if value else None
        if found:
            return found
    return None
