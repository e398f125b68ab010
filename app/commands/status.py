"""`lifeline status`: sources with health, counts, last runs, data cut-off, all from the published file."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models import settings, vitals
from models.report import Report, table
from models.store import lock_holder, open_published

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
COUNTED = ("source", "document", "tag", "jump", "product", "exposure", "lifeline")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--all", action="store_true", help="list every source, not only those in trouble")


def run(args: argparse.Namespace) -> Report:
    """Read the published file and say how things stand."""
    config, now = settings.load(), datetime.now(UTC)
    with open_published(config.published) as con:
        found = {
            "parts": parts(config.home, now),
            "published_at": datetime.fromtimestamp(config.published.stat().st_mtime, UTC),
            "writer": lock_holder(config.home),
            **cut_off(con),
            "counts": {name: _one(con, f"select count(*) from {name}") for name in COUNTED},
            "runs": _rows(
                con, "select run_id, as_of, started_at, finished_at, status, tagger from run order by started_at desc limit 5"
            ),
            "sources": _rows(
                con,
                "select source_id, kind, is_active, health, last_fetch_at, last_success_at, n_documents, n_failures, last_error "
                "from source order by n_failures desc, source_id",
            ),
        }
    return Report(lines_of(found, now, show_all=args.all), found)


def parts(home: Path, now: datetime) -> list[Row]:
    """How each part of the house stands; sources have a table of their own."""
    rows = vitals.judge(vitals.read(home), vitals.look_around(home), now)
    return [asdict(one) for one in rows if not one.part.startswith("source:")]


def cut_off(con: duckdb.DuckDBPyConnection) -> Row:
    """The day the published lifelines stand on, and when the newest document was seen."""
    as_of = "select as_of from run order by started_at desc limit 1"
    return {"as_of": _one(con, as_of), "newest_document_at": _one(con, "select max(first_seen_at) from document")}


def lines_of(found: Row, now: datetime, *, show_all: bool) -> list[str]:
    """The same for people."""
    counts = ", ".join(f"{n} {name}s" for name, n in found["counts"].items())
    newest = found["newest_document_at"]
    return [
        f"as of {found['as_of']}, published {age(now - found['published_at'])} ago"
        + (f"; newest document seen {newest:%Y-%m-%d %H:%M} UTC" if newest else "; no document yet"),
        counts,
        *([f"writing now: {found['writer']}"] if found["writer"] else []),
        "",
        *_parts(found["parts"]),
        "",
        *_runs(found["runs"]),
        "",
        *_sources(found["sources"], show_all=show_all),
    ]


def _parts(rows: Sequence[Row]) -> list[str]:
    shown = [{**row, "what is known": row["words"], "what to do": row["remedy"]} for row in rows]
    return ["parts", *(f"  {line}" for line in table(shown, ["part", "state", "what is known", "what to do"]))]


def _runs(rows: Sequence[Row]) -> list[str]:
    shown = [{**row, "started": f"{row['started_at']:%Y-%m-%d %H:%M}", "as of": row["as_of"]} for row in rows]
    return ["last runs", *(f"  {line}" for line in table(shown, ["started", "as of", "status", "tagger", "run_id"]))]


def _sources(rows: Sequence[Row], *, show_all: bool) -> list[str]:
    active = [row for row in rows if row["is_active"]]
    health = Counter(row["health"] or "not polled yet" for row in active)
    said = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in health.most_common())
    listed = rows if show_all else [row for row in active if row["health"] not in (None, "fine")]
    shown = [
        {
            **row,
            "source": row["source_id"],
            "last success": f"{row['last_success_at']:%Y-%m-%d %H:%M}" if row["last_success_at"] else None,
            "documents": row["n_documents"],
            "failures": row["n_failures"],
            "error": (row["last_error"] or "")[:90],
        }
        for row in listed
    ]
    columns = ["source", "health", "last success", "documents", "failures", "error"]
    return [
        f"{len(active)} active sources: {said or 'none'}",
        *(f"  {line}" for line in (table(shown, columns) if shown else [])),
    ]


def age(span: Any) -> str:
    """A span of time in its largest sensible unit."""
    seconds = span.total_seconds()
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} seconds"


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    found = con.execute(query)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _one(con: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = con.execute(query).fetchone()
    return row[0] if row else None
