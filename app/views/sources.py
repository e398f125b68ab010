"""Where the tracker reads, and how well: health of every source, the last error in words."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import choose, data, present, sentences, tables, text
from app.words import t

HEALTHS = ("fine", "empty", "stale", "failing", "blocked", "moved", "gone", "not_a_feed", "never")
KINDS = ("feed", "changelog", "releases", "commits", "npm", "registry", "sitemap", "hackernews", "archive", "liveness", "auto")
MAY_BE_EMPTY = ("last_error", "last_success_at", "newest_at", "health_since_at", "moved_to", "provider")
COLOURS: dict[str, str] = {"fine": "green", "empty": "gray", "stale": "orange", "never": "gray"}


def show() -> None:
    """Choose, get, show."""
    present.heading(t("page.sources"), t("sources.lead"))
    _summary()
    if not data.state()["n_sources_polled"]:
        st.caption(t("sources.not_polled"))
    left, middle, right = st.columns(3)
    with left:
        q = choose.text("q", t("filter.search"), placeholder=t("filter.search_sources"))
    with middle:
        healths = choose.many("health", t("col.health"), HEALTHS, lambda value: t(f"health.{value}"))
    with right:
        kinds = choose.many("kind", t("col.kind"), KINDS, lambda value: t(f"source_kind.{value}"))
    everything = choose.flag("all", t("sources.all"))
    rows = data.read("sources", q=q, healths=healths, kinds=kinds, all=everything)
    if rows.empty:
        present.nothing(t("sources.none"))
        return
    _table(rows)
    present.downloads(rows, "sources")


def _summary() -> None:
    """How many sources are in which state."""
    with st.container(horizontal=True, key="health"):
        for row in data.records(data.read("health")):
            st.badge(f"{t('health.' + row['health'])}: {row['n']}", color=COLOURS.get(row["health"], "red"))


def _table(rows) -> None:
    shown = rows.assign(
        health=[t(f"health.{'never' if text.is_unknown(value) else value}") for value in rows["health"]],
        kind=[t(f"source_kind.{value}") for value in rows["kind"]],
        tier=[t(f"tier_of.{value}") if value else "" for value in rows["tier"]],
    )
    shown = shown.assign(last_error=[sentences.shown(value) for value in rows["last_error"]])
    told = [name for name in MAY_BE_EMPTY if not rows[name].isna().all()]
    shown = present.safe_urls(present.plain(shown, "title", "provider"), "url", "site", "moved_to")
    columns = _columns()
    present.table(
        shown,
        {name: one for name, one in columns.items() if name not in MAY_BE_EMPTY or name in told},
        alt=t("page.sources"),
        height=min(35 * len(rows) + 38, 640),
    )


def _columns() -> dict[str, Any]:
    """How each column is shown."""
    config = st.column_config
    return {
        "title": config.TextColumn(t("col.source"), pinned=True, width="medium"),
        "health": config.TextColumn(t("col.health")),
        "last_error": config.TextColumn(t("col.last_error"), width="medium"),
        "n_failures": config.NumberColumn(t("col.n_failures"), help=t("colhelp.n_failures")),
        "last_success_at": config.DatetimeColumn(t("col.last_success_at"), format="YYYY-MM-DD HH:mm"),
        "newest_at": config.DatetimeColumn(t("col.newest_at"), format="YYYY-MM-DD"),
        "n_documents": config.NumberColumn(t("col.n_documents")),
        "kind": config.TextColumn(t("col.kind")),
        "tier": config.TextColumn(t("col.tier"), help=t("colhelp.tier")),
        "provider": config.TextColumn(t("col.provider")),
        "lang": config.TextColumn(t("col.lang")),
        "every_hours": config.NumberColumn(t("col.every_hours"), format="%.0f"),
        "health_since_at": config.DatetimeColumn(t("col.health_since_at"), format="YYYY-MM-DD"),
        "url": config.LinkColumn(t("col.url"), display_text=tables.HOST),
        "moved_to": config.LinkColumn(t("col.moved_to"), display_text=tables.HOST),
    }
