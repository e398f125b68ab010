"""How good forecasts of an end were: Brier, AUC, calibration slope, observed over expected.

`p` is the forecast chance of an end, `y` whether it came (a share between 0 and 1 where an end is known to a window only), `w` the
weight of each case.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit


def brier(p: np.ndarray, y: np.ndarray, w: np.ndarray | None = None) -> float:
    """Mean of y (1 - p)^2 + (1 - y) p^2; lower is better."""
    return float(np.average(y * (1 - p) ** 2 + (1 - y) * p**2, weights=w))


def auc(p: np.ndarray, y: np.ndarray, w: np.ndarray | None = None) -> float:
    """Chance that a case that ended was given a higher p than one that did not, ties counting half; NaN without both."""
    w = np.ones(len(p)) if w is None else w
    order = np.argsort(p, kind="stable")
    p, up, down = p[order], (w * y)[order], (w * (1 - y))[order]
    if up.sum() <= 0 or down.sum() <= 0:
        return float("nan")
    starts = np.flatnonzero(np.r_[True, np.diff(p) > 0])
    up_at, down_at = np.add.reduceat(up, starts), np.add.reduceat(down, starts)
    below = np.cumsum(down_at) - down_at
    return float((up_at * (below + down_at / 2)).sum() / (up.sum() * down.sum()))


def oe(p: np.ndarray, y: np.ndarray, w: np.ndarray | None = None) -> float:
    """Observed over expected ends; 1 is right, NaN when none are expected."""
    w = np.ones(len(p)) if w is None else w
    expected = float(w @ p)
    return float(w @ y) / expected if expected > 0 else float("nan")


def slope(p: np.ndarray, y: np.ndarray, w: np.ndarray | None = None) -> float:
    """Slope of a logistic regression of y on logit p; 1 is right, below 1 means too bold. NaN when p does not vary."""
    w = np.ones(len(p)) if w is None else w
    z = logit(np.clip(p, 1e-6, 1 - 1e-6))
    if np.ptp(z) < 1e-9 or not 0 < w @ y < w.sum():
        return float("nan")
    x = np.column_stack([np.ones(len(z)), z])
    b = np.array([0.0, 1.0])
    for _ in range(50):
        h = expit(x @ b)
        step = np.linalg.solve((x * (w * h * (1 - h))[:, None]).T @ x + 1e-9 * np.eye(2), x.T @ (w * (y - h)))
        b = b + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    return float(b[1])


def reliability(p: np.ndarray, y: np.ndarray, n_bins: int = 5) -> list[dict[str, float]]:
    """Mean forecast and share that ended in bins of equal size, lowest forecasts first."""
    out = []
    for part in np.array_split(np.argsort(p, kind="stable"), n_bins):
        if len(part):
            out.append({"n": len(part), "forecast": float(p[part].mean()), "ended": float(y[part].mean())})
    return out
