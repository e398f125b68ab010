"""Sitemaps: the newest addresses with their `lastmod`; titles come from the address until the page itself is read."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from flows.parse.dates import parse_moment
from flows.parse.types import Parsed
from models.documents import Entry
from models.errors import ParseError
from models.identity import safe_link

# a sitemap lists the whole site; what is new stands among the latest changes
NEWEST = 200
ARTICLES = re.compile(
    r"/(news|blog|index|research|engineering|post|posts|article|articles|changelog|release|releases|updates?|stories|announcements?)/[^/]+",
    re.I,
)


def parse_sitemap(body: bytes, url: str = "") -> Parsed:
    """Entries of a sitemap, or the `links` of a sitemap index, newest first. `lastmod` is a change, so no date of publication.

    Raises
    ------
    ParseError
        when the answer is empty or no sitemap.

    """
    from lxml import etree

    if not body.strip():
        raise ParseError("the answer was empty (0 bytes)", health="empty")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, huge_tree=False, load_dtd=False)
    root = etree.fromstring(body, parser)
    name = etree.QName(root).localname if root is not None else ""
    if name == "sitemapindex":
        found = sorted(_rows(root, "sitemap"), key=lambda row: row[1], reverse=True)
        return Parsed("sitemap", site=url, links=tuple(link for link, _ in found[:5]))
    if name != "urlset":
        raise ParseError("what came is no sitemap (no urlset element); check the address")
    rows = sorted(_rows(root, "url"), key=lambda row: row[1], reverse=True)
    told = [row for row in rows if ARTICLES.search(urlsplit(row[0]).path)] or rows
    return Parsed("sitemap", site=url, entries=tuple(Entry(title_of(link), "", link) for link, _ in told[:NEWEST]))


def _rows(root: Any, tag: str) -> list[tuple[str, str]]:
    rows = []
    for node in root.iterfind(f"{{*}}{tag}"):
        link = safe_link(node.findtext("{*}loc"))
        moment = parse_moment(node.findtext("{*}lastmod") or "")
        if link:
            rows.append((link, moment.isoformat() if moment else ""))
    return rows


def title_of(link: str) -> str:
    """Words from the last part of an address."""
    last = unquote(urlsplit(link).path.rstrip("/").rsplit("/", 1)[-1])
    words = re.sub(r"[-_]+", " ", re.sub(r"\.\w{2,4}$", "", last)).strip()
    return words[:1].upper() + words[1:] or link
