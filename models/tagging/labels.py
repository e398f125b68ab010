"""Labelled documents: reading them from JSON Lines, and as arrays to learn from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import TaggerError

LABEL_KINDS = ("capability_jump", "product_shutdown")


@dataclass(frozen=True)
class Example:
    """One labelled document. `story` decides its fold; a reference is judged on, the others teach."""

    id: str
    title: str
    text: str
    lang: str
    url: str
    source: str
    event_kind: str
    capabilities: tuple[str, ...]
    provider: str
    magnitude: int
    labeller: str
    story: str
    published: str = ""
    is_reference: bool = False


@dataclass(frozen=True)
class Labels:
    """Targets of n documents: kind (n,), capabilities (n, labels) in {0, 1}, magnitude 0-3 (0 unknown), weights (n,)."""

    kinds: np.ndarray
    capabilities: np.ndarray
    magnitudes: np.ndarray
    weights: np.ndarray
    kind_names: tuple[str, ...]
    label_names: tuple[str, ...] = field(default=())

    @property
    def n_kinds(self) -> int:
        """Number of event kinds."""
        return len(self.kind_names)

    @property
    def may_carry_labels(self) -> np.ndarray:
        """Rows whose kind can carry capability labels."""
        allowed = [self.kind_names.index(kind) for kind in LABEL_KINDS if kind in self.kind_names]
        return np.isin(self.kinds, allowed)


def read_examples(files: Iterable[Path], kinds: Sequence[str]) -> list[Example]:
    """Labelled documents of JSON Lines files; a wrong line is named with its file and number."""
    found = []
    for file in files:
        try:
            lines = Path(file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise TaggerError(f"cannot read labels from {file}: {error}; give a JSON Lines file") from error
        for number, line in enumerate(lines, 1):
            if line.strip():
                found.append(_example(line, f"{file}:{number}", kinds))
    if not found:
        raise TaggerError("no labelled document in the files given; each line needs id, title, text, event_kind and capabilities")
    return found


def _example(line: str, where: str, kinds: Sequence[str]) -> Example:
    try:
        raw: dict[str, Any] = json.loads(line)
        kind, capabilities = raw["event_kind"], tuple(raw["capabilities"])
        identity = str(raw["id"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise TaggerError(
            f"{where}: not a labelled document ({error}); needs id, title, text, event_kind, capabilities"
        ) from error
    if kind not in kinds:
        raise TaggerError(f"{where}: event_kind {kind!r} is not in the taxonomy; use one of {', '.join(kinds)}")
    text = {
        key: str(raw.get(key) or "") for key in ("title", "text", "lang", "url", "source", "provider", "labeller", "published")
    }
    story = str(raw.get("story") or "")
    return Example(
        id=identity,
        event_kind=kind,
        capabilities=capabilities,
        magnitude=int(raw.get("magnitude") or 0),
        story=story or str(raw.get("story_id") or identity),
        is_reference=bool(story),
        **text,
    )


def as_labels(examples: Sequence[Example], weights: np.ndarray, label_names: Sequence[str], kind_names: Sequence[str]) -> Labels:
    """Targets in the order of the names given; labels outside `label_names` are left out."""
    column = {label: i for i, label in enumerate(label_names)}
    capabilities = np.zeros((len(examples), len(label_names)), dtype=np.float32)
    for row, example in enumerate(examples):
        for label in example.capabilities:
            if label in column:
                capabilities[row, column[label]] = 1.0
    kinds = np.array([kind_names.index(e.event_kind) for e in examples])
    magnitudes = np.array([e.magnitude for e in examples])
    return Labels(kinds, capabilities, magnitudes, np.asarray(weights, float), tuple(kind_names), tuple(label_names))


def rows_of(labels: Labels, index: np.ndarray) -> Labels:
    """The targets of some documents."""
    return replace(
        labels,
        kinds=labels.kinds[index],
        capabilities=labels.capabilities[index],
        magnitudes=labels.magnitudes[index],
        weights=labels.weights[index],
    )
