"""Every jump: a timeline by capability, who made what available first, and the documents that say so."""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

from app import charts, choose, data, present, sentences, tables, text
from app.words import capabilities, capability, t
from models import taxonomy

ORIGINS = ("catalogue", "detected", "registry", "ruling")
N_CHARTED = 2500
N_OPEN, N_DOCUMENTS = 5, 40


def show() -> None:
    """One jump when the address names one, else the list."""
    chosen = st.query_params.get("jump")
    if chosen:
        _one(chosen)
    else:
        _all()


def _all() -> None:
    present.heading(t("page.jumps"), t("jumps.lead"))
    view = choose.tabs("view", t("jumps.view"), ("timeline", "first", "table"), lambda value: t(f"jumps.{value}"))
    if view == "first":
        _first()
        return
    rows = data.read("jumps", **tables.jump_filters(**_choose()))
    if rows.empty:
        present.nothing(t("jumps.none"))
        return
    if view == "timeline":
        _timeline(rows)
    st.caption(t("jumps.found", n=len(rows)))
    tables.jumps(rows, key="jumps", height=min(35 * len(rows) + 38, 480))
    present.downloads(rows, "jumps")


def _choose() -> dict[str, Any]:
    """The filters, from the address; without a day the last two years."""
    as_of = data.as_of() or date.today()
    q = choose.text("q", t("filter.search"), placeholder=t("filter.search_jumps"))
    left, middle, right = st.columns(3)
    with left:
        wanted = choose.many("capability", t("filter.capability"), taxonomy.load().capabilities, capability)
        since = choose.day("since", t("filter.since"), as_of.replace(year=as_of.year - 2, day=1))
    with middle:
        providers = choose.many("provider", t("filter.provider"), list(data.read("providers")["provider"]))
        stages = choose.many("stage", t("filter.stage"), taxonomy.STAGES, lambda value: t(f"stage.{value}"))
    with right:
        origins = choose.many("origin", t("filter.origin"), ORIGINS, lambda value: t(f"origin.{value}"))
        heavy = choose.flag("heavy", t("filter.heavy"))
    return {
        "q": q, "capabilities": wanted, "providers": providers, "stages": stages, "origins": origins, "since": since,
        "is_heavy": heavy,
    }  # fmt: skip


def _timeline(rows: Any) -> None:
    segment_of = taxonomy.load().segment_of
    exploded = rows.head(N_CHARTED).explode("capabilities").dropna(subset=["capabilities"])
    shown = exploded.assign(
        what=[capability(label) for label in exploded["capabilities"]],
        segment=[list(charts.SEGMENT_COLOURS).index(segment_of.get(label, "terms")) for label in exploded["capabilities"]],
        segment_word=[t(f"segment_short.{segment_of.get(label, 'terms')}") for label in exploded["capabilities"]],
        stage_word=[t(f"stage.{stage}") for stage in exploded["stage"]],
        weight=exploded["weight"].fillna(0.1),
    )[["happened_on", "what", "segment", "segment_word", "stage_word", "weight", "provider", "release"]]
    present.draw(charts.jumps(shown), alt=t("jumps.timeline"))
    if len(rows) > N_CHARTED:
        st.caption(t("jumps.cut", n=N_CHARTED))


def _first() -> None:
    """First availability: capabilities down, providers across, the day in the cell."""
    rows = data.read("first_available")
    if rows.empty:
        present.nothing(t("jumps.none"))
        return
    st.caption(t("jumps.first_help"))
    leading = list(rows["provider"].value_counts().head(12).index)
    wide = rows[rows["provider"].isin(leading)].assign(
        cell=[
            text.day(row.first_on) + ("" if row.stage == "ga" else "*")
            for row in rows[rows["provider"].isin(leading)].itertuples()
        ]
    )
    wide = wide.pivot(index="capability", columns="provider", values="cell").reindex(columns=leading)
    earliest = rows.sort_values("first_on").drop_duplicates("capability").set_index("capability")
    wide.insert(
        0,
        t("jumps.earliest"),
        [f"{text.day(earliest['first_on'].get(label))} {earliest['provider'].get(label, '')}" for label in wide.index],
    )
    wide = wide.sort_values(t("jumps.earliest"))
    wide.insert(0, t("col.capability"), [capability(label) for label in wide.index])
    st.dataframe(
        wide,
        hide_index=True,
        alt=t("jumps.first"),
        height=640,
        placeholder="",
        column_config={t("col.capability"): st.column_config.TextColumn(pinned=True)},
    )
    present.downloads(rows, "first-available")


def _one(jump_id: str) -> None:
    """One jump: what it was, who says so, whom it reached."""
    jump = data.one("jump", jump_id=jump_id)
    present.link("jumps", t("jumps.back"))
    if jump is None:
        st.title(t("page.jumps"), anchor=False)
        present.nothing(t("jumps.unknown", id=text.escape(jump_id, 80)))
        return
    st.title(text.escape(f"{jump['provider'] or ''} · {jump['release'] or jump['platform'] or jump_id}", 140), anchor=False)
    if jump["summary"]:
        st.markdown(text.escape(sentences.summary(jump)))
    _facts(jump)
    _documents(jump)
    _reached(jump)


def _facts(jump: dict[str, Any]) -> None:
    sources = " ".join(text.linked(text.host_of(url), url) for url in text.links(jump["source_url"]))
    weight = "–" if jump["weight"] is None else f"{jump['weight']:.2f}" if jump["weight"] >= 0.005 else t("weight_nil")
    present.facts(
        [
            (t("col.happened_on"), text.day(jump["happened_on"], jump["date_precision"])),
            (t("col.known_on"), text.day(jump["known_on"])),
            (t("col.capabilities"), capabilities([] if jump["capabilities"] is None else jump["capabilities"])),
            (
                t("col.stage"),
                f"{t('stage.' + jump['stage'])} · {t('reach.' + jump['reach'])} · {t('magnitude', n=jump['magnitude'])}",
            ),
            (t("col.weight"), weight),
            (
                t("col.confidence"),
                f"{jump['confidence']:.2f} · {t('origin.' + jump['origin'])} · {t('confirmed') if jump['is_confirmed'] else t('not_confirmed')}",
            ),
            (t("col.source_url"), sources),
        ]
    )


def _documents(jump: dict[str, Any]) -> None:
    rows = data.read("jump_documents", jump_id=jump["jump_id"])
    st.subheader(t("jumps.documents", n=len(rows)), anchor=False)
    if rows.empty:
        present.nothing(t("jumps.no_documents") if jump["source_url"] else t("jumps.no_evidence"))
        return
    found = data.records(rows.head(N_DOCUMENTS))
    for row in found[:N_OPEN]:
        _document(row)
    if len(found) > N_OPEN:
        with st.expander(t("jumps.more_documents", n=len(rows) - N_OPEN)):
            for row in found[N_OPEN:]:
                _document(row)
    present.downloads(rows, "jump-documents")


def _document(row: dict[str, Any]) -> None:
    """One document: where it stands, and the sentence that carried its tags."""
    tier = t(f"tier_of.{row['tier'] or 'press'}")
    st.markdown(
        f"{text.linked(row['title'], row['url'])}  \n{text.day(row['published_at'])} · {text.escape(row['source'])} · {tier}"
    )
    if row["evidence"] and text.clean(row["evidence"]) != text.clean(row["title"]):
        st.markdown(f"> {text.escape(row['evidence'], 400)}")
    if row["capabilities"] is not None:
        scored = zip(row["capabilities"], row["scores"], strict=True)
        st.caption(", ".join(f"{capability(label)} {score:.2f}" for label, score in scored))


def _reached(jump: dict[str, Any]) -> None:
    """Whom it reached; of a jump ahead, whom it may reach."""
    as_of = data.as_of()
    is_ahead = as_of is not None and jump["happened_on"] > as_of
    rows = data.read("jump_ahead" if is_ahead else "jump_products", jump_id=jump["jump_id"])
    heading = t("jumps.may_reach" if is_ahead else "jumps.reached", n=rows["product_id"].nunique())
    st.subheader(heading, anchor=False)
    if is_ahead:
        st.caption(t("jumps.ahead_help"))
    if rows.empty:
        adds_nothing = jump["weight"] is not None and jump["weight"] < 0.005
        present.nothing(t("jumps.none_ahead" if is_ahead else "jumps.adds_nothing" if adds_nothing else "jumps.none_reached"))
        return
    shown = rows.assign(
        role=[t(f"role.{value}") for value in rows["role"]],
        outcome=[tables.outcome_words(value) for value in rows.get("outcome", [""] * len(rows))],
        lifeline_class=[tables.class_words(value) for value in rows["lifeline_class"]],
    )
    columns = _reached_columns()
    if is_ahead:
        columns = {name: one for name, one in columns.items() if name in rows.columns}
    elif rows["ended_on"].isna().all():
        del columns["ended_on"]
    present.table(
        present.plain(present.lists(shown, "capabilities"), "name", "category"),
        columns,
        alt=heading,
        key="reached",
        opens=tables.open_product,
        height=min(35 * len(rows) + 38, 480),
    )
    present.downloads(rows, "jump-products")


def _reached_columns() -> dict[str, Any]:
    """How each column of the products that a jump reached is shown."""
    config = st.column_config
    return {
        "name": config.TextColumn(t("col.name"), pinned=True),
        "role": config.TextColumn(t("col.role"), help=t("colhelp.role")),
        "capabilities": config.ListColumn(t("col.capabilities")),
        "weight": config.NumberColumn(t("col.weight"), format="%.2f", help=t("colhelp.weight_there")),
        "is_decisive": config.CheckboxColumn(t("decisive"), help=t("colhelp.is_decisive")),
        "overtaken_on": config.DateColumn(t("col.overtaken"), format="YYYY-MM"),
        "outcome": config.TextColumn(t("col.outcome")),
        "ended_on": config.DateColumn(t("col.ended_on"), format="YYYY-MM-DD"),
        "lifeline_class": config.TextColumn(t("col.lifeline_class")),
    }
