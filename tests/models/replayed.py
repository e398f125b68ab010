"""The replayed feeds as documents, read straight from the archive beside the checkout; one document per link."""

from __future__ import annotations

import hashlib
import html
import re
import tarfile
from calendar import timegm
from datetime import UTC, datetime
from pathlib import Path

from models.detect.joining import link_key


def link_hash(url: str) -> str:
    """How judged samples name a document: no text, no address."""
    return hashlib.sha256(link_key(url).encode()).hexdigest()[:16]


def documents(shared: Path, *, every: int = 1) -> list[dict]:
    """Rows as `lifeline detect` reads them, from each `every`-th snapshot and the last one of each feed."""
    import feedparser

    found: dict[str, dict] = {}
    with tarfile.open(shared / "replay" / "snapshots.tar.xz") as archive:
        names = sorted(name for name in archive.getnames() if name.startswith("feeds/") and name.endswith(".xml"))
        for member in archive:
            if member.name in _chosen(names, every):
                _read(feedparser.parse(archive.extractfile(member).read()), member.name, found)
    return sorted(found.values(), key=lambda row: (row["first_seen"], row["id"]))


def _chosen(names: list[str], every: int, cache: dict = {}) -> set[str]:  # noqa: B006
    key = (len(names), every)
    if key not in cache:
        by_feed: dict[str, list[str]] = {}
        for name in names:
            by_feed.setdefault(name.split("/")[1], []).append(name)
        cache[key] = {name for group in by_feed.values() for name in [*group[::every], group[-1]]}
    return cache[key]


def _read(parsed, name: str, found: dict[str, dict]) -> None:
    taken = datetime.strptime(Path(name).stem, "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
    for entry in parsed.entries:
        key = link_hash(entry.get("link", ""))
        if not entry.get("link") or (key in found and found[key]["first_seen"] <= taken.isoformat()):
            continue
        stamp = entry.get("published_parsed") or entry.get("updated_parsed")
        body = " ".join(part.get("value", "") for part in entry.get("content", [])) or entry.get("summary", "")
        found[key] = {
            "id": key,
            "title": _plain(entry.get("title")),
            "text": _plain(body)[:20000],
            "lang": "en",
            "url": entry["link"],
            "source": name.split("/")[1],
            "published": datetime.fromtimestamp(timegm(stamp), UTC).isoformat() if stamp else None,
            "first_seen": taken.isoformat(),
        }


def _plain(text: str | None) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text or ""))).strip()
