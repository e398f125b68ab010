"""The derive stage: from products and jumps to lifelines, for one day.

jump -> step, exposure -> overtaken -> spell, person-period -> hazard -> lifeline, curve, factors -> forecast log -> accuracy
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from models.errors import UsageError
from models.store import SQL, insert_rows, replace_rows, run_sql
from models.survival import lifelines, log, model, posterior, priors, signs, silence, statements, tables, weights
from models.survival.options import Options

if TYPE_CHECKING:
    import duckdb

N_TABLES = 200  # draws behind the intervals of the silent clock
METHOD_VERSION = f"hazard-1.{priors.load().version}"


def derive(con: duckdb.DuckDBPyConnection, as_of: date, *, seed: int = 1, options: Options | None = None) -> dict[str, int]:
    """Recompute everything that follows from products and jumps as known on `as_of`; returns row counts.

    Fills jump.weight, product.sample_weight, exposure, spell, activity, lifeline, lifeline_curve, lifeline_factor, accuracy, hindcast,
    finding and posterior; appends to forecast. With the same tables, day and seed it writes the same numbers.
    """
    prior, chosen = priors.load(), options or Options()
    known = build(con, as_of, prior, chosen)
    run_sql(con, SQL / "survival" / "090_publish.sql")
    empty = lifelines.Lifelines([], [], [])
    try:
        fitted, table = fit(con, as_of, prior, chosen, known, seed=seed)
    except UsageError:
        found, statement, parts = empty, [], []
    else:
        found = lifelines.rows(con, fitted, as_of, prior, standing(known, table, as_of))
        statement, parts = statements.rows(con, fitted, table, as_of, chosen), posterior.rows(fitted.posterior)
    replace_rows(con, "lifeline", found.lifeline)
    replace_rows(con, "lifeline_curve", found.curve)
    replace_rows(con, "lifeline_factor", found.factor)
    replace_rows(con, "finding", [{"key": key, "value": json.dumps(value, default=str)} for key, value in statement])
    replace_rows(con, "posterior", parts)
    log_forecasts(con, found.lifeline, as_of)
    log.write_accuracy(con, as_of)
    log.write_hindcast(con, as_of)
    names = ("exposure", "spell", "activity", "lifeline", "lifeline_curve", "lifeline_factor", "accuracy")
    return {name: int(con.execute(f"select count(*) from {name}").fetchall()[0][0]) for name in names}


def build(con: duckdb.DuckDBPyConnection, as_of: date, prior: priors.Priors, options: Options) -> list[silence.History]:
    """Build the temporary tables of the day; returns the histories of activity."""
    tables.build(con, as_of, prior, catalogue_start=options.catalogue_start)
    weights.write(con, prior, sampling_rate_alive=options.sampling_rate_alive)
    tables.build_exposures(con)
    known = signs.read(con, as_of)
    signs.write(con, as_of, known)
    return known


def fit(
    con: duckdb.DuckDBPyConnection,
    as_of: date,
    prior: priors.Priors,
    options: Options,
    known: list[silence.History],
    *,
    seed: int,
) -> tuple[model.Model, silence.Table]:
    """Fit the hazard and the table of silence to what `build` left.

    Raises
    ------
    UsageError
        when no product is alive on the day.

    """
    alive = con.execute("select count(*) from period where is_fate_known and not is_ended").fetchall()[0][0]
    if not alive:
        raise UsageError(f"no product is alive on {as_of}; check the launch dates and outcomes, or take another --as-of")
    table = silence.fit(known, n_draws=N_TABLES, seed=seed)
    fitted = model.estimate(con, as_of, prior, seed=seed, use_moats=options.use_moats, ahead=table)
    return fitted, table


def standing(known: list[silence.History], table: silence.Table, as_of: date) -> dict[str, silence.Sign]:
    """How every product with known activity stands on the silent clock."""
    return silence.signs(known, table, signs.last_whole_month(as_of), signs.HORIZONS)


def log_forecasts(con: duckdb.DuckDBPyConnection, rows: Sequence[Mapping[str, Any]], as_of: date) -> int:
    """Append what is said today to the log; what was said before stands as it is."""
    out = [
        {
            "product_id": row["product_id"],
            "made_on": as_of,
            "horizon_months": h,
            "survival": row[f"s{h}"],
            "low": row[f"s{h}_low"],
            "high": row[f"s{h}_high"],
            "method_version": METHOD_VERSION,
        }
        for row in rows
        for h in lifelines.HORIZONS
    ]
    return insert_rows(con, "forecast", out, conflict="or ignore")
