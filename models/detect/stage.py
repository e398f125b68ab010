"""The detect stage: fills jump, jump_capability, jump_document and what hangs on them, whole, on every run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from models.detect.known import catalogue_jumps
from models.store import replace_rows

if TYPE_CHECKING:
    import duckdb

    from models.catalogue import Catalogue
    from models.types import Jump

Row = dict[str, Any]


def detect(con: duckdb.DuckDBPyConnection, catalogue: Catalogue, as_of: date) -> dict[str, int]:
    """Write every jump known on `as_of`; returns row counts. The same store, catalogue and day give the same rows."""
    jumps = [jump for jump in catalogue_jumps(catalogue.jumps) if jump.known_on <= as_of]
    about = {row["jump_id"]: row for row in catalogue.jumps}
    return {
        "jump": replace_rows(con, "jump", [jump_row(jump, about.get(jump.jump_id, {})) for jump in jumps]),
        "jump_capability": replace_rows(con, "jump_capability", list(capability_rows(jumps))),
        "jump_document": replace_rows(con, "jump_document", []),
    }


def jump_row(jump: Jump, about: Mapping[str, Any]) -> Row:
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
        "source_url": about.get("source_url"),
        "is_confirmed": jump.is_confirmed,
        "story_key": about.get("story_key") or jump.jump_id,
        "note": about.get("note"),
    }


def capability_rows(jumps: Iterable[Jump]) -> Iterable[Row]:
    """One row per jump and capability."""
    for jump in jumps:
        for capability, share in jump.capabilities.items():
            yield {"jump_id": jump.jump_id, "capability": capability, "share": share}
