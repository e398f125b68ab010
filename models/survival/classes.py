"""What is said of a curve: class, safe-until, median; and when the answer is that we do not know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

LAST_OF_CLASS = (("3", 4), ("6", 9), ("12", 18))
NAMES = ("3", "6", "12", "long")
CLEAR, SHARED = 0.6, 0.3
WIDEST = 0.5
SAFE = 0.8


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a product beside its curve."""

    has_sells: bool
    has_launch: bool
    seen_from: date
    last_alive_on: date | None


def class_shares(curves: np.ndarray) -> np.ndarray:
    """Share of draws in which survival crosses one half by month 4, 9, 18, or later; shape (subjects, 4)."""
    crossed = [(curves[:, :, last] <= 0.5).mean(axis=0) for _, last in LAST_OF_CLASS]
    steps = np.stack([np.zeros_like(crossed[0]), *crossed, np.ones_like(crossed[0])])
    return np.diff(steps, axis=0).T


def class_name(shares: np.ndarray) -> str:
    """The class with most draws, or two neighbours joined by / when they share the weight."""
    top = int(shares.argmax())
    near = max((j for j in (top - 1, top + 1) if 0 <= j < len(NAMES)), key=lambda j: shares[j])
    if shares[top] < CLEAR and shares[near] >= SHARED:
        return "/".join(NAMES[j] for j in sorted((top, near)))
    return NAMES[top]


def why_unsure(standing: Standing, width_12: float, as_of: date) -> str | None:
    """The reason why no class is given, or None."""
    if not standing.has_sells:
        return "unsure: what it sells is unknown"
    if not standing.has_launch:
        return "unsure: its launch is unknown"
    if (as_of - standing.seen_from).days < 30:
        return "unsure: first seen under a month ago"
    if standing.last_alive_on is not None and (as_of - standing.last_alive_on).days > 183:
        return f"unsure: last seen alive on {standing.last_alive_on}, over six months ago"
    if width_12 > WIDEST:
        return "unsure: the 12-month interval is wider than one half"
    return None


def safe_until(curve: np.ndarray) -> int:
    """Last month up to which survival is at least 0.8."""
    below = np.flatnonzero(curve < SAFE)
    return int(below[0]) - 1 if len(below) else len(curve) - 1


def median(curve: np.ndarray) -> float | None:
    """Month at which survival crosses one half, between months by a straight line; None beyond the curve."""
    below = np.flatnonzero(curve <= 0.5)
    if not len(below):
        return None
    k = int(below[0])
    return float(k - 1 + (curve[k - 1] - 0.5) / (curve[k - 1] - curve[k])) if k else 0.0
