"""How good forecasts were: calibration, Brier against the life table, misses by name, and what was said when."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import streamlit as st

from app import charts, choose, data, present, sentences, tables, text
from app.words import t

N_LEAST = 30
# clock -> what was asked about its error, and one thing more that a reader wants to know
VERDICTS = {
    "ended": (
        "ended, all rows weighted as in the fit, 12 months, Brier ratio",
        "ended, all rows, 12 months, Brier ratio, moats ignored",
    ),
    "silent": ("silent, all origins, pessimistic, 6 months, Brier ratio", "silent, all origins, pessimistic, 6 months, AUC"),
    "overtaken": ("overtaken, 12 months, Brier ratio to the base rate known", "overtaken, 12 months, observed over expected"),
}
PLAIN = "ended:all"


def show() -> None:
    """Choose a part, show it."""
    present.heading(t("page.accuracy"), t("accuracy.lead"))
    _verdicts()
    left, right = st.columns(2, gap="large")
    with left:
        _calibration()
    with right:
        _said()
    _misses()
    _scores()
    _gates()
    _detection()


def _detection() -> None:
    """How well jumps are found: agreement with analysts, latency, share of official sources."""
    rows = data.read("detection")
    if rows.empty:
        return
    st.subheader(t("accuracy.detection"), anchor=False)
    config = st.column_config
    present.table(
        rows.assign(metric=[t(f"metric.{name}") for name in rows["metric"]]),
        {
            "metric": config.TextColumn(t("col.figure"), width="large"),
            "value": config.NumberColumn(t("col.value"), format="%.4g"),
            "n": config.NumberColumn("n"),
        },
        alt=t("accuracy.detection"),
        height="content",
    )
    present.downloads(rows, "detection")


def _found() -> list[dict[str, Any]]:
    """What the last back-test found for each thing that was asked of the method."""
    rows = [row for row in data.records(data.read("findings")) if row["key"] == "gates"]
    return json.loads(rows[0]["value"]) if rows else []


def _verdicts() -> None:
    """How good the forecast of each clock was, in a sentence: its error over that of a plain reference, and what it rests on."""
    found = {row["gate"]: row for row in _found()}
    lines = []
    for clock, (error, more) in VERDICTS.items():
        if found.get(error, {}).get("value") is None or found.get(more, {}).get("value") is None:
            continue
        row, second = found[error], found[more]["value"]
        said = t(
            f"verdict_on.{clock}",
            ratio=f"{row['value']:.2f}",
            more=f"{second:.2f}",
            n=f"{row['n']:,}",
            came=f"{row['n_ended']:,}",
        )
        lines.append(f"- **{t(f'clock_word.{clock}')}**: {said}")
    if lines:
        st.markdown("\n".join(lines))
        st.caption(t("accuracy.verdicts_note"))


def _gates() -> None:
    """What was asked of the method before it was built, and what came."""
    gates = _found()
    if not gates:
        return
    st.subheader(t("accuracy.gates"), anchor=False)
    config = st.column_config
    columns = {
        "gate": config.TextColumn(t("col.gate"), width="large"),
        "value": config.NumberColumn(t("col.value"), format="%.3f"),
        "bound": config.TextColumn(t("col.bound")),
        "holds": config.CheckboxColumn(t("col.holds")),
        "n": config.NumberColumn("n"),
        "n_ended": config.NumberColumn(t("col.n_ended")),
    }
    rows = [{**row, "gate": sentences.shown(row["gate"]), "bound": _bound(row["bound"])} for row in gates]
    st.caption(t("accuracy.gates_help"))
    present.table(pd.DataFrame(rows), columns, alt=t("accuracy.gates"), height="content")


def _bound(said: Any) -> str:
    """The bound as people write it."""
    return str(said).replace("<=", "≤").replace(">=", "≥").replace(" and ", t("and"))


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
    """Said against seen: on past days, or from the log of forecasts that are due."""
    st.subheader(t("accuracy.calibration"), anchor=False)
    source = choose.tabs(
        "from", t("accuracy.calibration"), ("ended", "overtaken", "log"), lambda name: t(f"accuracy.from_{name}")
    )
    months = choose.tabs("h", t("col.horizon_months"), ("12", "6", "3"), lambda value: t("within_months", n=value))
    if source == "log":
        rows = data.read("accuracy_bins")
        rows = rows[rows["horizon_months"] == int(months)]
    else:
        rows = data.read("hindcast_bins", clock=source, horizon=int(months))
    n, came = int(rows["n"].sum()), int(rows["n_ended"].sum())
    if n < N_LEAST:
        present.nothing(t("cannot_say", why=t("accuracy.too_few", n=n, least=N_LEAST)))
        return
    present.draw(charts.calibration(rows), alt=t("accuracy.calibration"))
    st.caption(t("accuracy.calibration_note" if source == "log" else "accuracy.hindcast_note", n=n, ended=came))
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
    """Products that the method misjudged, by name: on past days of the walk-forward, and in forecasts that were really made."""
    st.subheader(t("accuracy.misses"), anchor=False)
    left, right = st.columns(2)
    with left:
        kinds = ("ended-missed", "ended-spared", "overtaken-missed", "overtaken-spared", "log")
        kind = choose.one("misses", t("accuracy.which_misses"), kinds, lambda name: t(f"accuracy.{name}")) or kinds[0]
    if kind == "log":
        _misses_of_log()
        return
    with right:
        months = choose.one("mh", t("col.horizon_months"), ("12", "6", "3"), lambda value: t("within_months", n=value)) or "12"
    clock, _, what = kind.partition("-")
    rows = data.read("misjudged", clock=clock, kind=what, horizon=int(months))
    if rows.empty:
        present.nothing(t("accuracy.none_misjudged"))
        return
    found = int(rows["n_found"].iloc[0])
    st.caption(
        t(f"accuracy.{what}_help", n=len(rows))
        + (" " + t("accuracy.worst_of", n=len(rows), of=found) if found > len(rows) else "")
    )
    _misjudged(rows)
    present.downloads(rows, "misjudged")


def _misjudged(rows: pd.DataFrame) -> None:
    """Product, day, what the method would have said, what happened."""
    config = st.column_config
    shown = rows.assign(
        said=[text.chance(p) for p in rows["p"]],
        interval=[text.interval(low, high) for low, high in zip(rows["p_low"], rows["p_high"], strict=True)],
        happened=[_happened(row) for row in data.records(rows)],
        ended_because=present.because(rows["ended_because"]),
    )
    present.table(
        present.safe_urls(present.plain(shown, "name"), "source_url"),
        {
            "name": config.TextColumn(t("col.name"), pinned=True),
            "origin_on": config.DateColumn(t("accuracy.stood_on"), format="YYYY-MM-DD"),
            "said": config.TextColumn(t("accuracy.would_have_said"), help=t("accuracy.would_have_said_help")),
            "interval": config.TextColumn(t("interval_90")),
            "happened": config.TextColumn(t("accuracy.what_happened")),
            "ended_because": config.TextColumn(t("col.ended_because"), width="medium"),
            "source_url": config.LinkColumn(t("col.source_url"), display_text=tables.HOST),
        },
        alt=t("accuracy.misses"),
        key="misjudged",
        opens=tables.open_product,
        height=min(35 * len(rows) + 38, 460),
    )


def _happened(row: dict[str, Any]) -> str:
    """What came of it, in a few words."""
    if row["clock"] == "overtaken":
        return t("accuracy.overtaken_on", on=text.day(row["came_on"], "month")) if row["came_on"] else t("accuracy.not_overtaken")
    if row["came_on"] is None:
        return t("came.alive")
    return f"{tables.outcome_words(row['outcome'])} · {text.day(row['came_on'])}"


def _misses_of_log() -> None:
    """Forecasts that were really made, of products that ended within the horizon."""
    rows = data.read("misses")
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
