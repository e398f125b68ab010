"""Do jumps matter? The effect of exposure under every reading of the data, against what shuffled jobs give.

Block = exposure, its capability terms, coupling x exposure, deprecation, help. Its log Bayes factor is the evidence of the fit
with the block less that without, each averaged over the settings of the priors. It means something only beside its values when
`sells` and `depends_on` are dealt out anew among products of the same tier. A hint counts only if it has one sign under every
reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import logsumexp

from models.catalogue.files import Row
from models.store import insert_rows, open_memory
from models.survival import data, design, fit, impute, load, months, priors, silence, stage, tables, weights
from models.survival import model as model_
from models.survival.options import Options

if TYPE_CHECKING:
    import duckdb

BLOCK = ("exposure", "coupling_x_exposure", "deprecation", "help")
N_SHUFFLES = 24
POWER_80 = 1.645 + 0.842


def reading(
    con: duckdb.DuckDBPyConnection,
    as_of: date,
    name: str,
    *,
    cohort: bool | None = None,
    n_shuffles: int = N_SHUFFLES,
    seed: int = 1,
    use_signs: bool = False,
) -> dict[str, Any]:
    """One reading: all products, cohort members only or the rest only; coefficient, power, Bayes factor, shuffles."""
    prior = priors.load()
    if use_signs:
        stage.build(con, as_of, prior, Options())
    else:
        tables.build(con, as_of, prior)
        weights.write(con, prior)
        tables.build_exposures(con)
    if cohort is not None:
        con.execute(
            "create or replace temp table sample_weight as select product_id, case when not is_fate_known or is_cohort <> ? then 0.0 else 1.0 end as weight from period",
            [cohort],
        )
    found = _block(con, as_of, prior)
    if found is None:
        return {"reading": name, "says": "nobody was exposed"}
    coefficient, se, factor, n_ended = found
    rng = np.random.default_rng(seed)
    shuffled = []
    for _ in range(n_shuffles):
        _deal_anew(con, rng)
        tables.build_exposures(con)
        again = _block(con, as_of, prior, is_short=True)
        if again:
            shuffled.append(again[2])
    low, middle, high = coefficient
    above = float(np.mean([value >= factor for value in shuffled])) if shuffled else 1.0
    return {
        "reading": name,
        "n_ended": n_ended,
        "low": round(low, 3),
        "middle": round(middle, 3),
        "high": round(high, 3),
        "detectable": round(POWER_80 * se, 3),
        "log_bayes_factor": round(factor, 2),
        "shuffled": [round(value, 2) for value in sorted(shuffled)],
        "share_of_shuffles_at_least_as_large": round(above, 3),
        "is_sign": bool((low > 0 or high < 0) and above <= 0.05),
    }


def _block(
    con: duckdb.DuckDBPyConnection, as_of: date, prior: priors.Priors, *, is_short: bool = False
) -> tuple[tuple[float, float, float], float, float, int] | None:
    """Interval of the common coefficient, its standard error under wide priors, the log Bayes factor, and the ends."""
    who = data.subjects(con, as_of, use_moats=False)
    rows = data.rows(con, who)
    segment = impute.guess_segments(who)
    filled = impute.fill(who, segment, impute.donors(who, segment), (1, 1000))
    full = design.terms(who, rows, filled, prior)
    at = full.at("exposure")
    if at < 0:
        return None
    scales = [(1.0, 1.0), (0.0, 1.0), (0.0, 3.0)] if is_short else None
    rows = rows if is_short else model_.spread(who, rows, filled, full, prior)
    with_block = fit.mixture(fit.sample(design.matrix(who, rows, filled, full), rows), full, prior, scales=scales)
    bare = design.terms(who, rows, filled, prior, without=BLOCK)
    without = fit.mixture(fit.sample(design.matrix(who, rows, filled, bare), rows), bare, prior, scales=scales)
    if not is_short:
        pairs = [(f.mean_scale, f.sd_scale) for f in with_block]
        chosen = [pairs.index(pair) for pair in ((1.0, 1.0), (0.0, 1.0), (0.0, 3.0))]
    else:
        chosen = [0, 1, 2]
    factor = float(logsumexp([with_block[k].log_evidence for k in chosen]) - logsumexp([without[k].log_evidence for k in chosen]))
    draws = fit.draw(with_block, 2000, np.random.default_rng(1))[:, at]
    wide = max(with_block, key=lambda f: f.sd_scale)
    low, middle, high = (float(q) for q in np.quantile(draws, [0.05, 0.5, 0.95]))
    ended = round(float((rows.n_event * (rows.weight > 0)).sum()))
    return (low, middle, high), float(np.sqrt(wide.covariance[at, at])), factor, ended


def _deal_anew(con: duckdb.DuckDBPyConnection, rng: np.random.Generator) -> None:
    """Give every product the jobs of another product of its tier; launch, vendor and fate stay."""
    products = con.execute("select product_id, coalesce(wrapper_tier, 0) from period order by product_id").fetchall()
    pairs = []
    for tier in sorted({tier for _, tier in products}):
        own = [key for key, t in products if t == tier]
        pairs += list(zip(own, [own[i] for i in rng.permutation(len(own))], strict=True))
    con.execute("create or replace temp table dealt (product_id varchar, giver varchar)")
    insert_rows(con, "dealt", [{"product_id": a, "giver": b} for a, b in pairs])
    con.execute(
        "create or replace temp table job_dealt as select d.product_id, b.vendor_key, b.launch_on, b.entered_on, "
        "case when b.is_ended then b.exited_on else getvariable('as_of') end as until, j.capability, j.role, j.share, j.is_guess "
        "from dealt as d join job_period as j on j.product_id = d.giver join period as b on b.product_id = d.product_id"
    )
    con.execute("create or replace temp table job_period as from job_dealt")


def open_source_store(rows: Sequence[dict[str, str]], jumps: Sequence[Row], how: str) -> duckdb.DuckDBPyConnection:
    """The open-source cohort as products that end in the first silent month of their first run of six (for effects, not forecasts)."""
    from models.survival.backtest_silent import histories

    con = open_memory()
    by_id = {row["product_id"]: row for row in rows}
    products, counts = [], []
    for one in histories(rows, how):
        row = by_id[one.product_id]
        silent, _ = silence.states(one.counts)
        start = max(0, one.entered_m - one.first_m)
        if start >= len(silent) or silent[start] >= silence.RUN or silent[start] < 0:
            continue
        done = np.flatnonzero(silent[start:] == silence.RUN)
        ended = months.first_day(one.first_m + start + int(done[0]) - silence.RUN + 1) if len(done) else None
        ended = max(ended, date.fromisoformat(row["list_date"])) if ended else None
        products.append(_product(row, ended, months.last_day(one.last_m)))
        counts += [
            {
                "product_id": one.product_id,
                "month": months.first_day(one.first_m + k),
                "kind": "commits",
                "n": int(n),
                "origin": "import",
            }
            for k, n in enumerate(one.counts)
        ]
    load.write(con, products, jumps)
    insert_rows(con, "activity_count", counts, conflict="or replace")
    return con


def _product(row: dict[str, str], ended: date | None, last: date) -> Row:
    def labels(text: str) -> tuple[str, ...]:
        return tuple(part for part in text.split(";") if part)

    return {
        "product_id": row["product_id"],
        "launched_on": date.fromisoformat(row["first_commit_on"]),
        "outcome": "shut_down" if ended else "alive",
        "ended_on": ended,
        "last_alive_on": None if ended else last,
        "cohort": row["list"],
        "cohort_seen_on": date.fromisoformat(row["list_date"]),
        "sells": labels(row["sells"]),
        "depends_on": labels(row["depends_on"]),
        "segment": row["segment"] or None,
        "wrapper_tier": int(row["wrapper_tier"]) if row["wrapper_tier"] else None,
        "coupling": int(row["coupling"]) if row["coupling"] else None,
    }


def words(readings: Sequence[dict[str, Any]]) -> str:
    """The verdict in one sentence per reading and a last one that weighs them."""
    parts = []
    for one in readings:
        if "middle" not in one:
            parts.append(f"{one['reading']}: {one['says']}")
        elif not one["is_sign"] and (one["low"] > 0 or one["high"] < 0):
            parts.append(
                f"{one['reading']}: no sign (ends go with exposure, {one['low']:+.2f} to {one['high']:+.2f} per log unit, "
                "but jobs dealt out at random fit as well, so the way of collecting could produce it)"
            )
        elif one["is_sign"]:
            parts.append(
                f"{one['reading']}: a sign ({one['low']:+.2f} to {one['high']:+.2f} per log unit), which the way of collecting could produce"
            )
        else:
            parts.append(
                f"{one['reading']}: no sign ({one['low']:+.2f} to {one['high']:+.2f} per log unit; an effect of {one['detectable']:.2f} would mostly have shown)"
            )
    judged = [one for one in readings if "middle" in one]
    agreed = bool(judged) and all(one["is_sign"] for one in judged) and len({one["middle"] > 0 for one in judged}) == 1
    last = "One sign under every reading: a hint, not a proof." if agreed else "No claim that jumps end products."
    return "; ".join(parts) + ". " + last
