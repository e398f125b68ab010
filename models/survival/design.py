"""The columns of the hazard: from subjects, rows and priors to a design matrix with prior means and sds.

eta = level + age band + segment + tier + coupling + moats + sum_c (b + b_c) E_c + coupling x E + deprecation + born-in + help + signs
of life. Every column but level and age is centred at its mean over the months at risk, so that `level` is the file's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models import taxonomy
from models.survival.data import MOATS, SEGMENTS, Rows, Subjects
from models.survival.lifetable import band
from models.survival.priors import Priors

MIDDLE_TIER, MIDDLE_COUPLING, DEEP = 3.0, 1.5, 3.0
FIXED = (
    *(f"segment_{name}" for name in SEGMENTS),
    "tier",
    "coupling",
    "moat_any",
    *(f"moat_{name}" for name in MOATS),
    "born_in",
)
MOVING = ("exposure", "coupling_x_exposure", "deprecation", "help", "silent_months", "small_last_month")
JUMP_TERMS = ("exposure", "coupling_x_exposure", "deprecation", "help")


@dataclass(frozen=True, slots=True)
class Terms:
    """Names, prior means and sds of the columns, in order, and what was subtracted from each.

    `capabilities` are the labels that have a column of their own (`exposure:label`), as positions in the taxonomy.
    """

    names: tuple[str, ...]
    mean: np.ndarray
    sd: np.ndarray
    centre: np.ndarray
    capabilities: np.ndarray
    is_claim: np.ndarray

    def at(self, name: str) -> int:
        """Position of a column, -1 when it is not in this fit."""
        return self.names.index(name) if name in self.names else -1


@dataclass(frozen=True, slots=True)
class Filled:
    """Covariates of every subject with nothing unknown: codes of segment, tier, coupling, moats."""

    segment: np.ndarray
    tier: np.ndarray
    coupling: np.ndarray
    moats: np.ndarray


def fixed_block(who: Subjects, filled: Filled) -> np.ndarray:
    """Columns FIXED, one row per subject."""
    segment = np.eye(len(SEGMENTS) + 1)[filled.segment][:, : len(SEGMENTS)]
    return np.column_stack(
        [segment, (MIDDLE_TIER - filled.tier) / 2, filled.coupling - MIDDLE_COUPLING, filled.moats, np.log1p(who.born_in)]
    )


def deprecation(retired: np.ndarray, coupling: np.ndarray) -> np.ndarray:
    """log(1 + D), D the exposure to deprecations times .6 + .5 for the deeply coupled."""
    return np.log1p(retired * (0.6 + 0.5 * (coupling >= DEEP)))


def matrix(who: Subjects, rows: Rows, filled: Filled, terms_: Terms) -> np.ndarray:
    """The design matrix of the rows, centred; shape (rows, columns)."""
    blocks = _columns(who, rows, filled)
    dense = {"level": np.ones(rows.n)} | {
        f"age_{i}": (band(rows.age, blocks["edges"]) == i).astype(float) for i in range(len(blocks["edges"]))
    }
    out = np.empty((rows.n, len(terms_.names)))
    for j, name in enumerate(terms_.names):
        if name.startswith("exposure:"):
            continue
        out[:, j] = dense[name] if name in dense else blocks[name]
    first = terms_.names.index(f"exposure:{_label(terms_.capabilities[0])}") if len(terms_.capabilities) else len(terms_.names)
    out[:, first:] = blocks["by_capability"][:, terms_.capabilities] if len(terms_.capabilities) else 0
    return out - terms_.centre


def _label(position: int) -> str:
    return taxonomy.load().capabilities[position]


def _columns(who: Subjects, rows: Rows, filled: Filled) -> dict[str, np.ndarray]:
    fixed = fixed_block(who, filled)[rows.subject]
    by_capability = np.zeros((rows.n, len(taxonomy.load().capabilities)))
    by_capability[rows.x_row, rows.x_capability] = np.log1p(rows.x)
    total = by_capability.sum(axis=1)
    coupling = filled.coupling[rows.subject]
    return {
        **{name: fixed[:, j] for j, name in enumerate(FIXED)},
        "by_capability": by_capability,
        "exposure": total,
        "coupling_x_exposure": total * (coupling - MIDDLE_COUPLING),
        "deprecation": deprecation(rows.retired, coupling),
        "help": np.log1p(rows.help),
        "silent_months": np.nan_to_num(rows.silent),
        "small_last_month": np.nan_to_num(rows.small),
        "edges": _EDGES,
    }


_EDGES = np.array((0, 3, 6, 12, 24))


def terms(who: Subjects, rows: Rows, filled: Filled, priors: Priors, *, without: tuple[str, ...] = ()) -> Terms:
    """The columns that vary in this file, with their priors; `without` leaves terms out (and `exposure` all that hangs on it)."""
    blocks = _columns(who, rows, filled)
    risk = rows.n_risk * rows.weight
    risk = risk / max(risk.sum(), 1e-12)
    names, mean, sd, centre = ["level"], [level(rows, priors)], [priors.level_sd], [0.0]
    for i, prior_mean in enumerate(priors.age_mean):
        names.append(f"age_{i}")
        mean.append(prior_mean)
        sd.append(priors.age_sd)
        centre.append(0.0)
    for name in (*FIXED, *MOVING):
        if name in without or not np.ptp(blocks[name]) > 0:
            continue
        names.append(name)
        mean.append(priors.terms[name].mean)
        sd.append(priors.terms[name].sd)
        centre.append(float(risk @ blocks[name]))
    n_claims = len(names)
    own = np.flatnonzero(blocks["by_capability"].any(axis=0)) if "exposure" not in without else np.array([], dtype=int)
    names += [f"exposure:{_label(c)}" for c in own]
    mean += [priors.terms["exposure_by_capability"].mean] * len(own)
    sd += [priors.terms["exposure_by_capability"].sd] * len(own)
    centre += [float(v) for v in risk @ blocks["by_capability"][:, own]]
    is_claim = np.array([not name.startswith(("level", "age_")) for name in names])
    assert n_claims + len(own) == len(names)
    return Terms(tuple(names), np.array(mean), np.array(sd), np.array(centre), own, is_claim)


def level(rows: Rows, priors: Priors) -> float:
    """Prior mean of the level: logit of the crude monthly rate, shrunk by a few ends at the usual one, less the mean age effect."""
    ends, lived = float(rows.weight @ rows.n_event), float(rows.weight @ rows.n_risk)
    rate = (ends + priors.level_prior_ends) / (lived + priors.level_prior_ends / priors.level_monthly)
    rate = min(rate, 0.9)
    ages = np.bincount(band(rows.age, _EDGES), weights=rows.weight * rows.n_risk, minlength=len(_EDGES))
    typical = float(ages @ np.array(priors.age_mean)) / max(lived, 1e-12)
    return float(np.log(rate / (1 - rate))) - typical


def fixed_part(who: Subjects, filled: Filled, terms_: Terms, b: np.ndarray) -> np.ndarray:
    """What the columns FIXED add to the predictor of each subject."""
    block = fixed_block(who, filled)
    return sum((b[terms_.at(name)] * block[:, j] for j, name in enumerate(FIXED) if terms_.at(name) >= 0), np.zeros(who.n))
