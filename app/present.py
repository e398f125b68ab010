"""How pages show things: links inside the desk, tables, estimates with their doubt, downloads."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from app import charts, data, pages, sentences, text, words
from app.words import capability, t

if TYPE_CHECKING:
    import pandas as pd


def link(page: str, label: str, **query: str) -> None:
    """A link to a page of the desk; `label` may come from outside, so it is escaped.

    A link within the page that runs is a button, because Streamlit would leave the old query in the address.
    """
    if pages.is_current(page):
        st.button(
            _link_words(label), type="tertiary", on_click=_turn_to, args=(query,), key=f"turn_{page}_{sorted(query.items())}"
        )
        return
    st.page_link(pages.page(page), label=_link_words(label), query_params=query or None, icon="")


def _link_words(label: str) -> str:
    return f":primary[{text.escape(label, 120) or '…'}]"


def _turn_to(query: dict[str, str]) -> None:
    st.query_params.from_dict(query)


def heading(title: str, lead: str = "") -> None:
    """The page's title, its one sentence, and the day that its estimates stand on."""
    st.title(title, anchor=False)
    if lead:
        st.markdown(lead)


def standing() -> None:
    """Until when the data reach; goes under everything that shows an estimate."""
    state = data.state()
    st.caption(t("standing", as_of=text.day(state["as_of"]), n=state["n_alive"], ended=state["n_ended"]))


def estimate(label: str, p: Any, low: Any, high: Any, note: str = "") -> None:
    """One probability as a tile, in steps of 5 %, with its interval; `note` says what it rests on."""
    with st.container(border=False):
        st.metric(label, text.chance(p))
        bounds = text.interval(low, high)
        st.caption(f"{t('interval_90')} {bounds}" if bounds else note or t("no_interval"))


def table(
    frame: pd.DataFrame,
    columns: Mapping[str, Any],
    *,
    alt: str,
    key: str | None = None,
    opens: Callable[[dict[str, Any]], tuple[str, dict[str, str]]] | None = None,
    height: Any = "auto",
) -> None:
    """A table of the named columns in that order. With `opens`, choosing a row goes to the page and query that it names."""
    shown = frame[[name for name in columns if name in frame.columns]]
    config = {name: columns[name] for name in shown.columns}
    if opens is None or key is None:
        st.dataframe(shown, column_config=config, hide_index=True, key=key, alt=alt, height=height, placeholder="")
        return
    chosen = st.dataframe(
        shown,
        column_config=config,
        hide_index=True,
        key=key,
        alt=alt,
        height=height,
        placeholder="",
        on_select="rerun",
        selection_mode="single-row",
    )
    rows = chosen["selection"]["rows"]
    if rows and rows[0] < len(frame):
        page, query = opens(data.records(frame.iloc[[rows[0]]])[0])
        pages.leave(page, query)
        st.switch_page(pages.page(page), query_params=query)


def draw(chart: charts.Chart, *, alt: str) -> None:
    """A chart over the whole width of its place; `alt` says in words what it shows."""
    st.vega_lite_chart(chart.rows, chart.spec, alt=alt, width="stretch")


def lists(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The frame with lists of capabilities as words of this session's language."""
    return _with(frame, {name: [_words(value) for value in frame[name]] for name in names if name in frame.columns})


def _with(frame: pd.DataFrame, columns: Mapping[str, list[Any]]) -> pd.DataFrame:
    """A copy of the frame with other values in some columns."""
    changed = frame.copy()
    for name, values in columns.items():
        changed[name] = values
    return changed


def _words(value: Any) -> list[str]:
    return [] if text.is_unknown(value) else [capability(label) for label in value]


def safe_urls(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The frame with only http(s) addresses left in the named columns."""
    return _with(
        frame, {name: [next(iter(text.links(value)), None) for value in frame[name]] for name in names if name in frame.columns}
    )


def plain(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The frame with text from outside cleaned of control characters."""
    return _with(frame, {name: [text.clean(value) for value in frame[name]] for name in names if name in frame.columns})


def because(values: Iterable[Any]) -> list[str]:
    """Why products ended: the catalogue's own codes in words, anything else as it was written."""
    known = words.table()
    return [t(f"because.{value}") if f"because.{value}" in known else text.clean(value) for value in values]


def intervals(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Columns s12, p_silent_6 … as text in steps of 5 %, with the interval behind where the frame has one."""
    return _with(
        frame, {name: [_with_interval(row, name) for row in data.rows(frame)] for name in names if name in frame.columns}
    )


def _with_interval(row: Mapping[str, Any], name: str) -> str:
    bounds = text.interval(row.get(f"{name}_low"), row.get(f"{name}_high"))
    shown = text.chance(row.get(name))
    return f"{shown} ({bounds})" if bounds and shown != "–" else shown


def downloads(rows: pd.DataFrame | Callable[[], pd.DataFrame], name: str) -> None:
    """The rows behind the page as CSV and Parquet, with their sources and the day they stand on; made (and got) when asked for."""
    as_of = text.day(data.as_of())
    with st.container(horizontal=True, key=f"downloads_{name}"):
        st.download_button(
            "CSV",
            lambda: to_csv(_got(rows)),
            f"lifeline-{name}-{as_of}.csv",
            "text/csv",
            key=f"csv_{name}",
            on_click="ignore",
            help=t("download_help"),
        )
        st.download_button(
            "Parquet",
            lambda: to_parquet(_got(rows), as_of),
            f"lifeline-{name}-{as_of}.parquet",
            "application/vnd.apache.parquet",
            key=f"parquet_{name}",
            on_click="ignore",
            help=t("download_help"),
        )


def _got(rows: pd.DataFrame | Callable[[], pd.DataFrame]) -> pd.DataFrame:
    return rows() if callable(rows) else rows


def to_csv(frame: pd.DataFrame) -> bytes:
    """CSV in UTF-8 with a mark for spreadsheets; formulas are neutralised."""
    from models.exports.csv import write_csv

    file = io.StringIO()
    write_csv(({name: _listed(value) for name, value in row.items()} for row in data.records(frame)), file, list(frame.columns))
    return ("\ufeff" + file.getvalue()).encode("utf-8")


def _listed(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def to_parquet(frame: pd.DataFrame, as_of: str) -> bytes:
    """Parquet whose metadata name the day the rows stand on."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pa.Table.from_pandas(frame, preserve_index=False)
    rows = rows.replace_schema_metadata({"as_of": as_of, "made_by": "lifeline"})
    file = io.BytesIO()
    pq.write_table(rows, file)
    return file.getvalue()


def wrong(error: Any) -> None:
    """What was wrong and what to do, in this session's language where the program knows the sentence."""
    st.error(text.escape(sentences.shown(error)))


def nothing(why: str) -> None:
    """An empty answer, with the reason."""
    st.info(why, icon=None)


def facts(pairs: Sequence[tuple[str, str]]) -> None:
    """Name and value, line by line; values are Markdown of our own or escaped."""
    st.markdown("\n".join(f"- **{name}**: {value}" for name, value in pairs if value not in ("", "–")))
