"""Signs of life of products: where each may show them, and how polls become counts by month.

signals.csv -> sources (pure) -> the same polls as every other source -> sign, document -> activity_count
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from models.catalogue.files import SHIPPED, Column, link, one_of, read_csv, text
from models.documents import Entry
from models.types import Source

if TYPE_CHECKING:
    import duckdb

# kinds of source that are counted and not kept as documents, and the word they are counted under
SIGNS = {"releases": "releases", "commits": "commits", "npm": "releases"}
SIGNAL_KINDS = ("feed", "changelog", "repository", "pypi", "npm")
EVERY_HOURS = 48.0


def read_signals(overlay: Path | None = None) -> list[dict[str, Any]]:
    """Rows product_id, kind, url of the shipped signals.csv and of the one in `overlay`."""
    columns = {
        "product_id": Column(text, is_required=True),
        "kind": Column(one_of(SIGNAL_KINDS), is_required=True),
        "url": Column(link, is_required=True),
    }
    files = [folder / "signals.csv" for folder in (SHIPPED, overlay) if folder]
    return [row for file in files if file.is_file() for row in read_csv(file, columns, ("product_id", "kind", "url"))]


def signal_sources(signals: Iterable[Mapping[str, Any]]) -> list[Source]:
    """The sources to poll for signs of life: a product's feed and changelog as documents, its repository and packages as counts."""
    found: dict[str, Source] = {}
    for row in signals:
        for kind, url in addresses(row["kind"], row["url"]):
            key = f"{row['product_id']}-{kind}"
            key = key if key not in found else f"{key}-{len(found)}"
            found[key] = Source(
                key, f"{row['product_id']}: {kind}", kind, url, row["url"], every_hours=EVERY_HOURS, product_id=row["product_id"]
            )
    return list(found.values())


def addresses(kind: str, url: str) -> list[tuple[str, str]]:
    """Kind of source and address for one signal; nothing where we know no feed of it."""
    parts = urlsplit(url)
    path = [part for part in parts.path.split("/") if part]
    if kind in ("feed", "changelog"):
        return [(kind, url)]
    if kind == "repository" and parts.hostname == "github.com" and len(path) >= 2:
        repository = f"https://github.com/{path[0]}/{path[1].removesuffix('.git')}"
        return [("releases", f"{repository}/releases.atom"), ("commits", f"{repository}/commits.atom")]
    if kind == "pypi" and "project" in path[:-1]:
        return [("releases", f"https://pypi.org/rss/project/{path[path.index('project') + 1]}/releases.xml")]
    if kind == "npm" and "package" in path[:-1]:
        return [("npm", "https://registry.npmjs.org/" + "/".join(path[path.index("package") + 1 :][:2]).replace("/", "%2f"))]
    return []


def sign_rows(source: Source, entries: Sequence[Entry], now: datetime) -> list[dict[str, Any]]:
    """Rows of table sign; an entry without a date is no sign of any month."""
    return [
        {
            "source_id": source.source_id,
            "key": re.sub(r"\s+", " ", entry.guid or entry.url or entry.title)[:500],
            "product_id": source.product_id,
            "kind": SIGNS[source.kind],
            "happened_on": entry.published_at.date(),
            "seen_at": now,
        }
        for entry in entries
        if entry.published_at and entry.published_at <= now
    ]


def count_signs(con: duckdb.DuckDBPyConnection) -> int:
    """Bring activity_count up to date with what was polled; returns its rows of origin polled.

    A document without a date counts in the month we first saw it, unless the source's first poll brought it: then it may be years old.
    """
    con.execute(
        """
        insert or replace into activity_count
        with first_poll as (select source_id, min(fetched_at) as at_ from fetch_log where outcome = 'new' group by all),
        dated as (
            select product_id, kind, happened_on, seen_at from sign
            union all
            select source.product_id, 'documents',
                coalesce(document.published_at, case when listed.first_seen_at > first_poll.at_ then listed.first_seen_at end)::date,
                listed.first_seen_at
            from document_source as listed
            join source using (source_id)
            join document using (document_id)
            left join first_poll using (source_id)
            where source.product_id <> ''
        )
        select product_id, date_trunc('month', happened_on)::date, kind, count(*), 'polled', max(seen_at)
        from dated where happened_on is not null and product_id <> ''
        group by product_id, date_trunc('month', happened_on), kind
        """
    )
    return int(con.execute("select count(*) from activity_count where origin = 'polled'").fetchall()[0][0])
