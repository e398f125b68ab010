"""`lifeline detect`: dated documents from a file to jumps in a CSV, by the same way as a run of the pipeline."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from models.errors import UsageError
from models.exports.csv import write_csv
from models.report import Report, say

COLUMNS = (
    "jump_id", "happened_on", "known_on", "platform", "provider", "release", "stage", "reach", "magnitude", "weight", "summary",
    "confidence", "origin", "n_documents", "is_confirmed", "capabilities", "document_ids",
)  # fmt: skip
TAG_BATCH = 512


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "documents", metavar="IN.jsonl", type=Path, help="documents: id, title, text, lang?, url?, source?, published, first_seen"
    )
    parser.add_argument(
        "output", metavar="OUT.csv", type=Path, help="jumps with their capabilities and document_ids, joined by `;`"
    )
    parser.add_argument(
        "--catalogue",
        choices=("none", "shipped"),
        default="shipped",
        help="join the jumps of the shipped catalogue (default) or none",
    )
    parser.add_argument(
        "--tags",
        metavar="TAGS.jsonl",
        type=Path,
        help="tags as `lifeline classify` writes them; without them the default tagger reads",
    )
    parser.add_argument("--as-of", metavar="DATE", type=_day, help="what was known on this day (default: everything in the file)")


def run(args: argparse.Namespace) -> Report:
    """Detect and write; reports how many documents became how many jumps."""
    from models import catalogue, store
    from models.detect.stage import detect
    from models.survival import priors, tables

    con = store.open_memory()
    try:
        n_documents = load_documents(con, args.documents)
        load_tags(con, args.tags) if args.tags else _tag(con)
        as_of = args.as_of or _scalar(con, "select max(first_seen_at)::date from document")
        detect(con, catalogue.load(shipped=None if args.catalogue == "none" else catalogue.SHIPPED), as_of, with_stories=False)
        tables.weigh_jumps(con, as_of, priors.load())
        rows = _jumps(con)
    finally:
        con.close()
    _write(args.output, rows)
    lines = [f"{n_documents} documents, {len(rows)} jumps known on {as_of}; written to {args.output}"]
    return Report(lines, {"documents": n_documents, "jumps": len(rows), "as_of": as_of.isoformat(), "output": str(args.output)})


def _scalar(con: Any, query: str) -> Any:
    return con.execute(query).fetchone()[0]


def load_documents(con: Any, file: Path) -> int:
    """Enter the documents of a JSON Lines file, checked: an id and a day each; an id that comes again counts once, at its first line."""
    from models.detect.inputs import document_rows
    from models.store import insert_rows

    n_documents = 0
    for batch in _batches(_document(file, number, row) for number, row in _lines(file)):
        for table, rows in document_rows(batch).items():
            insert_rows(con, table, rows, conflict="or ignore")
    n_documents = _scalar(con, "select count(*) from document")
    if not n_documents:
        raise UsageError(f"{file} holds no document; give one JSON object a line")
    return n_documents


def load_tags(con: Any, file: Path) -> None:
    """Enter tags in the output format of `lifeline classify`; the store reads the file itself, which is many times faster."""
    import duckdb

    from models.detect.inputs import FILE_TAGGER, TAGS_FROM_FILE

    if not file.is_file():
        raise UsageError(f"{file} does not exist; give the path of a JSON Lines file")
    con.execute("insert or replace into meta values ('tagger', ?)", [FILE_TAGGER])
    try:
        con.execute(TAGS_FROM_FILE, {"file": str(file), "tagger": FILE_TAGGER})
    except duckdb.Error as error:
        raise UsageError(
            f"{file} cannot be read as tags ({str(error).splitlines()[0][:160]}); write it with `lifeline classify`"
        ) from error


def _tag(con: Any) -> None:
    """Tags by the tagger in use."""
    from models import settings
    from models.tagger import load_tagger
    from models.tags import n_pending, pending_batches, store_tags

    reader = load_tagger(settings.load())
    con.execute("insert or replace into meta values ('tagger', ?)", [reader.name])
    say(f"tagging {n_pending(con, reader.name)} documents with {reader.name}")
    for batch in pending_batches(con, reader.name, TAG_BATCH):
        store_tags(con, reader.name, reader.tag(batch), datetime.now(UTC))


def _batches(rows: Iterable[Any], size: int = 5000) -> Iterator[list[Any]]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _document(file: Path, number: int, row: dict[str, Any]) -> dict[str, Any]:
    if not str(row.get("id") or ""):
        raise UsageError(f"{file}, line {number}: no id; every document needs one")
    published = _instant(row.get("published"), file, number, "published")
    first_seen = _instant(row.get("first_seen"), file, number, "first_seen") or published
    if first_seen is None:
        raise UsageError(f"{file}, line {number}: neither published nor first_seen; every document needs a day")
    return {**row, "id": str(row["id"]), "published": published, "first_seen": first_seen}


def _lines(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with file.open(encoding="utf-8") as handle:
            for number, line in enumerate(handle, start=1):
                if line.strip():
                    yield number, _object(file, number, line)
    except FileNotFoundError as error:
        raise UsageError(f"{file} does not exist; give the path of a JSON Lines file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read as UTF-8 ({error}); save it as JSON Lines in UTF-8") from error


def _object(file: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise UsageError(f"{file}, line {number}: not JSON ({error.msg}); write one object a line") from error
    if not isinstance(row, dict):
        raise UsageError(f"{file}, line {number}: {type(row).__name__} instead of an object; write one object a line")
    return row


def _instant(value: Any, file: Path, number: int, name: str) -> datetime | None:
    if value in (None, ""):
        return None
    try:
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError as error:
        raise UsageError(f"{file}, line {number}: {name} is {value!r}, no ISO date; write YYYY-MM-DD") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _jumps(con: Any) -> list[dict[str, Any]]:
    """Published jumps with their capabilities, the surest first, and their documents, the best first."""
    result = con.execute(
        """
        select jump.*,
            (select string_agg(capability, ';' order by share desc, capability) from pub.jump_capability as c where c.jump_id = jump.jump_id) as capabilities,
            (select string_agg(document_id, ';' order by is_canonical desc, document_id) from pub.jump_document as d where d.jump_id = jump.jump_id) as document_ids
        from pub.jump as jump order by happened_on, jump_id
        """
    )
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _write(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    try:
        with file.open("w", encoding="utf-8", newline="") as handle:
            write_csv(rows, handle, COLUMNS)
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}); give a path you may write to") from error
