"""The analyst's queue: one thing at a time, its evidence, one key per decision, and undo. Decisions are taken in by the next run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from app import choose, chrome, data, present, sentences, text
from app.words import capabilities, capability, t
from models import rulings
from models.errors import LifelineError
from models.tagging.review import review_order, uncertainty, worth

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("end", "proposal", "jump", "tag")


def show() -> None:
    """Choose the kind, get the first open thing, show it with its evidence and the keys."""
    present.heading(t("page.review"), t("review.lead"))
    kinds = choose.many("kind", t("review.what"), KINDS, lambda kind: t(f"review.{kind}"))
    queue = _queue(kinds)
    _said()
    left, right = st.columns([3, 1], gap="large")
    with right:
        _decided()
    with left:
        if queue.empty:
            present.nothing(t("review.empty"))
            return
        thing = _first(queue)
        st.caption(t("review.left", n=len(queue)))
        _thing(thing)
        _keys(thing)


def _queue(kinds: Sequence[str]) -> pd.DataFrame:
    """The queue without what was decided since the last run and what this session put off.

    Proposals come first, because nothing happens without a ruling on them; then what teaches most and most lifelines hang on.
    """
    found = data.read("review_queue")
    ruled = {(one.relation, one.key) for one in rulings.in_force(rulings.read(data.home().rulings)[0])}
    done = ruled | {tuple(thing) for thing in st.session_state.get("review_later", [])}
    things = list(zip(found["relation"], found["key"], strict=True))
    is_open = [thing not in done and (not kinds or kind in kinds) for thing, kind in zip(things, found["kind"], strict=True)]
    rest = found.loc[np.array(is_open, dtype=bool)].reset_index(drop=True)
    bits = uncertainty(rest["chance"].astype(float), rest["kind_chance"].astype(float).fillna(1.0))
    ranked = review_order(worth(bits, rest["n_lifelines"]), list(rest["since"]), list(rest["key"]))
    first = (rest["relation"] == "proposal").to_numpy()
    return rest.iloc[sorted(ranked, key=lambda row: not first[row])]


def _first(queue: pd.DataFrame) -> dict[str, Any]:
    """The first thing of the queue, with what is said of it."""
    thing = data.records(queue.head(1))[0]
    said = data.one("review_thing", relation=thing["relation"], key=thing["key"]) or {}
    return {"title": thing["key"], "detail": "", **thing, **said}


def _thing(thing: dict[str, Any]) -> None:
    """What is to be decided, with everything that speaks for it."""
    with st.container(border=True):
        st.badge(t(f"review.{thing['kind']}"), color="blue")
        st.subheader(text.escape(_title(thing), 160) or text.escape(thing["key"]), anchor=False)
        {"jump": _jump, "tag": _tag}.get(thing["kind"], _proposal)(thing)


def _title(thing: dict[str, Any]) -> str:
    """What it is about; a proposal's kind is the program's own word, so it is said in this session's language."""
    if thing["relation"] != "proposal":
        return thing["title"]
    subject, _, kind = str(thing["title"]).rpartition(" · ")
    return f"{subject} · {t('proposal.' + kind)}"


def _jump(thing: dict[str, Any]) -> None:
    jump = data.one("jump", jump_id=thing["key"])
    if jump is None:
        return
    labels = [] if jump["capabilities"] is None else list(jump["capabilities"])
    st.markdown(text.escape(sentences.summary(jump), 600))
    present.facts(
        [
            (t("col.happened_on"), text.day(jump["happened_on"], jump["date_precision"])),
            (t("col.capabilities"), capabilities(labels)),
            (
                t("col.stage"),
                f"{t('stage.' + jump['stage'])} · {t('reach.' + jump['reach'])} · {t('magnitude', n=jump['magnitude'])}",
            ),
            (t("col.confidence"), "–" if jump["confidence"] is None else f"{jump['confidence']:.2f}"),
        ]
    )
    documents = data.records(data.read("jump_documents", jump_id=thing["key"]))
    for row in documents[:5]:
        st.markdown(f"{text.linked(row['title'], row['url'])}  \n{text.day(row['published_at'])} · {text.escape(row['source'])}")
        if row["evidence"]:
            st.markdown(f"> {text.escape(row['evidence'], 400)}")


def _tag(thing: dict[str, Any]) -> None:
    document_id, _, label = thing["key"].rpartition(":")
    st.markdown(f"**{capability(label)}** · {thing['chance']:.2f}")
    if thing["detail"]:
        st.markdown(f"> {text.escape(thing['detail'], 500)}")
    _documents([document_id])


def _proposal(thing: dict[str, Any]) -> None:
    proposal = data.one("proposal", key=thing["key"])
    if proposal is None:
        return
    st.markdown(text.escape(sentences.shown(proposal["reason"]), 600))
    fields = json.loads(proposal["fields"] or "{}")
    present.facts([(text.escape(t(f"field.{name}")), _field(name, value)) for name, value in fields.items()])
    _documents([] if proposal["document_ids"] is None else list(proposal["document_ids"]))


def _field(name: str, value: Any) -> str:
    """A proposed value for people."""
    if name == "outcome":
        return t(f"outcome.{value}")
    address = text.safe_link(value) if name.startswith("source_url") or name == "homepage" else None
    return text.linked(text.host_of(value), value) if address else text.escape(value, 300)


def _documents(ids: list[str]) -> None:
    for row in data.records(data.read("documents", ids=ids)):
        st.markdown(f"{text.linked(row['title'], row['url'])}  \n{text.day(row['published_at'])} · {text.escape(row['source'])}")
        st.caption(text.escape(row["text"], 500))


def _keys(thing: dict[str, Any]) -> None:
    """One key per decision; the reason may stay as it is."""
    st.text_input(t("review.why"), key="review_why", placeholder=t("review.default_why"))
    with st.container(horizontal=True, key="keys"):
        st.button(t("review.confirm"), on_click=_decide, args=(thing, "confirm"), shortcut="Y", type="primary", key="confirm")
        st.button(t("review.reject"), on_click=_decide, args=(thing, "reject"), shortcut="N", key="reject")
        st.button(t("review.later"), on_click=_put_off, args=(thing,), shortcut="L", key="later")
        st.button(t("review.undo"), on_click=_undo, shortcut="U", key="undo", disabled=not st.session_state.get("review_done"))
    _correct(thing)


def _decide(thing: dict[str, Any], verdict: str, fields: dict[str, Any] | None = None) -> None:
    """Write the ruling under the signed-in name."""
    why = st.session_state.get("review_why", "").strip() or t("review.default_why")
    folder = data.home().rulings
    try:
        given = {**_documents_of(thing), **(fields or {})}
        one = rulings.rule(
            folder, verdict, thing["relation"], thing["key"], why=why, by=chrome.who(), now=datetime.now(UTC), fields=given
        )
    except LifelineError as error:
        st.session_state["review_error"] = str(error)
        return
    st.session_state["review_why"] = ""
    st.session_state["review_done"] = [*st.session_state.get("review_done", []), (one.ruling_id, thing["relation"], thing["key"])]


def _documents_of(thing: dict[str, Any]) -> dict[str, Any]:
    """A ruling on a jump names its first documents, so that it finds the jump again should its id ever change."""
    if thing["relation"] != "jump":
        return {}
    ids = list(data.read("jump_documents", jump_id=thing["key"])["document_id"][:3])
    return {"document_ids": ids} if ids else {}


def _put_off(thing: dict[str, Any]) -> None:
    st.session_state["review_later"] = [*st.session_state.get("review_later", []), (thing["relation"], thing["key"])]


def _undo() -> None:
    """Take back this session's latest decision."""
    done = st.session_state.get("review_done", [])
    if not done:
        return
    ruling_id, relation, _ = done[-1]
    try:
        rulings.rule(
            data.home().rulings, "undo", relation, ruling_id, why=t("review.undone"), by=chrome.who(), now=datetime.now(UTC)
        )
    except LifelineError as error:
        st.session_state["review_error"] = str(error)
        return
    st.session_state["review_done"] = done[:-1]


def _correct(thing: dict[str, Any]) -> None:
    """Other values instead of a plain yes: any field that a ruling of this kind may give."""
    known = sorted(rulings.FIELDS[thing["relation"]])
    with st.expander(t("review.correct")), st.form("correct", clear_on_submit=True):
        left, right = st.columns(2)
        field = left.selectbox(t("review.field"), known)
        value = right.text_input(t("review.value"), help=t("review.value_help"))
        if st.form_submit_button(t("review.write")):
            key = thing["key"].split(":")[0] if thing["relation"] == "tag" else thing["key"]
            _decide({**thing, "key": key}, "correct", {field: value})
            st.rerun()


def _said() -> None:
    """What went wrong with the last decision, once."""
    error = st.session_state.pop("review_error", None)
    if error:
        present.wrong(error)


def _decided() -> None:
    """The latest decisions in the home, whoever made them."""
    found, problems = rulings.read(data.home().rulings)
    standing = {one.ruling_id for one in rulings.in_force(found)}
    st.subheader(t("review.decided", n=len(found)), anchor=False)
    for problem in problems[:3]:
        st.warning(text.escape(problem))
    for one in found[::-1][:12]:
        mark = "" if one.ruling_id in standing or one.verdict == "undo" else f" · {t('review.taken_back')}"
        st.caption(
            f"{one.ruled_at:%m-%d %H:%M} · **{t('verdict.' + one.verdict)}** {text.escape(one.key, 40)} · {text.escape(one.ruled_by, 30)}{mark}"
        )
