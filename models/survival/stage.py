"""The derive stage: from products and jumps to lifelines, for one day.

jump -> step, exposure -> overtaken -> spell, person-period -> hazard -> lifeline, curve, factors -> forecast log
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from models.store import SQL, insert_rows, replace_rows, run_sql
from models.survival import lifetable, priors, tables, weights

if TYPE_CHECKING:
    import duckdb

METHOD_VERSION = "lifetable-1"
HORIZONS = (3, 6, 12)
CURVE_MONTHS = 24


def derive(con: duckdb.DuckDBPyConnection, as_of: date, *, seed: int = 1) -> dict[str, int]:
    """Recompute everything that follows from products and jumps as known on `as_of`; returns row counts.

    Fills jump.weight, product.sample_weight, exposure, spell, lifeline and lifeline_curve; appends to forecast.
    """
    prior = priors.load()
    tables.build(con, as_of, prior)
    weights.write(con, prior)
    run_sql(con, SQL / "survival" / "090_publish.sql")
    _lifelines(con, as_of, prior, seed)
    return {
        name: int(con.execute(f"select count(*) from {name}").fetchone()[0])  # type: ignore[index]
        for name in ("exposure", "spell", "lifeline", "lifeline_curve")
    }


def _lifelines(con: duckdb.DuckDBPyConnection, as_of: date, prior: priors.Priors, seed: int) -> None:
    rows = tables.columns(con, "select r.*, w.weight from person_period as r join sample_weight as w using (product_id)")
    table = lifetable.fit(rows["age_months"], rows["n_risk"], rows["n_event"], rows["weight"], level=prior.level_monthly)
    alive = con.execute(
        "select b.product_id, date_diff('day', b.launch_on, getvariable('as_of')) / 30.4375, o.overtaken_on, b.has_launch, "
        "b.last_alive_on, b.entered_on, exists (select 1 from product_job as j where j.product_id = b.product_id and j.role = 'sells') "
        "from period as b left join overtaken as o using (product_id) where b.is_fate_known and not b.is_ended order by 1"
    ).fetchall()
    ages = np.array([row[1] for row in alive], dtype=float)
    middle = table.survival(ages, CURVE_MONTHS)
    rng = np.random.default_rng(seed)
    drawn = lifetable.draws(table, 200, rng)
    curves = np.stack(
        [lifetable.LifeTable(table.edges, h, table.n_events, table.n_months).survival(ages, CURVE_MONTHS) for h in drawn]
    )
    low, high = np.quantile(curves, [0.05, 0.95], axis=0)
    n_at_risk, n_ended = _counts(con)
    lifelines, curve_rows = [], []
    for i, (product_id, _, overtaken_on, *_rest) in enumerate(alive):
        s, lo, hi = middle[i], np.minimum(low[i], middle[i]), np.maximum(high[i], middle[i])
        lifelines.append(
            {
                "product_id": product_id,
                "as_of": as_of,
                **{f"s{h}{end}": float(c[h]) for h in HORIZONS for end, c in (("", s), ("_low", lo), ("_high", hi))},
                "safe_until_months": int(np.flatnonzero(s >= 0.8)[-1]),
                "lifeline_class": "long" if s[18] > 0.5 else "12",
                "overtaken_on": overtaken_on,
                "n_at_risk": n_at_risk,
                "n_ended": n_ended,
                "evidence": "data" if n_ended >= 30 else "mostly_prior",
                "reason": "age life table with delayed entry",
            }
        )
        curve_rows += [
            {
                "product_id": product_id,
                "as_of": as_of,
                "months": k,
                "survival": float(s[k]),
                "low": float(lo[k]),
                "high": float(hi[k]),
            }
            for k in range(CURVE_MONTHS + 1)
        ]
    replace_rows(con, "lifeline", lifelines)
    replace_rows(con, "lifeline_curve", curve_rows)
    replace_rows(con, "lifeline_factor", [])
    log_forecasts(con, lifelines, as_of)


def _counts(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    row = con.execute("select count(*), count(*) filter (where ended) from spell where weight > 0").fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def log_forecasts(con: duckdb.DuckDBPyConnection, lifelines: list[Mapping], as_of: date, version: str = METHOD_VERSION) -> int:
    """Append what is said today to the log; what was said before stands as it is."""
    rows = [
        {
            "product_id": row["product_id"],
            "made_on": as_of,
            "horizon_months": h,
            "survival": row[f"s{h}"],
            "low": row[f"s{h}_low"],
            "high": row[f"s{h}_high"],
            "method_version": version,
        }
        for row in lifelines
        for h in HORIZONS
    ]
    return insert_rows(con, "forecast", rows, conflict="or ignore")
