"""Months lost to jumps, and each jump's share of them.

Lost months = sum over 24 months of S without the jumps so far less S with them, at the posterior mean along the mean path of new jumps.
Along the ray a X, a from 0 to 1, d S / d a splits by capability; 8-point Gauss-Legendre integrates it (Aumann-Shapley). Within a
capability all jumps fade alike, so a jump's share is its part of X. A last exact rescaling makes the shares add up to the total. These
are associations, never causes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from models.survival import design, impute
from models.survival.data import Subjects
from models.survival.predict import Posterior

if TYPE_CHECKING:
    import duckdb

N_MONTHS = 24
NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)
SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Loss:
    """Lost months per subject, and their parts per job and for deprecations."""

    total: np.ndarray
    job: np.ndarray
    deprecation: np.ndarray


@dataclass(frozen=True, slots=True)
class _Plain:
    """The predictor at the posterior mean: a base per subject and month, slopes per job, deprecation slope."""

    base: np.ndarray
    slope: np.ndarray
    future: np.ndarray
    decay: np.ndarray
    b_retired: float
    retired: np.ndarray


def loss(who: Subjects, post: Posterior) -> Loss:
    """Lost months with their parts; parts add up to the total exactly."""
    plain = _plain(who, post)
    total = _survived(plain, who, 0.0) - _survived(plain, who, 1.0)
    job, retired = np.zeros(len(who.job_x)), np.zeros(who.n)
    for node, weight in zip((NODES + 1) / 2, WEIGHTS / 2, strict=True):
        g_job, g_retired = _slopes(plain, who, node)
        job += weight * g_job
        retired += weight * g_retired
    parts = np.bincount(who.job_subject, weights=job, minlength=who.n) + retired
    scale = np.where(np.abs(parts) > SLACK, total / np.where(np.abs(parts) > SLACK, parts, 1.0), 0.0)
    return Loss(np.where(np.abs(parts) > SLACK, total, 0.0), job * scale[who.job_subject], retired * scale)


def without_job_part(who: Subjects, post: Posterior, subject: np.ndarray, job: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Leave-one-out: months gained if `part` (0-1) of the exposure of one job had not been, for many (subject, job, part)."""
    plain = _plain(who, post)
    eta = _eta(plain, who, 1.0)
    x = plain.future[job] + who.job_x[job][:, None] * plain.decay
    less = plain.slope[job][:, None] * (np.log1p(x - (part * who.job_x[job])[:, None] * plain.decay) - np.log1p(x))
    return _months(eta[subject] + less) - _months(eta[subject])


def _plain(who: Subjects, post: Posterior) -> _Plain:
    b, terms = post.draws.mean(axis=0), post.terms
    segment = impute.guess_segments(who)
    filled = (
        impute.fill(who, segment, post.donors, (post.seed, 0))
        if impute.has_unknowns(who)
        else design.Filled(segment, who.tier, who.coupling, who.moats)
    )
    months_ahead = np.arange(N_MONTHS)
    ages = design.band(who.age_months[:, None] + months_ahead + 0.5, post.age_edges)
    fixed = design.fixed_part(who, filled, terms, b) + b[terms.at("level")] - b @ terms.centre
    base = fixed[:, None] + b[terms.at("age_0") :][: len(post.age_edges)][ages]
    if terms.at("help") >= 0:
        base = base + (b[terms.at("help")] * np.log1p(who.help))[:, None]
    by_capability = np.zeros(len(post.paths[0]))
    by_capability[terms.capabilities] = b[len(b) - len(terms.capabilities) :]
    slope = by_capability[who.job_capability] + (b[terms.at("exposure")] if terms.at("exposure") >= 0 else 0.0)
    if terms.at("coupling_x_exposure") >= 0:
        slope = slope + b[terms.at("coupling_x_exposure")] * (filled.coupling - design.MIDDLE_COUPLING)[who.job_subject]
    future = who.job_share[:, None] * post.paths.mean(axis=0)[who.job_capability, :N_MONTHS]
    b_retired = float(b[terms.at("deprecation")]) if terms.at("deprecation") >= 0 else 0.0
    retired = who.retired * (0.6 + 0.5 * (filled.coupling >= design.DEEP))
    return _Plain(base, slope, future, 2.0 ** (-(months_ahead + post.passed) / post.half_life), b_retired, retired)


def _eta(plain: _Plain, who: Subjects, a: float) -> np.ndarray:
    logs = plain.slope[:, None] * np.log1p(plain.future + a * who.job_x[:, None] * plain.decay)
    eta = plain.base + plain.b_retired * np.log1p(a * plain.retired[:, None] * plain.decay)
    np.add.at(eta, who.job_subject, logs)
    return eta


def _months(eta: np.ndarray) -> np.ndarray:
    return np.cumprod(1 - expit(eta), axis=1).sum(axis=1)


def _survived(plain: _Plain, who: Subjects, a: float) -> np.ndarray:
    return _months(_eta(plain, who, a))


def _slopes(plain: _Plain, who: Subjects, a: float) -> tuple[np.ndarray, np.ndarray]:
    """Minus the derivative of the months survived by a, by job and for deprecations.

    S_k = prod_{l<=k} (1 - h_l), so d log S_k / d eta_l = -h_l and d months / d eta_l = -h_l sum_{k>=l} S_k.
    """
    h = expit(_eta(plain, who, a))
    s = np.cumprod(1 - h, axis=1)
    pull = h * np.cumsum(s[:, ::-1], axis=1)[:, ::-1]
    x = who.job_x[:, None] * plain.decay
    job = (pull[who.job_subject] * plain.slope[:, None] * x / (1 + plain.future + a * x)).sum(axis=1)
    d = plain.retired[:, None] * plain.decay
    return job, (pull * plain.b_retired * d / (1 + a * d)).sum(axis=1)


def factors(con: duckdb.DuckDBPyConnection, who: Subjects, post: Posterior, found: Loss) -> list[dict]:
    """Rows of lifeline_factor: a job's part split over its jumps by what each still weighs in the month of as_of."""
    index = {key: i for i, key in enumerate(who.product_id)}
    labels = list(_labels())
    job_at = {(who.product_id[s], labels[c]): j for j, (s, c) in enumerate(zip(who.job_subject, who.job_capability, strict=True))}
    links = con.execute(_LINKS, [N_NAMED]).fetchall()
    jobs = [(index[p], job_at[p, c], part, jump) for p, jump, c, part in links if p in index and (p, c) in job_at]
    alone = (
        without_job_part(who, post, *(np.array(column) for column in list(zip(*jobs, strict=True))[:3])) if jobs else np.zeros(0)
    )
    rows: dict[tuple[int, str, str | None], list[float]] = {}
    for (i, j, part, jump), out in zip(jobs, alone, strict=True):
        cell = rows.setdefault((i, "jump", jump), [0.0, 0.0])
        cell[0] += float(found.job[j]) * part
        cell[1] += float(out)
    for p, jump, c, part in links:
        if p in index and c == "api_deprecation" and found.deprecation[index[p]] != 0:
            cell = rows.setdefault((index[p], "deprecation", jump), [0.0, 0.0])
            cell[0] += float(found.deprecation[index[p]]) * part
    return [
        {
            "product_id": who.product_id[i],
            "factor": factor,
            "jump_id": jump,
            "lost_months": share,
            "leave_one_out_months": out if factor == "jump" and jump else None,
        }
        for (i, factor, jump), (share, out) in rows.items()
    ]


N_NAMED = 30
# what a jump still weighs in a job on as_of, as a part of all that weighs in it; beyond the largest of a product they share a row
_LINKS = """
with faded as (
    select product_id, jump_id, capability, sum(weight * pow(2, -date_diff('month', exposed_on, getvariable('as_of')) / getvariable('half_life'))) as x
    from reached where role = 'sells' or capability = 'api_deprecation' group by all
), ranked as (
    select *, row_number() over (partition by product_id order by x desc, jump_id, capability) as place from faded
), grouped as (
    select product_id, case when place <= ? then jump_id end as jump_id, capability, sum(x) as x from ranked group by all
)
select product_id, jump_id, capability, x / sum(x) over (partition by product_id, capability) as part from grouped order by all
"""


def _labels() -> tuple[str, ...]:
    from models import taxonomy

    return taxonomy.load().capabilities
