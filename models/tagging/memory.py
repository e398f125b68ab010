"""What a tagger said of the references before it had seen them: kept beside its weights, to compare the next one on the same texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from zlib import crc32

import numpy as np
from safetensors.numpy import load_file, save_file

from models.tagging import scores as judge
from models.tagging.stack import FILE as STACK_FILE
from models.tagging.stack import load_stack

FILE = "memory.safetensors"
#: fewer references in common than this say nothing
LEAST_COMMON = 30
_SCALE = 10_000
_SAID = {"said_kinds", "said_labels", "scores"}


@dataclass(frozen=True)
class Memory:
    """Decisions out of fold, by reference: `numbers` stand for ids; `logits` are the encoder's."""

    numbers: np.ndarray
    kinds: tuple[str, ...]
    labels: tuple[str, ...]
    said_kinds: np.ndarray
    said_labels: np.ndarray
    scores: np.ndarray
    logits: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def row_of(self) -> dict[int, int]:
        """Row of each reference by its number."""
        return {int(number): row for row, number in enumerate(self.numbers)}

    def aligned(self, head: str, labels: Sequence[str]) -> np.ndarray:
        """The encoder's logits of one head, (references, outputs); capabilities in the order given, 0 for those that it did not know."""
        logits = self.logits[head]
        if head != "capabilities":
            return logits
        out = np.zeros((len(logits), len(labels)), dtype=logits.dtype)
        for i, label in enumerate(labels):
            if label in self.labels:
                out[:, i] = logits[:, self.labels.index(label)]
        return out


@dataclass(frozen=True)
class Drift:
    """Two taggers on the `n` references that both were judged on: figures, how much was decided otherwise, F1 per label."""

    n: int
    before: dict[str, float]
    now: dict[str, float]
    kinds_changed: float
    labels_changed: float
    per_label: list[dict[str, object]]


def numbers_of(ids: Sequence[str]) -> np.ndarray:
    """References by a number that does not tell their text."""
    return np.array([crc32(identity.encode()) for identity in ids], dtype=np.int64)


def remember(folder: Path, ids: Sequence[str], judged: judge.Judged, logits: Mapping[str, np.ndarray]) -> None:
    """Write `memory.safetensors`."""
    kinds = np.array([judged.kinds.index(kind) for kind in judged.said_kinds], dtype=np.int16)
    kept = {
        "ids": numbers_of(ids),
        "said_kinds": kinds,
        "said_labels": judge.matrix(judged.said_labels, judged.labels).astype(np.uint8),
        "scores": np.round(judged.scores * _SCALE).astype(np.uint16),
    }
    save_file({**kept, **{name: values.astype(np.float16) for name, values in logits.items()}}, folder / FILE)


def recall(folder: Path | None) -> Memory | None:
    """The memory of a tagger's folder; None where there is no tagger, or one that kept none."""
    if folder is None or not (folder / FILE).exists() or not (folder / STACK_FILE).exists():
        return None
    stack, raw = load_stack(folder), load_file(folder / FILE)
    numbers = raw.pop("ids")
    if not set(raw) >= _SAID:
        return None
    said = {name: raw.pop(name) for name in sorted(_SAID)}
    scores = said.pop("scores") / _SCALE
    return Memory(numbers, stack.kinds, stack.labels, scores=scores, logits=raw, **said)


def in_common(ids: Sequence[str], memory: Memory | None) -> int:
    """How many of these documents a remembered tagger was judged on."""
    known = memory.row_of if memory else {}
    return sum(int(number) in known for number in numbers_of(ids))


def drift(judged: judge.Judged, ids: Sequence[str], memory: Memory | None) -> Drift | None:
    """The new tagger against the one remembered, on the references in common and by their present labels; None below `LEAST_COMMON`."""
    row_of = memory.row_of if memory else {}
    numbers = numbers_of(ids)
    common = [(i, row_of[int(number)]) for i, number in enumerate(numbers) if int(number) in row_of]
    if memory is None or len(common) < LEAST_COMMON:
        return None
    now = _rows(judged, [i for i, _ in common])
    before = _as_before(now, memory, [row for _, row in common])
    pairs = list(zip(before.said_labels, now.said_labels, strict=True))
    return Drift(
        n=len(common),
        before=judge.overall(before),
        now=judge.overall(now),
        kinds_changed=float(np.mean([a != b for a, b in zip(before.said_kinds, now.said_kinds, strict=True)])),
        labels_changed=float(np.mean([set(a) != set(b) for a, b in pairs])),
        per_label=[
            {"label": new["label"], "support": new["support"], "before": old["f1"], "now": new["f1"]}
            for old, new in zip(judge.per_label(before), judge.per_label(now), strict=True)
        ],
    )


def _rows(judged: judge.Judged, rows: Sequence[int]) -> judge.Judged:
    return replace(
        judged,
        said_kinds=[judged.said_kinds[i] for i in rows],
        said_labels=[judged.said_labels[i] for i in rows],
        scores=judged.scores[np.asarray(rows)],
        true_kinds=[judged.true_kinds[i] for i in rows],
        true_labels=[judged.true_labels[i] for i in rows],
        langs=[judged.langs[i] for i in rows],
    )


def _as_before(now: judge.Judged, memory: Memory, rows: Sequence[int]) -> judge.Judged:
    """The same documents as the remembered tagger read them; it says nothing of labels that it does not know."""
    column = {label: i for i, label in enumerate(memory.labels)}
    scores = np.zeros_like(now.scores)
    for i, label in enumerate(now.labels):
        if label in column:
            scores[:, i] = memory.scores[np.asarray(rows), column[label]]
    said = memory.said_labels[np.asarray(rows)] > 0
    return replace(
        now,
        said_kinds=[memory.kinds[memory.said_kinds[row]] for row in rows],
        said_labels=[[label for label, i in column.items() if row[i]] for row in said],
        scores=scores,
    )
