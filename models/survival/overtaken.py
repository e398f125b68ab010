"""The forecast of the overtaken clock: when will decisive jumps of others cover half of what a product sells?

Decisive jumps of capability c arrive at the rate r_c(t) = exp(a + b log(G_c(t) + FLOOR)), G the jumps of any weight that the capability has
seen, fading with a half-life of two years: who jumps often also jumps decisively. a and b are fitted to the months known on as_of, older
months counting less, with b near 1 (proportional) beforehand. The chance that one job is covered within h months is 1 - exp(-r_c h).
Intervals come from draws of a and b (normal at the mode) and of how far one capability's rate strays from that line (log-normal with mean
1, its spread by moments from the same months).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.survival import tables
from models.survival.data import capability_index

if TYPE_CHECKING:
    import duckdb

FLOOR, ACTIVITY_HALF_LIFE, TRAINING_HALF_LIFE = 0.3, 24.0, 18.0
PRIOR_MEAN, PRIOR_SD = np.array([-4.0, 1.0]), np.array([1.0, 0.3])
N_DRAWS, WIDEST_SPREAD = 400, 1.5


@dataclass(frozen=True, slots=True)
class Rates:
    """Monthly rate of decisive jumps by capability: the point, and draws of it (draws, capabilities)."""

    point: np.ndarray
    draws: np.ndarray


@dataclass(frozen=True, slots=True)
class Ahead:
    """Chance to be overtaken within each horizon, with the ends of its 90 % interval."""

    p: list[float]
    low: list[float]
    high: list[float]


def rates(con: duckdb.DuckDBPyConnection, as_of_m: int, *, seed: int = 1) -> Rates:
    """Monthly rate of decisive jumps by capability, from temp table jump_step."""
    index = capability_index()
    found = tables.columns(con, "select capability, m, gross, is_decisive from jump_step where not is_deprecation order by all")
    if not len(found["m"]):
        return _drawn(np.full(len(index), np.log(FLOOR)), PRIOR_MEAN, np.diag(PRIOR_SD**2), WIDEST_SPREAD, seed)
    codes = np.array([index[label] for label in found["capability"]], dtype=int)
    first = int(found["m"].min())
    n = as_of_m - first + 1
    added, decisive = np.zeros((n, len(index))), np.zeros((n, len(index)))
    np.add.at(added, (found["m"].astype(int) - first, codes), found["gross"])
    hits = found["is_decisive"].astype(bool)
    decisive[found["m"][hits].astype(int) - first, codes[hits]] = 1
    activity = np.zeros((n + 1, len(index)))
    for k in range(n):
        activity[k + 1] = activity[k] * 2 ** (-1 / ACTIVITY_HALF_LIFE) + added[k]
    weight = 2.0 ** (-np.arange(n)[::-1] / TRAINING_HALF_LIFE)
    log_activity = np.log(activity + FLOOR)
    b, covariance = _fit(log_activity[:-1], decisive, weight)
    return _drawn(log_activity[-1], b, covariance, _spread(log_activity[:-1], decisive, weight, b), seed)


def _drawn(log_activity: np.ndarray, b: np.ndarray, covariance: np.ndarray, spread: float, seed: int) -> Rates:
    """The rates at one month's activity."""
    rng = np.random.default_rng((seed, 5))
    line = rng.multivariate_normal(b, covariance, N_DRAWS)
    strays = np.exp(spread * rng.standard_normal((N_DRAWS, len(log_activity))) - spread**2 / 2)
    return Rates(np.exp(b[0] + b[1] * log_activity), np.exp(line[:, :1] + line[:, 1:] * log_activity) * strays)


def _spread(log_activity: np.ndarray, decisive: np.ndarray, weight: np.ndarray, b: np.ndarray) -> float:
    """Standard deviation of the log rate between capabilities beyond the line, by moments of observed against expected counts."""
    expected = (weight[:, None] * np.exp(b[0] + b[1] * log_activity)).sum(axis=0)
    noise = (weight[:, None] ** 2 * np.exp(b[0] + b[1] * log_activity)).sum(axis=0)
    observed = (weight[:, None] * decisive).sum(axis=0)
    variance = float(((observed - expected) ** 2 - noise).sum() / max((expected**2).sum(), 1e-9))
    return min(float(np.sqrt(np.log1p(max(variance, 0.0)))), WIDEST_SPREAD)


def _fit(log_activity: np.ndarray, decisive: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Poisson regression of decisive arrivals on log activity, months weighed, by Newton on the log posterior; mode and covariance."""
    x = np.column_stack([np.ones(log_activity.size), log_activity.ravel()])
    y, w = decisive.ravel(), np.repeat(weight, log_activity.shape[1])
    b, precision = PRIOR_MEAN.copy(), np.diag(PRIOR_SD**-2.0)
    for _ in range(30):
        mu = np.exp(np.clip(x @ b, -30, 3))
        slope = x.T @ (w * (y - mu)) - precision @ (b - PRIOR_MEAN)
        curvature = (x * (w * mu)[:, None]).T @ x + precision
        step = np.linalg.solve(curvature, slope)
        b = b + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-10:
            break
    return b, np.linalg.inv(curvature)


def forecast(con: duckdb.DuckDBPyConnection, as_of_m: int, horizons: Sequence[int], *, seed: int = 1) -> dict[str, Ahead]:
    """Chance to be overtaken within each horizon, for every product that sells something and has not been overtaken."""
    rate = rates(con, as_of_m, seed=seed)
    index = capability_index()
    rows = con.execute(
        "with hit as (select distinct j.product_id, j.capability from job_period as j join jump_step as s on s.capability = j.capability "
        "and s.is_decisive and s.happened_on >= j.launch_on and not (s.provider_key <> '' and s.provider_key = j.vendor_key) "
        "where j.role = 'sells' and not j.is_guess) "
        "select j.product_id, list(j.capability order by j.capability), list(j.share order by j.capability), "
        "list(h.product_id is not null order by j.capability) from job_period as j join overtaken as o using (product_id) "
        "left join hit as h using (product_id, capability) "
        "where j.role = 'sells' and not j.is_guess and o.overtaken_on is null group by 1 order by 1"
    ).fetchall()
    known: dict[tuple, Ahead] = {}  # many products sell the same jobs
    out = {}
    for product, labels, shares, is_hit in rows:
        key = (tuple(labels), tuple(shares), tuple(is_hit))
        if key not in known:
            known[key] = _ahead([index[label] for label in labels], shares, is_hit, rate, horizons)
        out[product] = known[key]
    return out


def _ahead(jobs: list[int], shares: Sequence[float], is_hit: Sequence[bool], rate: Rates, horizons: Sequence[int]) -> Ahead:
    """The chances of one set of jobs: the point, and the interval of the draws."""
    p, low, high = [], [], []
    for h in horizons:
        middle = coverage(_hits(rate.point[None, jobs], is_hit, h), shares)[0]
        below, above = np.quantile(coverage(_hits(rate.draws[:, jobs], is_hit, h), shares), [0.05, 0.95])
        p.append(float(middle))
        low.append(float(min(below, middle)))
        high.append(float(max(above, middle)))
    return Ahead(p, low, high)


def _hits(rate: np.ndarray, is_hit: Sequence[bool], h: int) -> np.ndarray:
    """Chance that each job is covered within h months; shape (draws, jobs)."""
    return np.where(np.asarray(is_hit, dtype=bool), 1.0, 1 - np.exp(-rate * h))


def coverage(p: np.ndarray | Sequence[float], share: Sequence[float]) -> np.ndarray:
    """Chance that the shares of covered jobs add up to half, jobs being covered independently with chance p (draws, jobs); by draw."""
    chances = np.atleast_2d(np.asarray(p, dtype=float))
    sums: dict[float, np.ndarray] = {0.0: np.ones(len(chances))}
    for j, part in enumerate(share):
        after: dict[float, np.ndarray] = {}
        for total, weight in sums.items():
            for covered, q in ((True, chances[:, j]), (False, 1 - chances[:, j])):
                key = round(total + part * covered, 6)
                after[key] = after.get(key, 0.0) + weight * q
        sums = after
    reached = [weight for total, weight in sums.items() if total >= 0.5 - 1e-5]
    return np.minimum(1.0, sum(reached, np.zeros(len(chances))))
