"""One capability: who sells it, who shipped it when, and what became of the products it hit."""

from __future__ import annotations

import streamlit as st

from app import charts, choose, data, present, tables, text
from app.words import capability as words
from app.words import comment, t
from models import taxonomy

N_LEAST = 10


def show() -> None:
    """Choose, get, show."""
    present.heading(t("page.capability"), t("capability.lead"))
    chosen = choose.one("id", t("col.capability"), taxonomy.load().capabilities, words)
    if chosen is None:
        return
    wanted = st.query_params.get("id")
    if wanted and wanted != chosen:
        present.nothing(t("capability.unknown", id=text.escape(wanted, 80)))
    term = data.one("capability_term", capability=chosen) or {}
    _definition(term)
    left, right = st.columns(2, gap="large")
    with left:
        _shipped(chosen)
    with right:
        _survival(chosen)
    _sellers(chosen)
    present.standing()


def _definition(term: dict) -> None:
    parts = [t(f"segment.{term['segment']}")] if term.get("segment") else []
    if term.get("definition"):
        parts.append(text.escape(comment(term["definition"])))
    if term.get("excludes"):
        parts.append(t("capability.not", what=text.escape(comment(term["excludes"]))))
    st.markdown(" · ".join(parts))


def _shipped(chosen: str) -> None:
    """First preview and general availability by provider."""
    rows = data.read("capability_jumps", capability=chosen)
    st.subheader(t("capability.shipped"), anchor=False)
    if rows.empty:
        present.nothing(t("jumps.none"))
        return
    config = st.column_config
    present.table(
        present.safe_urls(present.plain(rows, "provider", "newest_release"), "source_url"),
        {
            "provider": config.TextColumn(t("col.provider"), pinned=True),
            "available_on": config.DateColumn(t("stage.ga"), format="YYYY-MM-DD"),
            "preview_on": config.DateColumn(t("stage.preview"), format="YYYY-MM-DD"),
            "n_jumps": config.NumberColumn(t("col.n_jumps")),
            "weight": config.NumberColumn(t("chart.largest_jump"), format="%.2f"),
            "newest_on": config.DateColumn(t("capability.newest"), format="YYYY-MM-DD"),
            "newest_release": config.TextColumn(t("col.release")),
            "source_url": config.LinkColumn(t("col.source_url"), display_text=tables.HOST),
        },
        alt=t("capability.shipped"),
        key="shipped",
        opens=lambda row: ("jumps", {"jump": row["newest_jump_id"]}),
    )
    present.link("jumps", t("capability.timeline"), capability=chosen)
    present.downloads(rows, f"{chosen}-shipped")


def _survival(chosen: str) -> None:
    """Survival of products that sell it since the first decisive jump in it; too few are not drawn."""
    rows = data.read("capability_survival", capability=chosen)
    st.subheader(t("capability.survival"), anchor=False)
    n = int(rows["n_at_risk"].iloc[0]) if len(rows) else 0
    if n < N_LEAST:
        present.nothing(t("cannot_say", why=t("capability.too_few", n=n, least=N_LEAST)))
        return
    present.draw(charts.hit_survival(_steps(rows)), alt=t("capability.survival"))
    st.caption(t("capability.survival_note", n=n, ended=int(rows["n_ended"].sum()), as_of=text.day(data.as_of())))
    present.downloads(rows, f"{chosen}-survival")


def _steps(rows):
    return rows[["months", "survival", "low", "high", "n_at_risk"]]


def _sellers(chosen: str) -> None:
    rows = data.read("capability_sellers", capability=chosen)
    for role in ("sells", "depends_on"):
        mine = rows[rows["role"] == role]
        st.subheader(t(f"capability.who_{role}", n=len(mine)), anchor=False)
        if mine.empty:
            present.nothing(t("capability.nobody"))
            continue
        columns = (
            "name",
            "outcome",
            "overtaken",
            "p_overtaken",
            "s12",
            "lifeline_class",
            "p_silent_6",
            "silent_since",
            "wrapper_tier",
            "ended_on",
            "homepage",
        )
        tables.products(mine, key=f"{role}_{chosen}", columns=columns, height=min(35 * len(mine) + 38, 420))
    present.downloads(rows, f"{chosen}-products")
