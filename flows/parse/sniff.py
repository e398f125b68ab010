"""See from an answer itself what kind of source it is, for sources whose file does not say."""

from __future__ import annotations

import json
import re


def sniff(body: bytes, content_type: str = "", url: str = "") -> str:
    """One of feed, registry, hackernews, sitemap, changelog or page.

    What is neither is a feed by assumption, so that the feed parser gets to say what is wrong with it.
    """
    head = body[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    lower = head.lower()
    if re.search(rb"<(?:[\w-]+:)?(rss|feed|rdf)[\s>]", lower) and not lower.startswith(b"<!doctype html"):
        return "feed"
    if re.search(rb"<(urlset|sitemapindex)[\s>]", lower):
        return "sitemap"
    if head[:1] == b"{":
        return _sniff_json(body)
    is_page = lower.startswith((b"<!doctype html", b"<html")) or "text/html" in content_type
    if is_page:
        return "page"
    if "markdown" in content_type or re.search(r"\.(md|markdown)$", url.split("?")[0].lower()) or re.match(rb"#{1,3} \S", head):
        return "changelog"
    return "feed"


def _sniff_json(body: bytes) -> str:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return "feed"
    if "hits" in data and isinstance(data["hits"], list):
        return "hackernews"
    if isinstance(data.get("items"), list):
        return "feed"
    values = list(data.values())[:50]
    if any(isinstance(value, dict) and ("models" in value or "litellm_provider" in value) for value in values):
        return "registry"
    return "feed"
