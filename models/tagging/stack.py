"""Weigh what the components say into one calibrated probability for every kind and label, and decide."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import TaggerError
from models.tagging.labels import LABEL_KINDS

FILE = "tagger.json"
FORMAT = 1
DEPRECATION = "api_deprecation"


@dataclass(frozen=True)
class Stack:
    """Learnt weights of the components; one number each, plus an offset for every kind and label, so that little data suffices.

    `kind_scale` and `label_scale` multiply each component's logits; `slope` and `shift` calibrate the label probabilities.
    """

    name: str
    kinds: tuple[str, ...]
    labels: tuple[str, ...]
    kind_scale: Mapping[str, float]
    kind_bias: tuple[float, ...]
    label_scale: Mapping[str, float]
    label_bias: tuple[float, ...]
    thresholds: tuple[float, ...]
    slope: float = 1.0
    shift: float = 0.0
    components: tuple[str, ...] = ("ngram",)
    format: int = FORMAT
    note: Mapping[str, Any] = field(default_factory=dict)

    def kind_probabilities(self, parts: Mapping[str, Mapping[str, np.ndarray]]) -> np.ndarray:
        """(documents, kinds), rows summing to one."""
        logits = sum(scale * parts[name]["kind"] for name, scale in self.kind_scale.items()) + np.array(self.kind_bias)
        shifted = np.exp(logits - logits.max(1, keepdims=True))
        return np.asarray(shifted / shifted.sum(1, keepdims=True))

    def label_probabilities(self, parts: Mapping[str, Mapping[str, np.ndarray]], kind: np.ndarray) -> np.ndarray:
        """(documents, labels): chance that the document is of a kind that carries labels, times the label's given that."""
        logits = sum(scale * parts[name]["capabilities"] for name, scale in self.label_scale.items()) + np.array(self.label_bias)
        given = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
        raw = np.clip(given * self.carries(kind), 1e-6, 1 - 1e-6)
        return np.asarray(1 / (1 + np.exp(-(self.slope * np.log(raw / (1 - raw)) + self.shift))))

    def carries(self, kind: np.ndarray) -> np.ndarray:
        """(documents, labels): chance of a kind under which the label may stand; a shutdown carries only a deprecation."""
        jump, shutdown = (kind[:, self.kinds.index(name)][:, None] for name in LABEL_KINDS)
        is_deprecation = np.array([label == DEPRECATION for label in self.labels])[None]
        return np.asarray(jump + shutdown * is_deprecation)

    def decide(self, kind: np.ndarray, scores: np.ndarray) -> list[tuple[str, tuple[str, ...]]]:
        """Event kind and labels of each document, consistent with each other."""
        cut, out = np.array(self.thresholds), []
        for probabilities, row in zip(kind, scores, strict=True):
            event = self.kinds[int(probabilities.argmax())]
            past = [label for label, is_past in zip(self.labels, row >= cut, strict=True) if is_past]
            if event == "product_shutdown":
                past = [label for label in past if label == DEPRECATION]
            out.append((event, tuple(past) if event in LABEL_KINDS else ()))
        return out

    def save(self, folder: Path) -> None:
        """Write `tagger.json`."""
        (folder / FILE).write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    def renamed(self, name: str) -> Stack:
        """The same weights under another version."""
        return replace(self, name=name)


def load_stack(folder: Path) -> Stack:
    """The stack of a tagger's folder."""
    try:
        raw = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise TaggerError(f"{folder} holds no tagger ({error}); train one with `lifeline train --output {folder}`") from error
    if raw.get("format") != FORMAT:
        raise TaggerError(f"{folder / FILE} has format {raw.get('format')}, this version reads {FORMAT}; train the tagger again")
    listed = {key: tuple(raw[key]) for key in ("kinds", "labels", "kind_bias", "label_bias", "thresholds", "components")}
    return Stack(**{**raw, **listed})


def rounded(values: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    """Scores by name at four decimals."""
    return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}
