"""Tags in the store: which documents a tagger has still to read, and what it said of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from models.types import Tags, TextIn

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

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


def pending_keys(con: duckdb.DuckDBPyConnection, tagger: str) -> list[tuple[str, str]]:
    """Id and content hash of each of those documents, by id."""
    rows = con.execute(f"select document_id, coalesce(content_hash, '') {_PENDING} order by document_id", {"tagger": tagger})
    return rows.fetchall()


def pending_texts(con: duckdb.DuckDBPyConnection, tagger: str, first: str, last: str) -> pa.Table:
    """Those documents from id to id, as a table of what a tagger reads and the hash of the content that it is."""
    query = (
        "select document_id as id, coalesce(title, '') as title, coalesce(text, '') as text, coalesce(lang, '') as lang, "
        f"coalesce(url, '') as url, coalesce(source_id, '') as source, content_hash {_PENDING} "
        "and document_id between $first and $last order by document_id"
    )
    return con.sql(query, params={"tagger": tagger, "first": first, "last": last}).to_arrow_table()


def store_tags(con: duckdb.DuckDBPyConnection, tagger: str, found: Sequence[Tags], tagged_at: datetime) -> int:
    """Keep what `tagger` said in place of what it said of older versions, all or nothing; returns how many documents."""
    ids = [tags.document_id for tags in found]
    hashes = dict(
        con.execute("select document_id, content_hash from document where document_id in (select unnest(?))", [ids]).fetchall()
    )
    return store_table(con, tagger, tag_table(found, hashes), tagged_at)


def tag_table(found: Sequence[Tags], hashes: Mapping[str, str | None]) -> pa.Table:
    """What a tagger said, one row a document, in the columns of `tagging`, its labels in a list; `hashes` tell the content it read."""
    import pyarrow as pa

    label = pa.struct([("capability", pa.string()), ("score", pa.float64()), ("evidence", pa.string())])
    schema = pa.schema(
        [
            ("document_id", pa.string()),
            ("content_hash", pa.string()),
            ("event_kind", pa.string()),
            ("kind_score", pa.float64()),
            ("provider", pa.string()),
            ("magnitude", pa.int32()),
            ("products", pa.list_(pa.string())),
            ("kind_scores", pa.string()),
            ("scores", pa.string()),
            ("labels", pa.list_(label)),
        ]
    )
    return pa.Table.from_pylist([_row(tags, hashes[tags.document_id]) for tags in found], schema)


def wanted(con: duckdb.DuckDBPyConnection, tagger: str, table: pa.Table) -> pa.Table:
    """The rows of a table of tags whose document stands in the store with this very content and has not been tagged."""
    con.register("told_tags", table)
    try:
        query = (
            f"select told_tags.* from told_tags join (select document_id, content_hash {_PENDING}) as pending "
            "on pending.document_id = told_tags.document_id and pending.content_hash is not distinct from told_tags.content_hash "
            "order by told_tags.document_id"
        )
        return con.sql(query, params={"tagger": tagger}).to_arrow_table()
    finally:
        con.unregister("told_tags")


def store_table(con: duckdb.DuckDBPyConnection, tagger: str, table: pa.Table, tagged_at: datetime) -> int:
    """Keep a table of tags in place of what `tagger` said of these documents before, all or nothing; returns how many documents."""
    con.register("told_tags", table)
    con.execute("begin")
    try:
        for kept in ("tagging_label", "tagging"):
            con.execute(f"delete from {kept} where tagger = ? and document_id in (select document_id from told_tags)", [tagger])
        con.execute(
            "insert into tagging by name select * exclude (labels), ? as tagger, ?::timestamptz as tagged_at from told_tags",
            [tagger, tagged_at],
        )
        con.execute(
            "insert into tagging_label by name select document_id, ? as tagger, unnest(labels, max_depth := 2) from told_tags",
            [tagger],
        )
        con.execute("commit")
    except BaseException:
        con.execute("rollback")
        raise
    finally:
        con.unregister("told_tags")
    return int(table.num_rows)


def _row(tags: Tags, content_hash: str | None) -> dict[str, Any]:
    return {
        "document_id": tags.document_id,
        "content_hash": content_hash,
        "event_kind": tags.event_kind,
        "kind_score": tags.kind_scores.get(tags.event_kind),
        "provider": tags.provider,
        "magnitude": tags.magnitude,
        "products": list(tags.products),
        "kind_scores": _as_json(tags.kind_scores),
        "scores": _as_json(tags.scores),
        "labels": [
            {"capability": label, "score": tags.scores.get(label), "evidence": tags.evidence.get(label)}
            for label in tags.capabilities
        ],
    }


def _as_json(scores: Any) -> str:
    return json.dumps({label: round(score, 4) for label, score in scores.items()})
