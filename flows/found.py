"""What a pass did and what it found, in words with their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.pipeline import Outcome
from models.report import table
from models.store import open_published

if TYPE_CHECKING:
    import duckdb

N_SHOWN = 5


def pass_lines(outcome: Outcome) -> list[str]:
    """One line a stage: its counts and seconds."""
    width = max(map(len, outcome.counts), default=0)
    lines = [
        f"  {name:<{width}}  {_counts(counts)}  ({outcome.seconds.get(name, 0):.1f} s)" for name, counts in outcome.counts.items()
    ]
    return [f"run {outcome.run_id} as of {outcome.as_of}: {outcome.status}", *lines]


def pass_data(outcome: Outcome) -> dict[str, Any]:
    """The same for programs."""
    return {
        "run_id": outcome.run_id,
        "as_of": outcome.as_of,
        "status": outcome.status,
        "counts": outcome.counts,
        "seconds": outcome.seconds,
    }


def _counts(counts: Mapping[str, Any]) -> str:
    """Counts in words; zeros say nothing."""
    shown = [
        f"{value} {name.replace('_', ' ')}" if isinstance(value, int) else f"{name}: {value}"
        for name, value in counts.items()
        if value
    ]
    return ", ".join(shown) or "nothing to do"


def found_lines(published: Path) -> list[str]:
    """Jumps, products hit and shortest lifelines, as the published file has them."""
    with open_published(published) as con:
        return [*_jumps(con), *_hits(con), *_shortest(con)]


def _jumps(con: duckdb.DuckDBPyConnection) -> list[str]:
    n, n_year, n_documents, as_of = _row(
        con,
        "select count(*), count(*) filter (happened_on > day - interval 1 year), (select count(*) from document), day "
        "from jump right join (select max(as_of) as day from run) on true group by day",
    )
    return [f"{n} jumps known on {as_of}, {n_year} of them in the last 12 months; {n_documents} documents read"]


def _hits(con: duckdb.DuckDBPyConnection) -> list[str]:
    n_hit, n_overtaken, n_alive, n_products = _row(
        con,
        "select (select count(distinct product_id) from exposure where role = 'sells'), (select count(overtaken_on) from lifeline), "
        "(select count(*) from lifeline), (select count(*) from product)",
    )
    return [f"{n_hit} of {n_products} products hit by a jump in a job they sold; of {n_alive} alive, {n_overtaken} are overtaken"]


def _shortest(con: duckdb.DuckDBPyConnection) -> list[str]:
    rows = con.execute(
        "select name as product, round(100 * s12) as alive, round(100 * s12_low) as low, round(100 * s12_high) as high, "
        "lifeline.overtaken_on, lifeline.silent_since, n_at_risk "
        "from lifeline join product using (product_id) where s12 is not null order by s12, name limit ?",
        [N_SHOWN],
    )
    names = [column[0] for column in rows.description]
    found = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
    if not found:
        return ["no lifelines yet"]
    shown = [
        {
            "product": row["product"],
            "alive in 12 months": f"{row['alive']:.0f} % ({row['low']:.0f}-{row['high']:.0f})",
            "overtaken on": row["overtaken_on"],
            "silent since": row["silent_since"],
            "n at risk": row["n_at_risk"],
        }
        for row in found
    ]
    return ["shortest lifelines:", *(f"  {line}" for line in table(shown, list(shown[0])))]


def _row(con: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = con.execute(query).fetchone()
    assert row is not None
    return row
