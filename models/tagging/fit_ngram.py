"""Fit the n-gram model: one linear head per kind and per label, on rows with and without their source. Needs scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from models.tagging.features import hashed
from models.tagging.labels import Labels
from models.tagging.ngram import N_BLOCKS, NgramModel, weighted
from models.tagging.reading import Reading

KIND_COSTS = {"ngram": 4.0, "surface": 8.0}
LABEL_COST = 8.0
LEAST_DOCUMENTS = 3


def fit_ngram(counts: sparse.csr_matrix, labels: Labels, reads: str = "ngram") -> NgramModel:
    """A model on the hashed features of labelled readings, counted once for several fits."""
    seen = np.bincount(counts.indices, minlength=counts.shape[1])
    buckets = np.flatnonzero(seen >= LEAST_DOCUMENTS)
    idf = (np.log((len(labels.kinds) + 1) / (seen[buckets] + 1)) + 1).astype(np.float32)
    matrix = weighted(counts, buckets, idf, n_blocks=N_BLOCKS[reads])
    kind = logistic_heads(matrix, np.eye(labels.n_kinds)[labels.kinds], labels.weights, KIND_COSTS[reads])
    carries = labels.may_carry_labels
    label = logistic_heads(matrix[carries], labels.capabilities[carries], labels.weights[carries], LABEL_COST)
    return NgramModel(buckets, idf, *kind, *label, reads=reads)


def hashed_half(readings: Sequence[Reading], seed: int) -> sparse.csr_matrix:
    """Hashed rows in which the source of a random half is hidden, so that the model does without when it must."""
    hidden = np.random.default_rng(seed).random(len(readings)) < 0.5
    both = sparse.vstack(
        [
            hashed([r for r, h in zip(readings, hidden, strict=True) if not h]),
            hashed([r for r, h in zip(readings, hidden, strict=True) if h], with_source=False),
        ]
    )
    order = np.concatenate([np.flatnonzero(~hidden), np.flatnonzero(hidden)])
    return both.tocsr()[np.argsort(order)]


def logistic_heads(
    matrix: sparse.csr_matrix, targets: np.ndarray, weights: np.ndarray, cost: float
) -> tuple[np.ndarray, np.ndarray]:
    """One-against-rest logistic heads; a column that never occurs gets a bias that says so."""
    from sklearn.linear_model import LogisticRegression

    columns, biases = [], []
    for target in targets.T:
        if target.sum() < 2 or target.sum() > len(target) - 2:
            columns.append(np.zeros(matrix.shape[1]))
            biases.append(-6.0 if target.sum() < 2 else 6.0)
            continue
        model = LogisticRegression(C=cost, solver="liblinear", dual=True, tol=0.05, max_iter=30, random_state=0)
        model.fit(matrix, target.astype(int), sample_weight=weights)
        columns.append(model.coef_[0])
        biases.append(float(model.intercept_[0]))
    return np.array(columns, np.float32).T, np.array(biases, np.float32)
