"""The detect stage: fills jump, jump_capability, jump_document and what hangs on them, whole, on every run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from models.detect import inputs, providers
from models.detect.joining import checked_jumps, join
from models.detect.jumps import jumps_of
from models.detect.known import catalogue_jumps, registry_report
from models.detect.merging import merge
from models.detect.reports import read
from models.detect.types import Event, Report
from models.store import replace_rows

if TYPE_CHECKING:
    import duckdb

    from models.catalogue import Catalogue
    from models.types import Jump

Row = dict[str, Any]


def detect(con: duckdb.DuckDBPyConnection, catalogue: Catalogue, as_of: date) -> dict[str, int]:
    """Write every jump known on `as_of`; returns row counts. The same store, catalogue and day give the same rows."""
    known = providers.load()
    reports = list(reports_of(con, as_of, known))
    events = merge(reports)
    detected = [_with_origin(jump, event) for jump, event in zip(jumps_of(events), events, strict=True)]
    about = {row["jump_id"]: row for row in catalogue.jumps}
    checked = checked_jumps([jump for jump in catalogue_jumps(catalogue.jumps, known) if jump.known_on <= as_of], about)
    jumps, _ = join(checked, events, detected)
    links = {report.document_id: report.url for report in reports}
    return write(con, jumps, about, links)


def reports_of(con: duckdb.DuckDBPyConnection, as_of: date, known: providers.Providers) -> Iterator[Report]:
    """What the documents known on `as_of` report."""
    for document in inputs.tagged_documents(con, as_of):
        report = registry_report(document, known) if document.facts else read(document, known)
        if report is not None:
            yield report


def _with_origin(jump: Jump, event: Event) -> Jump:
    is_certain = all(report.tier == "registry" for report in event.reports)
    return replace(jump, origin="registry", confidence=1.0) if is_certain else jump


def write(
    con: duckdb.DuckDBPyConnection, jumps: Sequence[Jump], about: Mapping[str, Mapping], links: Mapping[str, str]
) -> dict[str, int]:
    """Replace the rows of the three tables of jumps."""
    return {
        "jump": replace_rows(con, "jump", [jump_row(jump, about.get(jump.jump_id, {}), links) for jump in jumps]),
        "jump_capability": replace_rows(con, "jump_capability", list(capability_rows(jumps))),
        "jump_document": replace_rows(con, "jump_document", list(document_rows(jumps))),
    }


def jump_row(jump: Jump, about: Mapping[str, Any], links: Mapping[str, str]) -> Row:
    """One row of table jump; `weight` is left to the derivation, which knows the earlier stages."""
    return {
        "jump_id": jump.jump_id,
        "happened_on": jump.happened_on,
        "date_precision": about.get("date_precision") or "day",
        "known_on": jump.known_on,
        "platform": jump.platform,
        "provider": jump.provider,
        "release": jump.release,
        "stage": jump.stage,
        "reach": jump.reach,
        "magnitude": jump.magnitude,
        "summary": jump.summary,
        "confidence": jump.confidence,
        "origin": jump.origin,
        "source_url": about.get("source_url") or next((links[one] for one in jump.document_ids if links.get(one)), None),
        "is_confirmed": jump.is_confirmed,
        "story_key": about.get("story_key") or jump.jump_id,
        "note": about.get("note"),
    }


def capability_rows(jumps: Iterable[Jump]) -> Iterator[Row]:
    """One row per jump and capability."""
    for jump in jumps:
        for capability, share in jump.capabilities.items():
            yield {"jump_id": jump.jump_id, "capability": capability, "share": share}


def document_rows(jumps: Iterable[Jump]) -> Iterator[Row]:
    """One row per jump and document, the first one being the best source."""
    for jump in jumps:
        for number, document_id in enumerate(jump.document_ids):
            yield {"jump_id": jump.jump_id, "document_id": document_id, "is_canonical": number == 0}
