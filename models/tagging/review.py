"""What to show an analyst first: what teaches most, and most lifelines hang on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

#: weight of a thing on which no lifeline hangs; a ruling on it may still teach the tagger
BASE_WEIGHT = 0.2


def uncertainty(*chances: ArrayLike) -> np.ndarray:
    """Bits that a ruling would bring: the entropies of some yes-or-no questions, added up.

    Each argument holds one question's probabilities, one per thing; a missing probability (NaN) is a question that nobody
    answered: one bit.
    """
    return np.sum([_entropy(np.asarray(p, dtype=float)) for p in chances], axis=0)


def worth(uncertainty_bits: ArrayLike, n_lifelines: ArrayLike) -> np.ndarray:
    """Uncertainty times how many lifelines hang on it, the latter on a logarithmic scale; comparable across kinds of things."""
    return np.asarray(uncertainty_bits, float) * (BASE_WEIGHT + np.log1p(np.asarray(n_lifelines, float)))


def review_order(worths: ArrayLike, since: Sequence[object], keys: Sequence[str]) -> list[int]:
    """Rows with the most worth first; of equal worth the latest, then by key. Unknown days come last."""
    days = ["" if day is None or day != day else str(day) for day in since]
    rounded = np.round(np.asarray(worths, float), 4)
    by_key = sorted(range(len(keys)), key=lambda i: keys[i])
    by_day = sorted(by_key, key=lambda i: days[i], reverse=True)
    return sorted(by_day, key=lambda i: -rounded[i])


def _entropy(p: np.ndarray) -> np.ndarray:
    inside = np.clip(np.where(np.isnan(p), 0.5, p), 1e-9, 1 - 1e-9)
    return -(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside))
