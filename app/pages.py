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


def _runner(name: str) -> Callable[[], None]:
    def run() -> None:
        importlib.import_module(f"app.views.{name.replace('-', '_')}").show()

    run.__name__ = name.replace("-", "_")
    return run
