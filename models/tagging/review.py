"""What to show an analyst first: the documents that teach most."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.types import Tags

#: weight of a document on which no lifeline hangs; it may still teach the tagger
BASE_WEIGHT = 0.2


@dataclass(frozen=True, slots=True)
class ToReview:
    """A document worth a ruling: how unsure the tagger is (bits, 0 to about 3), how many lifelines hang on it, and their product."""

    document_id: str
    uncertainty: float
    n_lifelines: int
    worth: float


def uncertainty(tags: Tags) -> float:
    """Entropy of the event kind plus that of the label nearest to even odds, in bits."""
    kind = -sum(p * math.log2(p) for p in tags.kind_scores.values() if p > 0)
    return kind + max((_binary_entropy(p) for p in tags.scores.values()), default=0.0)


def review_order(tagged: Sequence[Tags], n_lifelines: Mapping[str, int]) -> list[ToReview]:
    """Documents by uncertainty times the lifelines that hang on them (`n_lifelines` by document), most worth first."""
    rows = []
    for tags in tagged:
        unsure, n = uncertainty(tags), n_lifelines.get(tags.document_id, 0)
        rows.append(ToReview(tags.document_id, round(unsure, 4), n, round(unsure * (BASE_WEIGHT + math.log1p(n)), 4)))
    return sorted(rows, key=lambda row: (-row.worth, row.document_id))


def _binary_entropy(p: float) -> float:
    return 0.0 if p <= 0 or p >= 1 else -(p * math.log2(p) + (1 - p) * math.log2(1 - p))
