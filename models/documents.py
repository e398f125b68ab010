"""Store listings of documents: one document per identity, a version whenever the text really changes.

    listing -> identity keys -> known document? -> decide (pure) -> rows -> one write

A document speaks with the voice of one source, the first that listed it, until another brings a text at least twice as
long. Only its voice makes new versions, so two scrapers that cut one article differently do not take turns.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from models.identity import (
    clean,
    content_hash,
    display_url,
    document_id,
    guess_lang,
    identity_keys,
    one_line,
    safe_link,
    shared_keys,
)
from models.store import insert_rows
from models.types import Source

if TYPE_CHECKING:
    import duckdb

# a page that prints the hour would otherwise make a version at every poll
MAX_VERSIONS = 50
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One listing of a document as a parser found it.

    `key` is an identity that the parser knows better than address and guid; `seen_at` the day an archive says it was first seen.
    """

    title: str
    text: str = ""
    url: str = ""
    guid: str = ""
    published_at: datetime | None = None
    lang: str = ""
    facts: Mapping[str, Any] | None = None
    key: str = ""
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the entries of one listing."""

    n_entries: int = 0
    n_new: int = 0
    n_changed: int = 0


@dataclass(slots=True)
class Known:
    """What the store knows of the documents in a batch of listings."""

    identities: dict[str, str] = field(default_factory=dict)
    documents: dict[str, Row] = field(default_factory=dict)
    listed: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """Rows to write, and what they mean by source."""

    new: list[Row] = field(default_factory=list)
    identities: list[Row] = field(default_factory=list)
    listed: list[Row] = field(default_factory=list)
    relisted: list[Row] = field(default_factory=list)
    versions: list[Row] = field(default_factory=list)
    updates: dict[str, Row] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing."""
    con.execute("begin")
    try:
        yield
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")


def store_documents(con: duckdb.DuckDBPyConnection, entries: Sequence[Entry], source: Source, now: datetime) -> Counts:
    """Store one listing of one source, seen at `now`, in the caller's transaction."""
    return store_listings(con, [(source, entries)], now)[source.source_id]


def store_listings(
    con: duckdb.DuckDBPyConnection, listings: Sequence[tuple[Source, Sequence[Entry]]], now: datetime
) -> dict[str, Counts]:
    """Store listings of several sources in the caller's transaction; returns counts by source."""
    keyed = [(source, entries, entry_keys(source, entries)) for source, entries in listings]
    plan = decide(keyed, read_known(con, keyed), now)
    write(con, plan)
    return plan.counts


def entry_keys(source: Source, entries: Sequence[Entry]) -> list[list[str]]:
    """The identity keys of each entry of one listing."""
    shared = shared_keys([(entry.url, entry.guid, entry.title) for entry in entries if not entry.key], source.source_id)
    return [
        [entry.key]
        if entry.key
        else identity_keys(
            url=entry.url,
            guid=entry.guid,
            title=entry.title,
            text=entry.text,
            source_id=source.source_id,
            dated=str(entry.published_at or ""),
            shared=shared,
        )
        for entry in entries
    ]


Keyed = Sequence[tuple[Source, Sequence[Entry], Sequence[Sequence[str]]]]


def read_known(con: duckdb.DuckDBPyConnection, keyed: Keyed) -> Known:
    """What the store already knows under any of the keys."""
    keys = sorted({key for _, _, lists in keyed for found in lists for key in found})
    if not keys:
        return Known()
    import pyarrow as pa

    con.register("asked_keys", pa.table({"identity": pa.array(keys, pa.string())}))
    try:
        identities = dict(
            con.execute("select identity, document_id from document_identity join asked_keys using (identity)").fetchall()
        )
        con.register("asked_documents", pa.table({"document_id": pa.array(sorted(set(identities.values())), pa.string())}))
        cursor = con.execute(
            "select document_id, source_id, text_source_id, title, text, url, lang, published_at, first_seen_at, updated_at,"
            " n_versions, content_hash, is_date_suspect from document join asked_documents using (document_id)"
        )
        names = [column[0] for column in cursor.description or ()]
        documents = {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}
        listed = con.execute(
            "select document_id, source_id, content_hash from document_source join asked_documents using (document_id)"
        ).fetchall()
    finally:
        con.unregister("asked_keys")
        con.unregister("asked_documents")
    return Known(identities, documents, {(doc, source): digest for doc, source, digest in listed})


def decide(keyed: Keyed, known: Known, now: datetime) -> Plan:
    """What to write for these listings, given what is known; pure but for growing `known` along the way."""
    plan = Plan()
    for source, entries, lists in keyed:
        n_new = n_changed = 0
        seen: set[str] = set()
        for raw, keys in zip(entries, lists, strict=True):
            found = next((known.identities[key] for key in keys if key in known.identities), None)
            doc = found or document_id(keys[0])
            fresh = [key for key in keys if key not in known.identities]
            known.identities |= dict.fromkeys(fresh, doc)
            plan.identities += [{"identity": key, "document_id": doc} for key in fresh]
            if doc in seen:
                continue
            seen.add(doc)
            entry = replace(raw, title=one_line(raw.title), text=clean(raw.text))
            digest = content_hash(entry.title, entry.text)
            if doc not in known.documents:
                known.documents[doc] = _new_row(doc, entry, digest, source, now)
                plan.new.append(known.documents[doc])
                n_new += 1
            else:
                n_changed += _listed_again(plan, known, doc, entry, digest, source, now)
            _note_listing(plan, known, doc, entry, digest, source, now)
        plan.counts[source.source_id] = Counts(len(entries), n_new, n_changed)
    return plan


def _new_row(doc: str, entry: Entry, digest: str, source: Source, now: datetime) -> Row:
    seen_at = entry.seen_at or now
    return {
        "document_id": doc,
        "source_id": source.source_id,
        "text_source_id": source.source_id,
        "url": display_url(entry.url) or (entry.guid if safe_link(entry.guid) else None),
        "title": entry.title,
        "text": entry.text,
        "lang": guess_lang(f"{entry.title}\n{entry.text}", entry.lang or source.lang),
        "published_at": entry.published_at,
        "first_seen_at": seen_at,
        "updated_at": None,
        "n_versions": 1,
        "content_hash": digest,
        "is_date_suspect": is_suspect(entry.published_at, seen_at),
        "facts": json.dumps(entry.facts, ensure_ascii=False, default=str) if entry.facts else None,
    }


def is_suspect(published_at: datetime | None, first_seen_at: datetime) -> bool:
    """Whether a document claims to be younger than our first sight of it."""
    return published_at is not None and published_at > first_seen_at


def _listed_again(plan: Plan, known: Known, doc: str, entry: Entry, digest: str, source: Source, now: datetime) -> int:
    """Note what a further listing changes in a known document; 1 if it makes a version."""
    old, title, text = known.documents[doc], entry.title, entry.text
    if known.listed.get((doc, source.source_id)) == digest:
        return _redate(plan, old, entry, source)
    is_voice = old["text_source_id"] in (source.source_id, None)
    changed = {}
    if is_voice or is_fuller(old["text"], text):
        _redate(plan, old, entry, source)
        if is_real_change(old, title, text) and old["n_versions"] < MAX_VERSIONS:
            changed = {"title": title or old["title"], "text": text or old["text"], "text_source_id": source.source_id}
    if not changed:
        return 0
    plan.versions.append(
        {
            "document_id": doc,
            "version": old["n_versions"],
            "seen_at": old["updated_at"] or old["first_seen_at"],
            "title": old["title"],
            "text": old["text"],
            "published_at": old["published_at"],
            "content_hash": old["content_hash"],
        }
    )
    old |= changed | {
        "updated_at": now,
        "n_versions": old["n_versions"] + 1,
        "content_hash": content_hash(changed["title"], changed["text"]),
        "lang": guess_lang(f"{changed['title']}\n{changed['text']}", entry.lang or source.lang),
    }
    plan.updates[doc] = old
    return 1


def is_real_change(old: Mapping[str, Any], title: str, text: str) -> bool:
    """Whether a listing says something new, not just less: an emptied or cut text is no new version."""
    if content_hash(title or old["title"], text or old["text"]) == old["content_hash"]:
        return False
    stem = " ".join(text.rstrip(" .…[]→").split())
    is_cut = bool(stem) and len(text) < len(old["text"]) and " ".join(old["text"].split()).startswith(stem)
    is_same_title = not title or content_hash(title, "") == content_hash(old["title"], "")
    return not (is_same_title and (is_cut or not text))


def is_fuller(old: str, new: str) -> bool:
    """Whether another source's text tells so much more that it should become the document's voice."""
    return len(new) >= 200 and len(new) >= 2 * len(old)


def _redate(plan: Plan, old: Row, entry: Entry, source: Source) -> int:
    """Take a corrected date from the document's voice, unless it lies after the day we first saw the document; always 0."""
    told = entry.published_at
    is_better = told is not None and told != old["published_at"] and not is_suspect(told, old["first_seen_at"])
    if is_better and (old["published_at"] is None or old["text_source_id"] == source.source_id):
        old |= {"published_at": told, "is_date_suspect": False}
        plan.updates[old["document_id"]] = old
    return 0


def _note_listing(plan: Plan, known: Known, doc: str, entry: Entry, digest: str, source: Source, now: datetime) -> None:
    pair = (doc, source.source_id)
    row = {"document_id": doc, "source_id": source.source_id, "first_seen_at": entry.seen_at or now, "content_hash": digest}
    if pair not in known.listed:
        plan.listed.append(row)
    elif known.listed[pair] != digest:
        plan.relisted.append(row)
    known.listed[pair] = digest


def write(con: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Write a plan through Arrow batches."""
    fresh = {row["document_id"] for row in plan.new}
    insert_rows(con, "document", plan.new)
    insert_rows(con, "document_version", plan.versions)
    insert_rows(con, "document_identity", plan.identities, conflict="or ignore")
    insert_rows(con, "document_source", plan.listed, conflict="or ignore")
    _update(
        con,
        [row for doc, row in plan.updates.items() if doc not in fresh],
        "document",
        [
            "title",
            "text",
            "lang",
            "text_source_id",
            "published_at",
            "is_date_suspect",
            "updated_at",
            "n_versions",
            "content_hash",
        ],
        "stored.document_id = changed.document_id",
    )
    _update(
        con,
        plan.relisted,
        "document_source",
        ["content_hash"],
        "stored.document_id = changed.document_id and stored.source_id = changed.source_id",
    )


def _update(con: duckdb.DuckDBPyConnection, rows: Sequence[Row], table: str, columns: Sequence[str], match: str) -> None:
    """Overwrite `columns` of the rows that `match`."""
    if not rows:
        return
    names = sorted({name for row in rows for name in row})
    con.execute(f"create or replace temp table changed as from {table} limit 0")
    insert_rows(con, "changed", [{name: row.get(name) for name in names} for row in rows])
    sets = ", ".join(f"{name} = changed.{name}" for name in columns)
    con.execute(f"update {table} as stored set {sets} from changed where {match}")
    con.execute("drop table changed")
