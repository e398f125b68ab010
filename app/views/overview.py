"""What changed, who is in trouble, how sure we are: the page for Monday morning."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import streamlit as st

from app import data, present, tables, text, watched
from app.words import capabilities, t

N_DAYS = 30
N_SHOWN, N_RETIRING = 8, 5
WATCHED = ("name", "overtaken", "p_overtaken", "s12", "lifeline_class", "silent_since", "p_silent_6", "signs_of_life")
URGENCY: dict[str, Any] = {"7": "red", "30": "orange", "90": "yellow", "later": "gray", "past": "gray"}


def show() -> None:
    """The answer in three boxes, the watchlist, then what jumped, what retires, and who is next."""
    state = data.state()
    present.heading(t("page.overview"), t("overview.lead"))
    if state["as_of"] is None:
        _tiles(state)
        present.nothing(t("no_estimates"))
        return
    _summary(state)
    _watchlist()
    left, right = st.columns(2, gap="large")
    with left:
        _recent_jumps(state)
        _retirements(state)
    with right:
        _soonest()
        _newly_overtaken(state)
        _shortened()
    present.standing()


def _tiles(state: dict[str, Any]) -> None:
    """The cut-off and the size of what is known."""
    with st.container(horizontal=True, key="tiles"):
        st.metric(t("tile.as_of"), text.day(state["as_of"]), width=140)
        st.metric(t("tile.alive"), f"{state['n_alive']:,}", width=110)
        st.metric(t("tile.overtaken"), f"{state['n_overtaken']:,}", width=110, help=t("help.overtaken"))
        st.metric(t("tile.silent"), f"{state['n_silent']:,}", width=110, help=t("help.silent"))
        st.metric(t("tile.ended"), f"{state['n_ended']:,}", width=110, help=t("help.ended"))
        st.metric(t("tile.sources"), f"{state['n_sources_fine']} / {state['n_sources']}", width=110)


def _summary(state: dict[str, Any]) -> None:
    """Three boxes that answer in ten seconds."""
    found = data.one("summary", as_of=state["as_of"]) or {}
    changed, trouble, sure = st.columns(3, border=True)
    with changed:
        st.markdown(f"**{t('summary.changed', n=N_DAYS)}**")
        _lines(
            t("summary.jumps", n=found["n_jumps"], decisive=found["n_decisive"], reached=found["n_reached"]),
            t("summary.retiring", n=found["n_retiring"]),
        )
        st.caption(t("summary.jump_is"))
    with trouble:
        st.markdown(f"**{t('summary.trouble')}**")
        _lines(
            t("summary.overtaken", n=found["n_overtaken"], of=found["n_alive"], newly=found["n_newly"]),
            t("summary.next", n=found["n_next"]),
            t("summary.silent", n=found["n_silent"]) if found["n_silent"] else t("summary.silent_unknown"),
        )
        st.caption(t("summary.overtaken_is"))
        present.link("products", t("summary.see_overtaken"), fate="overtaken")
    with sure:
        st.markdown(f"**{t('summary.sure')}**")
        _lines(
            t("summary.width", width=round(100 * (found["width"] or 0))),
            _unsure(found),
            t("summary.scored", ratio=f"{found['ratio']:.2f}", n=int(found["n_scored"]), ended=int(found["n_scored_ended"]))
            if found["ratio"]
            else t("accuracy.no_scores"),
            t("summary.missed", n=found["n_missed"], of=found["n_came"]) if found["n_came"] else "",
        )
        present.link("accuracy", t("summary.see_accuracy"))
    st.caption(
        t(
            "summary.standing",
            as_of=text.day(state["as_of"]),
            alive=state["n_alive"],
            ended=state["n_ended"],
            sources=t("summary.sources", fine=state["n_sources_fine"], sources=state["n_sources"])
            if state["n_sources_polled"]
            else t("sources.not_polled"),
        )
    )


def _unsure(found: dict[str, Any]) -> str:
    """How many lifelines are unsure, and how many of them because nobody looked for too long."""
    if found["n_unseen"] and found["n_unseen"] == found["n_unsure"]:
        return t("summary.unsure_all", n=found["n_unsure"], of=found["n_alive"])
    return t("summary.unsure", n=found["n_unsure"], of=found["n_alive"], unseen=found["n_unseen"])


def _lines(*lines: str) -> None:
    """Short sentences as a list."""
    st.markdown("\n".join(f"- {line}" for line in lines if line))


def _watchlist() -> None:
    """What happened to the products that are watched, before anything else."""
    lists = watched.lists()
    if not lists:
        return
    ids = sorted({product_id for members in lists.values() for product_id in members})
    rows = data.read("products", **tables.product_filters(ids=ids, n_rows=200))
    st.subheader(t("overview.watchlist"), anchor=False)
    tables.products(rows, key="overview_watchlist", columns=WATCHED)
    present.link("portfolio", t("overview.to_portfolio"))


def _recent_jumps(state: dict[str, Any]) -> None:
    """Jumps of the last month that is known, the heaviest first."""
    since = state["as_of"] - timedelta(days=N_DAYS)
    rows = data.read("jumps", **tables.jump_filters(since=since, until=state["as_of"]))
    rows = rows.sort_values(["weight", "n_products"], ascending=False, kind="stable", na_position="last")
    st.subheader(t("overview.jumps", n=N_DAYS), anchor=False)
    if rows.empty:
        present.nothing(t("overview.no_jumps", since=text.day(since)))
        return
    for jump in data.records(rows.head(N_SHOWN)):
        _jump(jump)
    present.link("jumps", t("overview.all_jumps", n=len(rows)), since=since.isoformat())
    present.downloads(rows, "recent-jumps")


def _jump(jump: dict[str, Any]) -> None:
    with st.container(gap=None):
        present.link(
            "jumps", f"{jump['provider'] or ''} · {jump['release'] or jump['summary'] or jump['jump_id']}", jump=jump["jump_id"]
        )
        weight = "–" if jump["weight"] is None else f"{jump['weight']:.2f}"
        weighs = t("weight_none") if _adds_nothing(jump["weight"]) else t("weight_is", weight=weight)
        st.caption(
            f"{text.day(jump['happened_on'], jump['date_precision'])} · {capabilities(_list(jump['capabilities']))} · "
            f"{t('stage.' + jump['stage'])} · {weighs} · {t('reaches', n=int(jump['n_products']))}"
        )


def _list(value: Any) -> list[str]:
    return [] if text.is_unknown(value) else list(value)


def _retirements(state: dict[str, Any]) -> None:
    """Retirements by urgency: within 7, 30 and 90 days, later, and the newest that are past."""
    rows = data.records(data.read("recent_retirements", as_of=state["as_of"]))
    st.subheader(t("overview.retirements"), anchor=False)
    if not rows:
        present.nothing(t("overview.no_retirements"))
        return
    for bucket, members in _by_urgency(rows).items():
        if not members:
            continue
        st.badge(t(f"urgency.{bucket}"), color=URGENCY[bucket])
        for row in _in_order(members[:N_RETIRING], is_past=bucket == "past"):
            with st.container(gap=None):
                present.link("jumps", f"{row['provider']} · {row['release'] or row['summary']}", jump=row["jump_id"])
                st.caption(f"{text.day(row['happened_on'])} · {_whom(row)}")


def _whom(row: dict[str, Any]) -> str:
    """Whom a retirement reached; of one ahead, who sells or needs what it serves, because nothing is reached before its day."""
    if row["days_ahead"] > 0:
        return t("may_break", n=int(row["n_ahead"])) if row["n_ahead"] else t("breaks_none_ahead")
    if row["n_products"]:
        return t("breaks", n=int(row["n_products"]))
    return t("weight_none" if _adds_nothing(row["weight"]) else "breaks_none")


def _adds_nothing(weight: Any) -> bool:
    """Whether a jump weighs nothing beyond earlier ones of its provider."""
    return weight is not None and weight < 0.005


def _in_order(rows: list[dict[str, Any]], *, is_past: bool) -> list[dict[str, Any]]:
    """By day: the next first, of those that are past the newest."""
    return sorted(rows, key=lambda row: row["happened_on"], reverse=is_past)


def _by_urgency(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Retirements in buckets of days ahead; what is past comes last."""
    buckets: dict[str, list[dict[str, Any]]] = {name: [] for name in URGENCY}
    for row in rows:
        ahead = row["days_ahead"]
        name = "past" if ahead < 0 else next((str(limit) for limit in (7, 30, 90) if ahead <= limit), "later")
        buckets[name].append(row)
    return buckets


def _soonest() -> None:
    """Living products with the largest chance to be overtaken next."""
    st.subheader(t("overview.soonest"), anchor=False)
    rows = data.read("products", **tables.product_filters(fate="alive", n_rows=40))
    rows = rows[rows["p_overtaken_12"].notna() & ~rows["outcome"].isin(tables.ENDED)].head(N_SHOWN)
    if rows.empty:
        present.nothing(t("overview.no_soonest"))
        return
    st.caption(t("overview.soonest_help"))
    for row in data.records(rows):
        with st.container(gap=None):
            present.link("product", row["name"], id=row["product_id"])
            st.caption(
                t(
                    "overview.next",
                    p=tables.three(row, "p_overtaken_"),
                    interval=text.interval(row["p_overtaken_12_low"], row["p_overtaken_12_high"]),
                    s12=text.chance(row["s12"]),
                    s12_interval=text.interval(row["s12_low"], row["s12_high"]),
                )
            )


def _newly_overtaken(state: dict[str, Any]) -> None:
    """Living products that fell behind within the last year."""
    rows = data.records(data.read("newly_overtaken", as_of=state["as_of"]))
    if not rows:
        return
    st.subheader(t("overview.newly_overtaken"), anchor=False)
    for row in rows[:N_SHOWN]:
        with st.container(gap=None):
            present.link("product", row["name"], id=row["product_id"])
            by = text.by(row["provider"], row["release"])
            st.caption(
                f"{text.day(row['overtaken_on'], 'month')}" + (f" · {t('with_jump', jump=text.escape(by, 80))}" if by else "")
            )


def _shortened() -> None:
    """Whose chance of the next year fell most since the forecast before."""
    rows = data.records(data.read("shortened"))
    st.subheader(t("overview.shortened"), anchor=False)
    if not rows:
        present.nothing(t("overview.no_shortened"))
        return
    for row in rows[:N_SHOWN]:
        with st.container(gap=None):
            present.link("product", row["name"], id=row["product_id"])
            st.caption(
                t(
                    "overview.fell",
                    before=text.chance(row["s12_before"]),
                    on=text.day(row["before_on"]),
                    now=text.chance(row["s12"]),
                    interval=text.interval(row["s12_low"], row["s12_high"]),
                )
            )
