"""Feeds for whole runs: a page of entries, and the file of sources that lists a site's pages."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from xml.sax.saxutils import escape

from tests.flows.site import Page, Site


def feed(name: str, *entries: tuple[str, str, str]) -> Page:
    """An Atom feed of (title, ISO day, text) with its ETag."""
    items = "".join(
        f"<entry><id>{name}#{escape(title)}</id><title>{escape(title)}</title><link href='https://example.org/{name}/{i}'/>"
        f"<published>{day}T08:00:00Z</published><updated>{day}T08:00:00Z</updated><content>{escape(text)}</content></entry>"
        for i, (title, day, text) in enumerate(entries)
    )
    body = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>{name}</title>{items}</feed>".encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    return 200, {"ETag": etag, "Content-Type": "application/atom+xml"}, body


def sources_csv(site: Site, file: Path) -> Path:
    """A file of sources, one for every page of the site."""
    with file.open("w", newline="", encoding="utf-8") as handle:
        rows = csv.writer(handle)
        rows.writerow(["source_id", "title", "kind", "url", "provider", "tier"])
        rows.writerows([path.strip("/"), path, "feed", site.url + path, "OpenAI", "official"] for path in site.pages)
    return file
