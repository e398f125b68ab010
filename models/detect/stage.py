"""The detect stage: fills jump, jump_capability, jump_document and what hangs on them, whole, on every run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.detect import changes, providers, readings
from models.detect.joining import Conflict, checked_jumps, join
from models.detect.jumps import is_believed, jump_of, jumps_of
from models.detect.known import catalogue_jumps
from models.detect.linking import story_keys
from models.detect.merging import merge
from models.detect.products import Known, News, decided_status, proposals
from models.detect.ruled import Make, apply_to_jumps, write_products
from models.detect.telling import tell_stories
from models.detect.types import Event
from models.rulings import Ruling, table_rows
from models.rulings import read as read_rulings
from models.store import replace_rows

if TYPE_CHECKING:
    import duckdb

    from models.catalogue import Catalogue
    from models.types import Jump, Proposal

Row = dict[str, Any]
PRODUCT_NEWS = Path(__file__).with_name("product_news.sql")


def detect(
    con: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    as_of: date,
    rulings: Path | None = None,
    looked: Sequence[Proposal] = (),
    *,
    with_stories: bool = True,
) -> dict[str, int]:
    """Write every jump known on `as_of`, and what the documents propose about products; returns row counts.

    `looked` are proposals that do not come from documents but from looks at products' pages.

    The same store, catalogue, rulings (a folder) and day give the same rows, however the documents arrived.
    """
    decided, problems = read_rulings(rulings)
    replace_rows(con, "ruling", table_rows(decided))
    before = changes.facts(con)
    known = providers.load()
    readings.read_documents(con, as_of, known)
    if with_stories:
        tell_stories(con, as_of, known)
    jumps, conflicts = jumps_with_knowledge(believed_events(con), catalogue, as_of, known)
    jumps, unmatched = apply_to_jumps(jumps, decided, _maker(con))
    pages = readings.pages(con, (document for jump in jumps for document in jump.document_ids))
    about = {row["jump_id"]: row for row in catalogue.jumps}
    about |= _monthly(jumps, {key for key, page in pages.items() if page.is_day_known})
    counts = write(con, jumps, about, {key: page.url for key, page in pages.items()})
    proposed = write_proposals(con, decided, as_of, known, looked)
    told = write_products(con, decided, {one.proposal_id: {"product_id": one.subject, "fields": one.fields} for one in proposed})
    changed = write_changes(con, before, as_of, conflicts, changes.product_rows(told), decided)
    return {
        **counts,
        "story": con.execute("select count(distinct story_id) from story").fetchall()[0][0],
        "proposal": len(proposed),
        "ruling": len(decided),
        "ruling_unmatched": len(unmatched),
        "ruling_broken": len(problems),
        "change": changed,
    }


def believed_events(con: duckdb.DuckDBPyConnection) -> list[Event]:
    """The events that the readings of the store tell of and that are believed, in order of their canonical reports."""
    events = (event for reports in readings.by_provider(con) for event in merge(reports) if is_believed(event))
    return sorted(events, key=lambda event: event.canonical.rank)


def jumps_with_knowledge(
    events: Sequence[Event], catalogue: Catalogue, as_of: date, known: providers.Providers
) -> tuple[list[Jump], list[Conflict]]:
    """Events as jumps, joined with those of the catalogue that were known on `as_of`."""
    detected = [_with_origin(jump, event) for jump, event in zip(jumps_of(events), events, strict=True)]
    rows = {row["jump_id"]: row for row in catalogue.jumps}
    checked = checked_jumps([jump for jump in catalogue_jumps(catalogue.jumps, known) if jump.known_on <= as_of], rows)
    return join(checked, events, detected)


def _maker(con: duckdb.DuckDBPyConnection) -> Make:
    """How a split makes a jump of its own from some of the documents."""

    def make(jump_id: str, document_ids: Sequence[str]) -> Jump | None:
        members = sorted(readings.of_documents(con, document_ids), key=lambda one: one.rank)
        return jump_of(Event(tuple(members)), jump_id) if members else None

    return make


def _monthly(jumps: Sequence[Jump], has_day: Set[str]) -> dict[str, dict[str, Any]]:
    """Jumps whose day is only known to the month, because no document of theirs is among those whose day is known."""
    found = [jump for jump in jumps if jump.origin == "detected" and not has_day & set(jump.document_ids)]
    return {jump.jump_id: {"date_precision": "month"} for jump in found}


def write_proposals(
    con: duckdb.DuckDBPyConnection,
    decided: Sequence[Ruling],
    as_of: date,
    known: providers.Providers,
    looked: Sequence[Proposal] = (),
) -> list[Proposal]:
    """Fill table proposal from the news about products and from looks at their pages."""
    rows = con.execute(PRODUCT_NEWS.read_text(encoding="utf-8"), {"as_of": as_of}).fetchall()
    products = con.execute(
        "select product_id, coalesce(name, product_id), coalesce(homepage, ''), outcome, ended_on, last_alive_on from product order by 1"
    ).fetchall()
    platforms = [provider.name for provider in known.by_name.values() if provider.is_platform]
    found = [
        *proposals([News(*row) for row in rows], [Known(*row) for row in products], decided, platforms),
        *(replace(one, status=decided_status(one.proposal_id, decided)) for one in looked),
    ]
    replace_rows(
        con,
        "proposal",
        [{**asdict(one), "fields": json.dumps(one.fields, default=str), "document_ids": list(one.document_ids)} for one in found],
    )
    return found


def write_changes(
    con: duckdb.DuckDBPyConnection,
    before: changes.Facts,
    as_of: date,
    conflicts: Sequence[Conflict],
    told: Sequence[Row],
    decided: Sequence[Ruling],
) -> int:
    """Append what differs from the last run, unless that run stood on a later day: looking back changes no fact."""
    last = con.execute("select value from meta where key = 'detected_as_of'").fetchone()
    if last and date.fromisoformat(last[0]) > as_of:
        return 0
    con.execute("insert or replace into meta values ('detected_as_of', ?)", [as_of.isoformat()])
    why = {
        ruling.key: f"ruling {ruling.ruling_id[:12]} by {ruling.ruled_by}: {ruling.why}"
        for ruling in decided
        if ruling.relation == "jump"
    }
    return changes.append(
        con, changes.differences(before, changes.facts(con), why), [*changes.conflict_rows(conflicts), *told], as_of
    )


def _with_origin(jump: Jump, event: Event) -> Jump:
    is_certain = all(report.tier == "registry" for report in event.reports)
    return replace(jump, origin="registry", confidence=1.0) if is_certain else jump


def write(
    con: duckdb.DuckDBPyConnection, jumps: Sequence[Jump], about: Mapping[str, Mapping], links: Mapping[str, str]
) -> dict[str, int]:
    """Replace the rows of the three tables of jumps."""
    stories_of = story_keys(jumps)
    return {
        "jump": replace_rows(
            con, "jump", [jump_row(jump, about.get(jump.jump_id, {}), links, stories_of[jump.jump_id]) for jump in jumps]
        ),
        "jump_capability": replace_rows(con, "jump_capability", list(capability_rows(jumps))),
        "jump_document": replace_rows(con, "jump_document", list(document_rows(jumps))),
    }


def jump_row(jump: Jump, about: Mapping[str, Any], links: Mapping[str, str], story_key: str) -> Row:
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
        "story_key": story_key,
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
