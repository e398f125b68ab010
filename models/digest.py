"""What changed for the products somebody follows: a pure decision over facts read from the published file.

    published file -> facts -> alerts (each with the milestone it stands for) -> less what was said before -> one digest

Four things are worth a message: a decisive jump, a lifeline class that went down, a switch-off 90, 30 and 7 days ahead, and an end
that documents suggest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import SettingsError
from models.identity import safe_link

if TYPE_CHECKING:
    import duckdb

SQL = Path(__file__).with_name("sql") / "digest"
WINDOW_DAYS = 30
AHEAD_DAYS = (7, 30, 90)
CLASS_RANK = {"3": 0, "6": 1, "12": 2, "long": 3}
URGENCIES = ("now", "soon", "watch")
URGENCY_WORDS = {"now": "Now", "soon": "Soon", "watch": "Watch"}
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the published file says of every product, by question; `names` maps product ids to names, without private ones unless asked."""

    as_of: date
    names: Mapping[str, str]
    decisive: Sequence[Row] = ()
    class_changes: Sequence[Row] = ()
    retirements: Sequence[Row] = ()
    proposed_ends: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to tell. `milestone` is its name for ever: what was sent under it is not sent again.

    `happened_on` is the day of the event, which may lie ahead; `since_on` the day from which there was something to tell.
    """

    milestone: str
    kind: str
    urgency: str
    product_id: str
    happened_on: date
    since_on: date
    line: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Digest:
    """One message: a title, the alerts most urgent first, and the same as Markdown."""

    watchlist: str
    title: str
    alerts: tuple[Alert, ...]
    body: str


def read_facts(con: duckdb.DuckDBPyConnection, *, include_private: bool) -> Facts | None:
    """Read the facts from a published file; None before the first run has an as_of."""
    as_of = con.execute("select coalesce(max(as_of), (select max(as_of) from run)) from lifeline").fetchall()[0][0]
    if as_of is None:
        return None
    where = "" if include_private else "where not coalesce(is_private, false)"
    names = dict(con.execute(f"select product_id, coalesce(name, product_id) from product {where}").fetchall())

    def rows(name: str) -> list[dict[str, Any]]:
        sql = (SQL / f"{name}.sql").read_text(encoding="utf-8")
        given = {"as_of": as_of, "window_days": WINDOW_DAYS}
        cursor = con.execute(sql, {key: value for key, value in given.items() if f"${key}" in sql})
        columns = [column[0] for column in cursor.description or []]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

    return Facts(as_of, names, rows("decisive"), rows("class_change"), rows("retirement"), rows("proposed_end"))


def alerts(facts: Facts, product_ids: Collection[str]) -> list[Alert]:
    """Everything worth telling about these products, most urgent first, then newest; products without a name here stay unsaid."""
    followed = {key for key in product_ids if key in facts.names}
    found = [
        *(_decisive(row, facts) for row in facts.decisive if row["product_id"] in followed),
        *(_class_down(row, facts) for row in facts.class_changes if row["product_id"] in followed and is_down(row)),
        *(_retirement(row, facts) for row in facts.retirements if row["product_id"] in followed),
        *(_proposed_end(row, facts) for row in facts.proposed_ends if row["product_id"] in followed),
    ]
    unique = {alert.milestone: alert for alert in found}
    return sorted(unique.values(), key=lambda one: (URGENCIES.index(one.urgency), -one.since_on.toordinal(), one.milestone))


def is_down(row: Row) -> bool:
    """Whether a class became shorter; an unsure one on either side is no news."""
    before, after = rank(row["before"]), rank(row["after"])
    return before is not None and after is not None and after < before


def rank(lifeline_class: str | None) -> int | None:
    """Order of a class; of two that share the weight the shorter one counts. None for unsure."""
    ranks = [CLASS_RANK[part] for part in (lifeline_class or "").split("/") if part in CLASS_RANK]
    return min(ranks, default=None)


def ahead(days_left: int) -> int | None:
    """The bucket of a switch-off: 7, 30 or 90 days; None when it is further away or past."""
    return next((bucket for bucket in AHEAD_DAYS if 0 < days_left <= bucket), None) if days_left > 0 else None


def _decisive(row: Row, facts: Facts) -> Alert:
    who = " ".join(part for part in (row["provider"], row["release"]) if part)
    return Alert(
        milestone=f"decisive:{row['product_id']}:{row['jump_id']}",
        kind="decisive_jump",
        urgency="now",
        product_id=row["product_id"],
        happened_on=row["happened_on"],
        since_on=row["known_on"],
        line=f"{_name(row, facts)}: decisive jump in {row['capabilities']} by {who} on {row['happened_on']}. {row['summary'] or ''}".strip(),
        url=safe_link(row["source_url"]),
    )


def _class_down(row: Row, facts: Facts) -> Alert:
    return Alert(
        milestone=f"class:{row['product_id']}:{row['before']}>{row['after']}:{row['happened_on']}",
        kind="class_down",
        urgency="now" if rank(row["after"]) == 0 else "soon",
        product_id=row["product_id"],
        happened_on=row["happened_on"],
        since_on=row["happened_on"],
        line=f"{_name(row, facts)}: lifeline went from {_months(row['before'])} to {_months(row['after'])} on {row['happened_on']}.",
    )


def _months(lifeline_class: str) -> str:
    return "/".join(f"{part} months" if part.isdigit() else part for part in lifeline_class.split("/"))


def _retirement(row: Row, facts: Facts) -> Alert:
    left = (row["happened_on"] - facts.as_of).days
    bucket = ahead(left)
    who = " ".join(part for part in (row["provider"], row["release"]) if part)
    return Alert(
        milestone=f"retirement:{row['product_id']}:{row['jump_id']}:{bucket}",
        kind="retirement",
        urgency={7: "now", 30: "soon"}.get(bucket or 90, "watch"),
        product_id=row["product_id"],
        happened_on=row["happened_on"],
        since_on=min(facts.as_of, row["happened_on"] - timedelta(days=bucket or 0)),
        line=(
            f"{_name(row, facts)}: {who} is switched off on {row['happened_on']}, in {left} day{'s' * (left != 1)}; "
            f"it builds on {row['capabilities']}, so see whether it calls it."
        ),
        url=safe_link(row["source_url"]),
    )


def _proposed_end(row: Row, facts: Facts) -> Alert:
    words = {"end": "may have ended", "acquisition": "may have been bought", "pivot": "may have dropped its job"}
    return Alert(
        milestone=f"end:{row['proposal_id']}",
        kind="proposed_end",
        urgency="soon",
        product_id=row["product_id"],
        happened_on=row["happened_on"],
        since_on=row["happened_on"],
        line=f"{_name(row, facts)} {words[row['kind']]}: {row['reason'] or 'no reason given'}. It waits for a decision under Review.",
    )


def _name(row: Row, facts: Facts) -> str:
    return facts.names[row["product_id"]]


def fresh(found: Iterable[Alert], noticed: Collection[str]) -> list[Alert]:
    """Alerts whose milestone was not told before. A switch-off told at 7 days is not told at 30 afterwards."""
    return [alert for alert in found if alert.milestone not in noticed and not _is_behind(alert, noticed)]


def _is_behind(alert: Alert, noticed: Collection[str]) -> bool:
    if alert.kind != "retirement":
        return False
    stem, bucket = alert.milestone.rsplit(":", 1)
    return any(f"{stem}:{closer}" in noticed for closer in AHEAD_DAYS if closer < int(bucket))


def compose(watchlist: str, found: Sequence[Alert], as_of: date) -> Digest:
    """One digest of the alerts, grouped by urgency, as Markdown that hostile titles cannot break out of."""
    n_products = len({alert.product_id for alert in found})
    title = (
        f"Lifeline, {watchlist}: {len(found)} change{'s' * (len(found) != 1)} for {n_products} product{'s' * (n_products != 1)}"
    )
    parts = [f"State of {as_of}."]
    for urgency in URGENCIES:
        lines = [f"- {as_markdown(one.line)}{f' <{one.url}>' if one.url else ''}" for one in found if one.urgency == urgency]
        parts += ["", f"**{URGENCY_WORDS[urgency]}**", "", *lines] if lines else []
    return Digest(watchlist, title, tuple(found), "\n".join(parts) + "\n")


# HTML by entities, because not every renderer lets a backslash escape it
_MARKDOWN = {char: f"\\{char}" for char in "\\`*_[]#!"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;", "|": "&#124;", "~": "&#126;"}


def as_markdown(text: str) -> str:
    """Text from outside as one line of Markdown that means itself: no link, picture, HTML or heading of its own."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return "".join(_MARKDOWN.get(char, char) for char in line)


def is_quiet(now: datetime, quiet_hours: str) -> bool:
    """Whether `now` (UTC) lies in the quiet hours, as in 22-07; the end is not included, and empty means never.

    Raises
    ------
    SettingsError
        when the setting is not two hours of the day.

    """
    if not quiet_hours.strip():
        return False
    start, dash, end = quiet_hours.strip().partition("-")
    if not (dash and start.strip().isdigit() and end.strip().isdigit() and int(start) <= 24 and int(end) <= 24):
        raise SettingsError(f"quiet_hours is {quiet_hours!r}; write two hours in UTC, as in 22-07")
    first, last = int(start) % 24, int(end) % 24
    return first <= now.hour < last if first <= last else now.hour >= first or now.hour < last
