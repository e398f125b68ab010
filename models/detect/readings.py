"""What each document reports, read once: a document is read anew when it, its tags, its sources, a ruling or the rules changed.

The rows are those of reading every document on every run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from models.detect import inputs, reports
from models.detect.known import registry_report
from models.detect.providers import Providers
from models.detect.types import Report
from models.detect.version import rules
from models.documents import transaction
from models.store import insert_rows

if TYPE_CHECKING:
    import duckdb

BATCH = 5000
Row = dict[str, Any]


def read_documents(con: duckdb.DuckDBPyConnection, as_of: date, known: Providers) -> None:
    """Bring table reading up to the documents known on `as_of`."""
    con.execute(
        f"create or replace temp table to_read as select one.*, hex(hash(one, $rules)) as made_from from ({inputs.TAGGED}) as one",
        {"as_of": as_of, "rules": rules()},
    )
    new = list(_read(con, known))
    with transaction(con):
        con.execute("delete from reading where (document_id, made_from) not in (select (document_id, made_from) from to_read)")
        insert_rows(con, "reading", new)
    con.execute("drop table to_read")


def by_provider(con: duckdb.DuckDBPyConnection) -> Iterator[list[Report]]:
    """The reports of one provider after the other, so that no more than those need be held."""
    rows = _rows(con.cursor(), "from reading where provider is not null order by provider, document_id")
    for _, of_one in groupby(rows, key=itemgetter("provider")):
        yield [_report(row) for row in of_one]


def of_documents(con: duckdb.DuckDBPyConnection, document_ids: Iterable[str]) -> list[Report]:
    """What these documents report, as far as they report anything."""
    query = "from reading where provider is not null and document_id in (select unnest(?::varchar[])) order by document_id"
    return [_report(row) for row in _rows(con, query, [list(document_ids)])]


class Page(NamedTuple):
    """Where a document that reports something is found, and whether its day is known."""

    url: str
    is_day_known: bool


def pages(con: duckdb.DuckDBPyConnection, document_ids: Iterable[str]) -> dict[str, Page]:
    """These documents, as far as they report anything."""
    query = "select document_id, url, is_day_known from reading where provider is not null and document_id in (select unnest(?::varchar[]))"
    return {key: Page(*page) for key, *page in con.execute(query, [list(document_ids)]).fetchall()}


def _read(con: duckdb.DuckDBPyConnection, known: Providers) -> Iterator[Row]:
    """Rows of table reading for the documents that were not read as they are now."""
    ruled = inputs.tag_rulings(con)
    for row in _rows(con, "from to_read anti join reading using (document_id, made_from)"):
        document = inputs.document_of(row, ruled)
        report = registry_report(document, known) if document.facts else reports.read(document, known)
        yield {"document_id": document.document_id, "made_from": row["made_from"], **(_row(report) if report else {})}


def _rows(con: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
    result = con.execute(query, parameters)
    names = [column[0] for column in result.description or ()]
    while rows := result.fetchmany(BATCH):
        yield from (dict(zip(names, row, strict=True)) for row in rows)


def _row(report: Report) -> Row:
    """Columns of a report."""
    row = {name: getattr(report, name) for name in Report.__slots__}
    return row | {
        "keys": [list(key) for key in report.keys],
        "words": sorted(report.words),
        "capabilities": json.dumps(report.capabilities),
    }


def _report(row: Mapping[str, Any]) -> Report:
    """A report from its columns."""
    return Report(
        **{name: row[name] for name in Report.__slots__}
        | {
            "keys": tuple(tuple(key) for key in row["keys"]),
            "words": frozenset(map(sys.intern, row["words"])),
            "capabilities": json.loads(row["capabilities"]),
        }
    )
