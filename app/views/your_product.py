"""Your own product in two minutes: what it sells and needs, and at once its clocks, what reached it and what became of its like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import streamlit as st

from app import clocks, data, dossier, present, private, text
from app.words import capability, t
from models import taxonomy
from models.errors import LifelineError

FIRST_LAUNCH = date(2015, 1, 1)
SEGMENTS = ("eye", "brain", "hand", "make", "platform")
EXPOSURE_COLUMNS = ("exposed_on", "capability", "role", "weight", "is_decisive", "jump_id")


def show() -> None:
    """Enter, get, show; keep it in the home if wanted."""
    present.heading(t("page.your-product"), t("own.lead"))
    as_of = data.as_of()
    if as_of is None:
        present.nothing(t("no_estimates"))
        return
    _said()
    _kept()
    row = _form(as_of)
    if row is None:
        return
    try:
        found = _estimate(data.stamp(), tuple(sorted(row.items())))
    except LifelineError as error:
        present.wrong(error)
        return
    _show(row, found)
    present.standing()


def _form(as_of: date) -> dict[str, Any] | None:
    """The product as a row of products.csv; None before the form was filled in."""
    before = st.session_state.get("own_product", {})
    with st.form("own"):
        left, middle, right = st.columns(3)
        with left:
            names = _names(before, as_of)
        with middle:
            work = _work(before)
        with right:
            needs = _needs(before)
        if st.form_submit_button(t("own.estimate"), type="primary"):
            kept = {key: before[key] for key in ("product_id",) if key in before}
            st.session_state["own_product"] = {**kept, **names, **work, **needs}
    return st.session_state.get("own_product")


def _names(before: dict[str, Any], as_of: date) -> dict[str, Any]:
    """Name, day of the launch, vendor."""
    name = st.text_input(t("own.name"), before.get("name", ""), max_chars=80)
    launched = st.date_input(
        t("col.launched_on"),
        min(before.get("launched_on", as_of), as_of),
        max_value=as_of,
        min_value=FIRST_LAUNCH,
        format="YYYY-MM-DD",
    )
    vendor = st.text_input(t("own.vendor"), before.get("vendor", ""), max_chars=80, help=t("own.vendor_help"))
    return {"name": name.strip() or t("own.unnamed"), "launched_on": launched, "vendor": vendor.strip()}


def _work(before: dict[str, Any]) -> dict[str, Any]:
    """What it sells, how thick its shell is, and which part of the work it does."""
    sells = _some(t("own.sells"), taxonomy.load().capabilities, before.get("sells"), capability)
    tier = st.selectbox(
        t("filter.tier"),
        range(1, 6),
        (before.get("wrapper_tier") or 2) - 1,
        format_func=lambda value: t(f"tier.{value}"),
        help=t("own.tier_help"),
    )
    first = SEGMENTS.index(before["segment"]) if before.get("segment") in SEGMENTS else 1
    segment = st.selectbox(t("filter.segment"), SEGMENTS, first, format_func=lambda value: t(f"segment.{value}"))
    return {"sells": sells, "wrapper_tier": tier, "segment": segment}


def _needs(before: dict[str, Any]) -> dict[str, Any]:
    """What it needs, how deep it hangs on one platform, and what protects it."""
    needs = _some(t("own.depends_on"), taxonomy.load().capabilities, before.get("depends_on"), capability)
    coupling = st.selectbox(
        t("own.coupling"), range(4), before.get("coupling", 1), format_func=lambda value: t(f"coupling.{value}")
    )
    moats = _some(t("col.moats"), taxonomy.MOATS, before.get("moats"), lambda value: t(f"moat.{value}"), help=t("own.moats_help"))
    return {"depends_on": needs, "coupling": coupling, "moats": moats}


def _some(label: str, options: Sequence[str], before: Any, words: Callable[[str], str], **more: Any) -> tuple[str, ...]:
    """Any number of labels."""
    return tuple(st.multiselect(label, options, before, format_func=words, placeholder=t("choose_any"), **more))


@st.cache_data(max_entries=100, show_spinner=True, scope="session")
def _estimate(stamp: data.Stamp, row: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    from models.survival import whatif

    with data.published() as con:
        return whatif.private(con, {**dict(row), "launched_precision": "day"})


def _show(row: dict[str, Any], found: dict[str, Any]) -> None:
    """The same parts as the page of a catalogued product."""
    import pandas as pd

    st.header(text.escape(row["name"], 80), anchor=False)
    st.badge(t("private"), color="violet")
    _keep(row)
    product = {**found, "sells": list(row["sells"])}
    exposures = _with_jumps(pd.DataFrame(found["exposures"], columns=EXPOSURE_COLUMNS))
    clocks.three(product, exposures)
    curve = pd.DataFrame(found["curve"])
    factors = _with_jumps(pd.DataFrame(found["factors"], columns=["factor", "jump_id", "lost_months"]))
    clocks.curve_and_factors(product, curve, factors)
    dossier.exposures(product, exposures)
    like = {
        "product_id": found["product_id"],
        "sells": list(row["sells"]),
        "segment": row["segment"],
        "tier": row["wrapper_tier"],
    }
    dossier.comparables(data.read("comparables", **like))


def _with_jumps(rows: Any) -> Any:
    """Rows with what is known of their jumps."""
    return rows.merge(data.read("jump_facts"), on="jump_id", how="left")


def _keep(row: dict[str, Any]) -> None:
    """Keep it in the home, or take it out again."""
    left, right = st.columns([1, 3], vertical_alignment="center")
    if left.button(t("own.keep"), key="keep_own"):
        folder = data.home().catalogue
        product_id = row.get("product_id") or private.new_id(
            row["name"], {*data.product_names(), *(one["product_id"] for one in _own())}
        )
        try:
            private.save(folder, {**row, "product_id": product_id})
            st.session_state["own_product"] = {**row, "product_id": product_id}
            st.session_state["own_said"] = t("own.kept", name=text.escape(row["name"]))
        except LifelineError as error:
            st.session_state["own_error"] = str(error)
        st.rerun()
    right.caption(t("own.keep_help"))


def _own() -> list[dict[str, Any]]:
    """The private products of the home; a file that cannot be read is said, not hidden."""
    try:
        return private.read(data.home().catalogue)
    except LifelineError as error:
        present.wrong(error)
        return []


def _kept() -> None:
    """Private products that the home keeps: open one, take one out, or bring them in from a CSV."""
    own = _own()
    with st.expander(t("own.yours", n=len(own)), expanded=bool(own) and "own_product" not in st.session_state):
        for one in own:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(text.escape(one["name"] or one["product_id"], 60), width=260)
                st.button(t("own.open"), key=f"open_{one['product_id']}", on_click=_open, args=(one,))
                st.button(t("own.remove"), key=f"remove_{one['product_id']}", on_click=_remove, args=(one["product_id"],))
        file = st.file_uploader(t("own.csv"), type="csv", key="own_csv")
        if file is not None and st.button(t("own.bring_in")):
            _bring_in(file.getvalue())
            st.rerun()


def _open(one: dict[str, Any]) -> None:
    st.session_state["own_product"] = {key: value for key, value in one.items() if value not in (None, "")} | {
        "sells": one.get("sells") or (), "depends_on": one.get("depends_on") or (), "moats": tuple(moat for moat in one.get("moats") or () if moat in taxonomy.MOATS),
        "segment": one.get("segment") or "brain", "wrapper_tier": one.get("wrapper_tier") or 2, "name": one.get("name") or one["product_id"],
    }  # fmt: skip


def _remove(product_id: str) -> None:
    try:
        private.remove(data.home().catalogue, product_id)
        if st.session_state.get("own_product", {}).get("product_id") == product_id:
            del st.session_state["own_product"]
    except LifelineError as error:
        st.session_state["own_error"] = str(error)


def _bring_in(content: bytes) -> None:
    """Every row of a CSV, or none."""
    try:
        rows = private.read_upload(content)
        for row in rows:
            private.save(data.home().catalogue, row)
        st.session_state["own_said"] = t("own.brought_in", n=len(rows))
    except LifelineError as error:
        st.session_state["own_error"] = str(error)


def _said() -> None:
    error, news = st.session_state.pop("own_error", None), st.session_state.pop("own_said", None)
    if error:
        present.wrong(error)
    if news:
        st.success(news)
