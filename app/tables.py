"""The tables that several pages show: products and jumps, with what their queries need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from app import data, present, sentences, text
from app.words import t

if TYPE_CHECKING:
    import pandas as pd

PRODUCT_COLUMNS = (
    "name", "overtaken", "p_overtaken", "s12", "survival_curve", "lifeline_class", "signs_of_life", "silent_since", "p_silent_6", "s3", "s6",
    "sells", "segment", "wrapper_tier", "outcome", "ended_on", "n_at_risk", "homepage",
)  # fmt: skip
# column of the table -> column that tells whether there is anything to show
HIDDEN_WHEN_EMPTY = {
    "silent_since": "silent_since", "p_silent_6": "p_silent_6", "ended_on": "ended_on", "overtaken": "overtaken_on",
    "p_overtaken": "p_overtaken_12", "s3": "s3", "s6": "s6", "s12": "s12", "lifeline_class": "lifeline_class", "n_at_risk": "n_at_risk",
    "homepage": "homepage",
}  # fmt: skip
LISTED_WHEN_TOLD = ("signs_of_life", "survival_curve")
ENDED = ("shut_down", "acquired", "pivoted")
HOST = r"https?://(?:www\.)?([^/]+)"


def product_filters(**given: Any) -> dict[str, Any]:
    """Parameters of the query `products`, with no filter where none is given."""
    none: dict[str, Any] = {
        name: [] for name in ("segments", "tiers", "categories", "capabilities", "providers", "classes", "ids")
    }
    return {**none, "q": "", "fate": "all", "order_by": "overtaken", "n_rows": 100, "n_skipped": 0, **given}


def jump_filters(**given: Any) -> dict[str, Any]:
    """Parameters of the query `jumps`, with no filter where none is given."""
    none: dict[str, Any] = {name: [] for name in ("capabilities", "providers", "stages", "origins")}
    return {**none, "since": None, "until": None, "q": "", "is_heavy": False, **given}


def products(frame: pd.DataFrame, *, key: str, columns: Sequence[str] = PRODUCT_COLUMNS, height: Any = "auto") -> None:
    """Products as a table; choosing a row opens the product. Chances stand in steps of 5 %, with their intervals."""
    shown = frame.assign(
        overtaken=[text.day(value, "month").removeprefix("–") for value in frame["overtaken_on"]],
        silent_since=[text.day(value, "month").removeprefix("–") for value in frame["silent_since"]],
        p_overtaken=[_three_with_interval(row) for row in data.rows(frame)],
        lifeline_class=[class_words(value) for value in frame["lifeline_class"]],
        segment=[t(f"segment_short.{value}") if value else "" for value in frame["segment"]],
        outcome=[outcome_words(value) for value in frame["outcome"]],
    )
    shown = present.intervals(shown, "s3", "s6", "s12", "p_silent_6")
    shown = present.safe_urls(
        present.plain(present.lists(shown, "sells", "depends_on"), "name", "vendor", "category"), "homepage"
    )
    known = product_columns()
    told = [name for name in columns if _is_told(frame, name)]
    present.table(shown, {name: known[name] for name in told}, alt=t("page.products"), key=key, opens=open_product, height=height)


def _is_told(frame: pd.DataFrame, name: str) -> bool:
    """Whether any product of the table has something in the column; what always has is not asked."""
    if name in LISTED_WHEN_TOLD:
        return name in frame.columns and any(not text.is_unknown(bars) and any(bars) for bars in frame[name])
    if name not in HIDDEN_WHEN_EMPTY:
        return True
    return any(not text.is_unknown(value) and value != "" for value in frame[HIDDEN_WHEN_EMPTY[name]])


def three(row: Mapping[str, Any], stem: str) -> str:
    """3, 6 and 12 months in one cell: 5 · 10 · 20 %."""
    shown = [text.chance(row.get(f"{stem}{months}")) for months in (3, 6, 12)]
    return "–" if shown[-1] == "–" else " · ".join(part.removesuffix(" %") for part in shown) + " %"


def _three_with_interval(row: Mapping[str, Any]) -> str:
    """The same with the interval of the last: 5 · 10 · 20 % (10–35 %)."""
    bounds = text.interval(row.get("p_overtaken_12_low"), row.get("p_overtaken_12_high"))
    shown = three(row, "p_overtaken_")
    return f"{shown} ({bounds})" if bounds and shown != "–" else shown


def open_product(row: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The page of a row's product."""
    return "product", {"id": row["product_id"]}


def open_jump(row: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The page of a row's jump."""
    return "jumps", {"jump": row["jump_id"]}


def class_words(value: Any) -> str:
    """A lifeline class for people; two that share the weight stand side by side."""
    return "" if text.is_unknown(value) or value == "" else "/".join(t(f"class.{part}") for part in str(value).split("/"))


def outcome_words(value: Any) -> str:
    """How a product stands, for people."""
    return t("outcome.unknown") if text.is_unknown(value) or value == "" else t(f"outcome.{value}")


def product_columns() -> dict[str, Any]:
    """How each column of a table of products is shown."""
    config = st.column_config
    helped = ("s3", "s6", "s12", "p_silent_6", "lifeline_class", "silent_since", "overtaken", "p_overtaken")
    wide = {"p_overtaken": 195, "s3": 130, "s6": 130, "s12": 135, "p_silent_6": 125}
    return {
        **{name: config.TextColumn(t(f"col.{name}"), help=t(f"colhelp.{name}"), width=wide.get(name)) for name in helped},
        "name": config.TextColumn(t("col.name"), width=170, pinned=True),
        "survival_curve": config.LineChartColumn(
            t("col.survival_curve"), y_min=0, y_max=1, width="small", help=t("colhelp.survival_curve")
        ),
        "signs_of_life": config.BarChartColumn(t("col.signs_of_life"), y_min=0, width="small", help=t("colhelp.signs_of_life")),
        "sells": config.ListColumn(t("col.sells")),
        "segment": config.TextColumn(t("col.segment")),
        "wrapper_tier": config.NumberColumn(t("col.wrapper_tier"), format="%d"),
        "outcome": config.TextColumn(t("col.outcome"), width=130),
        "ended_on": config.DateColumn(t("col.ended_on"), format="YYYY-MM-DD"),
        "n_at_risk": config.NumberColumn(t("col.n_at_risk"), format="%d", help=t("colhelp.n_at_risk")),
        "homepage": config.LinkColumn(t("col.homepage"), display_text=HOST),
    }


def jump_columns() -> dict[str, Any]:
    """How each column of a table of jumps is shown."""
    config = st.column_config
    return {
        "happened_on": config.DateColumn(t("col.happened_on"), format="YYYY-MM-DD", pinned=True),
        "provider": config.TextColumn(t("col.provider")),
        "release": config.TextColumn(t("col.release"), width="medium"),
        "capabilities": config.ListColumn(t("col.capabilities")),
        "stage": config.TextColumn(t("col.stage")),
        "weight": config.NumberColumn(t("col.weight"), format="%.2f", help=t("colhelp.weight")),
        "n_products": config.NumberColumn(t("col.n_products"), help=t("colhelp.n_products")),
        "n_decisive": config.NumberColumn(t("col.n_decisive"), help=t("colhelp.n_decisive")),
        "confidence": config.NumberColumn(t("col.confidence"), format="%.2f"),
        "origin": config.TextColumn(t("col.origin")),
        "n_documents": config.NumberColumn(t("col.n_documents")),
        "summary": config.TextColumn(t("col.summary"), width="large"),
        "source_url": config.LinkColumn(t("col.source_url"), display_text=HOST),
    }


def jumps(frame: pd.DataFrame, *, key: str, height: Any = "auto") -> None:
    """Jumps as a table; choosing a row opens the jump."""
    shown = frame.assign(
        summary=[sentences.summary(row) for row in data.rows(frame)],
        stage=[t(f"stage.{value}") for value in frame["stage"]],
        origin=[t(f"origin.{value}") for value in frame["origin"]],
    )
    shown = present.plain(present.lists(shown, "capabilities"), "release", "summary", "provider", "platform")
    present.table(
        present.safe_urls(shown, "source_url"), jump_columns(), alt=t("page.jumps"), key=key, opens=open_jump, height=height
    )
