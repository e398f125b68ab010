"""What is known without reading a text: the jumps of the catalogue, and the changes that a registry states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from models.catalogue.load import period_end
from models.detect.providers import Providers
from models.detect.releases import key_of
from models.detect.reports import words_of
from models.detect.types import Report, TaggedDocument
from models.types import Jump

CONFIDENCE_FROM_MEMORY = 0.9
CONFIDENCE_OF_REGISTRY = 0.95
LABELS_OF_CHANGE = {"price_drop": "price_cut", "context_up": "long_context", "retired": "api_deprecation"}
LONG_CONTEXT_FROM = 500_000


def catalogue_jumps(rows: Iterable[Mapping[str, Any]], providers: Providers | None = None) -> list[Jump]:
    """Each row of jumps.csv as a jump of origin `catalogue`, its provider in canonical spelling."""
    return [catalogue_jump(row, providers) for row in rows]


def catalogue_jump(row: Mapping[str, Any], providers: Providers | None = None) -> Jump:
    """A row of jumps.csv as a jump; one that was seen on a page is certain, one from memory nearly so.

    A row that says since when it was known (a switch-off with notice) is known from that day on.
    """
    provider = row.get("provider") or ""
    return Jump(
        jump_id=row["jump_id"],
        happened_on=row["date"],
        known_on=row.get("known_on") or period_end(row["date"], row.get("date_precision")),
        platform=row.get("platform") or provider,
        provider=providers.canonical(provider) if providers else provider,
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


def registry_report(document: TaggedDocument, providers: Providers) -> Report | None:
    """A registry's change as a report, if it is big enough to be a jump and a platform made it; None otherwise."""
    facts = document.facts or {}
    change = str(facts.get("change") or "")
    provider = providers.canonical(str(facts.get("provider") or ""))
    if provider not in providers.by_name or not providers.is_platform(provider) or not _is_big(change, facts):
        return None
    model = str(facts.get("model") or document.title)
    labels = (
        [LABELS_OF_CHANGE[change]] if change in LABELS_OF_CHANGE else [str(label) for label in facts.get("capabilities") or ()]
    )
    key = key_of(model)
    return Report(
        document_id=document.document_id,
        url=document.url,
        title=document.title,
        tier="registry",
        source_id=document.source_id,
        dated_on=document.dated_on,
        known_on=document.first_seen_on,
        happened_on=_day(facts.get("happened_on")) or document.dated_on,
        is_dated_by_text=change == "retired",
        provider=provider,
        keys=(key,) if key else (),
        release=model,
        words=words_of(model),
        stage="retired" if change == "retired" else "ga",
        reach="api",
        magnitude=1,
        capabilities=dict.fromkeys(labels[:4], 0.9),
        confidence=CONFIDENCE_OF_REGISTRY,
    )


def _is_big(change: str, facts: Mapping[str, Any]) -> bool:
    """New labels on a platform's own model, a retirement, a lasting price step; a context window only from half a million on."""
    if change in ("retired", "price_drop"):
        return True
    if change == "context_up":
        return _number(facts.get("after")) >= LONG_CONTEXT_FROM
    return change in ("new_model", "capability_on") and bool(facts.get("capabilities"))


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
