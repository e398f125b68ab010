"""What each document reports, read once: a document is read anew when it, its tags, its sources, a ruling or the rules changed.

The rows are those of reading every document on every run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

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


def reports_of(con: duckdb.DuckDBPyConnection, as_of: date, known: Providers) -> list[Report]:
    """Bring table reading up to the documents known on `as_of`; returns what they report, by document."""
    con.execute(
        f"create or replace temp table to_read as select one.*, hex(hash(one, $rules)) as made_from from ({inputs.TAGGED}) as one",
        {"as_of": as_of, "rules": rules()},
    )
    new = list(_read(con, known))
    with transaction(con):
        con.execute("delete from reading where (document_id, made_from) not in (select (document_id, made_from) from to_read)")
        insert_rows(con, "reading", new)
    con.execute("drop table to_read")
    return [_report(row) for row in _rows(con, "from reading where provider is not null order by document_id")]


def _read(con: duckdb.DuckDBPyConnection, known: Providers) -> Iterator[Row]:
    """Rows of table reading for the documents that were not read as they are now."""
    ruled = inputs.tag_rulings(con)
    for row in _rows(con, "from to_read anti join reading using (document_id, made_from)"):
        document = inputs.document_of(row, ruled)
        report = registry_report(document, known) if document.facts else reports.read(document, known)
        yield {"document_id": document.document_id, "made_from": row["made_from"], **(_row(report) if report else {})}


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[Row]:
    result = con.execute(query)
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
