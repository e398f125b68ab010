"""One product: its three clocks, what cost it months, who reached it, what came of its like, and what was said before."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import charts, choose, data, present, tables, text
from app.words import capabilities, capability, t

ENDED = ("shut_down", "acquired", "pivoted")
HORIZONS = (3, 6, 12)
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
    _head(product)
    _clocks(product)
    _curve_and_factors(product)
    _exposures(product)
    _comparables(product)
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
            (t("col.sells"), capabilities(_list(product["sells"])) or t("product.sells_unknown")),
            (t("col.depends_on"), capabilities(_list(product["depends_on"]))),
            (t("col.launched_on"), text.day(product["launched_on"], product["launched_precision"])),
            (t("col.fate"), _fate(product)),
        ]
    )


def _list(value: Any) -> list[str]:
    return [] if text.is_unknown(value) else list(value)


def _fate(product: dict[str, Any]) -> str:
    outcome = t(f"outcome.{product['outcome']}") if product["outcome"] else t("outcome.unknown")
    dated = text.day(product["ended_on"]) if product["outcome"] in ENDED else text.day(product["last_alive_on"])
    sources = " ".join(text.linked(text.host_of(url), url) for url in text.links(product["source_url"]))
    label = t("product.ended_on") if product["outcome"] in ENDED else t("product.seen_alive")
    return f"{outcome}" + (f" · {label} {dated}" if dated != "–" else "") + (f" · {sources}" if sources else "")


def _clocks(product: dict[str, Any]) -> None:
    """Overtaken, survival, silent: three clocks side by side, never one number."""
    if product["as_of"] is None:
        _no_lifeline(product)
        return
    overtaken, survival, silent = st.columns(3, border=True)
    with overtaken:
        st.markdown(f"**{t('clock.overtaken')}**", help=t("help.overtaken"))
        _overtaken(product)
    with survival:
        st.markdown(f"**{t('clock.survival')}**", help=t("help.survival"))
        _survival(product)
    with silent:
        st.markdown(f"**{t('clock.silent')}**", help=t("help.silent"))
        _silent(product)


def _no_lifeline(product: dict[str, Any]) -> None:
    """Why there is no estimate: it ended, or nobody knows whether it lives."""
    if product["outcome"] in ENDED:
        when = text.day(product["ended_on"])
        st.info(
            t("product.has_ended", outcome=t(f"outcome.{product['outcome']}"), on=when if when != "–" else t("day_unknown")),
            icon="🏁",
        )
        if product["overtaken_before"]:
            st.markdown(t("product.was_overtaken", on=text.day(product["overtaken_before"], "month")))
    else:
        st.info(t("cannot_say", why=t("product.fate_unknown")))


def _horizons(product: dict[str, Any], stem: str, note: str = "") -> None:
    """3, 6 and 12 months, one line each: chance, interval."""
    for months in HORIZONS:
        p, low, high = (product.get(f"{stem}{months}{end}") for end in ("", "_low", "_high"))
        bounds = text.interval(low, high)
        st.markdown(f"{t('within_months', n=months)}: **{text.chance(p)}**" + (f" &nbsp;({bounds})" if bounds else ""))
    st.caption(note)


def _overtaken(product: dict[str, Any]) -> None:
    if product["overtaken_on"]:
        st.markdown(f"### {t('overtaken_since', on=text.day(product['overtaken_on'], 'month'))}")
        for jump in _decisive(product)[:4]:
            present.link("jumps", f"{jump['provider']} · {jump['release']} ({jump['exposed_on']:%Y-%m})", jump=jump["jump_id"])
        st.caption(t("product.overtaken_is"))
    elif product["p_overtaken_12"] is None:
        st.markdown(t("cannot_say", why=t("product.sells_unknown") if not _list(product["sells"]) else t("product.no_forecast")))
    else:
        _horizons(product, "p_overtaken_", t("product.overtaken_note", as_of=text.day(product["as_of"])))


def _decisive(product: dict[str, Any]) -> list[dict[str, Any]]:
    """The decisive jumps up to the month in which it was overtaken, one row a jump, the newest first."""
    rows = data.records(data.read("product_exposures", product_id=product["product_id"]))
    last = product["overtaken_on"].replace(day=28)
    hits = [
        row
        for row in rows
        if row["is_decisive"] and (row["exposed_on"] <= last or row["exposed_on"].strftime("%Y-%m") == last.strftime("%Y-%m"))
    ]
    return list({row["jump_id"]: row for row in hits}.values())


def _survival(product: dict[str, Any]) -> None:
    if product["s12"] is None:
        st.markdown(t("cannot_say", why=text.escape(product["reason"]) or t("product.no_forecast")))
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
        text.escape(product["reason"]),
    ]
    st.caption(" · ".join(part for part in more if part))


def _silent(product: dict[str, Any]) -> None:
    if product["silent_since"]:
        st.markdown(f"### {t('silent_since', on=text.day(product['silent_since'], 'month'))}")
        st.caption(t("product.silent_is"))
    elif product["p_silent_12"] is None and product["p_silent_6"] is None:
        st.markdown(t("cannot_say", why=t("product.no_activity")))
    else:
        _horizons(product, "p_silent_", t("product.silent_note", as_of=text.day(product["as_of"])))


def _curve_and_factors(product: dict[str, Any]) -> None:
    curve = data.read("product_curve", product_id=product["product_id"])
    factors = data.read("product_factors", product_id=product["product_id"])
    if curve.empty:
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader(t("product.curve"), anchor=False)
        st.altair_chart(charts.survival(curve), alt=t("product.curve"))
        present.downloads(curve, f"{product['product_id']}-curve")
    with right:
        st.subheader(t("product.factors"), anchor=False)
        if factors.empty or product["lost_months"] is None:
            present.nothing(t("product.no_factors"))
            return
        st.caption(t("product.lost", n=text.months(product["lost_months"])))
        shown = factors.head(8)
        shown = shown.assign(what=[_factor(row) for row in data.records(shown)])
        st.altair_chart(
            charts.factors(shown[["what", "lost_months"]].groupby("what", as_index=False).sum()), alt=t("product.factors")
        )
        st.caption(t("associated"))


def _factor(row: dict[str, Any]) -> str:
    if row["jump_id"]:
        return text.clean(f"{row['provider'] or ''} {row['release'] or row['jump_id']}")[:44]
    return t(f"factor.{row['factor']}")


def _exposures(product: dict[str, Any]) -> None:
    rows = data.read("product_exposures", product_id=product["product_id"])
    st.subheader(t("product.exposures", n=rows["jump_id"].nunique()), anchor=False)
    if rows.empty:
        present.nothing(t("product.no_exposures"))
        return
    overtaken = product["overtaken_on"] or product["overtaken_before"]
    cells = rows[["exposed_on", "capability", "weight", "is_decisive", "provider", "release"]].fillna({"weight": 0.1})
    st.altair_chart(charts.exposures(cells, overtaken), alt=t("product.exposures", n=len(rows)))
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
                "source_url": config.LinkColumn(t("col.source_url"), display_text=r"https?://(?:www\.)?([^/]+)"),
            },
            alt=t("product.exposures", n=len(rows)),
            key="exposures",
            opens=lambda row: ("jumps", {"jump": row["jump_id"]}),
        )
    present.downloads(rows, f"{product['product_id']}-exposures")


def _comparables(product: dict[str, Any]) -> None:
    rows = data.read("product_comparables", product_id=product["product_id"])
    st.subheader(t("product.comparables"), anchor=False)
    if rows.empty:
        present.nothing(t("product.no_comparables"))
        return
    st.caption(t("product.comparables_help"))
    config = st.column_config
    shown = rows.assign(outcome=[t(f"outcome.{value}") for value in rows["outcome"]])
    present.table(
        present.safe_urls(present.plain(present.lists(shown, "shared_jobs"), "name", "ended_because"), "source_url"),
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
            "source_url": config.LinkColumn(t("col.source_url"), display_text=r"https?://(?:www\.)?([^/]+)"),
        },
        alt=t("product.comparables"),
        key="comparables",
        opens=lambda row: ("product", {"id": row["product_id"]}),
    )


def _signs(product: dict[str, Any]) -> None:
    rows = data.read("product_signs", product_id=product["product_id"])
    st.subheader(t("product.signs"), anchor=False)
    if rows.empty or not rows[["n_documents", "n_releases", "n_commits", "n_mentions"]].fillna(0).to_numpy().any():
        present.nothing(t("product.no_activity"))
        return
    st.altair_chart(charts.signs_of_life(rows), alt=t("product.signs"))
    present.downloads(rows, f"{product['product_id']}-signs-of-life")


def _said(product: dict[str, Any]) -> None:
    rows = data.read("product_said", product_id=product["product_id"])
    st.subheader(t("product.said"), anchor=False)
    if rows.empty:
        present.nothing(t("product.nothing_said"))
        return
    if rows["made_on"].nunique() > 1:
        st.altair_chart(charts.said_before(rows), alt=t("product.said"))
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
        height=220,
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
        (t("col.ended_because"), text.escape(product["ended_because"])),
        (
            t("col.moats"),
            ", ".join(t(f"moat.{moat}") for moat in _list(product["moats"]))
            and ", ".join(t(f"moat.{moat}") for moat in _list(product["moats"])) + f" ({t('product.moats_note')})",
        ),
        (t("col.note"), text.escape(product["note"])),
    ]
    if any(value for _, value in lines):
        present.facts(lines)
    else:
        present.nothing(t("product.no_sources"))
