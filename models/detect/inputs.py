"""Documents and tags as detection reads them: from the store, the one way in."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.detect.types import TaggedDocument

if TYPE_CHECKING:
    import duckdb

TAGGED = Path(__file__).with_name("tagged_documents.sql").read_text(encoding="utf-8")
FILE_TAGGER = "file"
TAGS_FROM_FILE = """
insert or replace into tagging by name
select id as document_id, $tagger as tagger, event_kind, provider, try_cast(magnitude as integer) as magnitude, kind_scores, scores,
    list_max([try_cast(value as double) for value in json_extract(kind_scores, '$.*')]) as kind_score
from read_json($file, format = 'newline_delimited', maximum_object_size = 1048576, columns = {
    id: 'varchar', event_kind: 'varchar', provider: 'varchar', magnitude: 'varchar', kind_scores: 'json', scores: 'json'
})
where id is not null
qualify row_number() over (partition by id) = 1
"""


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


def document_of(row: Mapping[str, Any], ruled: Mapping[str, Mapping[str, Any]]) -> TaggedDocument:
    """A row of `TAGGED`, with what analysts decided about the tags of its document."""
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
        is_day_known=row["is_day_known"],
        facts=json.loads(row["facts"]) if row["facts"] else None,
    )


def _scores(text: str | None) -> dict[str, float]:
    return json.loads(text) if text else {}


def _magnitude(value: Any) -> int | None:
    return int(value) if value in (1, 2, 3, "1", "2", "3") else None


def document_rows(documents: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Rows of tables source, document and document_source for documents that come from a file."""
    return {
        "source": [
            {"source_id": name, "title": name, "kind": "archive", "url": "", "provider": ""}
            for name in sorted({_source(row) for row in documents})
        ],
        "document": [_stored(row) for row in documents],
        "document_source": [
            {"document_id": row["id"], "source_id": _source(row), "first_seen_at": row["first_seen"]} for row in documents
        ],
    }


def _source(row: Mapping[str, Any]) -> str:
    return str(row.get("source") or "file")


def _stored(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "document_id": row["id"],
        "source_id": _source(row),
        "url": row.get("url") or "",
        "title": _clean(row.get("title")),
        "text": _clean(row.get("text")),
        "lang": row.get("lang") or "",
        "published_at": row.get("published"),
        "first_seen_at": row["first_seen"],
        "content_hash": "",
    }


def _clean(text: str | None) -> str:
    """Without NUL and lone surrogates, which the store refuses or keeps by mistake."""
    return (text or "").replace("\0", "").encode("utf-8", "ignore").decode("utf-8")
