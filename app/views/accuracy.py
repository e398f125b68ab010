"""How good forecasts were: calibration, Brier against the life table, misses by name, and what was said when."""

from __future__ import annotations

import json

import pandas as pd
import streamlit as st

from app import charts, choose, data, present, tables, text
from app.words import t

N_LEAST = 30
PLAIN = "ended:all"


def show() -> None:
    """Choose a part, show it."""
    present.heading(t("page.accuracy"), t("accuracy.lead"))
    _gates()
    _scores()
    left, right = st.columns(2, gap="large")
    with left:
        _calibration()
    with right:
        _said()
    _misses()
    _detection()


def _detection() -> None:
    """How well jumps are found: agreement with analysts, latency, share of official sources."""
    rows = data.read("detection")
    if rows.empty:
        return
    st.subheader(t("accuracy.detection"), anchor=False)
    st.dataframe(rows, hide_index=True, alt=t("accuracy.detection"), placeholder="")
    present.downloads(rows, "detection")


def _gates() -> None:
    """What was asked of the method before it was built, and what came."""
    rows = [row for row in data.records(data.read("findings")) if row["key"] == "gates"]
    gates = json.loads(rows[0]["value"]) if rows else []
    if not gates:
        return
    st.subheader(t("accuracy.gates"), anchor=False)
    config = st.column_config
    columns = {
        "gate": config.TextColumn(t("col.gate"), width="large", pinned=True),
        "value": config.NumberColumn(t("col.value"), format="%.3f"),
        "bound": config.TextColumn(t("col.bound")),
        "holds": config.CheckboxColumn(t("col.holds")),
        "n": config.NumberColumn("n"),
        "n_ended": config.NumberColumn(t("col.n_ended")),
    }
    present.table(pd.DataFrame(gates), columns, alt=t("accuracy.gates"), height="content")


def _scores() -> None:
    """Brier against the better naive reference, by the day the forecast stood on."""
    rows = data.read("accuracy")
    st.subheader(t("accuracy.scores"), anchor=False)
    if rows.empty:
        present.nothing(t("accuracy.no_scores"))
        return
    methods = list(dict.fromkeys(rows["method"]))
    method = choose.one("method", t("col.method"), methods, default=methods.index(PLAIN) if PLAIN in methods else 0)
    st.caption(t("accuracy.methods_help"))
    mine = rows[rows["method"] == method]
    scored = mine.dropna(subset=["brier", "brier_life_table"])
    if len(scored):
        st.caption(t("accuracy.brier_help"))
        present.draw(charts.brier(scored), alt=t("accuracy.scores"))
    config = st.column_config
    present.table(
        mine.sort_values(["origin_on", "horizon_months"], ascending=False),
        {
            "origin_on": config.DateColumn(t("col.origin_on"), format="YYYY-MM-DD", pinned=True),
            "horizon_months": config.NumberColumn(t("col.horizon_months")),
            "n": config.NumberColumn("n", help=t("colhelp.n_scored")),
            "n_ended": config.NumberColumn(t("col.n_ended")),
            "brier": config.NumberColumn(t("col.brier"), format="%.4f", help=t("colhelp.brier")),
            "brier_life_table": config.NumberColumn(t("col.brier_life_table"), format="%.4f"),
            "auc": config.NumberColumn("AUC", format="%.2f", help=t("colhelp.auc")),
            "slope": config.NumberColumn(t("col.slope"), format="%.2f", help=t("colhelp.slope")),
            "oe": config.NumberColumn(t("col.oe"), format="%.2f", help=t("colhelp.oe")),
        },
        alt=t("accuracy.scores"),
        height=min(35 * len(mine) + 38, 300),
    )
    present.downloads(rows, "accuracy")


def _calibration() -> None:
    """Said against seen, from the log of forecasts that are due."""
    rows = data.read("accuracy_bins")
    st.subheader(t("accuracy.calibration"), anchor=False)
    horizons = [str(months) for months in sorted(set(rows["horizon_months"]))] if len(rows) else []
    if not horizons:
        present.nothing(t("cannot_say", why=t("accuracy.none_due")))
        return
    chosen = choose.tabs("h", t("col.horizon_months"), horizons, lambda months: t("within_months", n=months))
    mine = rows[rows["horizon_months"] == int(chosen)]
    n, ended = int(mine["n"].sum()), int(mine["n_ended"].sum())
    if n < N_LEAST:
        present.nothing(t("cannot_say", why=t("accuracy.too_few", n=n, least=N_LEAST)))
        return
    present.draw(charts.calibration(mine), alt=t("accuracy.calibration"))
    st.caption(t("accuracy.calibration_note", n=n, ended=ended))
    present.downloads(rows, "calibration")


def _said() -> None:
    """What was said when, and what came."""
    rows = data.read("said")
    st.subheader(t("accuracy.said"), anchor=False)
    if rows.empty:
        present.nothing(t("product.nothing_said"))
        return
    config = st.column_config
    present.table(
        rows,
        {
            "made_on": config.DateColumn(t("col.made_on"), format="YYYY-MM-DD", pinned=True),
            "horizon_months": config.NumberColumn(t("col.horizon_months")),
            "n": config.NumberColumn("n"),
            "n_expected": config.NumberColumn(t("col.n_expected"), format="%.1f"),
            "n_ended": config.NumberColumn(t("col.n_came")),
            "is_due": config.CheckboxColumn(t("col.is_due")),
            "method_version": config.TextColumn(t("col.method_version")),
        },
        alt=t("accuracy.said"),
        height=min(35 * len(rows) + 38, 330),
    )
    present.downloads(rows, "said")


def _misses() -> None:
    """Products that ended although they were given good chances, by name."""
    rows = data.read("misses")
    st.subheader(t("accuracy.misses"), anchor=False)
    if rows.empty:
        present.nothing(t("accuracy.no_misses"))
        return
    st.caption(t("accuracy.misses_help"))
    config = st.column_config
    shown = rows.assign(
        outcome=[tables.outcome_words(value) for value in rows["outcome"]],
        survival=[text.chance(value) for value in rows["survival"]],
        interval=[text.interval(low, high) for low, high in zip(rows["low"], rows["high"], strict=True)],
    )
    present.table(
        present.safe_urls(present.plain(shown, "name", "ended_because"), "source_url"),
        {
            "name": config.TextColumn(t("col.name"), pinned=True),
            "made_on": config.DateColumn(t("col.made_on"), format="YYYY-MM-DD"),
            "horizon_months": config.NumberColumn(t("col.horizon_months")),
            "survival": config.TextColumn(t("clock.survival")),
            "interval": config.TextColumn(t("interval_90")),
            "ended_on": config.DateColumn(t("col.ended_on"), format="YYYY-MM-DD"),
            "outcome": config.TextColumn(t("col.outcome")),
            "ended_because": config.TextColumn(t("col.ended_because"), width="medium"),
            "source_url": config.LinkColumn(t("col.source_url"), display_text=tables.HOST),
        },
        alt=t("accuracy.misses"),
        key="misses",
        opens=tables.open_product,
    )
    present.downloads(rows, "misses")
