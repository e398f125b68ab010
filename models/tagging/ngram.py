"""Linear heads over hashed words, Chinese characters and names; reads any language and needs only numpy and scipy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy import sparse

from models.tagging.features import hashed, terms
from models.tagging.reading import Reading
from models.tagging.surface import surface_rows

#: what a model may read: words and roles of the parties, or the bare text
FEATURES: dict[str, Callable[[Sequence[Reading]], sparse.csr_matrix]] = {"ngram": hashed, "surface": surface_rows}
N_BLOCKS = {"ngram": 1, "surface": 2}


@dataclass
class NgramModel:
    """`buckets` are the kept hash buckets (sorted); weights are (buckets, outputs), for kinds and for labels given a jump.

    `reads` names the features and the file.
    """

    buckets: np.ndarray
    idf: np.ndarray
    kind_weights: np.ndarray
    kind_bias: np.ndarray
    label_weights: np.ndarray
    label_bias: np.ndarray
    reads: str = "ngram"

    def predict(self, readings: Sequence[Reading]) -> dict[str, np.ndarray]:
        """Logits of kinds and of labels (given a jump), each (documents, outputs)."""
        return self.logits(FEATURES[self.reads](readings))

    def logits(self, counts: sparse.csr_matrix) -> dict[str, np.ndarray]:
        """The same from features counted before."""
        rows = weighted(counts, self.buckets, self.idf, n_blocks=N_BLOCKS[self.reads])
        return {
            "kind": np.asarray(rows @ self.kind_weights + self.kind_bias),
            "capabilities": np.asarray(rows @ self.label_weights + self.label_bias),
        }

    def save(self, folder: Path) -> None:
        """Half precision; the file carries no words, only hash buckets."""
        half = {name: getattr(self, name).astype(np.float16) for name in ("idf", "kind_weights", "label_weights")}
        whole = {name: getattr(self, name).astype(np.float32) for name in ("kind_bias", "label_bias")}
        save_file({"buckets": self.buckets.astype(np.int32), **half, **whole}, folder / f"{self.reads}.safetensors")

    @classmethod
    def load(cls, folder: Path, reads: str = "ngram") -> NgramModel:
        """A model saved by `save`."""
        raw = load_file(folder / f"{reads}.safetensors")
        return cls(raw.pop("buckets"), **{name: value.astype(np.float32) for name, value in raw.items()}, reads=reads)

    def pull(self, sentence: Reading, label: int) -> float:
        """How strongly one sentence speaks for a label: the sum of its features' weights."""
        row = weighted(hashed([sentence], with_source=False), self.buckets, self.idf, unit=False)
        length = max(1.0, float(np.sqrt(len(terms(sentence, with_source=False)))))
        return float((row @ self.label_weights[:, label])[0]) / length


def weighted(
    counts: sparse.csr_matrix, buckets: np.ndarray, idf: np.ndarray, *, n_blocks: int = 1, unit: bool = True
) -> sparse.csr_matrix:
    """Kept columns times idf; each of `n_blocks` equal stretches of the buckets is scaled to unit length, row by row."""
    where = np.full(counts.shape[1], -1, dtype=np.int32)
    where[buckets] = np.arange(len(buckets), dtype=np.int32)
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    columns = where[counts.indices]
    kept = columns >= 0
    rows, columns = rows[kept], columns[kept]
    values = counts.data[kept] * idf[columns]
    if unit:
        block = rows * n_blocks + buckets[columns] // (counts.shape[1] // n_blocks)
        length = np.sqrt(np.bincount(block, values**2, minlength=counts.shape[0] * n_blocks))
        values = values / np.maximum(length, 1e-9)[block]
    return sparse.csr_matrix((values.astype(np.float32), (rows, columns)), shape=(counts.shape[0], len(buckets)))
