"""Which end, given an end: a small ridge softmax over shut_down, acquired and pivoted.

P(outcome) is proportional to exp(a_o + z b_o), a at the shares of the file (each shrunk by one end), z = tier, coupling, segment, with a
ridge of sd 0.5 on b. The chances of the three ends within h months are these shares times 1 - S(h), so they sum to it exactly.
"""

from __future__ import annotations

import numpy as np

from models.survival.data import SEGMENTS, Subjects

OUTCOMES = ("shut_down", "acquired", "pivoted")
USUAL = np.array([0.67, 0.21, 0.12])
RIDGE_SD, STEPS, FEWEST = 0.5, 200, 30


def features(who: Subjects) -> np.ndarray:
    """Tier and coupling around their middle (unknown = middle), and segment indicators."""
    tier = np.nan_to_num((who.tier - 3) / 2)
    coupling = np.nan_to_num((who.coupling - 1.5) / 1.5)
    return np.column_stack([tier, coupling, np.eye(len(SEGMENTS) + 1)[who.segment][:, : len(SEGMENTS)]])


def shares(who: Subjects, outcome: np.ndarray) -> np.ndarray:
    """Share of each end for every subject; `outcome` is -1 for those that have not ended. Rows sum to 1."""
    known = outcome >= 0
    count = np.bincount(outcome[known], minlength=3) + USUAL * 3
    base = np.log(count / count.sum())
    z = features(who)
    slope = _fit(z[known], outcome[known], base) if known.sum() >= FEWEST else np.zeros((z.shape[1], 3))
    return _softmax(base + z @ slope)


def _fit(z: np.ndarray, y: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Slopes by gradient ascent on the ridge log posterior; the problem is concave and tiny."""
    slope, target = np.zeros((z.shape[1], 3)), np.eye(3)[y]
    rate = 1.0 / (0.25 * float((z**2).sum()) + RIDGE_SD**-2)
    for _ in range(STEPS):
        slope = slope + rate * 2 * (z.T @ (target - _softmax(base + z @ slope)) - slope * RIDGE_SD**-2)
    return slope


def _softmax(a: np.ndarray) -> np.ndarray:
    e = np.exp(a - a.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
