"""The age life table with delayed entry, sampling weights and fractional ends.

Hazard of age band a: h_a = (d_a + k h) / (n_a + k), d the weighted ends, n the weighted months at risk, h the level of the whole
table and k months of prior weight, so that thin bands lean on the rest. Survival over months is the product of 1 - h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

AGE_EDGES = (0, 3, 6, 12, 24)
PRIOR_ENDS = 5.0


@dataclass(frozen=True, slots=True)
class LifeTable:
    """Monthly hazards by age band (first month of each band in `edges`), with what they rest on."""

    edges: np.ndarray
    hazard: np.ndarray
    n_events: np.ndarray
    n_months: np.ndarray

    def hazards(self, age_months: np.ndarray) -> np.ndarray:
        """Monthly hazard at each age in months."""
        return self.hazard[band(age_months, self.edges)]

    def survival(self, age_months: np.ndarray, n_months: int) -> np.ndarray:
        """Chance to be there 0..n_months after each age; shape (len(age_months), n_months + 1)."""
        ages = np.asarray(age_months)[:, None] + np.arange(n_months)[None, :] + 0.5
        steps = np.cumprod(1 - self.hazards(ages), axis=1)
        return np.concatenate([np.ones((len(steps), 1)), steps], axis=1)


def band(age_months: np.ndarray, edges: np.ndarray | tuple[int, ...] = AGE_EDGES) -> np.ndarray:
    """Index of the age band of each age; what lies before the first edge counts to the first band."""
    return np.clip(np.searchsorted(np.asarray(edges), np.asarray(age_months), side="right") - 1, 0, len(edges) - 1)


def fit(age_months: np.ndarray, n_risk: np.ndarray, n_event: np.ndarray, weight: np.ndarray, *, level: float) -> LifeTable:
    """Life table of person-period rows; `level` is the monthly hazard that an empty table falls back to."""
    which = band(age_months)
    size = len(AGE_EDGES)
    events = np.bincount(which, weights=weight * n_event, minlength=size)
    lived = np.bincount(which, weights=weight * n_risk, minlength=size)
    pooled = (events.sum() + PRIOR_ENDS) / (lived.sum() + PRIOR_ENDS / level)
    prior_months = PRIOR_ENDS / pooled
    return LifeTable(np.array(AGE_EDGES), (events + prior_months * pooled) / (lived + prior_months), events, lived)


def draws(table: LifeTable, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Posterior draws of the hazards, Beta per band; shape (n_draws, bands)."""
    prior_months = (
        PRIOR_ENDS / ((table.n_events.sum() + PRIOR_ENDS) / (table.n_months.sum() + 1e-9)) if table.n_months.sum() else 500.0
    )
    ends = table.hazard * (table.n_months + prior_months)
    rest = np.maximum(table.n_months + prior_months - ends, 1e-6)
    return rng.beta(np.maximum(ends, 1e-6), rest, size=(n_draws, len(ends)))
