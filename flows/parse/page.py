"""Title and text of any page, for looking at rather than storing."""

from __future__ import annotations

import re

from flows.parse.text import decode, html_to_line, html_to_text
from flows.parse.types import Parsed
from models.documents import Entry

MAX_PAGE = 2_000_000


def parse_text(body: bytes, url: str = "", content_type: str = "") -> Parsed:
    """One entry with the page's text; an empty page is an empty entry."""
    page = decode(body[:MAX_PAGE], content_type)
    title = re.search(r"<title[^>]*>([^<]{0,500})", page, re.I)
    line = html_to_line(title[1]) if title else ""
    return Parsed("text", line, url, entries=(Entry(line, html_to_text(page, limit=50_000), url),))
