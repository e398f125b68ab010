"""What the interface says, in English and Chinese. The words themselves stand in `words.yaml` and `method.yaml`.

The language is the session's own: the address (`?lang=zh`) over what was chosen before over the setting `lang`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
import yaml

from models import taxonomy

LANGUAGES = {"en": "English", "zh": "中文"}


@cache
def table(file: str = "words.yaml") -> dict[str, Any]:
    """Key to the words in every language; the files are ours, so a wrong one is a programming error."""
    return yaml.safe_load(Path(__file__).with_name(file).read_text(encoding="utf-8"))


def say(key: str, lang: str, **fields: Any) -> str:
    """The words of `key` in `lang`, fields filled in; an unknown key reads as itself, so that a new label is never a crash.

    Where one thing reads otherwise than several, `key#1` holds the words for a field `n` of 1.
    """
    found = (table().get(f"{key}#1") if fields.get("n") == 1 else None) or table().get(key)
    words = found[lang] if found else key.rpartition(".")[2].replace("_", " ")
    return words.format(**fields) if fields else words


def t(key: str, **fields: Any) -> str:
    """The words of `key` in this session's language."""
    return say(key, language(), **fields)


def language() -> str:
    """The language of this session: en or zh."""
    return st.session_state.get("language", "en")


def use(default: str) -> str:
    """Settle the language of this session; to be called once, at the top of a run."""
    for wanted in (st.query_params.get("lang"), st.session_state.get("language"), default):
        if wanted in LANGUAGES:
            st.session_state["language"] = wanted
            return wanted
    st.session_state["language"] = "en"
    return "en"


def capability(label: str) -> str:
    """A capability for people: 图像理解, or vision input."""
    term = _terms().get(label)
    if term is None:
        return label
    return term.name_zh if language() == "zh" and term.name_zh else term.name_en


def capabilities(labels: Any) -> str:
    """Several capabilities, joined for people."""
    return "、".join(map(capability, labels)) if language() == "zh" else ", ".join(map(capability, labels))


@cache
def _terms() -> dict[str, taxonomy.Term]:
    return {term.id: term for term in taxonomy.load().terms if term.kind == "capability"}


def comment(text: Any) -> str:
    """A comment of the database or a definition of the label set in this session's language; one that is not known stays as it is."""
    said = "" if text is None else str(text)
    return table("comments.yaml").get(said, said) if language() == "zh" else said


def long_text(key: str) -> str:
    """A longer piece of Markdown of our own in this session's language."""
    return table("method.yaml")[key][language()]
