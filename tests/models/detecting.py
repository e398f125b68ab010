"""Small builders for detection: a document with what a tagger says of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from models.store import insert_rows


def a_document(
    key,
    title,
    *,
    on,
    text="",
    url="",
    source="",
    tier="press",
    provider="OpenAI",
    seen=None,
    kind="capability_jump",
    score=0.97,
    magnitude=2,
    labels=None,
    lang="en",
):
    """Rows by table for one document, tagged as a report of a jump unless told otherwise."""
    source = source or (url.split("/")[2] if url else "blog")
    published = datetime.fromisoformat(on).replace(tzinfo=UTC)
    first_seen = datetime.fromisoformat(seen or on).replace(tzinfo=UTC)
    labels = {"frontier_quality": 0.9} if labels is None else labels
    return {
        "source": {"source_id": source, "title": source, "kind": "feed", "url": f"https://{source}", "tier": tier},
        "document": {"document_id": key, "source_id": source, "url": url, "title": title, "text": text, "lang": lang, "published_at": published, "first_seen_at": first_seen, "content_hash": key},
        "document_source": {"document_id": key, "source_id": source, "first_seen_at": first_seen},
        "tagging": {
            "document_id": key, "tagger": "test", "content_hash": key, "event_kind": kind, "kind_score": score, "provider": provider,
            "magnitude": magnitude, "kind_scores": json.dumps({kind: score}), "scores": json.dumps(labels),
        },
    }  # fmt: skip


def put(con, *documents):
    """Enter documents with their source and tags."""
    con.execute("insert or replace into meta values ('tagger', 'test')")
    for table in documents[0] if documents else ():
        insert_rows(con, table, [document[table] for document in documents], conflict="or ignore")
