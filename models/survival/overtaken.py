"""The forecast of the overtaken clock: when will decisive jumps of others cover half of what a product sells?

Decisive jumps of capability c arrive at the rate r_c(t) = exp(a + b log(G_c(t) + FLOOR)), G the jumps of any weight that the capability has
seen, fading with a half-life of two years: who jumps often also jumps decisively. a and b are fitted to the months known on as_of, older
months counting less, with b near 1 (proportional) beforehand. The chance that one job is covered within h months is 1 - exp(-r_c h).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from models.survival import tables
from models.survival.data import capability_index

if TYPE_CHECKING:
    import duckdb

FLOOR, ACTIVITY_HALF_LIFE, TRAINING_HALF_LIFE = 0.3, 24.0, 18.0
PRIOR_MEAN, PRIOR_SD = np.array([-4.0, 1.0]), np.array([1.0, 0.3])


def rates(con: duckdb.DuckDBPyConnection, as_of_m: int) -> np.ndarray:
    """Monthly rate of decisive jumps by capability, from temp table jump_step."""
    index = capability_index()
    found = tables.columns(con, "select capability, m, gross, is_decisive from jump_step where not is_deprecation order by all")
    if not len(found["m"]):
        return np.full(len(index), np.exp(PRIOR_MEAN[0] + PRIOR_MEAN[1] * np.log(FLOOR)))
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
    a, b = _fit(np.log(activity[:-1] + FLOOR), decisive, 2.0 ** (-np.arange(n)[::-1] / TRAINING_HALF_LIFE))
    return np.exp(a + b * np.log(activity[-1] + FLOOR))


def _fit(log_activity: np.ndarray, decisive: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Poisson regression of decisive arrivals on log activity, months weighed, by Newton on the log posterior."""
    x = np.column_stack([np.ones(log_activity.size), log_activity.ravel()])
    y, w = decisive.ravel(), np.repeat(weight, log_activity.shape[1])
    b, precision = PRIOR_MEAN.copy(), np.diag(PRIOR_SD**-2.0)
    for _ in range(30):
        mu = np.exp(np.clip(x @ b, -30, 3))
        slope = x.T @ (w * (y - mu)) - precision @ (b - PRIOR_MEAN)
        step = np.linalg.solve((x * (w * mu)[:, None]).T @ x + precision, slope)
        b = b + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-10:
            break
    return b


def forecast(con: duckdb.DuckDBPyConnection, as_of_m: int, horizons: Sequence[int]) -> dict[str, list[float]]:
    """Chance to be overtaken within each horizon, for every product that sells something and has not been overtaken."""
    rate = rates(con, as_of_m)
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
    return {
        product: [coverage(_hits(labels, is_hit, rate, index, h), shares) for h in horizons]
        for product, labels, shares, is_hit in rows
    }


def _hits(labels: Sequence[str], is_hit: Sequence[bool], rate: np.ndarray, index: dict[str, int], h: int) -> list[float]:
    return [1.0 if done else 1 - float(np.exp(-rate[index[label]] * h)) for label, done in zip(labels, is_hit, strict=True)]


def coverage(p: Sequence[float], share: Sequence[float]) -> float:
    """Chance that the shares of covered jobs add up to half, jobs being covered independently with chance p."""
    sums: dict[float, float] = {0.0: 1.0}
    for chance, part in zip(p, share, strict=True):
        after: dict[float, float] = {}
        for total, weight in sums.items():
            for covered, q in ((True, chance), (False, 1 - chance)):
                key = round(total + part * covered, 6)
                after[key] = after.get(key, 0.0) + weight * q
        sums = after
    return float(min(1.0, sum(weight for total, weight in sums.items() if total >= 0.5 - 1e-5)))
