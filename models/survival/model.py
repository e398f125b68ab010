"""Fit the hazard to the tables of one day and return a posterior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from models.survival import design, fit, future, impute, silence
from models.survival.data import Rows, Subjects, part_of_month, rows, subjects
from models.survival.predict import Posterior
from models.survival.priors import Priors

if TYPE_CHECKING:
    import duckdb

N_CURVE = 24
NO_SIGNS = np.zeros(0)


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted day: who was there, the rows it rests on, the posterior, and the weight of each prior setting."""

    who: Subjects
    rows: Rows
    posterior: Posterior
    mixture: dict[tuple[float, float], float]
    n_ended: int


def estimate(
    con: duckdb.DuckDBPyConnection,
    as_of: date,
    priors: Priors,
    *,
    seed: int,
    use_moats: bool,
    without: tuple[str, ...] = (),
    ahead: silence.Table | None = None,
) -> Model:
    """Fit the tables that `tables.build` and `tables.build_exposures` left for `as_of`."""
    who = subjects(con, as_of, use_moats=use_moats)
    observed = rows(con, who)
    known = future.arrivals(con, priors.arrivals_months)
    paths = future.paths(known, priors.n_paths, N_CURVE, priors.half_life_months, seed)
    signs = ahead.ahead(N_CURVE) if ahead is not None and not np.isnan(who.silent).all() else np.zeros(0)
    return fit_rows(who, observed, paths, as_of, priors, seed=seed, without=without, signs=signs)


def fit_rows(
    who: Subjects,
    observed: Rows,
    paths: np.ndarray,
    as_of: date,
    priors: Priors,
    *,
    seed: int,
    without: tuple[str, ...] = (),
    signs: np.ndarray = NO_SIGNS,
) -> Model:
    """The same from arrays."""
    segment = impute.guess_segments(who)
    pool = impute.donors(who, segment)
    n_fill = priors.n_imputations if impute.has_unknowns(who) else 1
    filled = [impute.fill(who, segment, pool, (seed, 1000 + k)) for k in range(n_fill)]
    terms = design.terms(who, observed, filled[0], priors, without=without)
    observed = spread(who, observed, filled[0], terms, priors)
    if n_fill > 1:
        filled = [_augmented(who, observed, f, segment, pool, terms, priors, seed, k) for k, f in enumerate(filled)]
    draws: list[np.ndarray] = []
    weight: dict[tuple[float, float], float] = {}
    for k, one in enumerate(filled):
        fits = fit.mixture(fit.sample(design.matrix(who, observed, one, terms), observed), terms, priors)
        n_draws = priors.n_draws * (k + 1) // n_fill - priors.n_draws * k // n_fill
        draws.append(fit.draw(fits, n_draws, np.random.default_rng([seed, 3, k])))
        for f, w in zip(fits, fit.weights(fits), strict=True):
            weight[f.mean_scale, f.sd_scale] = weight.get((f.mean_scale, f.sd_scale), 0.0) + float(w) / n_fill
    post = Posterior(
        terms,
        np.concatenate(draws),
        paths,
        pool,
        np.array(priors.age_edges),
        priors.half_life_months,
        part_of_month(as_of),
        priors.frailty_sd,
        seed,
        signs,
    )
    n_ended = round(float((observed.n_event * (observed.weight > 0)).sum()))
    return Model(who, observed, post, weight, n_ended)


def spread(who: Subjects, observed: Rows, filled: design.Filled, terms: design.Terms, priors: Priors, *, times: int = 2) -> Rows:
    """Spread ends that are known to a window over its months in proportion to S(m - 1) h(m), refitting `times` times."""
    if not observed.is_spread.any():
        return observed
    mean, precision = fit.prior(terms, 0.5, 1.0)
    x, start = design.matrix(who, observed, filled, terms), mean
    for _ in range(times):
        start = fit.newton(fit.sample(x, observed), mean, precision, start, tolerance=1e-3)
        observed = _respread(observed, expit(x @ start))
    return observed


def _respread(observed: Rows, hazard: np.ndarray) -> Rows:
    n_event, n_risk = observed.n_event.copy(), observed.n_risk.copy()
    window = np.flatnonzero(observed.is_spread)
    for one in np.split(window, np.flatnonzero(np.diff(observed.subject[window])) + 1):
        h = hazard[one]
        q = np.cumprod(np.r_[1.0, 1 - h[:-1]]) * h
        q = q / q.sum()
        n_event[one] = q
        n_risk[one] = np.maximum(np.cumsum(q[::-1])[::-1], q)
    return replace(observed, n_event=n_event, n_risk=n_risk)


def _augmented(
    who: Subjects,
    observed: Rows,
    one: design.Filled,
    segment: np.ndarray,
    pool: impute.Donors,
    terms: design.Terms,
    priors: Priors,
    seed: int,
    k: int,
) -> design.Filled:
    """Redraw the unknowns given how each product fared under a first fit; rows of the cheap fixed part only change."""
    mean, precision = fit.prior(terms, 0.5, 1.0)
    x = design.matrix(who, observed, one, terms)
    data = fit.sample(x, observed)
    mode = fit.newton(data, mean, precision, mean, tolerance=1e-3)
    covariance = np.linalg.inv(data.information(mode) + np.diag(precision))
    b = np.random.default_rng([seed, 5, k]).multivariate_normal(mode, covariance, method="cholesky")
    candidates = [impute.fill(who, segment, pool, (seed, 2000 + 100 * k + c)) for c in range(impute.N_CANDIDATES)]
    base = x @ b - design.fixed_part(who, one, terms, b)[observed.subject]
    offsets = np.stack([base + design.fixed_part(who, c, terms, b)[observed.subject] for c in candidates])
    return impute.refill(who, observed, candidates, offsets, seed * 31 + k)


def mean_curve(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Point, low and high end of the 90 % interval by subject and month: the mean over draws, and the 5 and 95 % quantiles."""
    low, high = np.quantile(curves, [0.05, 0.95], axis=0)
    middle = curves.mean(axis=0)
    return middle, np.minimum(low, middle), np.maximum(high, middle)


def settings(model: Model) -> Sequence[tuple[float, float, float]]:
    """Prior settings with their weights, the likeliest first: (mean scale, sd scale, weight)."""
    return sorted(((m, s, w) for (m, s), w in model.mixture.items()), key=lambda item: -item[2])
