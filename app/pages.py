"""The pages of the desk: one entry each, with the address it keeps and the section it stands in."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import streamlit as st

from app.words import t

# section -> pages; the name of a page is its address and its module in app/views
SECTIONS: dict[str, tuple[str, ...]] = {
    "read": ("overview", "jumps", "products", "product", "capability"),
    "decide": ("portfolio", "your-product", "what-if", "review"),
    "trust": ("sources", "accuracy", "method", "sql"),
}


def navigation() -> dict[str, list]:
    """Every page under its section, for `st.navigation`."""
    return {t(f"section.{section}"): [page(name) for name in names] for section, names in SECTIONS.items()}


def page(name: str):
    """The page of that name; its module is imported when it runs, so that a page costs only itself."""
    return st.Page(_runner(name), title=t(f"page.{name}"), url_path=name, default=name == "overview")


def is_current(name: str) -> bool:
    """Whether the page of that name is the one that runs."""
    return st.session_state.get("page") == page(name).url_path


def leave(name: str, query: dict[str, str]) -> None:
    """Remember the address that is left for `query` on the page `name`, if that is another.

    Streamlit writes the new query under the old page before it turns to the new one, so that the browser's way back would lead to the
    old page without its filters.
    """
    if is_current(name):
        return
    before = {name: st.query_params.get_all(name) for name in st.query_params}
    st.session_state["left"] = (st.session_state.get("page"), {name: [value] for name, value in query.items()}, before)


def come_back(path: str) -> None:
    """Give a page that was left by a row of a table the filters that it had, once."""
    st.session_state["page"] = path
    left, query, before = st.session_state.get("left", (None, {}, {}))
    here = {name: st.query_params.get_all(name) for name in st.query_params}
    if left == path and query and here == query:
        del st.session_state["left"]
        st.query_params.from_dict(before)


def _runner(name: str) -> Callable[[], None]:
    def run() -> None:
        importlib.import_module(f"app.views.{name.replace('-', '_')}").show()

    run.__name__ = name.replace("-", "_")
    return run
