"""The exports of a publish: what other programs, feed readers and people get without opening the database.

published file -> every relation as Parquet and CSV
               -> the main relations as JSON, with an index
               -> feed.atom (jumps), alerts.atom
               -> brief.md, brief.html
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models import digest
from models.exports import atom, brief, feeds, relations
from models.exports.files import write_atomically
from models.privacy import public_sql
from models.store import SCHEMA_VERSION, open_published

if TYPE_CHECKING:
    import duckdb


def export(published_path: Path, exports_dir: Path, now: datetime, *, include_private: bool = False) -> dict[str, int]:
    """Write every export, each whole or not at all; returns rows by relation and entries by feed.

    `now` is written as `generated_at`. Nothing of a private product is written unless `include_private`.
    """
    exports_dir.mkdir(parents=True, exist_ok=True)
    for leftover in exports_dir.glob(".*.tmp"):
        leftover.unlink(missing_ok=True)
    with open_published(published_path) as con:
        counts = _relations(con, exports_dir, now, include_private)
        facts = digest.read_facts(con, include_private=include_private)
        counts |= _feeds(con, facts, exports_dir, now)
        _brief(con, facts, exports_dir, now)
    _index(exports_dir, facts, now, counts)
    return counts


def _relations(con: duckdb.DuckDBPyConnection, folder: Path, now: datetime, include_private: bool) -> dict[str, int]:
    counts = {}
    for relation, columns in relations.columns_of(con).items():
        sql = public_sql(relation, [name for name, _ in columns], include_private=include_private)
        relations.write_parquet(con, sql, folder / f"{relation}.parquet")
        relations.write_csv(con, sql, columns, folder / f"{relation}.csv")
        if relation in relations.JSON_RELATIONS:
            relations.write_json(con, relation, sql, folder / f"{relation}.json", now)
        counts[relation] = int(con.execute(f"select count(*) from ({sql})").fetchall()[0][0])
    return counts


def _feeds(con: duckdb.DuckDBPyConnection, facts: digest.Facts | None, folder: Path, now: datetime) -> dict[str, int]:
    jumps = feeds.jump_entries(con)
    found = feeds.alert_entries(digest.alerts(facts, facts.names), facts) if facts else []
    texts = {
        "feed.atom": atom.feed(
            "jumps", "Lifeline: jumps", "What platforms made available, lifted by a step, or retired", jumps, now
        ),
        "alerts.atom": atom.feed("alerts", "Lifeline: alerts", "What changed for the products on top", found, now),
    }
    for name, text in texts.items():
        write_atomically(folder / name, text.encode())
    return {"feed.atom": len(jumps), "alerts.atom": len(found)}


def _brief(con: duckdb.DuckDBPyConnection, facts: digest.Facts | None, folder: Path, now: datetime) -> None:
    content = brief.read(con, facts, now)
    write_atomically(folder / "brief.md", brief.markdown(content).encode())
    write_atomically(folder / "brief.html", brief.html(content).encode())


def _index(folder: Path, facts: digest.Facts | None, now: datetime, counts: dict[str, int]) -> None:
    """A list of what lies there, written last: whoever sees its time sees files at least as new."""
    files = sorted(
        file for file in folder.iterdir() if file.is_file() and not file.name.startswith(".") and file.name != "index.json"
    )
    content: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "generated_at": now.isoformat(timespec="seconds"),
        "as_of": facts.as_of.isoformat() if facts else None,
        "rows": counts,
        "files": [{"name": file.name, "bytes": file.stat().st_size} for file in files],
    }
    write_atomically(folder / "index.json", relations.dumps(content))
