"""Kaplan-Meier and Aalen-Johansen with delayed entry, from exact times: what the data say before any model.

At each end time t, n(t) products are at risk: entered before t, not gone before t. KM: S(t) = prod (1 - d / n). AJ: the chance
of outcome k by t is sum S(t-) d_k / n. Times are months of age; ties end together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Curve:
    """Distinct end times, survival just after each, number at risk just before, and incidence by outcome (times, outcomes)."""

    times: np.ndarray
    survival: np.ndarray
    n_at_risk: np.ndarray
    incidence: np.ndarray

    def at(self, months: float) -> float:
        """Survival at an age; 1 before the first end."""
        k = int(np.searchsorted(self.times, months, side="right"))
        return float(self.survival[k - 1]) if k else 1.0

    def incidence_at(self, months: float) -> np.ndarray:
        """Chance of each outcome by an age."""
        k = int(np.searchsorted(self.times, months, side="right"))
        return self.incidence[k - 1] if k else np.zeros(self.incidence.shape[1])


def curve(entry: np.ndarray, leave: np.ndarray, outcome: np.ndarray, weight: np.ndarray, n_outcomes: int) -> Curve:
    """The curves of spells (entry, leave] with `outcome` in 0..n_outcomes-1, or -1 when censored."""
    times = np.unique(leave[outcome >= 0])
    at_risk = np.array([float(weight[(entry < t) & (leave >= t)].sum()) for t in times])
    ended = np.array([[float(weight[(leave == t) & (outcome == k)].sum()) for k in range(n_outcomes)] for t in times]).reshape(
        len(times), n_outcomes
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(at_risk[:, None] > 0, ended / at_risk[:, None], 0.0)
    survival = np.cumprod(1 - hazard.sum(axis=1))
    before = np.concatenate([[1.0], survival[:-1]])
    return Curve(times, survival, at_risk, np.cumsum(before[:, None] * hazard, axis=0))


def observed(con: duckdb.DuckDBPyConnection, outcomes: tuple[str, ...]) -> Curve:
    """The curves of temp table `period`, by months of age, with the weights of the fit; an end known to a window stands at its middle."""
    from models.survival import tables

    found = tables.columns(
        con,
        "select date_diff('day', b.launch_on, b.entered_on) / 30.4375 - 1e-6 as entry, "
        "case when b.is_ended then (date_diff('day', b.launch_on, b.end_from) + date_diff('day', b.launch_on, b.end_to)) / 2 "
        "else date_diff('day', b.launch_on, b.exited_on) end / 30.4375 as leave, case when b.is_ended then b.outcome end as outcome, w.weight "
        "from period as b join sample_weight as w using (product_id) where b.is_fate_known and w.weight > 0 order by b.product_id",
    )
    codes = np.array([outcomes.index(name) if name in outcomes else -1 for name in found["outcome"]], dtype=int)
    keep = found["leave"] > found["entry"]
    return curve(found["entry"][keep], found["leave"][keep], codes[keep], found["weight"][keep], len(outcomes))
