"""What speaks for a product's clocks: the jumps that reached it, and products like it that ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from app import charts, present, tables
from app.words import capability, t

if TYPE_CHECKING:
    import pandas as pd


def exposures(product: dict[str, Any], rows: pd.DataFrame) -> None:
    """Jumps that reached it on a timeline, and as a table that opens each."""
    st.subheader(t("product.exposures", n=rows["jump_id"].nunique()), anchor=False)
    if rows.empty:
        present.nothing(t("product.no_exposures"))
        return
    overtaken = product["overtaken_on"] or (product.get("overtaken_before") if was_overtaken_first(product) else None)
    cells = rows[["exposed_on", "capability", "weight", "is_decisive", "provider", "release"]].fillna({"weight": 0.1})
    cells["is_decisive"] = rows["is_decisive"] & (rows["role"] == "sells")
    present.draw(charts.exposures(cells, overtaken), alt=t("product.exposures", n=len(rows)))
    config = st.column_config
    shown = rows.assign(
        capability=[capability(label) for label in rows["capability"]],
        role=[t(f"role.{value}") for value in rows["role"]],
        stage=[t(f"stage.{value}") for value in rows["stage"]],
    )
    with st.expander(t("product.exposure_table", n=len(rows))):
        present.table(
            present.safe_urls(present.plain(shown, "provider", "release", "summary"), "source_url"),
            {
                "exposed_on": config.DateColumn(t("col.happened_on"), format="YYYY-MM-DD", pinned=True),
                "provider": config.TextColumn(t("col.provider")),
                "release": config.TextColumn(t("col.release")),
                "capability": config.TextColumn(t("col.capability")),
                "role": config.TextColumn(t("col.role")),
                "stage": config.TextColumn(t("col.stage")),
                "weight": config.NumberColumn(t("col.weight"), format="%.2f"),
                "is_decisive": config.CheckboxColumn(t("decisive"), help=t("colhelp.is_decisive")),
                "n_documents": config.NumberColumn(t("col.n_documents")),
                "source_url": config.LinkColumn(t("col.source_url"), display_text=tables.HOST),
            },
            alt=t("product.exposures", n=len(rows)),
            key="exposures",
            opens=tables.open_jump,
        )
    present.downloads(rows, f"{product['product_id']}-exposures")


def was_overtaken_first(product: dict[str, Any]) -> bool:
    """Whether it was overtaken before it ended; jumps go on to cover the jobs of a product that is gone."""
    ended_on = product.get("ended_on")
    overtaken_on = product.get("overtaken_before")
    return bool(overtaken_on) and (not ended_on or overtaken_on <= ended_on)


def comparables(rows: pd.DataFrame) -> None:
    """Ended products that sold the same jobs, the most alike first."""
    st.subheader(t("product.comparables"), anchor=False)
    if rows.empty:
        present.nothing(t("product.no_comparables"))
        return
    st.caption(t("product.comparables_help"))
    config = st.column_config
    shown = rows.assign(
        outcome=[t(f"outcome.{value}") for value in rows["outcome"]], ended_because=present.because(rows["ended_because"])
    )
    present.table(
        present.safe_urls(present.plain(present.lists(shown, "shared_jobs"), "name"), "source_url"),
        {
            "name": config.TextColumn(t("col.name"), pinned=True),
            "shared_jobs": config.ListColumn(t("col.shared_jobs")),
            "overlap": config.ProgressColumn(t("col.overlap"), min_value=0, max_value=1, format="percent"),
            "outcome": config.TextColumn(t("col.outcome")),
            "launched_on": config.DateColumn(t("col.launched_on"), format="YYYY-MM"),
            "overtaken_on": config.DateColumn(t("col.overtaken"), format="YYYY-MM"),
            "ended_on": config.DateColumn(t("col.ended_on"), format="YYYY-MM"),
            "age_months": config.NumberColumn(t("col.age_months"), format="%.0f"),
            "ended_because": config.TextColumn(t("col.ended_because"), width="large"),
            "source_url": config.LinkColumn(t("col.source_url"), display_text=tables.HOST),
        },
        alt=t("product.comparables"),
        key="comparables",
        opens=tables.open_product,
    )
