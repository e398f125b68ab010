"""The weekly brief: what jumped, whom it hit, who has least time, as Markdown and as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models import digest
from models.digest import Alert, Facts, as_markdown
from models.exports import svg
from models.exports.atom import clean
from models.exports.feeds import STAGE_WORDS, told_jumps
from models.exports.lists import fetch
from models.identity import safe_link

if TYPE_CHECKING:
    import duckdb

SQL = Path(__file__).with_name("sql")
DAYS = 7
N_LIFELINES = 10
N_ALERTS = 20
HEAVIEST = (
    "where known_on > $as_of::date - $days::integer and known_on <= $as_of::date "
    "order by weight desc nulls last, happened_on desc, jump_id limit 15"
)
CLOCKS = (
    "Three clocks, never mixed: overtaken (a decisive jump covers half of what a product sells), silent (six months without a sign "
    "of life) and ended (shut down, bought and closed, or another job). Most overtaken products live on for years."
)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Brief:
    """Everything the brief says."""

    as_of: date | None
    made_at: datetime
    jumps: Sequence[Row]
    lifelines: Sequence[Row]
    months: Sequence[Row]
    alerts: Sequence[Alert]
    n_products: int


def read(con: duckdb.DuckDBPyConnection, facts: Facts | None, made_at: datetime) -> Brief:
    """Gather the facts from a published file; products without a name in `facts` stay out."""
    as_of = facts.as_of if facts else None
    shown = list(facts.names) if facts else []
    jumps = told_jumps(con, HEAVIEST, {"as_of": as_of, "days": DAYS})
    lifelines = fetch(con, _sql("brief_lifelines"), {"shown": shown, "n": N_LIFELINES}).records()
    months = fetch(con, _sql("brief_months"), {"as_of": as_of}).records()
    found = digest.alerts(facts, facts.names) if facts else []
    return Brief(as_of, made_at, jumps, lifelines, months, found[:N_ALERTS], len(shown))


def _sql(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def markdown(content: Brief) -> str:
    """The brief as Markdown; a chart is a table there."""
    lines = [f"# Lifeline, week to {content.as_of or 'the first run'}", "", as_markdown(_standing(content)), ""]
    lines += ["## What jumped", ""]
    lines += [f"- {_jump_markdown(row)}" for row in content.jumps] or ["No jump became known this week."]
    lines += ["", "## What to look at", ""]
    lines += [
        f"- **{digest.URGENCY_WORDS[one.urgency]}**: {as_markdown(one.line)}{_address(one.url)}" for one in content.alerts
    ] or ["Nothing."]
    lines += ["", "## Who has least time", "", *_table(_lifeline_head(), [_lifeline_cells(row) for row in content.lifelines])]
    lines += ["", "## Jumps by month", "", *_table(["month", "jumps"], [(row["month"], str(row["n"])) for row in content.months])]
    return "\n".join([*lines, "", f"{CLOCKS} Made {content.made_at:%Y-%m-%d %H:%M} UTC.", ""])


def _jump_markdown(row: Row) -> str:
    return f"{as_markdown(_jump_line(row))}{_address(safe_link(row['source_url']))}"


def _jump_line(row: Row) -> str:
    who = " ".join(part for part in (row["provider"], row["release"] or row["platform"]) if part) or "Unknown platform"
    labels = ", ".join(label.replace("_", " ") for label in row["capabilities"] or ()) or "no capability named"
    decisively = f"{row['n_decisive']} of them decisively" if row["n_decisive"] else "none decisively"
    reached = f"It reached {_counted(row['n_products'])}, {decisively}." if row["n_products"] else "No tracked product sells it."
    summary = (row["summary"] or "").strip()
    dot = "" if not summary or summary[-1] in ".!?。！？" else "."
    said = f"{labels}; {STAGE_WORDS.get(row['stage'], row['stage'])}, magnitude {row['magnitude']} of 3"
    return " ".join(f"{row['happened_on']}: {who} ({said}). {summary}{dot} {reached}".split())


def _counted(n: int) -> str:
    return f"{n} product{'s' * (n != 1)}"


def _address(url: str) -> str:
    return f" <{url}>" if url else ""


def _lifeline_head() -> list[str]:
    return ["product", "class", "there in 3 months", "in 12 months", "overtaken within 12", "products at risk behind it"]


def _lifeline_cells(row: Row) -> tuple[str, ...]:
    """A row of the table: every estimate with its interval and the number behind it."""
    return (
        row["name"],
        row["lifeline_class"] or "unsure",
        _share(row["s3"], row["s3_low"], row["s3_high"]),
        _share(row["s12"], row["s12_low"], row["s12_high"]),
        _overtaken(row),
        f"{row['n_at_risk']} ({(row['evidence'] or '').replace('_', ' ')})",
    )


def _overtaken(row: Row) -> str:
    if row["p_overtaken_12"] is not None:
        return f"{row['p_overtaken_12']:.0%}"
    return f"since {row['overtaken_on']}" if row["overtaken_on"] else "unknown"


def _share(middle: float | None, low: float | None, high: float | None) -> str:
    return "unknown" if middle is None else f"{middle:.0%} ({low or 0:.0%} to {1 if high is None else high:.0%})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table; a bar in a cell cannot end it."""
    body = [f"| {' | '.join(as_markdown(cell) for cell in row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *body] if body else ["Nothing yet."]


def _standing(content: Brief) -> str:
    return f"{content.n_products} products, estimates of {content.as_of or 'no run yet'}, 90 % intervals in brackets."


def html(content: Brief) -> str:
    """The brief as one HTML page without script, outside address or hidden picture; charts are inline SVG."""
    title = f"Lifeline, week to {content.as_of or 'the first run'}"
    body = [
        f"<h1>{escape(title)}</h1><p>{escape(_standing(content))}</p>",
        "<h2>What jumped</h2>" + _list([(_jump_line(row), safe_link(row["source_url"])) for row in content.jumps]),
        svg.bars([(row["month"], row["n"]) for row in content.months], "Jumps that became known, by month"),
        "<h2>What to look at</h2>"
        + _list([(f"{digest.URGENCY_WORDS[one.urgency]}: {one.line}", one.url) for one in content.alerts]),
        "<h2>Who has least time</h2>" + _lifelines_html(content.lifelines),
        f"<footer><p>{escape(CLOCKS)}</p><p>Made {content.made_at:%Y-%m-%d %H:%M} UTC.</p></footer>",
    ]
    return PAGE.replace("{title}", escape(title)).replace("{body}", "\n".join(body))


def _list(items: Sequence[tuple[str, str]]) -> str:
    if not items:
        return "<p>Nothing this week.</p>"
    return "<ul>" + "".join(f"<li>{_html_text(text)}{_html_link(url)}</li>" for text, url in items) + "</ul>"


def _html_text(text: str) -> str:
    return clean(text).replace('"', "&quot;")


def _html_link(url: str) -> str:
    return f' <a rel="noopener nofollow ugc" href="{escape(url, quote=True)}">source</a>' if url else ""


def _lifelines_html(rows: Sequence[Row]) -> str:
    if not rows:
        return "<p>Nothing yet.</p>"
    head = "".join(f"<th>{escape(name)}</th>" for name in _lifeline_head())
    cells = "".join("<tr>" + "".join(f"<td>{_html_text(cell)}</td>" for cell in _lifeline_cells(row)) + "</tr>" for row in rows)
    known = [(row["name"], row["s12_low"] or 0.0, row["s12"], row["s12_high"] or 1.0) for row in rows if row["s12"] is not None]
    return f"<table><tr>{head}</tr>{cells}</table>" + svg.intervals(known, "Chance to be there in 12 months, 90 % interval")


PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body { font-family: system-ui, sans-serif; line-height: 1.5; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1f2933; background: #fff; }
table { border-collapse: collapse; font-size: 0.9rem; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid #d9e2ec; padding: 0.3rem 0.6rem; text-align: left; }
li { margin-bottom: 0.4rem; overflow-wrap: anywhere; }
footer { color: #616e7c; font-size: 0.85rem; margin-top: 2rem; }
svg { margin: 1rem 0; background: #fff; }
</style>
</head>
<body>
{body}
</body>
</html>
"""
