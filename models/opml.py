"""OPML in and out: lists of feeds as other readers write and read them. Declarations of entities are refused, nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from models.errors import CatalogueError
from models.identity import canonical_url, one_line, safe_link

MAX_BYTES = 20_000_000


def read_opml(file: Path) -> list[dict[str, Any]]:
    """The feeds of an OPML file as rows of sources.csv, each address once, in the file's order.

    Raises
    ------
    CatalogueError
        when the file is none, declares entities, or holds a feed whose address is no http(s) link; nothing is half read.

    """
    outlines = _outlines(file)
    rows: dict[str, dict[str, Any]] = {}
    for line, attributes in outlines:
        found = {name.lower(): value for name, value in attributes.items()}
        if "xmlurl" not in found:
            continue
        url = safe_link(found["xmlurl"])
        if not url:
            raise CatalogueError(
                f"{file}, line {line}, xmlUrl: {found['xmlurl'][:200]!r} is no http(s) address; correct it or remove the outline"
            )
        title = one_line(found.get("title") or found.get("text") or url)
        row = {
            "source_id": found.get("lifelineid") or source_id_of(url),
            "title": title,
            "kind": found.get("lifelinekind") or "feed",
            "url": url,
            "site": safe_link(found.get("htmlurl")) or None,
            "lang": one_line(found.get("language", ""), limit=2).lower() or None,
            "provider": one_line(found.get("lifelineprovider", "")) or None,
        }
        rows.setdefault(canonical_url(url), row)
    if not rows:
        raise CatalogueError(f"{file} holds no feed (no outline with xmlUrl); export the subscriptions of your reader as OPML")
    return list(rows.values())


def source_id_of(url: str) -> str:
    """An id from an address: its words joined by hyphens."""
    words = "".join(c if c.isalnum() else "-" for c in canonical_url(url).lower())
    return "-".join(part for part in words.split("-") if part)[:80] or "source"


def _outlines(file: Path) -> list[tuple[int, Mapping[str, str]]]:
    try:
        body = file.read_bytes()
    except OSError as error:
        raise CatalogueError(f"{file} cannot be read ({error.strerror}); give the path of an OPML file") from error
    if len(body) > MAX_BYTES:
        raise CatalogueError(f"{file} is larger than {MAX_BYTES / 1e6:g} MB; split it")
    found: list[tuple[int, Mapping[str, str]]] = []
    parser = expat.ParserCreate()

    def refuse(*_: Any) -> None:
        raise CatalogueError(f"{file} declares XML entities, which no list of feeds needs; remove the DOCTYPE")

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.lower() == "outline":
            found.append((parser.CurrentLineNumber, attributes))

    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise CatalogueError(
            f"{file}, line {error.lineno}: is not well-formed XML ({expat.ErrorString(error.code)}); export it again"
        ) from error
    return found


def write_opml(rows: Iterable[Mapping[str, Any]], title: str = "Lifeline sources") -> str:
    """An OPML 2.0 document of sources (rows of sources.csv or of the published relation); ids and kinds ride along as attributes."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<opml version="2.0">',
        f"<head><title>{_escaped(title)}</title></head>",
        "<body>",
    ]
    for row in rows:
        name = one_line(row.get("title") or row["source_id"])
        attributes = {
            "type": "rss",
            "text": name,
            "title": name,
            "xmlUrl": row["url"],
            "htmlUrl": row.get("site"),
            "language": row.get("lang"),
            "lifelineId": row["source_id"],
            "lifelineKind": row.get("kind"),
            "lifelineProvider": row.get("provider"),
        }
        lines.append(
            "<outline " + " ".join(f"{key}={quoteattr(str(value))}" for key, value in attributes.items() if value) + "/>"
        )
    return "\n".join([*lines, "</body>", "</opml>", ""])


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
