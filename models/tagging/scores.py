"""How well tags agree with a reader: scores per label and over all, calibration, confusion, languages apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SURE_ENOUGH = 0.1
N_BINS = 10


@dataclass(frozen=True)
class Judged:
    """What a tagger said of n documents, beside what the reader said."""

    kinds: tuple[str, ...]
    labels: tuple[str, ...]
    said_kinds: Sequence[str]
    said_labels: Sequence[Sequence[str]]
    scores: np.ndarray
    true_kinds: Sequence[str]
    true_labels: Sequence[Sequence[str]]
    langs: Sequence[str]


def f1(hits: float, said: float, true: float) -> float:
    """F1 from counts; 0 when nothing was said and nothing was true."""
    return 2 * hits / (said + true) if said + true else 0.0


def matrix(rows: Sequence[Sequence[str]], labels: Sequence[str]) -> np.ndarray:
    """(documents, labels) in {0, 1}."""
    column = {label: i for i, label in enumerate(labels)}
    out = np.zeros((len(rows), len(labels)), dtype=bool)
    for i, row in enumerate(rows):
        for label in row:
            if label in column:
                out[i, column[label]] = True
    return out


def calibration_error(scores: np.ndarray, truth: np.ndarray, above: float = SURE_ENOUGH) -> float:
    """Expected calibration error of the probabilities above a floor, in ten equal bins."""
    chosen = scores > above
    p, y = scores[chosen], truth[chosen].astype(float)
    if not len(p):
        return 0.0
    bins = np.minimum((p * N_BINS).astype(int), N_BINS - 1)
    gaps = [abs(p[bins == b].mean() - y[bins == b].mean()) * (bins == b).sum() for b in range(N_BINS) if (bins == b).any()]
    return float(sum(gaps) / len(p))


def overall(judged: Judged) -> dict[str, float]:
    """The figures that a tagger is adopted by."""
    said, true = matrix(judged.said_labels, judged.labels), matrix(judged.true_labels, judged.labels)
    per_label = [
        f1((said[:, i] & true[:, i]).sum(), said[:, i].sum(), true[:, i].sum())
        for i in range(len(judged.labels))
        if true[:, i].any()
    ]
    jump_said = np.array([kind == "capability_jump" for kind in judged.said_kinds])
    jump_true = np.array([kind == "capability_jump" for kind in judged.true_kinds])
    figures = {
        "micro_f1": _micro(said, true),
        "macro_f1": float(np.mean(per_label)) if per_label else 0.0,
        "kind_accuracy": float(np.mean([a == b for a, b in zip(judged.said_kinds, judged.true_kinds, strict=True)])),
        "jump_f1": f1((jump_said & jump_true).sum(), jump_said.sum(), jump_true.sum()),
        "calibration_error": calibration_error(judged.scores, true),
        "n": float(len(judged.true_kinds)),
    }
    for lang in ("en", "zh"):
        rows = np.array([found == lang for found in judged.langs])
        if rows.any():
            figures[f"micro_f1_{lang}"] = _micro(said[rows], true[rows])
            figures[f"kind_accuracy_{lang}"] = float(
                np.mean(np.array(judged.said_kinds)[rows] == np.array(judged.true_kinds)[rows])
            )
    return {name: round(float(value), 4) for name, value in figures.items()}


def _micro(said: np.ndarray, true: np.ndarray) -> float:
    return f1((said & true).sum(), said.sum(), true.sum())


def per_label(judged: Judged) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support of each label."""
    said, true = matrix(judged.said_labels, judged.labels), matrix(judged.true_labels, judged.labels)
    rows = []
    for i, label in enumerate(judged.labels):
        hits, n_said, n_true = (said[:, i] & true[:, i]).sum(), said[:, i].sum(), true[:, i].sum()
        rows.append(
            {
                "label": label,
                "support": int(n_true),
                "precision": round(float(hits / n_said), 3) if n_said else None,
                "recall": round(float(hits / n_true), 3) if n_true else None,
                "f1": round(f1(hits, n_said, n_true), 3),
            }
        )
    return rows


def confusion(judged: Judged) -> dict[str, dict[str, int]]:
    """Counts of said kinds under each true kind."""
    table = {kind: dict.fromkeys(judged.kinds, 0) for kind in judged.kinds}
    for said, true in zip(judged.said_kinds, judged.true_kinds, strict=True):
        table[true][said] += 1
    return table


def reliability(judged: Judged) -> list[dict[str, float]]:
    """Mean probability and share of true labels in ten bins."""
    true = matrix(judged.true_labels, judged.labels)
    p, y = judged.scores.ravel(), true.ravel()
    bins = np.minimum((p * N_BINS).astype(int), N_BINS - 1)
    rows = []
    for b in range(N_BINS):
        inside = bins == b
        if inside.any():
            rows.append(
                {
                    "from": b / N_BINS,
                    "n": int(inside.sum()),
                    "said": round(float(p[inside].mean()), 3),
                    "true": round(float(y[inside].mean()), 3),
                }
            )
    return rows


def is_better(new: Mapping[str, float], old: Mapping[str, float], margin: float = 0.0) -> bool:
    """The adoption rule: a higher mean of micro, macro, kind and jump scores on the same frozen folds."""
    names = ("micro_f1", "macro_f1", "kind_accuracy", "jump_f1")
    return sum(new[n] for n in names) / len(names) > sum(old[n] for n in names) / len(names) + margin
