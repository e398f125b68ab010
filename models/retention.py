"""What is dropped with age, so that a home does not grow for ever. What a run computes from is never dropped.

Texts are cut to what the tagger and detection read of them, so that a new tagger finds what it would have found; of a row of equal
looks at a product the first and the last stay, and of a source's fetches the one that first brought something. Documents themselves,
tags, forecasts, changes and rulings stay whatever their age.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from models.settings import Settings

EXPORT_ENDINGS = frozenset({".parquet", ".csv", ".json", ".atom", ".md", ".html"})
EXPORTS_DAYS = 30


@dataclass(frozen=True, slots=True)
class Ages:
    """Days after which something goes; 0 keeps it for ever."""

    texts: int = 0
    versions: int = 0
    fetches: int = 0
    looks: int = 0

    @classmethod
    def of(cls, settings: Settings) -> Ages:
        """As the settings have it."""
        return cls(*(settings[f"keep_{name}_days"] for name in ("texts", "versions", "fetches", "looks")))


# table -> the statement that drops what is older than $before; each answers with the number of rows
STATEMENTS: Mapping[str, str] = {
    "texts": "update document set text = text[:$read] where first_seen_at < $before and length(text) > $read",
    "versions": "update document_version set text = null where seen_at < $before and text is not null",
    "fetches": """
        delete from fetch_log where fetched_at < $before and (source_id, fetched_at) not in (
            select (source_id, min(fetched_at)) from fetch_log where outcome = 'new' group by source_id
        )
    """,
    "looks": """
        delete from probe using (
            select product_id, probed_at, url,
                lag({e: evidence, s: http_status, d: detail}) over looks as before_, {e: evidence, s: http_status, d: detail} as this,
                lead({e: evidence, s: http_status, d: detail}) over looks as after_
            from probe window looks as (partition by product_id, url order by probed_at)
        ) as seen
        where probe.probed_at < $before and seen.before_ = seen.this and seen.this = seen.after_
          and seen.product_id = probe.product_id and seen.probed_at = probe.probed_at and seen.url = probe.url
    """,
}


def n_characters_read() -> int:
    """Characters of a text that anybody reads: the tagger looks furthest, four raw ones for each that it keeps."""
    from models.tagging.reading import BODY_CHARS

    return 4 * BODY_CHARS


def prune(con: duckdb.DuckDBPyConnection, ages: Ages, now: datetime) -> dict[str, int]:
    """Drop what is older than its age; returns rows by what was dropped."""
    counts = {}
    for name, statement in STATEMENTS.items():
        days = getattr(ages, name)
        given = {"before": now - timedelta(days=days)} | ({"read": n_characters_read()} if name == "texts" else {})
        row = con.execute(statement, given).fetchone() if days > 0 else None
        counts[name] = int(row[0]) if row else 0
    return counts


def prune_exports(folder: Path, now: datetime, *, days: int = EXPORTS_DAYS) -> list[Path]:
    """Remove exports that the publishes of the last `days` did not write anew, as of a relation that is no more; returns them."""
    index = folder / "index.json"
    if not index.is_file() or (now.timestamp() - index.stat().st_mtime) > days * 86400:
        return []
    before = index.stat().st_mtime - days * 86400
    old = [
        file for file in folder.iterdir() if file.suffix in EXPORT_ENDINGS and file.is_file() and file.stat().st_mtime < before
    ]
    for file in old:
        file.unlink(missing_ok=True)
    return sorted(old)
