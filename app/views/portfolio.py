"""Watched products together: their clocks, and where jumps have reached what they sell."""

from __future__ import annotations

import csv
import io
from typing import Any

import streamlit as st

from app import charts, choose, data, present, tables, text, watched
from app.words import capability, t
from models import watchlists
from models.errors import LifelineError


def show() -> None:
    """Choose a watchlist, show it, change it."""
    present.heading(t("page.portfolio"), t("portfolio.lead"))
    _said()
    lists = watched.lists()
    chosen = choose.one("list", t("portfolio.choose"), list(lists)) if lists else None
    if chosen is None:
        present.nothing(t("portfolio.none"))
        _start()
        return
    wanted = st.query_params.get("list")
    if wanted and wanted != chosen:
        present.nothing(t("portfolio.no_such", name=text.escape(wanted, 80)))
    ids = lists[chosen]
    if ids:
        _clocks(ids, chosen)
        _heat(ids)
    else:
        present.nothing(t("portfolio.empty"))
    _change(chosen, ids)
    with st.expander(t("portfolio.another")):
        _start()
    present.standing()


def _clocks(ids: list[str], chosen: str) -> None:
    rows = data.read("products", **tables.product_filters(ids=ids, n_rows=10_000))
    missing = sorted(set(ids) - set(rows["product_id"]))
    if missing:
        st.warning(t("portfolio.unknown", ids=text.escape(", ".join(missing[:8]))))
    _tiles(rows)
    tables.products(rows, key=f"portfolio_{chosen}", height=min(35 * len(rows) + 38, 460))
    present.downloads(rows.drop(columns=["n_found"]), f"portfolio-{chosen}")


def _tiles(rows: Any) -> None:
    """How many are on which clock, and the ends to expect among them."""
    living = rows[rows["s12"].notna()]
    with st.container(horizontal=True, key="portfolio_tiles"):
        st.metric(t("tile.alive"), len(living), width=150)
        st.metric(t("tile.overtaken"), int(living["overtaken_on"].notna().sum()), width=150)
        st.metric(t("tile.silent"), int(living["silent_since"].notna().sum()), width=150)
        if len(living):
            gone = (1 - living["s12"]).sum()
            low, high = (1 - living["s12_high"]).sum(), (1 - living["s12_low"]).sum()
            st.metric(
                t("portfolio.expected"),
                f"{gone:.1f} ({low:.1f}–{high:.1f})",
                width=230,
                help=t("portfolio.expected_help", low=f"{low:.1f}", high=f"{high:.1f}", n=len(living)),
            )


def _heat(ids: list[str]) -> None:
    """Product by capability: the largest jump that reached each job."""
    rows = data.read("portfolio_heat", ids=ids)
    st.subheader(t("portfolio.heat"), anchor=False)
    if rows.empty:
        present.nothing(t("portfolio.no_jobs"))
        return
    st.caption(t("portfolio.heat_help"))
    shown = rows.assign(
        what=[capability(label) for label in rows["capability"]],
        role_word=[t(f"role.{role}") for role in rows["role"]],
        name=[text.clean(name) for name in rows["name"]],
    )
    present.draw(charts.heat(shown[["name", "what", "role_word", "weight", "n_jumps"]]), alt=t("portfolio.heat"))
    present.downloads(rows, "portfolio-heat")


def _change(chosen: str, ids: list[str]) -> None:
    """Add, remove, import."""
    names = data.product_names()
    left, right = st.columns(2, gap="large")
    with left, st.form(f"add_{chosen}", clear_on_submit=True):
        new = st.multiselect(
            t("portfolio.add"),
            [key for key in names if key not in ids][:5000],
            placeholder=t("choose_any"),
            format_func=lambda key: text.clean(names[key]),
        )
        file = st.file_uploader(t("portfolio.csv"), type="csv")
        if st.form_submit_button(t("portfolio.do_add")):
            _do(watchlists.add, chosen, [*new, *_ids_in(file)], names)
    with right, st.form(f"remove_{chosen}", clear_on_submit=True):
        gone = st.multiselect(
            t("portfolio.remove"), ids, placeholder=t("choose_any"), format_func=lambda key: text.clean(names.get(key, key))
        )
        if st.form_submit_button(t("portfolio.do_remove")) and gone:
            _do(watchlists.remove, chosen, gone)


def _start() -> None:
    """A new watchlist, from names or a CSV."""
    names = data.product_names()
    with st.form("new_watchlist", clear_on_submit=True):
        name = st.text_input(t("portfolio.name"), max_chars=64)
        new = st.multiselect(
            t("portfolio.add"), list(names)[:5000], placeholder=t("choose_any"), format_func=lambda key: text.clean(names[key])
        )
        file = st.file_uploader(t("portfolio.csv"), type="csv", key="new_csv")
        if st.form_submit_button(t("portfolio.make")):
            wanted = [*new, *_ids_in(file)]
            if wanted and name.strip():
                _do(watchlists.add, name.strip(), wanted, names)
            else:
                st.session_state["portfolio_error"] = t("portfolio.needs")
            st.rerun()


def _ids_in(file: Any) -> list[str]:
    """Product ids of an uploaded CSV: its column product_id, or its first column."""
    if file is None:
        return []
    rows = [row for row in csv.reader(io.StringIO(file.getvalue().decode("utf-8-sig", errors="replace"))) if row]
    if not rows:
        return []
    column = rows[0].index("product_id") if "product_id" in rows[0] else 0
    body = rows[1:] if "product_id" in rows[0] else rows
    return [row[column].strip() for row in body if len(row) > column and row[column].strip()]


def _do(act: Any, *given: Any) -> None:
    """Change a watchlist; what was wrong is said on the next run of the page."""
    try:
        act(data.home().watchlists, *given)
    except LifelineError as error:
        st.session_state["portfolio_error"] = str(error)
    st.rerun()


def _said() -> None:
    error = st.session_state.pop("portfolio_error", None)
    if error:
        present.wrong(error)
