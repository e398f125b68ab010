"""From a posterior to survival curves: draws x imputations x paths, the same random numbers for every product and every what-if."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtri

from models.survival import impute
from models.survival.data import Subjects
from models.survival.design import FIXED, MIDDLE_COUPLING, Filled, Terms, deprecation, fixed_block
from models.survival.lifetable import band

BATCH = 2000


@dataclass(frozen=True, slots=True)
class Posterior:
    """All that a forecast needs once the fit is done; `draws` has a row per draw and a column per term.

    `paths` is what new jumps add (paths, capabilities, months); draw d walks path d mod paths. `passed` is the part of the month of
    as_of that lies behind. `frailty_sd` is how far products with the same covariates differ. `signs` gives expected silent months and
    small last month by state and forward month, or is empty.
    """

    terms: Terms
    draws: np.ndarray
    paths: np.ndarray
    donors: impute.Donors
    age_edges: np.ndarray
    half_life: float
    passed: float
    frailty_sd: float
    seed: int
    signs: np.ndarray


@dataclass(frozen=True, slots=True)
class Extra:
    """A jump that has not happened: from forward month `month` on, `w` more exposure for each capability in `capabilities`, and `retired`
    more deprecation by subject; subjects marked `is_own` belong to the platform and are spared.
    """

    month: int
    capabilities: tuple[int, ...]
    w: float
    retired: np.ndarray
    is_own: np.ndarray

    def wave(self, n_months: int, half_life: float) -> np.ndarray:
        """What is left of a weight of 1 in each forward month."""
        lag = np.arange(n_months) - self.month
        return np.where(lag >= 0, 2.0 ** (-np.maximum(lag, 0) / half_life), 0.0)


def survival(
    who: Subjects, post: Posterior, n_months: int, *, extra: Extra | None = None, without_past: bool = False
) -> np.ndarray:
    """Chance to be there after 0..n_months, for every draw and subject; shape (draws, subjects, n_months + 1)."""
    out = np.empty((len(post.draws), who.n, n_months + 1))
    out[:, :, 0] = 1.0
    for d, eta in enumerate(predictors(who, post, n_months, extra=extra, without_past=without_past)):
        np.cumprod(1 - expit(eta), axis=1, out=out[d, :, 1:])
    return out


def predictors(
    who: Subjects, post: Posterior, n_months: int, *, extra: Extra | None = None, without_past: bool = False
) -> Iterator[np.ndarray]:
    """The linear predictor of the forward months, one array (subjects, n_months) per draw."""
    segment = impute.guess_segments(who)
    varies = impute.has_unknowns(who)
    decay = 2.0 ** (-(np.arange(n_months) + post.passed) / post.half_life)
    logs = [_log_exposure(who, path, decay, post.half_life, extra, without_past) for path in post.paths]
    starts, owners = _runs(who.job_subject)
    ages = band(who.age_months[:, None] + np.arange(n_months) + 0.5, post.age_edges)
    moving = _moving(who, post, decay, n_months, extra, without_past)
    fixed_columns = [(post.terms.at(name), j) for j, name in enumerate(FIXED) if post.terms.at(name) >= 0]
    filled: Filled | None = None
    keys = impute.keys(who.product_id)
    for d, b in enumerate(post.draws):
        if filled is None or varies:
            filled = (
                impute.fill(who, segment, post.donors, (post.seed, d), keys)
                if varies
                else Filled(segment, who.tier, who.coupling, who.moats)
            )
            block = fixed_block(who, filled)
        luck = post.frailty_sd * ndtri(impute.noise(keys, (post.seed, d, 11), 1)[:, 0]) - post.frailty_sd**2 / 2
        eta = (_level(b, post.terms) + luck)[:, None] + b[post.terms.at("age_0") :][: len(post.age_edges)][ages]
        for column, j in fixed_columns:
            eta += (b[column] * block[:, j])[:, None]
        _add_jobs(eta, b, post.terms, who, filled, logs[d % len(logs)], starts, owners)
        for column, value in moving:
            eta += b[column] * (value if column != post.terms.at("deprecation") else deprecation(value, filled.coupling[:, None]))
        yield eta


def _level(b: np.ndarray, terms: Terms) -> float:
    return float(b[terms.at("level")] - b @ terms.centre)


def _add_jobs(
    eta: np.ndarray,
    b: np.ndarray,
    terms: Terms,
    who: Subjects,
    filled: Filled,
    log_x: np.ndarray,
    starts: np.ndarray,
    owners: np.ndarray,
) -> None:
    """Add sum_c (b + b_c + b_coupling (coupling - 1.5)) log(1 + X_c) to the predictor of each owner."""
    common, crossed = terms.at("exposure"), terms.at("coupling_x_exposure")
    if not len(starts) or (common < 0 and not len(terms.capabilities)):
        return
    by_capability = np.zeros(int(who.job_capability.max(initial=0)) + 1 + int(terms.capabilities.max(initial=0)))
    by_capability[terms.capabilities] = b[len(b) - len(terms.capabilities) :]
    slope = (b[common] if common >= 0 else 0.0) + by_capability[who.job_capability]
    if crossed >= 0:
        slope = slope + b[crossed] * (filled.coupling - MIDDLE_COUPLING)[who.job_subject]
    eta[owners] += np.add.reduceat(log_x * slope[:, None], starts, axis=0)


def _log_exposure(
    who: Subjects, path: np.ndarray, decay: np.ndarray, half_life: float, extra: Extra | None, without_past: bool
) -> np.ndarray:
    """log(1 + X) of every job and forward month along one path."""
    n_months = len(decay)
    x = who.job_share[:, None] * path[who.job_capability, :n_months]
    if not without_past:
        x = x + who.job_x[:, None] * decay
    if extra is not None:
        hit = np.isin(who.job_capability, extra.capabilities) & ~extra.is_own[who.job_subject]
        x = x + (who.job_share * hit * extra.w)[:, None] * extra.wave(n_months, half_life)
    return np.log1p(x)


def _runs(owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each subject's jobs begin, and whose they are."""
    starts = np.flatnonzero(np.r_[True, np.diff(owner) != 0]) if len(owner) else np.array([], dtype=int)
    return starts, owner[starts] if len(owner) else owner


def _moving(
    who: Subjects, post: Posterior, decay: np.ndarray, n_months: int, extra: Extra | None, without_past: bool
) -> list[tuple[int, np.ndarray]]:
    """Columns that move with time but not with capability: deprecations fade, help stays, signs of life follow their own model."""
    ones = np.ones(n_months)
    retired = np.zeros((who.n, n_months)) if without_past else who.retired[:, None] * decay
    if extra is not None:
        retired = retired + extra.retired[:, None] * extra.wave(n_months, post.half_life)
    values: dict[str, np.ndarray] = {
        "deprecation": retired,
        "help": np.log1p(who.help)[:, None] * ones,
    }
    if post.signs.size:
        silent, small = signs_ahead(who, post.signs, n_months)
        values |= {"silent_months": silent, "small_last_month": small}
    return [(post.terms.at(name), value) for name, value in values.items() if post.terms.at(name) >= 0]


def signs_ahead(who: Subjects, signs: np.ndarray, n_months: int) -> tuple[np.ndarray, np.ndarray]:
    """Expected silent months and small last month of each forward month; nought where nothing is known."""
    known = ~np.isnan(who.silent)
    silent, small = np.zeros((who.n, n_months)), np.zeros((who.n, n_months))
    s, z = who.silent[known].astype(int).clip(0, 5), np.nan_to_num(who.small[known]).astype(int)
    silent[known], small[known] = signs[0][s, z, :n_months], signs[1][s, z, :n_months]
    return silent, small


def subset(who: Subjects, chosen: Sequence[int] | np.ndarray) -> Subjects:
    """Some of the subjects, with their jobs."""
    chosen = np.asarray(chosen, dtype=int)
    where = np.full(who.n, -1)
    where[chosen] = np.arange(len(chosen))
    jobs = np.flatnonzero(where[who.job_subject] >= 0)
    jobs = jobs[np.argsort(where[who.job_subject[jobs]], kind="stable")]
    plain = {name: getattr(who, name)[chosen] for name in _PER_SUBJECT}
    return Subjects(
        **plain,
        job_subject=where[who.job_subject[jobs]],
        job_capability=who.job_capability[jobs],
        job_share=who.job_share[jobs],
        job_x=who.job_x[jobs],
    )


_PER_SUBJECT = (
    "product_id",
    "segment",
    "tier",
    "coupling",
    "moats",
    "born_in",
    "help",
    "retired",
    "age_months",
    "weight",
    "is_alive",
    "silent",
    "small",
)
