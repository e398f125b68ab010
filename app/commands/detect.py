"""`lifeline detect`: dated documents from a file to jumps in a CSV, by the same way as a run of the pipeline."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from app.report import Report, say
from models.errors import UsageError

COLUMNS = (
    "jump_id", "happened_on", "known_on", "platform", "provider", "release", "stage", "reach", "magnitude", "weight", "summary",
    "confidence", "origin", "n_documents", "is_confirmed", "capabilities", "document_ids",
)  # fmt: skip
TAGGER_OF_FILE = "file"


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
    from models.detect.inputs import store_rows
    from models.detect.stage import detect

    documents = list(read_documents(args.documents))
    tags = read_tags(args.tags) if args.tags else _tagged(documents)
    as_of = args.as_of or max(row["first_seen"] for row in documents).date()
    con = store.open_memory()
    try:
        con.execute("insert or replace into meta values ('tagger', ?)", [TAGGER_OF_FILE])
        for table, rows in store_rows(documents, tags, TAGGER_OF_FILE).items():
            store.insert_rows(con, table, rows)
        detect(con, catalogue.load(shipped=None if args.catalogue == "none" else catalogue.SHIPPED), as_of)
        rows = _jumps(con)
    finally:
        con.close()
    _write(args.output, rows)
    lines = [f"{len(documents)} documents, {len(rows)} jumps known on {as_of}; written to {args.output}"]
    return Report(
        lines, {"documents": len(documents), "jumps": len(rows), "as_of": as_of.isoformat(), "output": str(args.output)}
    )


def read_documents(file: Path) -> Iterator[dict[str, Any]]:
    """Rows of a JSON Lines file, checked: an id, a title or text, and a day; one id counts once, at its last line."""
    found: dict[str, dict[str, Any]] = {}
    for number, row in _lines(file):
        key = str(row.get("id") or "")
        if not key:
            raise UsageError(f"{file}, line {number}: no id; every document needs one")
        published = _instant(row.get("published"), file, number, "published")
        first_seen = _instant(row.get("first_seen"), file, number, "first_seen") or published
        if first_seen is None:
            raise UsageError(f"{file}, line {number}: neither published nor first_seen; every document needs a day")
        found[key] = {**row, "id": key, "published": published, "first_seen": first_seen}
    if not found:
        raise UsageError(f"{file} holds no document; give one JSON object a line")
    yield from found.values()


def read_tags(file: Path) -> dict[str, Mapping[str, Any]]:
    """Tags by document id, in the output format of `lifeline classify`."""
    return {str(row.get("id")): row for _, row in _lines(file)}


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
    from datetime import UTC

    try:
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError as error:
        raise UsageError(f"{file}, line {number}: {name} is {value!r}, no ISO date; write YYYY-MM-DD") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _tagged(documents: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Tags by the tagger in use."""
    from models import settings, tagger
    from models.types import TextIn

    config = settings.load()
    reader = tagger.load_tagger(str(config["tagger"]), device=str(config["device"]))
    say(f"tagging {len(documents)} documents with {reader.name}")
    texts = [
        TextIn(
            str(row["id"]),
            row.get("title") or "",
            row.get("text") or "",
            row.get("lang") or "",
            row.get("url") or "",
            row.get("source") or "",
        )
        for row in documents
    ]
    fields = ("event_kind", "kind_scores", "capabilities", "scores", "provider", "magnitude")
    return {tags.document_id: {name: getattr(tags, name) for name in fields} for tags in reader.tag(texts)}


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
            writer = csv.DictWriter(handle, COLUMNS, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}); give a path you may write to") from error
