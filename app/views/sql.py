"""One read-only statement in the sandbox: the query is in the address, the schema beside it, results as table, chart and file."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import streamlit as st

from app import choose, data, present, sandbox, text
from app.words import comment, t
from models.errors import LifelineError

FIRST = "from lifeline join product using (product_id) select name, s12, s12_low, s12_high, lifeline_class order by s12 limit 20"
FIRST_RELATION = "lifeline"
_PARAMETER = re.compile(r"\$([A-Za-z_]\w*)")
_NOT_CODE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$\$.*?\$\$", re.DOTALL)


def show() -> None:
    """Write, run, show; the address keeps query and parameters."""
    present.heading(t("page.sql"), t("sql.lead"))
    left, right = st.columns([2, 1], gap="large")
    with right:
        _examples()
        _schema()
    with left:
        query = _editor()
        values = _parameters(query)
        empty = [f"${name}" for name, value in values.items() if value == ""]
        if query and st.query_params.get("q") and empty:
            present.nothing(t("sql.needs", names=text.escape(", ".join(empty))))
        elif query and st.query_params.get("q"):
            _answer(query, values)


def _editor() -> str:
    """The statement from the address; running it writes it back."""
    st.session_state.setdefault("sql_text", st.query_params.get("q") or FIRST)
    if st.query_params.get("q") not in (None, st.session_state.get("sql_seen")):
        st.session_state["sql_text"] = st.session_state["sql_seen"] = st.query_params["q"]
    query = st.text_area(t("sql.query"), key="sql_text", height=190, max_chars=100_000)
    st.button(t("sql.run"), type="primary", on_click=_into_address, shortcut="Ctrl+Enter")
    return query.strip()


def _into_address() -> None:
    st.query_params["q"] = st.session_state["sql_seen"] = st.session_state["sql_text"]


def names_in(query: str) -> list[str]:
    """Named parameters ($name) of a statement, outside of text and comments, in order."""
    return list(dict.fromkeys(_PARAMETER.findall(_NOT_CODE.sub(" ", query))))


def value_of(typed: str) -> Any:
    """What was typed as a number, a day, true, false or text."""
    for read in (int, float, date.fromisoformat):
        try:
            return read(typed)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(typed.lower(), typed)


def _parameters(query: str) -> dict[str, Any]:
    """A field for each named parameter, kept in the address as p.name."""
    names = names_in(query)[:12]
    if not names:
        return {}
    values = {}
    with st.container(horizontal=True, key="parameters"):
        for name in names:
            key = f"p.{name}"
            st.session_state[f"url:{key}"] = st.query_params.get(key, "")
            typed = st.text_input(f"${name}", key=f"url:{key}", on_change=_keep, args=(key,), width=180)
            values[name] = value_of(typed)
    return values


def _keep(key: str) -> None:
    st.query_params[key] = st.session_state[f"url:{key}"]


def _answer(query: str, values: dict[str, Any]) -> None:
    settings = data.home()
    timeout_s, max_rows = settings["sql_timeout_s"], settings["sql_max_rows"]
    try:
        result = _run(data.stamp(), query, tuple(sorted(values.items())), timeout_s, max_rows)
    except LifelineError as error:
        present.wrong(error)
        return
    st.caption(t("sql.took", n=f"{len(result.rows):,}", s=f"{result.seconds:.2f}", timeout=f"{timeout_s:g}", max=f"{max_rows:,}"))
    if result.is_truncated:
        st.warning(text.escape(result.limit))
    frame = _frame(result)
    st.dataframe(frame, hide_index=True, alt=t("sql.result"), height=min(35 * len(frame) + 38, 460))
    _chart(frame)
    present.downloads(frame, "query")


@st.cache_data(max_entries=60, show_spinner=False)
def _run(stamp: data.Stamp, query: str, values: tuple[tuple[str, Any], ...], timeout_s: float, max_rows: int) -> sandbox.Result:
    from pathlib import Path

    return sandbox.query(Path(stamp[0]), query, dict(values), timeout_s=timeout_s, max_rows=max_rows)


def _frame(result: sandbox.Result):
    """The answer as a frame; nested values as they are, decimals as numbers."""
    import pandas as pd

    frame = pd.DataFrame(result.rows, columns=sandbox.unique(result.columns))
    for name, kind in zip(frame.columns, result.types, strict=True):
        if kind.startswith("DECIMAL") and not kind.endswith("]"):
            frame[name] = frame[name].astype(float)
    return frame


def _chart(frame) -> None:
    """A chart of one numeric column over another column, when the answer has both."""
    numbers = [name for name in frame.columns if frame[name].dtype.kind in "iuf"]
    others = [name for name in frame.columns if name not in numbers[:1] or len(numbers) > 1]
    if not numbers or len(frame.columns) < 2 or len(frame) < 2:
        return
    with st.expander(t("sql.chart")):
        left, middle, right = st.columns(3)
        x = left.selectbox("x", others, key="sql_x")
        y = middle.selectbox("y", [name for name in numbers if name != x] or numbers, key="sql_y")
        kind = right.selectbox(
            t("sql.kind"), ["bar", "line", "point"], key="sql_kind", format_func=lambda value: t(f"sql.{value}")
        )
        from app import charts

        present.draw(charts.free(frame.head(2000), x, y, kind), alt=t("sql.chart"))


def _examples() -> None:
    """Questions that the relations answer, each a query to start from."""
    st.subheader(t("sql.examples"), anchor=False)
    for number, (title, query) in enumerate(_questions()):
        st.button(text.escape(title), key=f"example_{number}", on_click=_take, args=(query,), type="tertiary", wrap=True)


def _take(query: str) -> None:
    st.session_state["sql_text"] = st.session_state["sql_seen"] = st.query_params["q"] = query


def _questions() -> list[tuple[str, str]]:
    from app.words import language, table

    return [(entry[language()], entry["sql"]) for entry in table("questions.yaml").values()]


def _schema() -> None:
    """One relation at a time, with the comments that the database carries."""
    st.subheader(t("sql.schema"), anchor=False)
    rows = data.read("dictionary")
    relations = list(dict.fromkeys(rows["relation"]))
    first = relations.index(FIRST_RELATION) if FIRST_RELATION in relations else 0
    relation = choose.one("relation", t("method.relation"), relations, default=first) or FIRST_RELATION
    mine = rows[rows["relation"] == relation]
    if mine.empty:
        return
    st.caption(text.escape(comment(mine["grain"].iloc[0])))
    with st.container(height=420, border=False, key="schema"):
        st.caption(
            "\n".join(
                f"- `{row.column}` {text.escape(row.type)}: {text.escape(comment(row.meaning))}" for row in mine.itertuples()
            )
        )
