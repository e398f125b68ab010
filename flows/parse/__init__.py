"""Parsers, one a kind of source. They run in a process of their own (`worker`), which `pool` keeps, limits and replaces."""

from __future__ import annotations

from flows.parse.types import Parsed

__all__ = ["Parsed", "parse"]


def parse(kind: str, body: bytes, *, url: str = "", content_type: str = "", title: str = "") -> Parsed:
    """Parse one answer as `kind`; kind "auto" is seen from the answer itself.

    Raises
    ------
    ParseError
        when the answer is not what its kind promises.

    """
    if kind == "auto":
        from flows.parse.sniff import sniff

        kind = sniff(body, content_type, url)
    if kind in ("changelog", "page"):
        return _page(kind, body, url, content_type, title)
    if kind == "registry":
        from flows.parse.registry import parse_registry

        return parse_registry(body, url)
    if kind == "sitemap":
        from flows.parse.sitemap import parse_sitemap

        return parse_sitemap(body, url)
    if kind == "hackernews":
        from flows.parse.hackernews import parse_hackernews

        return parse_hackernews(body, url)
    if kind == "text":
        from flows.parse.page import parse_text

        return parse_text(body, url, content_type)
    if kind == "npm":
        from flows.parse.npm import parse_npm

        return parse_npm(body)
    if kind == "fulltext":
        from flows.parse.fulltext import parse_fulltext

        return parse_fulltext(body, url, content_type)
    from flows.parse.feed import parse_feed

    return parse_feed(body, url, content_type)


def _page(kind: str, body: bytes, url: str, content_type: str, title: str) -> Parsed:
    """A changelog; a page whose kind nobody told has to be one as well, or it is no source."""
    from flows.parse.changelog import parse_changelog
    from flows.parse.feed import _what_instead
    from models.errors import ParseError

    if (kind == "changelog" and b"<rss" in body[:2000]) or b"<feed" in body[:2000]:
        from flows.parse.feed import parse_feed

        return parse_feed(body, url, content_type)
    try:
        return parse_changelog(body, url, content_type, title)
    except ParseError as error:
        if kind == "page":
            raise ParseError(_what_instead(body, content_type)) from error
        raise
