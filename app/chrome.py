"""What stands around every page: language, who is signed in, until when the data reach, and the line for what is wrong."""

from __future__ import annotations

import streamlit as st

from app import data, sentences, signin, text, words
from app.words import t
from models.errors import LifelineError, NotPublishedError


def sidebar() -> None:
    """Language and sign-in; then the data's cut-off, unless there are no data yet."""
    with st.sidebar:
        _language()
        _who()
        if not may_read():
            return
        try:
            state = data.state()
        except LifelineError:
            return
        st.caption(t("cut_off", as_of=text.day(state["as_of"]), at=text.instant(state["finished_at"])))


def _language() -> None:
    st.session_state["choose_language"] = words.language()
    st.segmented_control(
        t("language"),
        list(words.LANGUAGES),
        format_func=words.LANGUAGES.__getitem__,
        key="choose_language",
        on_change=_speak,
        label_visibility="collapsed",
    )


def _speak() -> None:
    chosen = st.session_state["choose_language"] or words.language()
    st.session_state["language"] = chosen
    st.query_params["lang"] = chosen


def can_sign_in() -> bool:
    """Whether OIDC is configured in Streamlit's secrets."""
    try:
        return "auth" in st.secrets
    except (FileNotFoundError, st.errors.StreamlitSecretNotFoundError):
        return False


def is_signed_in() -> bool:
    """Whether this session went through the provider's sign-in."""
    return bool(st.user.get("is_logged_in", False))


def may_read() -> bool:
    """Whether this session may read: always without sign-in, else once signed in by somebody who is on the list."""
    return not can_sign_in() or (is_signed_in() and _is_listed())


def _is_listed() -> bool:
    return signin.may_enter(st.user.to_dict(), data.home()["sign_in_allowed"])


def is_let_in() -> bool:
    """Whether the page may be shown; says what to do when not."""
    if may_read():
        return True
    st.info(t("not_listed", name=text.escape(signin.name_of(st.user.to_dict()))) if is_signed_in() else t("sign_in_first"))
    return False


def who() -> str:
    """The name that rulings carry: the signed-in one, or local."""
    return signin.name_of(st.user.to_dict()) if can_sign_in() and is_signed_in() else "local"


def _who() -> None:
    if not can_sign_in():
        st.caption(t("local"))
    elif is_signed_in():
        st.caption(t("signed_in", name=text.escape(who())))
        st.button(t("sign_out"), on_click=st.logout)
    else:
        st.button(t("sign_in"), on_click=st.login)


def refuse(error: LifelineError) -> None:
    """One line that says what was wrong and what to do, and for a desk without data how to get them."""
    st.title(t("no_data_title") if isinstance(error, NotPublishedError) else t("error_title"), anchor=False)
    st.error(text.escape(sentences.shown(error)))
    if isinstance(error, NotPublishedError):
        st.markdown(t("no_data_help"))
        st.code("lifeline up --offline", language="bash")
