"""What is known without reading a document: the jumps of the catalogue."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from models.types import Jump

CONFIDENCE_FROM_MEMORY = 0.9


def catalogue_jumps(rows: Iterable[Mapping[str, Any]]) -> list[Jump]:
    """Each row of jumps.csv as a jump of origin `catalogue`."""
    return [catalogue_jump(row) for row in rows]


def catalogue_jump(row: Mapping[str, Any]) -> Jump:
    """A row of jumps.csv as a jump; one that was seen on a page is certain, one from memory nearly so."""
    return Jump(
        jump_id=row["jump_id"],
        happened_on=row["date"],
        known_on=known_on(row["date"], row.get("date_precision")),
        platform=row.get("platform") or row.get("provider") or "",
        provider=row.get("provider") or "",
        release=row.get("model_or_feature") or "",
        stage=row["stage"],
        reach=row["reach"],
        magnitude=row["magnitude"],
        weight=0.0,
        summary=row.get("summary") or "",
        confidence=CONFIDENCE_FROM_MEMORY if row.get("verified") == "memory" else 1.0,
        origin="catalogue",
        capabilities=dict.fromkeys(row["capabilities"], 1.0),
        is_confirmed=row.get("verified") == "page",
    )


def known_on(happened_on: date, precision: str | None) -> date:
    """The last day that the stated precision allows, so that no back-test knows a jump too early."""
    if precision == "year":
        return date(happened_on.year, 12, 31)
    if precision == "month":
        return happened_on.replace(day=monthrange(happened_on.year, happened_on.month)[1])
    return happened_on
