"""Documents from a file, for backfill: JSON Lines (also .gz and .zst), Parquet or CSV, validated whole before anything is stored.

A row has title or text, and may have id, url, published, first_seen, source, lang. Unknown columns are ignored.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.documents import Counts, Entry, entry_keys, store_documents, transaction
from models.errors import CatalogueError
from models.identity import canonical_url, clean, normalise, one_line, safe_link
from models.store import insert_rows
from models.types import Source

if TYPE_CHECKING:
    import duckdb

FORMATS = (".jsonl", ".ndjson", ".jsonl.gz", ".jsonl.zst", ".parquet", ".csv")


@dataclass(frozen=True, slots=True)
class Archived:
    """One document of an archive and the source that it names."""

    entry: Entry
    source_id: str


def read_archive(file: Path, *, default_source: str = "archive") -> list[Archived]:
    """Every document of an archive.

    Raises
    ------
    CatalogueError
        at the first wrong row, naming file, row, column, value and the remedy.

    """
    return [_archived(file, number, row, default_source) for number, row in enumerate(_rows(file), start=1)]


def store_archive(con: duckdb.DuckDBPyConnection, documents: list[Archived], now: datetime) -> Counts:
    """Store archived documents in one transaction, under sources of kind archive where a source is not known yet."""
    by_source: dict[str, list[Entry]] = {}
    for document in _told_apart(documents):
        by_source.setdefault(document.source_id, []).append(document.entry)
    with transaction(con):
        known = {row[0] for row in con.execute("select source_id from source").fetchall()}
        fresh = [
            {"source_id": key, "title": key, "kind": "archive", "is_active": False, "tier": "press"}
            for key in by_source
            if key not in known
        ]
        insert_rows(con, "source", fresh)
        counts = [store_documents(con, entries, Source(key, key, "archive", ""), now) for key, entries in by_source.items()]
    return Counts(sum(c.n_entries for c in counts), sum(c.n_new for c in counts), sum(c.n_changed for c in counts))


def _told_apart(documents: list[Archived]) -> list[Archived]:
    """Digests list many news under one link: where titles differ, the row's id tells documents apart, not the link."""
    titles: dict[str, set[str]] = {}
    for document in documents:
        titles.setdefault(canonical_url(document.entry.url), set()).add(normalise(document.entry.title))
    return [
        replace(document, entry=replace(document.entry, key=_own_key(document)))
        if document.entry.url and len(titles[canonical_url(document.entry.url)]) > 1
        else document
        for document in documents
    ]


def _own_key(document: Archived) -> str:
    without_link = replace(document.entry, url="")
    return entry_keys(Source(document.source_id, "", "archive", ""), [without_link])[0][0]


def _rows(file: Path) -> Iterator[Mapping[str, Any]]:
    if not file.is_file():
        raise CatalogueError(f"{file} does not exist; give the path of an archive ({', '.join(FORMATS)})")
    if not file.name.lower().endswith(FORMATS):
        raise CatalogueError(f"{file} is of no known form; use one of {', '.join(FORMATS)}")
    yield from {".parquet": _parquet_rows, ".csv": _csv_rows}.get(file.suffix.lower(), _json_rows)(file)


def _csv_rows(file: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            yield from csv.DictReader(handle, strict=True)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CatalogueError(f"{file} cannot be read as CSV in UTF-8 ({error}); save it as CSV (UTF-8) and try again") from error


def _json_rows(file: Path) -> Iterator[Mapping[str, Any]]:
    import pyarrow as pa

    packed = {".gz": "gzip", ".zst": "zstd"}.get(file.suffix.lower())
    try:
        with pa.input_stream(str(file), compression=packed) as stream:
            lines = stream.read().decode("utf-8").splitlines() if packed else file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise CatalogueError(f"{file} cannot be read as JSON Lines in UTF-8 ({error}); write it anew") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CatalogueError(f"{file}, row {number}: is no JSON ({error}); each line must be one object") from error
        if not isinstance(row, dict):
            raise CatalogueError(f"{file}, row {number}: is no JSON object; each line must be one")
        yield row


def _parquet_rows(file: Path) -> Iterator[Mapping[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(file)
    except (OSError, pa.ArrowException) as error:
        raise CatalogueError(f"{file} cannot be read as Parquet ({error}); write it anew") from error
    if not {"title", "text"} & set(table.column_names):
        raise CatalogueError(f"{file}: has neither a column title nor a column text; name one of its columns so")
    yield from table.to_pylist()


def _archived(file: Path, number: int, row: Mapping[str, Any], default_source: str) -> Archived:
    title, text = one_line(_text(file, number, row, "title")), clean(_text(file, number, row, "text"))
    url = _text(file, number, row, "url")
    if not title and not text:
        raise CatalogueError(f"{file}, row {number}, column title: empty, and so is text; every document needs one of them")
    if url and not safe_link(url):
        raise CatalogueError(f"{file}, row {number}, column url: {url[:200]!r} is no http(s) address; correct or clear it")
    entry = Entry(
        title=title or text.split("\n")[0][:120],
        text=text,
        url=url,
        guid=_text(file, number, row, "id"),
        published_at=_moment(file, number, row, "published"),
        lang=_text(file, number, row, "lang")[:2],
        seen_at=_moment(file, number, row, "first_seen"),
    )
    return Archived(entry, _text(file, number, row, "source") or default_source)


def _text(file: Path, number: int, row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    if value is None:
        return ""
    if not isinstance(value, str | int):
        raise CatalogueError(f"{file}, row {number}, column {column}: {str(value)[:80]!r} is no text; write it as a string")
    return str(value)


def _moment(file: Path, number: int, row: Mapping[str, Any], column: str) -> datetime | None:
    """A day or an instant in ISO form; UTC where no zone is given."""
    value = row.get(column)
    if value is None or value == "":
        return None
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(found, date) and not isinstance(found, datetime):
            found = datetime(found.year, found.month, found.day)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, AttributeError, OverflowError) as error:
        raise CatalogueError(
            f"{file}, row {number}, column {column}: {value!r} is no date; write YYYY-MM-DD or an ISO instant"
        ) from error
