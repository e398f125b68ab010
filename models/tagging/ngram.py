"""Linear heads over hashed words, Chinese characters and names; reads any language and needs only numpy and scipy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy import sparse

from models.tagging.features import N_BUCKETS, hashed, terms
from models.tagging.reading import Reading

FILE = "ngram.safetensors"


@dataclass
class NgramModel:
    """`buckets` are the kept hash buckets (sorted); weights are (buckets, outputs), for kinds and for labels given a jump."""

    buckets: np.ndarray
    idf: np.ndarray
    kind_weights: np.ndarray
    kind_bias: np.ndarray
    label_weights: np.ndarray
    label_bias: np.ndarray

    def matrix(self, readings: Sequence[Reading], *, with_source: bool = True) -> sparse.csr_matrix:
        """Rows of unit length over the kept buckets."""
        return weighted(hashed(readings, with_source=with_source), self.buckets, self.idf)

    def predict(self, readings: Sequence[Reading]) -> dict[str, np.ndarray]:
        """Logits of kinds and of labels (given a jump), each (documents, outputs)."""
        rows = self.matrix(readings)
        return {
            "kind": np.asarray(rows @ self.kind_weights + self.kind_bias),
            "capabilities": np.asarray(rows @ self.label_weights + self.label_bias),
        }

    def save(self, folder: Path) -> None:
        """Half precision; the file carries no words, only hash buckets."""
        half = {name: getattr(self, name).astype(np.float16) for name in ("idf", "kind_weights", "label_weights")}
        whole = {name: getattr(self, name).astype(np.float32) for name in ("kind_bias", "label_bias")}
        save_file({"buckets": self.buckets.astype(np.int32), **half, **whole}, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> NgramModel:
        """A model saved by `save`."""
        raw = load_file(folder / FILE)
        return cls(raw.pop("buckets"), **{name: value.astype(np.float32) for name, value in raw.items()})

    def pull(self, sentence: Reading, label: int) -> float:
        """How strongly one sentence speaks for a label: the sum of its features' weights."""
        row = weighted(hashed([sentence], with_source=False), self.buckets, self.idf, unit=False)
        length = max(1.0, float(np.sqrt(len(terms(sentence, with_source=False)))))
        return float((row @ self.label_weights[:, label])[0]) / length


def weighted(counts: sparse.csr_matrix, buckets: np.ndarray, idf: np.ndarray, *, unit: bool = True) -> sparse.csr_matrix:
    """Kept columns times idf, scaled to unit length."""
    where = np.full(N_BUCKETS, -1, dtype=np.int32)
    where[buckets] = np.arange(len(buckets), dtype=np.int32)
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    columns = where[counts.indices]
    kept = columns >= 0
    rows, columns = rows[kept], columns[kept]
    values = counts.data[kept] * idf[columns]
    if unit:
        values = values / np.maximum(np.sqrt(np.bincount(rows, values**2, minlength=counts.shape[0])), 1e-9)[rows]
    return sparse.csr_matrix((values.astype(np.float32), (rows, columns)), shape=(counts.shape[0], len(buckets)))
