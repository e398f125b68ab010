"""Documents and tags as detection reads them: from the store, the one way in."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.detect.types import TaggedDocument

if TYPE_CHECKING:
    import duckdb

SQL = Path(__file__).with_name("tagged_documents.sql")
BATCH = 5000


def tagged_documents(con: duckdb.DuckDBPyConnection, as_of: date) -> Iterator[TaggedDocument]:
    """Documents first seen up to the end of `as_of` that may report something, with the tags in force."""
    ruled = tag_rulings(con)
    result = con.execute(SQL.read_text(encoding="utf-8"), {"as_of": as_of})
    names = [column[0] for column in result.description or ()]
    while rows := result.fetchmany(BATCH):
        for row in rows:
            yield _document(dict(zip(names, row, strict=True)), ruled)


def tag_rulings(con: duckdb.DuckDBPyConnection) -> Mapping[str, Mapping[str, Any]]:
    """What analysts decided about tags, by document: labels kept or not, and corrected fields under `fields`."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    rows = con.execute(
        "select key, verdict, fields from ruling where relation = 'tag' and is_in_force order by ruled_at, ruling_id"
    ).fetchall()
    for key, verdict, fields in rows:
        document_id, _, capability = key.rpartition(":") if ":" in key else (key, "", "")
        if capability:
            found[document_id][capability] = verdict in ("confirm", "add")
        elif fields:
            found[document_id]["fields"] = json.loads(fields)
    return found


def _document(row: Mapping[str, Any], ruled: Mapping[str, Mapping[str, Any]]) -> TaggedDocument:
    verdicts = dict(ruled.get(row["document_id"], {}))
    corrected = verdicts.pop("fields", {})
    kinds = {corrected["event_kind"]: 1.0} if corrected.get("event_kind") else _scores(row["kind_scores"])
    if any(verdicts.values()):
        kinds = {**kinds, "capability_jump": 1.0}
    return TaggedDocument(
        document_id=row["document_id"],
        url=row["url"] or "",
        title=row["title"] or "",
        text=row["text"] or "",
        lang=row["lang"] or "",
        published_on=row["published_on"],
        first_seen_on=row["first_seen_on"],
        tier=row["tier"] or "press",
        source_id=row["source_id"] or "",
        source_provider=row["source_provider"] or "",
        kind_scores=kinds,
        scores=_scores(row["scores"]),
        provider=corrected.get("provider") or row["provider"] or "",
        magnitude=_magnitude(corrected.get("magnitude", row["magnitude"])),
        ruled=verdicts,
        facts=json.loads(row["facts"]) if row["facts"] else None,
    )


def _scores(text: str | None) -> dict[str, float]:
    return json.loads(text) if text else {}


def _magnitude(value: Any) -> int | None:
    return int(value) if value in (1, 2, 3, "1", "2", "3") else None


def store_rows(
    documents: Sequence[Mapping[str, Any]], tags: Mapping[str, Mapping[str, Any]], tagger: str
) -> dict[str, list[dict]]:
    """Rows of tables document, document_source, source and tagging for documents that come from a file."""
    sources = {str(row.get("source") or "file") for row in documents}
    return {
        "source": [
            {"source_id": name, "title": name, "kind": "archive", "url": "", "tier": None, "provider": ""}
            for name in sorted(sources)
        ],
        "document": [_stored(row) for row in documents],
        "document_source": [
            {"document_id": str(row["id"]), "source_id": str(row.get("source") or "file"), "first_seen_at": row["first_seen"]}
            for row in documents
        ],
        "tagging": [_tagging(str(row["id"]), tags[str(row["id"])], tagger) for row in documents if str(row["id"]) in tags],
    }


def _stored(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "document_id": str(row["id"]),
        "source_id": str(row.get("source") or "file"),
        "url": row.get("url") or "",
        "title": row.get("title") or "",
        "text": row.get("text") or "",
        "lang": row.get("lang") or "",
        "published_at": row.get("published"),
        "first_seen_at": row["first_seen"],
        "content_hash": "",
    }


def _tagging(document_id: str, tags: Mapping[str, Any], tagger: str) -> dict[str, Any]:
    return {
        "document_id": document_id,
        "tagger": tagger,
        "event_kind": tags.get("event_kind"),
        "kind_score": max((tags.get("kind_scores") or {"": 0.0}).values()),
        "provider": tags.get("provider"),
        "magnitude": tags.get("magnitude"),
        "kind_scores": json.dumps(tags.get("kind_scores") or {}),
        "scores": json.dumps(tags.get("scores") or {}),
    }
