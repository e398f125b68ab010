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
class Normal:
    """A normal prior on the logit scale."""

    mean: float
    sd: float


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
    age_edges: tuple[int, ...]
    age_mean: tuple[float, ...]
    age_sd: float
    terms: Mapping[str, Normal]
    frailty_sd: float
    mean_scales: tuple[float, ...]
    sd_scales: tuple[float, ...]
    n_draws: int
    n_imputations: int
    n_paths: int
    arrivals_months: int
    few_ends: int


@cache
def load(file: Path = FILE) -> Priors:
    """Read the file; it is ours, so a wrong one is a programming error."""
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    weight, level, estimate = raw["jump_weight"], raw["level"], raw["estimate"]
    return Priors(
        version=raw["version"],
        jump_weight={kind: _values(weight[kind]) for kind in ("stage", "reach", "magnitude")},
        half_life_months=weight["half_life_months"]["value"],
        born_in_half_life_months=weight["born_in_half_life_months"]["value"],
        decisive_weight=weight["decisive"]["value"],
        cohorts_by_fate=tuple(raw["cohorts_by_fate"]["value"]),
        level_monthly=level["monthly"]["value"],
        level_prior_ends=level["prior_ends"]["value"],
        level_sd=level["sd"]["value"],
        age_edges=tuple(raw["age"]["edges_months"]),
        age_mean=tuple(raw["age"]["mean"]),
        age_sd=raw["age"]["sd"],
        terms={name: Normal(term["mean"], term["sd"]) for name, term in raw["terms"].items()},
        frailty_sd=raw["frailty"]["sd"],
        mean_scales=tuple(raw["mixture"]["mean_scales"]),
        sd_scales=tuple(raw["mixture"]["sd_scales"]),
        **{name: estimate[name] for name in ("n_draws", "n_imputations", "n_paths", "arrivals_months", "few_ends")},
    )


def _values(entries: Mapping[Any, Mapping[str, Any]]) -> dict[str, float]:
    return {str(word): float(entry["value"]) for word, entry in entries.items()}
