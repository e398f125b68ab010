"""One product: its three clocks, what cost it months, who reached it, what came of its like, and what was said before."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import charts, choose, clocks, data, dossier, present, tables, text
from app.words import capabilities, t

N_LISTED = 1000


def show() -> None:
    """Choose, get, show; the overtaken clock first, as it is the lifeline in the narrow sense."""
    product_id = _choose()
    if product_id is None:
        present.heading(t("page.product"), t("product.lead"))
        return
    product = data.one("product", product_id=product_id)
    if product is None:
        present.heading(t("page.product"))
        present.nothing(t("product.unknown", id=text.escape(product_id, 80)))
        return
    exposures = data.read("product_exposures", product_id=product_id)
    _head(product)
    if product["as_of"] is None:
        _no_lifeline(product)
    else:
        if product["outcome"] in tables.ENDED:
            _end_ahead(product)
        clocks.three(product, exposures)
        curve, factors = (data.read(name, product_id=product_id) for name in ("product_curve", "product_factors"))
        clocks.curve_and_factors(product, curve, factors)
    dossier.exposures(product, exposures)
    dossier.comparables(data.read("comparables", **_like(product)))
    _signs(product)
    _said(product)
    _evidence(product)
    present.standing()


def _choose() -> str | None:
    """The product from the address; past a thousand products a search narrows the choice first."""
    wanted = st.query_params.get("id")
    if data.state()["n_products"] > N_LISTED:
        q = choose.text("q", t("filter.search"), placeholder=t("filter.search_products"))
        names = dict(data.read("product_search", q=q)[["product_id", "name"]].itertuples(index=False))
    else:
        names = data.product_names()
    if wanted and wanted not in names:
        names = {wanted: data.product_names([wanted]).get(wanted, wanted), **names}
    return choose.one("id", t("product.choose"), list(names), lambda key: text.clean(names.get(key, key)), default=None)


def _head(product: dict[str, Any]) -> None:
    st.title(text.escape(product["name"], 120), anchor=False)
    where = " · ".join(text.linked(text.host_of(url), url) for url in text.links(product["homepage"]))
    tier = t(f"tier.{int(product['wrapper_tier'])}") if product["wrapper_tier"] is not None else t("tier.unknown")
    words = [
        text.escape(product["vendor"]),
        text.escape(product["category"]),
        t(f"segment.{product['segment']}") if product["segment"] else "",
        tier,
        where,
    ]
    st.markdown(" · ".join(word for word in words if word))
    if product["is_private"]:
        st.badge(t("private"), color="violet")
    present.facts(
        [
            (t("col.sells"), capabilities(clocks.labels(product["sells"])) or t("product.sells_unknown")),
            (t("col.depends_on"), capabilities(clocks.labels(product["depends_on"]))),
            (t("col.launched_on"), text.day(product["launched_on"], product["launched_precision"])),
            (t("col.fate"), _fate(product)),
        ]
    )


def _fate(product: dict[str, Any]) -> str:
    outcome = t(f"outcome.{product['outcome']}") if product["outcome"] else t("outcome.unknown")
    dated = text.day(product["ended_on"]) if product["outcome"] in tables.ENDED else text.day(product["last_alive_on"])
    sources = " ".join(text.linked(text.host_of(url), url) for url in text.links(product["source_url"]))
    label = t("product.ended_on") if product["outcome"] in tables.ENDED else t("product.seen_alive")
    return f"{outcome}" + (f" · {label} {dated}" if dated != "–" else "") + (f" · {sources}" if sources else "")


def _like(product: dict[str, Any]) -> dict[str, Any]:
    """What makes another product comparable."""
    tier = product["wrapper_tier"]
    return {
        "product_id": product["product_id"],
        "sells": clocks.labels(product["sells"]),
        "segment": product["segment"],
        "tier": None if tier is None else int(tier),
    }


def _end_ahead(product: dict[str, Any]) -> None:
    """An end that is on record but was not yet known, or had not come, on the day that the estimates stand on."""
    when = text.day(product["ended_on"], product["ended_precision"])
    st.warning(
        t(
            "product.end_ahead",
            outcome=tables.outcome_words(product["outcome"]),
            on=when if when != "–" else t("day_unknown"),
            as_of=text.day(product["as_of"]),
        )
    )


def _no_lifeline(product: dict[str, Any]) -> None:
    """Why there is no estimate: it ended, or nobody knows whether it lives."""
    if product["outcome"] in tables.ENDED:
        when = text.day(product["ended_on"])
        st.info(t("product.has_ended", outcome=t(f"outcome.{product['outcome']}"), on=when if when != "–" else t("day_unknown")))
        if product["overtaken_before"]:
            is_first = dossier.was_overtaken_first(product)
            words = "product.was_overtaken" if is_first else "product.ended_first"
            st.markdown(t(words, on=text.day(product["overtaken_before"], "month")))
    else:
        st.info(t("cannot_say", why=t("product.fate_unknown")))


def _signs(product: dict[str, Any]) -> None:
    rows = data.read("product_signs", product_id=product["product_id"])
    st.subheader(t("product.signs"), anchor=False)
    if rows.empty or not rows[["n_documents", "n_releases", "n_commits", "n_mentions"]].fillna(0).to_numpy().any():
        present.nothing(t("product.no_activity"))
        return
    present.draw(charts.signs_of_life(rows), alt=t("product.signs"))
    present.downloads(rows, f"{product['product_id']}-signs-of-life")


def _said(product: dict[str, Any]) -> None:
    rows = data.read("product_said", product_id=product["product_id"])
    st.subheader(t("product.said"), anchor=False)
    if rows.empty:
        present.nothing(t("product.nothing_said"))
        return
    if rows["made_on"].nunique() > 1:
        present.draw(charts.said_before(rows), alt=t("product.said"))
    shown = rows.assign(
        survival=[text.chance(value) for value in rows["survival"]],
        interval=[text.interval(low, high) for low, high in zip(rows["low"], rows["high"], strict=True)],
        what_came=[t(f"came.{value}") for value in rows["what_came"]],
    )
    config = st.column_config
    present.table(
        shown,
        {
            "made_on": config.DateColumn(t("col.made_on"), format="YYYY-MM-DD"),
            "horizon_months": config.NumberColumn(t("col.horizon_months")),
            "survival": config.TextColumn(t("clock.survival")),
            "interval": config.TextColumn(t("interval_90")),
            "what_came": config.TextColumn(t("col.what_came")),
            "method_version": config.TextColumn(t("col.method_version")),
        },
        alt=t("product.said"),
        height=min(35 * len(rows) + 38, 250),
    )


def _evidence(product: dict[str, Any]) -> None:
    st.subheader(t("product.evidence"), anchor=False)
    _sources(product)
    changes = data.read("product_changes", product_id=product["product_id"])
    if not changes.empty:
        st.markdown(f"**{t('product.changes')}**")
        st.dataframe(
            present.plain(changes, "field", "before", "after", "why", "who")[
                ["changed_at", "what", "field", "before", "after", "why", "who"]
            ],
            hide_index=True,
            alt=t("product.changes"),
        )
    news = data.records(data.read("product_news", product_id=product["product_id"]))
    if news:
        st.markdown(f"**{t('product.news')}**")
        st.markdown(
            "\n".join(
                f"- {text.day(row['published_at'])} · {text.linked(row['title'], row['url'])} · {text.escape(row['source'])}"
                for row in news
            )
        )


def _sources(product: dict[str, Any]) -> None:
    lines = [
        (
            t("product.source_launch"),
            " ".join(text.linked(text.host_of(url), url) for url in text.links(product["source_url_launch"])),
        ),
        (t("product.source_status"), " ".join(text.linked(text.host_of(url), url) for url in text.links(product["source_url"]))),
        (t("col.ended_because"), text.escape(present.because([product["ended_because"]])[0])),
        (
            t("col.moats"),
            ", ".join(t(f"moat.{moat}") for moat in clocks.labels(product["moats"]))
            and ", ".join(t(f"moat.{moat}") for moat in clocks.labels(product["moats"])) + f" ({t('product.moats_note')})",
        ),
        (t("col.note"), text.escape(product["note"])),
    ]
    if any(value for _, value in lines):
        present.facts(lines)
    else:
        present.nothing(t("product.no_sources"))
