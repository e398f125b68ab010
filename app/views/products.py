"""Every product with its clocks: filters in the address, one page of rows at a time, a row opens the product."""

from __future__ import annotations

from math import ceil
from typing import Any

import streamlit as st

from app import choose, data, present, tables
from app.words import capability, t
from models import taxonomy

N_ROWS = 100
FATES = ("alive", "overtaken", "silent", "ended", "all")
ORDERS = ("overtaken", "survival", "silent", "lost", "name", "launched", "ended")
CLASSES = ("3", "6", "12", "long", "unsure")


def show() -> None:
    """Choose, get, show."""
    present.heading(t("page.products"), t("products.lead"))
    filters = _choose()
    rows = data.read("products", **tables.product_filters(**filters, n_rows=N_ROWS, n_skipped=0))
    n_found = int(rows["n_found"].iloc[0]) if len(rows) else 0
    if not n_found:
        _elsewhere(filters)
        return
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.caption(t("products.found", n=n_found))
    with right:
        number = choose.page_number("p", ceil(n_found / N_ROWS))
    if number > 1:
        rows = data.read("products", **tables.product_filters(**filters, n_rows=N_ROWS, n_skipped=(number - 1) * N_ROWS))
    tables.products(rows, key="products", height=min(35 * len(rows) + 38, 620))
    present.standing()
    present.downloads(
        lambda: data.read("products", **tables.product_filters(**filters, n_rows=1_000_000)).drop(columns=["n_found"]), "products"
    )


def _elsewhere(filters: dict[str, Any]) -> None:
    """Nothing found: say so, and lead to what is called so but has ended, as nobody searches by fate."""
    present.nothing(t("products.none"))
    if not filters["q"] or filters["fate"] == "all":
        return
    rows = data.read("products", **tables.product_filters(q=filters["q"], fate="all", n_rows=1))
    if len(rows):
        present.link(
            "products", t("products.elsewhere", n=int(rows["n_found"].iloc[0]), q=filters["q"]), q=filters["q"], fate="all"
        )


def _choose() -> dict[str, Any]:
    """The filters, from the address."""
    q = choose.text("q", t("filter.search"), placeholder=t("filter.search_products"))
    left, middle, right = st.columns(3)
    with left:
        fate = choose.one("fate", t("filter.fate"), FATES, lambda value: t(f"fate.{value}"))
    with middle:
        first = ORDERS.index("ended") if fate == "ended" else 0
        order = choose.one("sort", t("filter.sort"), ORDERS, lambda value: t(f"sort.{value}"), default=first)
    with right:
        capabilities = choose.many("capability", t("filter.capability"), taxonomy.load().capabilities, capability)
    with st.expander(
        t("filter.more"), expanded=any(name in st.query_params for name in ("segment", "tier", "class", "provider", "category"))
    ):
        left, middle, right = st.columns(3)
        with left:
            segments = choose.many("segment", t("filter.segment"), taxonomy.SEGMENTS, lambda value: t(f"segment.{value}"))
            classes = choose.many("class", t("filter.class"), CLASSES, lambda value: t(f"class.{value}"))
        with middle:
            tiers = choose.many("tier", t("filter.tier"), [str(tier) for tier in range(1, 6)], lambda value: t(f"tier.{value}"))
            categories = choose.many("category", t("filter.category"), list(data.read("categories")["category"]))
        with right:
            providers = choose.many("provider", t("filter.hit_by"), list(data.read("providers")["provider"]))
    return {
        "q": q, "fate": fate, "order_by": order, "capabilities": capabilities, "segments": segments, "classes": classes,
        "tiers": tiers, "categories": categories, "providers": providers,
    }  # fmt: skip
