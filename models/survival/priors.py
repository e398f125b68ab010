"""The weights of jumps and the priors of the hazard, read from `models/priors.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent.parent / "priors.yaml"


@dataclass(frozen=True, slots=True)
class Priors:
    """All constants of the method, by the names of the file."""

    version: int
    jump_weight: Mapping[str, Mapping[str, float]]
    half_life_months: float
    born_in_half_life_months: float
    decisive_weight: float
    cohorts_by_fate: tuple[str, ...]
    level_monthly: float
    level_prior_ends: float
    level_sd: float


@cache
def load(file: Path = FILE) -> Priors:
    """Read the file; it is ours, so a wrong one is a programming error."""
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    weight = raw["jump_weight"]
    return Priors(
        version=raw["version"],
        jump_weight={kind: _values(weight[kind]) for kind in ("stage", "reach", "magnitude")},
        half_life_months=weight["half_life_months"]["value"],
        born_in_half_life_months=weight["born_in_half_life_months"]["value"],
        decisive_weight=weight["decisive"]["value"],
        cohorts_by_fate=tuple(raw["cohorts_by_fate"]["value"]),
        level_monthly=raw["level"]["monthly"]["value"],
        level_prior_ends=raw["level"]["prior_ends"]["value"],
        level_sd=raw["level"]["sd"]["value"],
    )


def _values(entries: Mapping[Any, Mapping[str, Any]]) -> dict[str, float]:
    return {str(word): float(entry["value"]) for word, entry in entries.items()}
