"""A last short tuning on the reference reader's own labels, judged by encoders that never saw the story they are asked about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from models.tagging.encoder import Encoder
from models.tagging.fit_encoder import Recipe, fit_encoder
from models.tagging.fit_stack import folds
from models.tagging.labels import Labels
from models.tagging.reading import Reading

N_FOLDS = 3
#: teaching documents that are replayed, of those that can carry labels and of the rest, so that nothing is forgotten
N_REPLAYED = 450
REFERENCE_WEIGHT, REPLAY_WEIGHT = 1.5, 0.7
RECIPE = Recipe(epochs=2, batch_tokens=2048, backbone_rate=4e-5, head_rate=3e-4)


def finish(
    encoder: Encoder, readings: Sequence[Reading], labels: Labels, stories: Sequence[str], say: Callable[[str], None]
) -> dict[str, np.ndarray]:
    """Tune `encoder` in place on the references (the first documents, one per story given); returns their out-of-fold logits."""
    n, start = len(stories), {name: value.clone() for name, value in encoder.net.state_dict().items()}
    replayed = _replayed(labels, n)
    fold = folds(stories, N_FOLDS)
    parts: dict[str, np.ndarray] = {}
    for k in range(N_FOLDS):
        encoder.net.load_state_dict(start)
        _tune(encoder, readings, labels, np.concatenate([np.flatnonzero(fold != k), replayed]), n, k, say)
        test = np.flatnonzero(fold == k)
        for key, values in encoder.predict([readings[int(i)] for i in test]).items():
            parts.setdefault(key, np.zeros((n, values.shape[1]), np.float32))[test] = values
        say(f"encoder finished without fold {k + 1} of {N_FOLDS}")
    encoder.net.load_state_dict(start)
    _tune(encoder, readings, labels, np.concatenate([np.arange(n), replayed]), n, N_FOLDS, say)
    return parts


def _replayed(labels: Labels, n: int) -> np.ndarray:
    """Teaching documents to go over again, with and without labels, drawn with a fixed seed."""
    dice = np.random.default_rng(5)
    teachers = np.arange(n, len(labels.kinds))
    carries = labels.may_carry_labels[teachers]
    drawn = [dice.choice(group, min(N_REPLAYED, len(group)), replace=False) for group in (teachers[carries], teachers[~carries])]
    return np.concatenate(drawn)


def _tune(
    encoder: Encoder, readings: Sequence[Reading], labels: Labels, rows: np.ndarray, n: int, seed: int, say: Callable[[str], None]
) -> None:
    chosen = Labels(
        labels.kinds[rows],
        labels.capabilities[rows],
        labels.magnitudes[rows],
        np.where(rows < n, REFERENCE_WEIGHT, REPLAY_WEIGHT),
        labels.kind_names,
        labels.label_names,
    )
    fit_encoder(encoder, [readings[int(i)] for i in rows], chosen, replace(RECIPE, seed=seed + 10), say)
