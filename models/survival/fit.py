"""Maximum a posteriori fit of the monthly logit hazard, its covariance, and the mixture of priors.

log posterior = sum_r w_r [y_r log h_r + (n_r - y_r) log(1 - h_r)] - sum_j (b_j - m_j)^2 / (2 s_j^2), logit h = X b.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

from models.survival.data import Rows
from models.survival.design import Terms
from models.survival.priors import Priors

NEWTON_STEPS, LONGEST_STEP, CHUNK, EXACT_BELOW = 25, 2.0, 65536, 100_000


@dataclass(frozen=True, slots=True)
class Fit:
    """Mode, covariance and log evidence under one setting of the priors."""

    mean: np.ndarray
    covariance: np.ndarray
    log_evidence: float
    mean_scale: float
    sd_scale: float


@dataclass(frozen=True, slots=True)
class Sample:
    """The weighted binomial sample of a fit."""

    x: np.ndarray
    y: np.ndarray
    n: np.ndarray
    w: np.ndarray
    cluster: np.ndarray

    def log_likelihood(self, b: np.ndarray) -> float:
        """Weighted binomial log likelihood; log(1 - h) = -log(1 + e^eta), log h = eta + log(1 - h)."""
        eta = self.x @ b
        return float(self.w @ (self.y * eta - self.n * np.logaddexp(0, eta)))

    def gradient(self, b: np.ndarray) -> np.ndarray:
        """First derivative of the log likelihood."""
        return (self.w * (self.y - self.n * expit(self.x @ b))) @ self.x

    def information(self, b: np.ndarray) -> np.ndarray:
        """Minus the second derivative of the log likelihood, in chunks so that memory stays bounded."""
        out = np.zeros((self.x.shape[1],) * 2)
        for start in range(0, len(self.y), CHUNK):
            part = slice(start, start + CHUNK)
            h = expit(self.x[part] @ b)
            scaled = self.x[part] * np.sqrt(self.w[part] * self.n[part] * h * (1 - h))[:, None]
            out += scaled.T @ scaled
        return out

    def scores(self, b: np.ndarray) -> np.ndarray:
        """Sum of squared score contributions by cluster (product): the middle of the sandwich."""
        residual = self.w * (self.y - self.n * expit(self.x @ b))
        starts = np.flatnonzero(np.r_[True, np.diff(self.cluster) != 0])
        by_cluster = np.add.reduceat(self.x * residual[:, None], starts, axis=0)
        return by_cluster.T @ by_cluster


def sample(x: np.ndarray, rows: Rows) -> Sample:
    """Rows with a design; rows of weight nought are left out."""
    keep = rows.weight > 0
    return Sample(x[keep], rows.n_event[keep], rows.n_risk[keep], rows.weight[keep], rows.subject[keep])


def newton(data: Sample, mean: np.ndarray, precision: np.ndarray, start: np.ndarray, *, tolerance: float = 1e-9) -> np.ndarray:
    """The mode of the log posterior; steps are clipped so that a thin file cannot run away."""
    b = start.copy()
    for _ in range(NEWTON_STEPS):
        slope = data.gradient(b) - precision * (b - mean)
        step = np.linalg.solve(data.information(b) + np.diag(precision), slope)
        b = b + step * min(1.0, LONGEST_STEP / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < tolerance:
            break
    return b


def mixture(data: Sample, terms: Terms, priors: Priors, *, scales: Sequence[tuple[float, float]] | None = None) -> list[Fit]:
    """Fits under every pairing of prior means x lambda and sds x kappa; weights follow from their log evidence."""
    pairs = scales or [(m, s) for m in priors.mean_scales for s in priors.sd_scales]
    mean, precision = prior(terms, 0.5, 1.0)
    centre = newton(data, mean, precision, mean, tolerance=1e-4)
    information = data.information(centre)
    is_weighted = bool(np.ptp(data.w) > 0)
    return [_one(data, terms, m, s, centre, information, is_weighted) for m, s in pairs]


def prior(terms: Terms, mean_scale: float, sd_scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Prior means and precisions with the claims scaled; level and age stay as they are."""
    mean = np.where(terms.is_claim, terms.mean * mean_scale, terms.mean)
    sd = np.where(terms.is_claim, terms.sd * sd_scale, terms.sd)
    return mean, sd**-2.0


def _one(
    data: Sample, terms: Terms, mean_scale: float, sd_scale: float, start: np.ndarray, information: np.ndarray, is_weighted: bool
) -> Fit:
    mean, precision = prior(terms, mean_scale, sd_scale)
    b = _chord(data, mean, precision, start, information)
    if len(data.y) < EXACT_BELOW:
        information = data.information(b)
    hessian = information + np.diag(precision)
    factor = cho_factor(hessian)
    covariance = cho_solve(factor, np.eye(len(b)))
    log_det = 2 * np.log(np.diag(factor[0])).sum()
    distance = float(((b - mean) ** 2) @ precision)
    log_evidence = data.log_likelihood(b) - 0.5 * distance + 0.5 * np.log(precision).sum() - 0.5 * log_det
    if is_weighted:
        covariance = covariance @ (data.scores(b) + np.diag(precision)) @ covariance
    return Fit(b, covariance, float(log_evidence), mean_scale, sd_scale)


def _chord(data: Sample, mean: np.ndarray, precision: np.ndarray, start: np.ndarray, information: np.ndarray) -> np.ndarray:
    """The mode by steps with a fixed Hessian: near the centre of the mixture it hardly moves, and a step costs a matrix product."""
    factor = cho_factor(information + np.diag(precision))
    b = start.copy()
    for _ in range(12):
        step = cho_solve(factor, data.gradient(b) - precision * (b - mean))
        b = b + step * min(1.0, LONGEST_STEP / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-6:
            break
    return b


def weights(fits: Sequence[Fit]) -> np.ndarray:
    """Posterior weights of the settings, equal before the data."""
    log = np.array([fit.log_evidence for fit in fits])
    raw = np.exp(log - log.max())
    return raw / raw.sum()


def draw(fits: Sequence[Fit], n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draws from the mixture: each setting gets its share of the draws, the rest by the largest remainder."""
    share = weights(fits) * n_draws
    count = np.floor(share).astype(int)
    for j in np.argsort(count - share)[: n_draws - count.sum()]:
        count[j] += 1
    out = [
        rng.multivariate_normal(f.mean, f.covariance, size=k, method="cholesky") for f, k in zip(fits, count, strict=True) if k
    ]
    return rng.permutation(np.concatenate(out), axis=0)
