"""Choices that live in the address: the query string is the truth, the widget shows it and writes it back.

So a copied address shows the same page, in any language, and a link within the desk is a page and its query.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import streamlit as st

from app.words import t


def many(name: str, label: str, options: Sequence[str], words: Callable[[str], str] = str, **more: Any) -> list[str]:
    """Any number of options; none chosen means no filter."""
    key = _key(name)
    st.session_state[key] = [option for option in st.query_params.get_all(name) if option in options]
    more = {"placeholder": t("choose_some"), **more}
    return st.multiselect(label, options, format_func=words, key=key, on_change=_remember, args=(name,), **more)


def one(name: str, label: str, options: Sequence[str], words: Callable[[str], str] = str, default: int | None = 0) -> str | None:
    """One option; the one at `default` when the address names none (None: nothing is chosen yet)."""
    key = _key(name)
    wanted = st.query_params.get(name)
    first = options[default] if default is not None and options else None
    st.session_state[key] = wanted if wanted in options else first
    return st.selectbox(
        label,
        options,
        format_func=words,
        key=key,
        on_change=_remember,
        args=(name, first),
        index=default,
        placeholder=t("choose_one"),
    )


def tabs(name: str, label: str, options: Sequence[str], words: Callable[[str], str] = str) -> str:
    """One of a few options, side by side."""
    key = _key(name)
    wanted = st.query_params.get(name)
    st.session_state[key] = wanted if wanted in options else options[0]
    chosen = st.segmented_control(
        label, options, format_func=words, key=key, on_change=_remember, args=(name, options[0]), label_visibility="collapsed"
    )
    return chosen or options[0]


def text(name: str, label: str, **more: Any) -> str:
    """Free text, without blanks at its ends."""
    key = _key(name)
    st.session_state[key] = st.query_params.get(name, "")
    return st.text_input(label, key=key, on_change=_remember, args=(name,), **more).strip()


def day(name: str, label: str, default: date) -> date:
    """A day; `default` when the address names none or one that is no date."""
    key = _key(name)
    try:
        st.session_state[key] = date.fromisoformat(st.query_params.get(name, ""))
    except ValueError:
        st.session_state[key] = default
    chosen = st.date_input(label, key=key, format="YYYY-MM-DD", on_change=_remember, args=(name, default))
    return chosen if isinstance(chosen, date) else default


def flag(name: str, label: str, *, default: bool = False, **more: Any) -> bool:
    """Yes or no."""
    key = _key(name)
    st.session_state[key] = {"1": True, "0": False}.get(st.query_params.get(name, ""), default)
    return st.toggle(label, key=key, on_change=_remember, args=(name, default), **more)


def page_number(name: str, n_pages: int) -> int:
    """Which page of a long list, from 1; shows nothing when there is but one."""
    wanted = st.query_params.get(name, "1")
    current = min(max(int(wanted) if wanted.isdecimal() and len(wanted) < 7 else 1, 1), max(n_pages, 1))
    if n_pages <= 1:
        return 1
    key = _key(name)
    st.session_state[key] = current
    return st.pagination(n_pages, key=key, on_change=_remember, args=(name, 1))


def _key(name: str) -> str:
    return f"url:{name}"


def _remember(name: str, default: Any = None) -> None:
    """Write what the widget holds into the address; what is the default anyway leaves it."""
    value = st.session_state[_key(name)]
    if name != "p" and "p" in st.query_params:
        del st.query_params["p"]
    if value in (None, "", []) or value == default:
        st.query_params.pop(name, None)
    elif isinstance(value, list):
        st.query_params[name] = value
    else:
        st.query_params[name] = str(int(value)) if isinstance(value, bool) else str(value)
