"""What the numbers mean: definitions, findings of the run, the data dictionary from the database itself, the label set."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from app import choose, data, present, sentences, text
from app.words import comment, language, long_text, t

CHANCES = ("monthly_hazard", "survival", "ended_by_24_months", "weights")
ELSEWHERE = ("as_of", "gates")  # under every estimate, and on the page Accuracy
VIEWS = ("definitions", "findings", "dictionary", "taxonomy", "runs")


def show() -> None:
    """Choose a part, show it."""
    present.heading(t("page.method"), t("method.lead"))
    view = choose.tabs("view", t("page.method"), VIEWS, lambda value: t(f"method.{value}"))
    {"definitions": _definitions, "findings": _findings, "dictionary": _dictionary, "taxonomy": _taxonomy, "runs": _runs}[view]()


def _definitions() -> None:
    for key in ("clocks", "estimate", "exposure", "judged", "limits"):
        st.markdown(long_text(key))


def _findings() -> None:
    rows = [
        row for row in data.records(data.read("findings")) if row["key"] not in ELSEWHERE and row["value"] not in (None, "null")
    ]
    if not rows:
        present.nothing(t("method.no_findings"))
        return
    for row in rows:
        with st.container(border=True):
            st.markdown(f"**{text.escape(t('finding.' + row['key']))}**")
            _value(json.loads(row["value"]), row["key"])


def _value(value: Any, key: str = "") -> None:
    """A finding: what it says as a sentence, its numbers as a list, lists of records as tables."""
    if _is_records(value):
        _records(value)
    elif isinstance(value, dict):
        said = value.get(language()) or value.get("says") or value.get("en")
        if said:
            st.markdown(text.escape(sentences.shown(said)))
        rest = {name: one for name, one in value.items() if name not in ("says", "en", "zh")}
        st.caption("\n".join(_lines({name: one for name, one in rest.items() if not _is_records(one)})))
        for one in filter(_is_records, rest.values()):
            _records(one)
    else:
        st.markdown(text.escape(_shown(value, key)))


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _records(rows: list[dict[str, Any]]) -> None:
    """Records as a table, without the long lists that only a program reads."""
    plain = [{_fact(name): _cell(one) for name, one in row.items() if not isinstance(one, (list, dict))} for row in rows]
    st.dataframe(plain, hide_index=True, alt=t("method.findings"), height="content")


def _lines(value: dict[str, Any], within: str = "", depth: int = 0) -> list[str]:
    """A record as a list, records within it indented."""
    lines = []
    for key, one in value.items():
        is_record = isinstance(one, dict)
        lines.append(
            f"{'  ' * depth}- {text.escape(_fact(key))}" + ("" if is_record else f": {text.escape(_shown(one, within or key))}")
        )
        lines += _lines(one, key, depth + 1) if is_record else []
    return lines


def _fact(key: str) -> str:
    """The name of a number for people; a plain number of months is said to be one."""
    return t("fact.months", n=int(key)) if key.isdigit() else t(f"fact.{key}")


def _cell(value: Any) -> Any:
    return sentences.shown(value) if isinstance(value, str) else value


def _shown(value: Any, within: str) -> str:
    """A chance in percent, another number to four digits, a sentence in this session's language."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return sentences.shown(str(value))
    if within in CHANCES:
        return f"{100 * value:.1f} %"
    return f"{value:,.1f}" if isinstance(value, float) and abs(value) >= 1000 else f"{value:.4g}"


def _dictionary() -> None:
    rows = data.read("dictionary")
    relations = list(dict.fromkeys(rows["relation"]))
    chosen = choose.one("relation", t("method.relation"), relations)
    shown = rows[rows["relation"] == chosen]
    st.markdown(text.escape(comment(shown["grain"].iloc[0])))
    st.caption(t("method.rows", n=f"{int(shown['n_rows'].iloc[0]):,}"))
    config = st.column_config
    present.table(
        shown.assign(meaning=[comment(said) for said in shown["meaning"]]),
        {
            "column": config.TextColumn(t("col.column"), pinned=True),
            "type": config.TextColumn(t("col.type")),
            "meaning": config.TextColumn(t("col.meaning"), width="large"),
        },
        alt=t("method.dictionary"),
        height="content",
    )
    present.downloads(rows, "dictionary")


def _taxonomy() -> None:
    rows = data.read("taxonomy")
    config = st.column_config
    for kind in ("capability", "event_kind", "wrapper_tier", "outcome"):
        st.subheader(t(f"method.kind_{kind}"), anchor=False)
        columns = {
            "id": config.TextColumn(t("col.label")),
            **(
                {"segment": config.TextColumn(t("col.segment")), "name_zh": config.TextColumn("中文")}
                if kind == "capability"
                else {}
            ),
            "definition": config.TextColumn(t("col.definition"), width="large"),
            **({"excludes": config.TextColumn(t("col.excludes"), width="large")} if kind == "capability" else {}),
        }
        mine = rows[rows["kind"] == kind]
        shown = mine.assign(
            definition=[comment(words) for words in mine["definition"]],
            excludes=[comment(words) for words in mine["excludes"]],
            segment=[t(f"segment.{segment}") if segment else "" for segment in mine["segment"]],
        )
        present.table(shown, columns, alt=t(f"method.kind_{kind}"), height="content")
    present.downloads(rows, "taxonomy")


def _runs() -> None:
    rows = data.read("runs")
    if rows.empty:
        present.nothing(t("method.no_runs"))
        return
    config = st.column_config
    columns = {
        "as_of": config.DateColumn(t("col.as_of"), format="YYYY-MM-DD", pinned=True),
        "started_at": config.DatetimeColumn(t("col.started_at"), format="YYYY-MM-DD HH:mm"),
        "finished_at": config.DatetimeColumn(t("col.finished_at"), format="YYYY-MM-DD HH:mm"),
        "status": config.TextColumn(t("col.run_status")),
        "tagger": config.TextColumn(t("finding.taggers")),
        "method_version": config.TextColumn(t("col.method_version")),
        "run_id": config.TextColumn(t("col.run")),
    }
    shown = rows.assign(status=[t(f"run.{status}") for status in rows["status"]])
    present.table(shown, columns, alt=t("method.runs"), height=min(35 * len(rows) + 38, 460))
    present.downloads(rows, "runs")
