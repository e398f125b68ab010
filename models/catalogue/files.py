"""Read and validate catalogue CSVs (UTF-8, RFC 4180, ISO dates, lists joined by `;`, unknown = empty).

Each reader returns rows as dicts with typed values: dates, integers, floats, tuples for lists, None for unknown.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from models import taxonomy
from models.catalogue.formats import read_other
from models.errors import CatalogueError

SHIPPED = Path(__file__).parent
PRECISIONS = ("day", "month", "year")
SOURCE_KINDS = ("feed", "changelog", "registry", "sitemap", "hackernews", "archive", "liveness", "auto")
# words that say what a source is about rather than what form it has: the form is seen from its answer
LOOSE_KINDS = frozenset(
    "news blog blogs newsroom press release_notes releases release notes research engineering podcast newsletter papers essays docs "
    "updates announcements rss atom rdf json_feed jsonfeed xml page html markdown web site official media community".split()
)
TIERS = ("official", "registry", "press", "discussion")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """How one column is read: `parse` turns text into a value or raises ValueError with the remedy."""

    parse: Callable[[str], Any]
    is_required: bool = False


def read_csv(file: Path, columns: Mapping[str, Column], key: str | Sequence[str]) -> list[Row]:
    """Rows of a CSV (or of JSON Lines, Parquet or OPML, by the file's ending), each value parsed; `key` is unique where given.

    Raises
    ------
    CatalogueError
        at the first wrong thing: no such file, not UTF-8, a column that is missing, a value that cannot be, an id used twice.

    """
    keys = (key,) if isinstance(key, str) else tuple(key)
    rows: list[Row] = []
    seen: dict[tuple[Any, ...], int] = {}
    for number, raw in _raw_rows(file, columns):
        row = {name: _value(file, number, name, column, raw.get(name)) for name, column in columns.items()}
        identity = tuple(row[name] for name in keys)
        if identity in seen and any(part is not None for part in identity):
            shown = ", ".join(repr(str(part)) for part in identity if part is not None)
            raise CatalogueError(
                f"{file}, row {number}, column {keys[-1]}: {shown} stands in row {seen[identity]} already; give each row its own"
            )
        seen[identity] = number
        rows.append(row)
    return rows


def _raw_rows(file: Path, columns: Mapping[str, Column]) -> Iterable[tuple[int, Mapping[str, str]]]:
    """Row number as a spreadsheet shows it (the header is row 1; other formats count from 1) and the raw row."""
    other = read_other(file)
    if other is not None:
        _check_header(file, other[0], columns)
        yield from other[1]
        return
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle, strict=True)
            header = reader.fieldnames or []
            _check_header(file, header, columns)
            for number, raw in enumerate(reader, start=2):
                if raw.get(None) or None in raw.values():
                    raise CatalogueError(
                        f"{file}, row {number}: {_width(raw)} values for {len(header)} columns; quote values that hold commas"
                    )
                yield number, raw
    except FileNotFoundError as error:
        raise CatalogueError(f"{file} does not exist; give the path of a CSV file") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CatalogueError(f"{file} cannot be read as CSV in UTF-8 ({error}); save it as CSV (UTF-8) and try again") from error


def _check_header(file: Path, header: Sequence[str], columns: Mapping[str, Column]) -> None:
    missing = [name for name, column in columns.items() if column.is_required and name not in header]
    if missing:
        required = ", ".join(name for name, column in columns.items() if column.is_required)
        raise CatalogueError(f"{file}, row 1: column {missing[0]!r} is missing; the header must name at least {required}")


def _width(raw: Mapping[Any, Any]) -> int:
    extra = raw.get(None) or []
    return len([value for name, value in raw.items() if name is not None and value is not None]) + len(extra)


def _value(file: Path, number: int, name: str, column: Column, text: str | None) -> Any:
    text = (text or "").strip().replace("\0", "")
    if not text:
        if column.is_required and name in _NEVER_EMPTY:
            raise CatalogueError(f"{file}, row {number}, column {name}: empty; every row needs one")
        return () if column.parse in _LISTS else None
    try:
        return column.parse(text)
    except ValueError as error:
        raise CatalogueError(f"{file}, row {number}, column {name}: {text!r} {error}") from error


def text(value: str) -> str:
    """Any text."""
    return value


def day(value: str) -> date:
    """An ISO date."""
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError("is not a date; write YYYY-MM-DD") from error


def link(value: str) -> str:
    """An http or https address; several may be joined by blanks."""
    if not all(part.startswith(("http://", "https://")) for part in value.split()):
        raise ValueError("is not a web address; it must begin with http:// or https://")
    return value


def number(value: str) -> float:
    """A number of zero or more."""
    try:
        found = float(value)
    except ValueError as error:
        raise ValueError("is not a number") from error
    if not 0 <= found < 1e6:
        raise ValueError("is out of range; give a number of zero or more")
    return found


def flag(value: str) -> bool:
    """A yes or no."""
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if value.lower() not in known:
        raise ValueError("is neither true nor false")
    return known[value.lower()]


def one_of(choices: Iterable[str]) -> Callable[[str], str]:
    """One of a closed set of words."""
    allowed = tuple(choices)

    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"is not known; use one of {', '.join(allowed)}")
        return value

    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number between two bounds, both included; 2.0 counts as one."""

    def parse(value: str) -> int:
        try:
            found = float(value)
        except ValueError as error:
            raise ValueError(f"is not a number; use {low} to {high}") from error
        if found != int(found) or not low <= found <= high:
            raise ValueError(f"is out of range; use {low} to {high}")
        return int(found)

    return parse


def names(value: str) -> tuple[str, ...]:
    """A list of free words joined by `;`."""
    return tuple(dict.fromkeys(part.strip() for part in value.split(";") if part.strip()))


def labels(value: str) -> tuple[str, ...]:
    """A list of capability labels joined by `;`."""
    known = taxonomy.load().capabilities
    found = names(value)
    for label in found:
        if label not in known:
            raise ValueError(f"holds the unknown label {label!r}; see `lifeline sql 'from capability'` for the labels")
    return found


_LISTS = (names, labels)
_NEVER_EMPTY = ("product_id", "jump_id", "date", "source_id", "url", "title", "kind", "stage", "reach", "magnitude", "month", "n")


def read_products(file: Path) -> list[Row]:
    """Products of a file of the contract; only product_id, launched_on and outcome are required columns."""
    rows = read_csv(file, _product_columns(), "product_id")
    for number_, row in enumerate(rows, start=2):
        _check_life(file, number_, row)
    return rows


def read_jumps(file: Path) -> list[Row]:
    """Jumps of a file of the contract; jump_id, date, capabilities, stage, reach and magnitude are required columns."""
    return read_csv(file, _jump_columns(), "jump_id")


def read_sources(file: Path) -> list[Row]:
    """Sources of a file of the contract; only url is required: an id is made from the address, a missing kind is seen from the answer."""
    rows = read_csv(file, _SOURCE_COLUMNS, "source_id")
    taken = {row["source_id"] for row in rows}
    for row in rows:
        row["source_id"] = row["source_id"] or _free_id(row["url"], taken)
        row["title"] = row["title"] or row["source_id"]
        row["kind"] = row["kind"] or "auto"
    return rows


def _free_id(url: str, taken: set[str | None]) -> str:
    """An id made from an address that no other source has."""
    words = "-".join(re.findall(r"[a-z0-9]+", url.split("://")[-1].lower()))[:80] or "source"
    found = next(name for n in count(1) if (name := words if n == 1 else f"{words}-{n}") not in taken)
    taken.add(found)
    return found


def source_kind(value: str) -> str:
    """A kind of source; a loose word such as news or blog means auto: see it from the answer."""
    word = value.strip().lower().replace("-", "_").replace(" ", "_")
    if word in LOOSE_KINDS:
        return "auto"
    if word not in SOURCE_KINDS:
        raise ValueError(f"is not known; use one of {', '.join(SOURCE_KINDS)}")
    return word


def _product_columns() -> dict[str, Column]:
    free = ("name", "vendor", "category", "cohort", "ended_because", "verified", "note")
    return {
        "product_id": Column(text, is_required=True),
        **{name: Column(text) for name in free},
        "homepage": Column(link),
        "launched_on": Column(day, is_required=True),
        "launched_precision": Column(one_of(PRECISIONS)),
        "outcome": Column(one_of(taxonomy.load().outcomes), is_required=True),
        "ended_on": Column(day),
        "ended_precision": Column(one_of(PRECISIONS)),
        "last_alive_on": Column(day),
        "gone_by": Column(day),
        "cohort_seen_on": Column(day),
        "sells": Column(labels),
        "depends_on": Column(labels),
        "segment": Column(one_of(taxonomy.SEGMENTS)),
        "wrapper_tier": Column(whole(1, 5)),
        "coupling": Column(whole(0, 3)),
        "moats": Column(names),
        "killer_capabilities": Column(labels),
        "source_url_launch": Column(text),
        "source_url_status": Column(text),
    }


def _jump_columns() -> dict[str, Column]:
    free = ("provider", "platform", "model_or_feature", "summary", "source_url", "verified", "note")
    return {
        "jump_id": Column(text, is_required=True),
        "date": Column(day, is_required=True),
        "date_precision": Column(one_of(PRECISIONS)),
        "known_on": Column(day),
        **{name: Column(text) for name in free},
        "capabilities": Column(labels, is_required=True),
        "stage": Column(one_of(taxonomy.STAGES), is_required=True),
        "reach": Column(one_of(taxonomy.REACHES), is_required=True),
        "magnitude": Column(whole(1, 3), is_required=True),
    }


_SOURCE_COLUMNS = {
    "source_id": Column(text),
    "title": Column(text),
    "kind": Column(source_kind),
    "url": Column(link, is_required=True),
    "site": Column(text),
    "provider": Column(text),
    "lang": Column(text),
    "every_hours": Column(number),
    "is_active": Column(flag),
    "tier": Column(one_of(TIERS)),
    "product_id": Column(text),
    "checked": Column(text),
    "checked_note": Column(text),
}


def _check_life(file: Path, number_: int, row: Row) -> None:
    """Dates of one product must be possible together."""
    launched = row["launched_on"]
    for name in ("ended_on", "gone_by", "last_alive_on"):
        if row[name] and launched and row[name] < launched and not _same_period(launched, row[name], row["launched_precision"]):
            raise CatalogueError(
                f"{file}, row {number_}, column {name}: {row[name]} lies before the launch {launched}; correct one of the two dates"
            )
    if row["ended_on"] and row["outcome"] in (None, "alive", "acquired_running"):
        raise CatalogueError(
            f"{file}, row {number_}, column ended_on: {row['ended_on']} is given although the outcome is {row['outcome'] or 'empty'}; "
            "clear the date or set the outcome"
        )


def _same_period(launched: date, other: date, precision: str | None) -> bool:
    """Whether two days agree as far as the precision of the launch goes."""
    if precision == "year":
        return launched.year == other.year
    return precision == "month" and (launched.year, launched.month) == (other.year, other.month)
