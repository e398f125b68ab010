"""The three clocks of one product, its curve, and what costs it months: for catalogued and private products alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from app import charts, data, present, sentences, tables, text
from app.words import t

if TYPE_CHECKING:
    import pandas as pd

HORIZONS = (3, 6, 12)
N_FACTORS, N_LETTERS = 8, 40


def three(product: dict[str, Any], exposures: pd.DataFrame) -> None:
    """Overtaken, survival, silent: side by side in that order, never one number."""
    overtaken, survival, silent = st.columns(3, border=True)
    with overtaken:
        st.markdown(f"**{t('clock.overtaken')}**", help=t("help.overtaken"))
        _overtaken(product, exposures)
    with survival:
        st.markdown(f"**{t('clock.survival')}**", help=t("help.survival"))
        _survival(product)
    with silent:
        st.markdown(f"**{t('clock.silent')}**", help=t("help.silent"))
        _silent(product)


def _horizons(product: dict[str, Any], stem: str, note: str = "") -> None:
    """3, 6 and 12 months, one line each: chance, interval."""
    for months in HORIZONS:
        p, low, high = (product.get(f"{stem}{months}{end}") for end in ("", "_low", "_high"))
        bounds = text.interval(low, high)
        st.markdown(f"{t('within_months', n=months)}: **{text.chance(p)}**" + (f" &nbsp;({bounds})" if bounds else ""))
    st.caption(note)


def _overtaken(product: dict[str, Any], exposures: pd.DataFrame) -> None:
    if product["overtaken_on"]:
        st.markdown(f"#### {t('overtaken_since', on=text.day(product['overtaken_on'], 'month'))}")
        for jump in decisive(exposures, product["overtaken_on"])[:4]:
            present.link("jumps", f"{jump['provider']} · {jump['release']} ({jump['exposed_on']:%Y-%m})", jump=jump["jump_id"])
        st.caption(t("product.overtaken_is"))
    elif product["p_overtaken_12"] is None:
        st.markdown(t("cannot_say", why=t("product.sells_unknown") if not labels(product["sells"]) else t("product.no_forecast")))
    else:
        _horizons(product, "p_overtaken_", t("product.overtaken_note", as_of=text.day(product["as_of"])))


def decisive(exposures: pd.DataFrame, overtaken_on: Any) -> list[dict[str, Any]]:
    """The decisive jumps in what it sells up to the month in which it was overtaken, one row a jump, the newest first."""
    last = (overtaken_on.year, overtaken_on.month)
    hits = [
        row
        for row in data.records(exposures)
        if row["is_decisive"] and row["role"] == "sells" and (row["exposed_on"].year, row["exposed_on"].month) <= last
    ]
    return list({row["jump_id"]: row for row in sorted(hits, key=lambda row: row["exposed_on"], reverse=True)}.values())


def _survival(product: dict[str, Any]) -> None:
    if product["s12"] is None:
        st.markdown(t("cannot_say", why=text.escape(sentences.shown(product["reason"])) or t("product.no_forecast")))
        return
    _horizons(product, "s")
    note = t("rests_on", n=int(product["n_at_risk"] or 0), ended=int(product["n_ended"] or 0), as_of=text.day(product["as_of"]))
    st.caption(f"{t('interval_90')} · {note}" + (f" · {t('mostly_prior')}" if product["evidence"] == "mostly_prior" else ""))
    st.markdown(f"{t('col.lifeline_class')}: **{tables.class_words(product['lifeline_class'])}**")
    more = [
        t("product.median", n=text.months(product["median_months"]))
        if product["median_months"] is not None
        else t("product.median_beyond"),
        t("product.safe_until", n=int(product["safe_until_months"])) if product["safe_until_months"] is not None else "",
        text.escape(sentences.shown(product["reason"])),
    ]
    st.caption(" · ".join(part for part in more if part))


def _silent(product: dict[str, Any]) -> None:
    if product.get("silent_since"):
        st.markdown(f"#### {t('silent_since', on=text.day(product['silent_since'], 'month'))}")
        st.caption(t("product.silent_is"))
    elif product.get("p_silent_12") is None and product.get("p_silent_6") is None:
        st.markdown(t("cannot_say", why=t("product.no_silence")))
    else:
        _horizons(product, "p_silent_", t("product.silent_note", as_of=text.day(product["as_of"])))


def curve_and_factors(product: dict[str, Any], curve: pd.DataFrame, factors: pd.DataFrame) -> None:
    """The lifeline over 24 months, and the months that go with each cause."""
    if curve.empty:
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader(t("product.curve"), anchor=False)
        present.draw(charts.survival(curve), alt=t("product.curve"))
        present.downloads(curve, f"{product['product_id']}-curve")
    with right:
        st.subheader(t("product.factors"), anchor=False)
        _factors(product, factors)


def _factors(product: dict[str, Any], factors: pd.DataFrame) -> None:
    if factors.empty or product["lost_months"] is None:
        present.nothing(t("product.no_factors"))
        return
    st.caption(_lost(product))
    shown = factors.head(N_FACTORS)
    shown = shown.assign(what=[_factor(row) for row in data.records(shown)])[["what", "lost_months"]]
    present.draw(charts.factors(shown.groupby("what", as_index=False).sum()), alt=t("product.factors"))
    st.caption(t("associated"))
    present.downloads(factors, f"{product['product_id']}-factors")


def _lost(product: dict[str, Any]) -> str:
    """The months lost with their interval, and whether that is told apart from none."""
    n, low, high = (product[f"lost_months{end}"] for end in ("", "_low", "_high"))
    said = t("product.lost", n=text.months(n), low=text.months(low), high=text.months(high))
    return f"{said} {t('product.lost_unsure')}" if low <= 0 <= high else said


def _factor(row: dict[str, Any]) -> str:
    if row["jump_id"]:
        name = text.by(row["provider"], row["release"] or row["jump_id"])
        return name if len(name) <= N_LETTERS else f"{name[: N_LETTERS - 1].rstrip()}…"
    return t(f"factor.{row['factor']}")


def labels(value: Any) -> list[str]:
    """A cell that may hold a list of labels."""
    return [] if text.is_unknown(value) else list(value)
