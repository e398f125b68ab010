"""Fit the stack on what the components said of documents that they had not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from models.tagging.labels import Labels
from models.tagging.scores import f1
from models.tagging.stack import DEPRECATION, LABEL_KINDS, Stack

Parts = Mapping[str, Mapping[str, np.ndarray]]
BIAS_PENALTY = 0.35
SCALE_PENALTY = 0.05
GRID = np.round(np.arange(0.16, 0.6, 0.02), 2)
#: a label's own threshold counts as much as the common one at this many examples
SHRINK_AT = 40.0


def fit_stack(name: str, parts: Parts, labels: Labels, rows: np.ndarray | None = None) -> Stack:
    """A stack on `rows` (all by default): scales, offsets, calibration, thresholds."""
    chosen = np.arange(len(labels.kinds)) if rows is None else rows
    view = {part: {key: value[chosen] for key, value in logits.items()} for part, logits in parts.items()}
    kinds, truth = labels.kinds[chosen], labels.capabilities[chosen] > 0
    kind_scale, kind_bias = _fit_kinds({p: v["kind"] for p, v in view.items() if "kind" in v}, kinds, labels.n_kinds)
    carries = labels.may_carry_labels[chosen]
    label_scale, label_bias = _fit_labels({p: v["capabilities"][carries] for p, v in view.items()}, truth[carries])
    stack = Stack(
        name=name,
        kinds=labels.kind_names,
        labels=labels.label_names,
        kind_scale=kind_scale,
        kind_bias=tuple(np.round(kind_bias, 5)),
        label_scale=label_scale,
        label_bias=tuple(np.round(label_bias, 5)),
        thresholds=(0.3,) * len(labels.label_names),
        components=tuple(parts),
    )
    kind = stack.kind_probabilities(view)
    slope, shift = _calibrate(stack.label_probabilities(view, kind), truth)
    stack = replace(stack, slope=slope, shift=shift)
    scores = stack.label_probabilities(view, kind)
    return replace(stack, thresholds=_thresholds(stack, kind, scores, truth))


def _fit_kinds(logits: Mapping[str, np.ndarray], truth: np.ndarray, n_kinds: int) -> tuple[dict[str, float], np.ndarray]:
    """Scale of each component and offset of each kind, by penalised likelihood."""
    names = sorted(logits)
    stacked = np.stack([logits[name] for name in names])

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        z = np.tensordot(theta[: len(names)], stacked, 1) + theta[len(names) :]
        z -= z.max(1, keepdims=True)
        p = np.exp(z)
        p /= p.sum(1, keepdims=True)
        value = -np.log(p[np.arange(len(truth)), truth] + 1e-12).sum() + BIAS_PENALTY * (theta[len(names) :] ** 2).sum()
        p[np.arange(len(truth)), truth] -= 1
        slope = np.concatenate([(stacked * p[None]).sum((1, 2)), p.sum(0) + 2 * BIAS_PENALTY * theta[len(names) :]])
        return float(value), slope

    found = minimize(
        loss, np.concatenate([np.full(len(names), 1 / len(names)), np.zeros(n_kinds)]), jac=True, method="L-BFGS-B"
    ).x
    return {name: round(float(s), 5) for name, s in zip(names, found, strict=False)}, found[len(names) :]


def _fit_labels(logits: Mapping[str, np.ndarray], truth: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
    """Scale of each component, shared by all labels, and offset of each label."""
    names = sorted(logits)
    stacked = np.stack([logits[name] for name in names])
    y = truth.astype(float)

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        z = np.tensordot(theta[: len(names)], stacked, 1) + theta[len(names) :]
        p = 1 / (1 + np.exp(-np.clip(z, -30, 30)))
        value = (
            -(y * np.log(p + 1e-12) + (1 - y) * np.log(1 - p + 1e-12)).sum()
            + BIAS_PENALTY * ((theta[len(names) :] - theta[len(names) :].mean()) ** 2).sum()
        )
        gap = p - y
        bias = theta[len(names) :]
        return float(value), np.concatenate(
            [(stacked * gap[None]).sum((1, 2)), gap.sum(0) + 2 * BIAS_PENALTY * (bias - bias.mean())]
        )

    found = minimize(
        loss, np.concatenate([np.full(len(names), 1 / len(names)), np.zeros(y.shape[1])]), jac=True, method="L-BFGS-B"
    ).x
    return {name: round(float(s), 5) for name, s in zip(names, found, strict=False)}, found[len(names) :]


def _calibrate(scores: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Slope and shift on the logit, fitted where it matters: to probabilities above 0.03."""
    chosen = scores > 0.03
    z, y = np.log(scores[chosen] / (1 - scores[chosen])), truth[chosen].astype(float)

    def loss(theta: np.ndarray) -> float:
        p = 1 / (1 + np.exp(-np.clip(theta[0] * z + theta[1], -30, 30)))
        return float(-(y * np.log(p + 1e-12) + (1 - y) * np.log(1 - p + 1e-12)).sum())

    slope, shift = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead").x
    return round(float(slope), 4), round(float(shift), 4)


def _thresholds(stack: Stack, kind: np.ndarray, scores: np.ndarray, truth: np.ndarray) -> tuple[float, ...]:
    """The common threshold with the best micro F1, and each label's own drawn towards it by its support."""
    event = kind.argmax(1)
    jump, shutdown = (stack.kinds.index(name) for name in LABEL_KINDS)
    is_deprecation = np.array([label == DEPRECATION for label in stack.labels])
    allowed = (event == jump)[:, None] | ((event == shutdown)[:, None] & is_deprecation[None])
    common = max(GRID, key=lambda cut: _f1_at(scores, allowed, truth, cut))
    out = []
    for i in range(len(stack.labels)):
        column = slice(i, i + 1)
        own = [_f1_at(scores[:, column], allowed[:, column], truth[:, column], cut) for cut in GRID]
        best = float(np.mean(GRID[np.array(own) >= max(own) - 1e-9])) if max(own) > 0 else common
        n = float(truth[:, i].sum())
        out.append(round(float((n * best + SHRINK_AT * common) / (n + SHRINK_AT)), 3))
    return tuple(out)


def _f1_at(scores: np.ndarray, allowed: np.ndarray, truth: np.ndarray, cut: float) -> float:
    said = (scores >= cut) & allowed
    return f1((said & truth).sum(), said.sum(), truth.sum())


def out_of_fold(
    parts: Parts, labels: Labels, stories: Sequence[str], n_folds: int = 5
) -> tuple[np.ndarray, np.ndarray, list[tuple[str, tuple[str, ...]]]]:
    """Kind and label probabilities and decisions of each document by a stack that saw no document of its story."""
    kind = np.zeros((len(labels.kinds), labels.n_kinds))
    scores = np.zeros(labels.capabilities.shape)
    decided: list[tuple[str, tuple[str, ...]]] = [("", ())] * len(labels.kinds)
    fold = folds(stories, n_folds)
    for k in range(n_folds):
        test = np.flatnonzero(fold == k)
        stack = fit_stack("fold", parts, labels, np.flatnonzero(fold != k))
        view = {part: {key: value[test] for key, value in logits.items()} for part, logits in parts.items()}
        kind[test] = stack.kind_probabilities(view)
        scores[test] = stack.label_probabilities(view, kind[test])
        for i, row in zip(test, stack.decide(kind[test], scores[test]), strict=True):
            decided[i] = row
    return kind, scores, decided


def folds(stories: Sequence[str], n_folds: int = 5) -> np.ndarray:
    """Fold of each document: frozen, decided by its story's name alone, so that two taggers are judged on the same folds."""
    from zlib import crc32

    return np.array([crc32(story.encode()) % n_folds for story in stories])
