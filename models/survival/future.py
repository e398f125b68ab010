"""Jumps that have not happened yet: how often each capability is jumped, and paths of what such jumps would add.

Arrivals per capability are Poisson with a Gamma rate: n_c jumps in the last T months shrunk to the mean over capabilities. Each
arrival brings the weight of a past one, drawn from the capability's own jumps and the pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.survival import tables
from models.survival.data import capability_index

if TYPE_CHECKING:
    import duckdb

PRIOR_MONTHS = 6.0


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Jumps of the last `n_months` by capability: counts, and the weights they brought."""

    count: np.ndarray
    marks: tuple[np.ndarray, ...]
    n_months: float

    def rates(self, rng: np.random.Generator) -> np.ndarray:
        """One draw of the monthly rates: Gamma(n_c + PRIOR_MONTHS x mean rate, T + PRIOR_MONTHS)."""
        mean = self.count.mean() / self.n_months
        shape = self.count + PRIOR_MONTHS * mean
        return rng.gamma(np.maximum(shape, 1e-9)) / (self.n_months + PRIOR_MONTHS) * (shape > 0)


def arrivals(con: duckdb.DuckDBPyConnection, n_months: int) -> Arrivals:
    """Read the steps of the last `n_months` months from temp table jump_step; a shorter catalogue counts from its first jump."""
    index = capability_index()
    found = tables.columns(
        con,
        "select capability, step * p as w, date_diff('day', happened_on, getvariable('as_of')) / 30.4375 as ago "
        "from jump_step where step > 0 and not is_deprecation and happened_on > getvariable('as_of') - to_months(?::integer) order by all",
        [n_months],
    )
    codes = np.array([index[label] for label in found["capability"]], dtype=int)
    first = con.execute("select date_diff('day', min(happened_on), getvariable('as_of')) / 30.4375 from jump_step").fetchall()[0]
    seen = min(float(n_months), max(float(first[0]) if first[0] is not None else n_months, 1.0))
    marks = tuple(found["w"][codes == c] for c in range(len(index)))
    return Arrivals(np.bincount(codes, minlength=len(index)).astype(float), marks, seen)


def paths(known: Arrivals, n_paths: int, n_months: int, half_life: float, seed: int) -> np.ndarray:
    """Exposure that new jumps add by forward month, per path and capability; shape (n_paths, capabilities, n_months)."""
    rng = np.random.default_rng([seed, 7])
    shape = (n_paths, len(known.count), n_months)
    rate = np.stack([known.rates(rng) for _ in range(n_paths)])
    where = np.repeat(np.arange(np.prod(shape)), rng.poisson(rate[:, :, None], size=shape).ravel())
    weight = _marks(known, (where // n_months) % len(known.count), rng)
    added = np.bincount(where, weights=weight, minlength=int(np.prod(shape))).astype(float).reshape(shape)
    decay = 2.0 ** (-1 / half_life)
    for k in range(1, n_months):
        added[:, :, k] += added[:, :, k - 1] * decay
    return added


def _marks(known: Arrivals, capability: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The weight of each new jump: one of its capability's own past ones with chance n_c / (n_c + 3), else any capability's."""
    pool = np.concatenate(known.marks) if known.count.sum() else np.zeros(1)
    n_own = known.count.astype(int)[capability]
    start = (np.cumsum(known.count) - known.count).astype(int)[capability]
    is_own = rng.random(len(capability)) < n_own / (n_own + 3)
    u = rng.random(len(capability))
    return pool[np.where(is_own, start + (u * n_own).astype(int), (u * len(pool)).astype(int)).clip(max=len(pool) - 1)]
