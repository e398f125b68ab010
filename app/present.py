"""How pages show things: links inside the desk, tables, estimates with their doubt, downloads."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from app import data, pages, text
from app.words import capability, t

if TYPE_CHECKING:
    import pandas as pd


def link(page: str, label: str, **query: str) -> None:
    """A link to another page of the desk; `label` may come from outside, so it is escaped."""
    st.page_link(pages.page(page), label=text.escape(label, 120) or "…", query_params=query or None, icon="")


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
        st.dataframe(shown, column_config=config, hide_index=True, key=key, alt=alt, height=height)
        return
    chosen = st.dataframe(
        shown,
        column_config=config,
        hide_index=True,
        key=key,
        alt=alt,
        height=height,
        on_select="rerun",
        selection_mode="single-row",
    )
    rows = chosen["selection"]["rows"]
    if rows and rows[0] < len(frame):
        page, query = opens(data.records(frame.iloc[[rows[0]]])[0])
        st.switch_page(pages.page(page), query_params=query)


def lists(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The frame with lists of capabilities as words of this session's language."""
    return frame.assign(**{name: [_words(value) for value in frame[name]] for name in names if name in frame.columns})


def _words(value: Any) -> list[str]:
    return [] if text.is_unknown(value) else [capability(label) for label in value]


def safe_urls(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The frame with only http(s) addresses left in the named columns."""
    return frame.assign(
        **{name: [next(iter(text.links(value)), None) for value in frame[name]] for name in names if name in frame.columns}
    )


def plain(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The frame with text from outside cleaned of control characters."""
    return frame.assign(**{name: [text.clean(value) for value in frame[name]] for name in names if name in frame.columns})


def intervals(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Columns s12, p_silent_6 … as text in steps of 5 %, with the interval behind where the frame has one."""
    return frame.assign(
        **{name: [_with_interval(row, name) for row in frame.to_dict("records")] for name in names if name in frame.columns}
    )


def _with_interval(row: Mapping[str, Any], name: str) -> str:
    bounds = text.interval(row.get(f"{name}_low"), row.get(f"{name}_high"))
    shown = text.chance(row.get(name))
    return f"{shown} ({bounds})" if bounds and shown != "–" else shown


def downloads(frame: pd.DataFrame, name: str) -> None:
    """The rows behind the page as CSV and Parquet, with their sources and the day they stand on; made when asked for."""
    as_of = text.day(data.as_of())
    with st.container(horizontal=True, key=f"downloads_{name}"):
        st.download_button(
            "CSV",
            lambda: to_csv(frame),
            f"lifeline-{name}-{as_of}.csv",
            "text/csv",
            key=f"csv_{name}",
            on_click="ignore",
            help=t("download_help"),
        )
        st.download_button(
            "Parquet",
            lambda: to_parquet(frame, as_of),
            f"lifeline-{name}-{as_of}.parquet",
            "application/vnd.apache.parquet",
            key=f"parquet_{name}",
            on_click="ignore",
            help=t("download_help"),
        )


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


def nothing(why: str) -> None:
    """An empty answer, with the reason."""
    st.info(why, icon="ℹ️")


def facts(pairs: Sequence[tuple[str, str]]) -> None:
    """Name and value, line by line; values are Markdown of our own or escaped."""
    st.markdown("\n".join(f"- **{name}**: {value}" for name, value in pairs if value not in ("", "–")))


def product_filters(**given: Any) -> dict[str, Any]:
    """Parameters of the query `products`, with no filter where none is given."""
    none: dict[str, Any] = {
        name: [] for name in ("segments", "tiers", "categories", "capabilities", "providers", "classes", "ids")
    }
    return {**none, "q": "", "fate": "all", "order_by": "overtaken", "n_rows": 100, "n_skipped": 0, **given}


def jump_filters(**given: Any) -> dict[str, Any]:
    """Parameters of the query `jumps`, with no filter where none is given."""
    none: dict[str, Any] = {name: [] for name in ("capabilities", "providers", "stages", "origins")}
    return {**none, "since": None, "until": None, "q": "", "min_weight": 0.0, **given}


PRODUCT_COLUMNS = (
    "name", "overtaken", "p_overtaken_3", "p_overtaken_6", "p_overtaken_12", "s3", "s6", "s12", "lifeline_class", "silent_since",
    "p_silent_6", "survival_curve", "signs_of_life", "sells", "segment", "wrapper_tier", "outcome", "ended_on", "n_at_risk", "homepage",
)  # fmt: skip


def products(frame: pd.DataFrame, *, key: str, columns: Sequence[str] = PRODUCT_COLUMNS, height: Any = "auto") -> None:
    """Products as a table; choosing a row opens the product. Chances stand in steps of 5 %, with their intervals."""
    shown = frame.assign(
        overtaken=[text.day(value, "month") if not text.is_unknown(value) else "" for value in frame["overtaken_on"]],
        silent_since=[text.day(value, "month") if not text.is_unknown(value) else "" for value in frame["silent_since"]],
        lifeline_class=[class_words(value) for value in frame["lifeline_class"]],
        segment=[t(f"segment.{value}") if value else "" for value in frame["segment"]],
        outcome=[t(f"outcome.{value}") if value else t("outcome.unknown") for value in frame["outcome"]],
    )
    shown = intervals(shown, "s3", "s6", "s12", "p_overtaken_3", "p_overtaken_6", "p_overtaken_12", "p_silent_6")
    shown = safe_urls(plain(lists(shown, "sells", "depends_on"), "name", "vendor", "category"), "homepage")
    table(
        shown,
        {name: product_columns()[name] for name in columns},
        alt=t("page.products"),
        key=key,
        opens=_open_product,
        height=height,
    )


def _open_product(row: dict[str, Any]) -> tuple[str, dict[str, str]]:
    return "product", {"id": row["product_id"]}


def class_words(value: Any) -> str:
    """A lifeline class for people; two that share the weight stand side by side."""
    return "" if text.is_unknown(value) or value == "" else "/".join(t(f"class.{part}") for part in str(value).split("/"))


def product_columns() -> dict[str, Any]:
    """How each column of a table of products is shown."""
    config = st.column_config
    words = {
        name: config.TextColumn(t(f"col.{name}"), help=t(f"colhelp.{name}"))
        for name in (
            "p_overtaken_3",
            "p_overtaken_6",
            "p_overtaken_12",
            "s3",
            "s6",
            "s12",
            "p_silent_6",
            "lifeline_class",
            "silent_since",
            "overtaken",
        )
    }
    return {
        **words,
        "name": config.TextColumn(t("col.name"), width="medium", pinned=True),
        "survival_curve": config.LineChartColumn(
            t("col.survival_curve"), y_min=0, y_max=1, width="small", help=t("colhelp.survival_curve")
        ),
        "signs_of_life": config.BarChartColumn(t("col.signs_of_life"), y_min=0, width="small", help=t("colhelp.signs_of_life")),
        "sells": config.ListColumn(t("col.sells")),
        "segment": config.TextColumn(t("col.segment")),
        "wrapper_tier": config.NumberColumn(t("col.wrapper_tier"), format="%d"),
        "outcome": config.TextColumn(t("col.outcome")),
        "ended_on": config.DateColumn(t("col.ended_on"), format="YYYY-MM-DD"),
        "n_at_risk": config.NumberColumn(t("col.n_at_risk"), format="%d", help=t("colhelp.n_at_risk")),
        "homepage": config.LinkColumn(t("col.homepage"), display_text=r"https?://(?:www\.)?([^/]+)"),
    }
