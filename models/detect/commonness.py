"""How common names and words are in news about AI, by count in a fixed collection.

Counts that ship, and not those of the store, so that a story rests on nothing but the documents of its own days: what is polled later,
or kept for longer, does not shake it.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("commonness.csv")
ALL = "*"
N_OF_THE_RARE = 2
MOSTLY = 0.5
LEAST_WEIGHT = 0.25


@dataclass(frozen=True, slots=True)
class Commonness:
    """Weights of tokens, and the words that most people write with a small letter."""

    weights: dict[str, float]
    small_words: frozenset[str]
    rarest: float

    def weight(self, token: str) -> float:
        """The rarer, the heavier: the natural logarithm of all documents over those that have it, in quarters."""
        return self.weights.get(token, self.rarest)


@cache
def load(file: Path = FILE) -> Commonness:
    """The counts that ship: `token,n_documents,n_small`, the first row of which counts the documents."""
    with file.open(encoding="utf-8", newline="") as handle:
        rows = [(row["token"], int(row["n_documents"]), int(row["n_small"])) for row in csv.DictReader(handle)]
    (_, n, _), *counted = rows
    return Commonness(
        {token: _weight(n, count) for token, count, _ in counted},
        frozenset(token for token, count, small in counted if small >= MOSTLY * count),
        _weight(n, N_OF_THE_RARE),
    )


def _weight(n: int, count: int) -> float:
    return max(LEAST_WEIGHT, round(math.log(n / count) * 4) / 4)
