"""Tags in the store: which documents a tagger has still to read, and what it said of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from models.store import insert_rows
from models.types import Tags, TextIn

if TYPE_CHECKING:
    import duckdb

# An anti-join on purpose: with `left join ... where ... is null` over an empty table, DuckDB 2.0.0 drops the query's limit.
_PENDING = """
from document where not exists (
    from tagging
    where tagging.document_id = document.document_id and tagging.tagger = $tagger
      and tagging.content_hash is not distinct from document.content_hash
)
"""


def n_pending(con: duckdb.DuckDBPyConnection, tagger: str) -> int:
    """Documents whose newest version `tagger` has not read."""
    row = con.execute(f"select count(*) {_PENDING}", {"tagger": tagger}).fetchone()
    assert row is not None
    return int(row[0])


def pending_batches(con: duckdb.DuckDBPyConnection, tagger: str, size: int) -> Iterator[list[TextIn]]:
    """Those documents by id, `size` at a time; a document is offered once, whether or not it was tagged since."""
    after = ""
    while True:
        rows = con.execute(
            f"select document_id, title, text, lang, url, source_id {_PENDING} and document_id > $after order by document_id limit $size",
            {"tagger": tagger, "after": after, "size": size},
        ).fetchall()
        if not rows:
            return
        yield [TextIn(*(cell or "" for cell in row)) for row in rows]
        after = rows[-1][0]


def store_tags(con: duckdb.DuckDBPyConnection, tagger: str, found: Sequence[Tags], tagged_at: datetime) -> int:
    """Keep what `tagger` said in place of what it said of older versions, all or nothing; returns how many documents."""
    ids = [tags.document_id for tags in found]
    hashes = dict(
        con.execute("select document_id, content_hash from document where document_id in (select unnest(?))", [ids]).fetchall()
    )
    con.execute("begin")
    try:
        con.execute("delete from tagging_label where tagger = ? and document_id in (select unnest(?))", [tagger, ids])
        con.execute("delete from tagging where tagger = ? and document_id in (select unnest(?))", [tagger, ids])
        insert_rows(
            con,
            "tagging",
            [{**_kind_row(tags, tagger), "content_hash": hashes[tags.document_id], "tagged_at": tagged_at} for tags in found],
        )
        insert_rows(con, "tagging_label", [row for tags in found for row in _label_rows(tags, tagger)])
        con.execute("commit")
    except BaseException:
        con.execute("rollback")
        raise
    return len(found)


def _kind_row(tags: Tags, tagger: str) -> dict[str, Any]:
    return {
        "document_id": tags.document_id,
        "tagger": tagger,
        "event_kind": tags.event_kind,
        "kind_score": tags.kind_scores.get(tags.event_kind),
        "provider": tags.provider,
        "magnitude": tags.magnitude,
        "products": list(tags.products),
        "kind_scores": _as_json(tags.kind_scores),
        "scores": _as_json(tags.scores),
    }


def _label_rows(tags: Tags, tagger: str) -> list[dict[str, Any]]:
    return [
        {
            "document_id": tags.document_id,
            "tagger": tagger,
            "capability": label,
            "score": tags.scores.get(label),
            "evidence": tags.evidence.get(label),
        }
        for label in tags.capabilities
    ]


def _as_json(scores: Any) -> str:
    return json.dumps({label: round(score, 4) for label, score in scores.items()})
