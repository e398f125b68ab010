"""A jump that has not happened: lifelines before and after, for one product or a watchlist, from the same draws."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import streamlit as st

from app import charts, choose, data, present, sentences, tables, text, watched
from app.words import capability as words
from app.words import t
from models import taxonomy
from models.errors import LifelineError

N_MOST = 60


def show() -> None:
    """Choose the jump and whom it may hit; get both lifelines; show the difference first."""
    present.heading(t("page.what-if"), t("whatif.lead"))
    as_of = data.as_of()
    if as_of is None:
        present.nothing(t("no_estimates"))
        return
    jump = _jump(as_of)
    ids = _products()
    if not ids or not jump["capability"]:
        present.nothing(t("whatif.choose"))
        return
    try:
        rows = _estimate(data.stamp(), tuple(ids[:N_MOST]), **jump)
    except LifelineError as error:
        present.wrong(error)
        return
    if len(ids) > N_MOST:
        st.caption(t("whatif.cut", n=N_MOST))
    if len(rows) == 1:
        why = t("whatif.is_reached") if rows[0]["is_exposed"] else t("whatif.not_reached")
        st.markdown(f"**{text.escape(rows[0]['name'])}**: {why} · {text.escape(sentences.shown(rows[0]['why']))}")
    _table(rows)
    if len(rows) == 1 and rows[0]["is_exposed"]:
        _one(rows[0])
    st.caption(t("whatif.note", as_of=text.day(as_of)))


def _jump(as_of: date) -> dict[str, Any]:
    """The jump, from the address."""
    left, middle, right = st.columns(3)
    with left:
        capability = choose.one("capability", t("col.capability"), taxonomy.load().capabilities, words, default=None)
        stage = choose.one("stage", t("col.stage"), ("ga", "preview", "announced", "retired"), lambda value: t(f"stage.{value}"))
    with middle:
        platform = choose.one("platform", t("col.provider"), list(data.read("providers")["provider"]))
        reach = choose.one(
            "reach",
            t("whatif.reach"),
            ("consumer", "suite", "api", "open_weights", "enterprise", "device", "limited"),
            lambda value: t(f"reach.{value}"),
        )
    with right:
        on = choose.day("on", t("whatif.on"), as_of + timedelta(days=1))
        size = choose.one("magnitude", t("whatif.magnitude"), ("3", "2", "1"), lambda value: t(f"size.{value}"))
    return {
        "capability": capability,
        "platform": platform or "",
        "on": on,
        "stage": stage,
        "reach": reach,
        "magnitude": int(size or 3),
    }


def _products() -> list[str]:
    """One product, or every living one of a watchlist."""
    names, lists = _living(), watched.lists()
    left, right = st.columns(2)
    with right:
        chosen = choose.one("list", t("whatif.list"), list(lists), default=None) if lists else None
    with left:
        ids = choose.many("id", t("whatif.products"), list(names), lambda key: text.clean(names[key]))
    wanted = [*ids, *lists.get(chosen or "", [])]
    return [key for key in dict.fromkeys(wanted) if key in names]


def _living() -> dict[str, str]:
    rows = data.read("living")
    return dict(rows[["product_id", "name"]].itertuples(index=False))


@st.cache_data(max_entries=100, show_spinner=True)
def _estimate(
    stamp: data.Stamp, ids: tuple[str, ...], capability: str, platform: str, on: date, stage: str, reach: str, magnitude: int
) -> list[dict[str, Any]]:
    from models.survival import whatif

    with data.published() as con:
        return whatif.run(con, ids, capability, platform, on, stage_=stage, reach=reach, magnitude=magnitude)


def _table(rows: list[dict[str, Any]]) -> None:
    """One row a product: whether it is reached, and the twelve months before and after."""
    import pandas as pd

    frame = pd.DataFrame([_flat(row) for row in rows])
    config = st.column_config
    shown = frame.assign(
        before=[_chance(row["before"], 12) for row in rows],
        after=[_chance(row["after"], 12) for row in rows],
        change=[_points(row["change_12"]) if row["is_exposed"] else "–" for row in rows],
        overtaken_before=[text.day(row["before"].get("overtaken_on"), "month").removeprefix("–") for row in rows],
        overtaken_after=[text.day(row["after"].get("overtaken_on"), "month").removeprefix("–") for row in rows],
        why=[sentences.shown(row["why"]) for row in rows],
        class_before=[tables.class_words(row["before"].get("lifeline_class")) for row in rows],
        class_after=[tables.class_words(row["after"].get("lifeline_class")) for row in rows],
    )
    present.table(
        present.plain(shown, "name", "why"),
        {
            "name": config.TextColumn(t("col.name"), pinned=True),
            "is_exposed": config.CheckboxColumn(t("whatif.reached")),
            "overtaken_before": config.TextColumn(t("whatif.overtaken_before")),
            "overtaken_after": config.TextColumn(t("whatif.overtaken_after")),
            "before": config.TextColumn(t("whatif.before")),
            "after": config.TextColumn(t("whatif.after")),
            "change": config.TextColumn(t("whatif.change"), help=t("whatif.change_help")),
            "class_before": config.TextColumn(t("whatif.class_before")),
            "class_after": config.TextColumn(t("whatif.class_after")),
            "why": config.TextColumn(t("whatif.why"), width="large"),
        },
        alt=t("page.what-if"),
        key="whatif",
        opens=tables.open_product,
    )
    present.downloads(frame, "what-if")


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A result as one flat row, for the table and the download."""
    sides = {f"{when}_{name}": row[when].get(name) for when in ("before", "after") for name in row[when]}
    change = {f"change_12{end}": row["change_12"].get(name) for end, name in (("", "middle"), ("_low", "low"), ("_high", "high"))}
    return {**{name: row[name] for name in ("product_id", "name", "is_exposed", "why")}, **sides, **change}


def _chance(side: dict[str, Any], months: int) -> str:
    bounds = text.interval(side.get(f"s{months}_low"), side.get(f"s{months}_high"))
    return f"{text.chance(side.get(f's{months}'))} ({bounds})" if bounds else text.chance(side.get(f"s{months}"))


def _points(change: dict[str, Any]) -> str:
    """A difference in percentage points with its interval; the same draws, so small ones are not noise."""
    middle, low, high = (change.get(name) for name in ("middle", "low", "high"))
    if middle is None or low is None or high is None:
        return "–"
    return f"{100 * middle:+.1f} ({100 * low:+.1f} … {100 * high:+.1f})"


def _one(row: dict[str, Any]) -> None:
    """Both curves of a single product."""
    import pandas as pd

    curves = pd.DataFrame(
        [
            {"months": months, "survival": value, "when": t(f"whatif.{when}_word")}
            for when in ("before", "after")
            for months, value in enumerate(row[f"curve_{when}"])
        ]
    )
    present.draw(charts.two_curves(curves), alt=t("page.what-if"))
