"""Sentences that the program itself wrote into published columns, in this session's language.

Columns hold English; a sentence that `sentences.yaml` knows is shown in Chinese on Chinese pages, another stays as it is. Never for text
that others wrote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from app import text, words

_BETWEEN = re.compile(r"; (?![^()]*\))")
_FIELD = re.compile(r"\\\{(\w+)\\\}")


def shown(sentence: Any) -> str:
    """The sentence in this session's language; unknown is the empty text."""
    said = text.clean(sentence)
    return in_chinese(said) if words.language() == "zh" and said else said


def summary(jump: Mapping[str, Any]) -> str:
    """What a jump was, in a sentence; for one that the program found itself it is made anew from the jump's fields on Chinese pages."""
    said = text.clean(jump["summary"])
    if words.language() != "zh" or jump["origin"] != "detected" or not said:
        return said
    labels = [] if text.is_unknown(jump["capabilities"]) else [one for one in jump["capabilities"] if one != "api_deprecation"]
    about = f"：{words.capabilities(labels)}" if labels else ""
    where = "" if jump["stage"] == "retired" else f"（{words.t('reach.' + jump['reach'])}）"
    return f"{text.clean(jump['provider'])} {words.t('did.' + jump['stage'])} {text.clean(jump['release'])}{where}{about}。"


def in_chinese(sentence: str) -> str:
    """The sentence in Chinese as far as it is known: its parts between semicolons that stand in no parentheses, or as a whole."""
    parts = _BETWEEN.split(sentence)
    known = [_translate(part) for part in parts]
    if not all(known):
        whole = _translate(sentence)
        if whole is not None:
            return whole
    return "；".join(one or part for one, part in zip(known, parts, strict=True)) if any(known) else sentence


def _translate(sentence: str) -> str | None:
    for pattern, chinese in _known():
        found = pattern.fullmatch(sentence)
        if found:
            return chinese.format(**{name: _field(name, value) for name, value in found.groupdict().items()})
    return None


def _field(name: str, value: str) -> str:
    """A field of a sentence: a label by its name, a phrase of our own translated, anything else as it is."""
    return words.capability(value) if name == "capability" else (_translate(value) or value) if name == "names" else value


@cache
def _known() -> tuple[tuple[re.Pattern[str], str], ...]:
    rows = yaml.safe_load(Path(__file__).with_name("sentences.yaml").read_text(encoding="utf-8"))
    return tuple((re.compile(_FIELD.sub(r"(?P<\1>.+?)", re.escape(row["en"]))), row["zh"]) for row in rows)
