"""Features of the bare text: words, pairs of words, and characters inside words or Chinese runs; hashed. Names stay names here."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from scipy import sparse

from models.tagging.features import as_rows, crc
from models.tagging.reading import Reading

#: words and pairs fall into the first half, characters into the second: each half of a row is scaled to unit length by itself
HALF = 1 << 19
SIZES = (2, 3, 4)
_WORD = re.compile(r"\w\w+")


def surface_terms(reading: Reading) -> dict[str, float]:
    """Weight of every feature of one reading: tempered counts of words, pairs, and characters 2 to 4 long with their word's ends."""
    text = reading.text.lower()
    words = _WORD.findall(text)
    counts = Counter(f"w{word}" for word in words)
    counts.update(f"w{one} {two}" for one, two in pairwise(words))
    for word in text.split():
        padded = f" {word} "
        for size in SIZES:
            counts.update([f"c{padded[i : i + size]}" for i in range(len(padded) - size + 1)])
    return {term: 1.0 + math.log(n) for term, n in counts.items()}


def surface_rows(readings: Sequence[Reading]) -> sparse.csr_matrix:
    """Rows of hashed features, (documents, 2 x HALF), float32."""
    return as_rows([surface_terms(reading) for reading in readings], _bucket, 2 * HALF)


def _bucket(term: str) -> int:
    return crc(term, HALF) + (HALF if term[0] == "c" else 0)
