"""Entries of the two feeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.digest import Alert, Facts
from models.exports.atom import Entry, midnight
from models.exports.lists import fetch
from models.identity import safe_link

if TYPE_CHECKING:
    import duckdb

N_JUMPS = 100
STAGE_WORDS = {"announced": "announced", "preview": "in preview", "ga": "available", "retired": "retired"}


def jump_entries(con: duckdb.DuckDBPyConnection) -> list[Entry]:
    """The jumps that became known last, newest first."""
    return [_jump(row) for row in told_jumps(con, "order by known_on desc, happened_on desc, jump_id limit $n", {"n": N_JUMPS})]


def told_jumps(con: duckdb.DuckDBPyConnection, which: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Jumps as the feed and the brief tell them; `which` says which ones and in what order (`where …`, `order by …`, `limit …`)."""
    told = (Path(__file__).with_name("sql") / "told_jumps.sql").read_text(encoding="utf-8")
    return fetch(con, f"with told as ({told}) select * from told {which}", params).records()


def _jump(row: dict) -> Entry:
    who = " ".join(part for part in (row["provider"], row["release"]) if part) or row["platform"] or "unknown platform"
    labels = tuple(row["capabilities"] or ())
    said = [
        f"{STAGE_WORDS.get(row['stage'], row['stage'])} on {row['happened_on']}, reach {row['reach']}, magnitude {row['magnitude']} of 3",
        f"capabilities: {', '.join(labels) or 'none named'}",
        f"products it reached: {row['n_products']}, decisively {row['n_decisive']}",
    ]
    return Entry(
        key=row["jump_id"],
        title=f"{who}: {', '.join(labels) or 'jump'} ({STAGE_WORDS.get(row['stage'], row['stage'])})",
        summary=f"{row['summary'] or ''} [{'; '.join(said)}]".strip(),
        updated_at=midnight(row["known_on"]),
        published_at=midnight(row["known_on"]),
        url=safe_link(row["source_url"]),
        categories=labels,
    )


def alert_entries(alerts: Sequence[Alert], facts: Facts) -> list[Entry]:
    """Alerts of all products, newest first, each dated with the day from which there was something to tell."""
    ordered = sorted(alerts, key=lambda one: (-one.since_on.toordinal(), one.milestone))
    return [
        Entry(
            key=alert.milestone,
            title=f"{facts.names[alert.product_id]}: {alert.kind.replace('_', ' ')}",
            summary=alert.line,
            updated_at=midnight(alert.since_on),
            url=alert.url,
            categories=(alert.kind, alert.urgency),
        )
        for alert in ordered
    ]
