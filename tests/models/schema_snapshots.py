"""Snapshots of the kept schema as released: `python -m tests.models.schema_snapshots NAME` writes one of the scripts as they are now.

A snapshot is SQL that makes a work file as that release left it: the tables, and two made-up rows in every table that is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

from models.migrate import declared
from models.store import SCHEMA_VERSION, SQL

FOLDER = Path(__file__).resolve().parents[1] / "data" / "schema"
# by type; {n} is the number of the row
VALUES = {
    "VARCHAR": "'{column} {n}'",
    "INTEGER": "{n}",
    "BIGINT": "{n}",
    "DOUBLE": "0.{n}",
    "BOOLEAN": "true",
    "DATE": "date '2026-08-0{n}'",
    "TIMESTAMP WITH TIME ZONE": "timestamptz '2026-08-0{n} 06:00:00+00'",
    "JSON": "'{{}}'",
    "VARCHAR[]": "['product {n}']",
}
# what a run reads and would stumble over
TOLD = {
    "source.kind": "'feed'",
    "source.url": "'https://example.org/{n}.xml'",
    "source.health": "'fine'",
    "source.tier": "'press'",
    "document.url": "'https://example.org/{n}'",
    "document.lang": "'en'",
    "document.facts": "null",
    "document.is_date_suspect": "false",
    "document.title": "'OpenAI launches image generation in ChatGPT, part {n}'",
    "document.text": "'ChatGPT now generates images from text, today, for all users, part {n}.'",
    "tagging.event_kind": "'capability_jump'",
    "tagging.kind_scores": """'{{"capability_jump": 0.9}}'""",
    "tagging.scores": """'{{"image_generation": 0.9}}'""",
    "tagging_label.capability": "'image_generation'",
    "forecast.horizon_months": "12",
    "walk_forward.horizon_months": "12",
    "walk_forward_said.horizon_months": "12",
    "walk_forward_said.clock": "'ended'",
    "run.status": "'ok'",
}


def snapshot(kept_sql: str, derived_sql: str) -> str:
    """SQL of a work file as these scripts make it, with rows."""
    rows = [row for table, columns in declared(kept_sql).items() if table != "meta" for row in _rows(table, columns)]
    meta = f"insert into meta values ('schema_version', '{SCHEMA_VERSION}'), ('schema_digest', 'of that release'), ('tagger', 'tagger 1');"
    return "\n".join([kept_sql.rstrip(), "", derived_sql.rstrip(), "", meta, *rows, ""])


def _rows(table: str, columns: dict[str, str]) -> list[str]:
    return [
        f"insert into {table} ({', '.join(columns)}) values ("
        + ", ".join(
            TOLD.get(f"{table}.{column}", VALUES[kind.removesuffix(" NOT NULL")]).format(column=column.replace("_id", ""), n=n)
            for column, kind in columns.items()
        )
        + ");"
        for n in (1, 2)
    ]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    text = snapshot((SQL / "kept.sql").read_text(encoding="utf-8"), (SQL / "derived.sql").read_text(encoding="utf-8"))
    (FOLDER / f"{sys.argv[1]}.sql").write_text(text, encoding="utf-8")
