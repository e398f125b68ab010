"""How much each product counts in a fit, so that products known because they died do not make everybody look short-lived.

Members of a dated cohort count 1. Of the rest, survivors count 1 and the dead w, chosen so that the rest has the cohort's hazard:
(w d_rest) / (w t_dead + t_alive) = h_cohort. Where survivors were sampled at a known rate r, survivors count 1 / r instead, and all
weights are scaled to a mean of 1. Products of unknown fate count nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.survival.priors import Priors

if TYPE_CHECKING:
    import duckdb

LOWEST = 0.05


def write(con: duckdb.DuckDBPyConnection, priors: Priors, *, sampling_rate_alive: float | None = None) -> float:
    """Fill temp table sample_weight; returns the weight of products known because they died."""
    if sampling_rate_alive:
        _write_sampled(con, sampling_rate_alive)
        return sampling_rate_alive
    weight = weight_of_known_dead(con, priors)
    con.execute(
        "create or replace temp table sample_weight as select product_id, "
        "case when not is_fate_known then 0.0 when is_cohort or not is_ended then 1.0 else ? end as weight from period",
        [weight],
    )
    return weight


def _write_sampled(con: duckdb.DuckDBPyConnection, rate: float) -> None:
    con.execute(
        "create or replace temp table sample_weight as "
        "with raw as (select product_id, case when not is_fate_known then 0.0 when is_ended then 1.0 else 1.0 / ? end as w from period) "
        "select product_id, w / (select avg(w) from raw where w > 0) as weight from raw",
        [rate],
    )


def weight_of_known_dead(con: duckdb.DuckDBPyConnection, priors: Priors) -> float:
    """The weight w of the module's formula; 1 where there is no cohort to be true to, or the rest dies no faster."""
    rows = con.execute(
        "select b.is_cohort, b.is_ended, sum(r.n_event), sum(r.n_risk) from person_period as r join period as b using (product_id) group by all"
    ).fetchall()
    ends = {(cohort, ended): n for cohort, ended, n, _ in rows}
    lived = {(cohort, ended): n for cohort, ended, _, n in rows}
    if not any(cohort for cohort, _ in lived):
        return 1.0
    months = lived.get((True, True), 0.0) + lived.get((True, False), 0.0)
    level = (ends.get((True, True), 0.0) + priors.level_prior_ends) / (months + priors.level_prior_ends / priors.level_monthly)
    dead, t_dead, t_alive = ends.get((False, True), 0.0), lived.get((False, True), 0.0), lived.get((False, False), 0.0)
    if dead <= level * t_dead or not dead:
        return 1.0
    return min(1.0, max(LOWEST, level * t_alive / (dead - level * t_dead)))
