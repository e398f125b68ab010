"""Unknown tier, coupling, moats and segment: drawn, never averaged.

A donor is a product of the same segment that has the value. What is drawn for a product in the fit also answers to how the product
fared: donors are weighed by the likelihood of its spell under a first fit (data augmentation), because whom we draw for a product
that ended early is not whom we draw for one that lived.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from models import taxonomy
from models.survival.data import MOATS, SEGMENTS, Rows, Subjects
from models.survival.design import Filled

N_CANDIDATES = 24


@dataclass(frozen=True, slots=True)
class Donors:
    """Known values by segment (a segment's own first, everybody's where it has none); moats as rows of indicators."""

    tier: dict[int, np.ndarray]
    coupling: dict[int, np.ndarray]
    moats: dict[int, np.ndarray]
    segment: np.ndarray

    def of(self, field: str, segment: int) -> np.ndarray:
        """Values of one field for one segment."""
        by_segment: dict[int, np.ndarray] = getattr(self, field)
        return by_segment.get(segment, by_segment[-1])


def guess_segments(who: Subjects) -> np.ndarray:
    """Segment codes with unknown ones taken from what the product sells, where its jobs agree by share; -1 where nothing helps."""
    of_capability = np.array([SEGMENTS.index(taxonomy.load().segment_of[label]) for label in taxonomy.load().capabilities])
    votes = np.zeros((who.n, len(SEGMENTS)))
    np.add.at(votes, (who.job_subject, of_capability[who.job_capability]), who.job_share)
    best = votes.argmax(axis=1)
    return np.where((who.segment < 0) & (votes.max(axis=1) > 0.5), best, who.segment)


def donors(who: Subjects, segment: np.ndarray) -> Donors:
    """Collect the known values; a file that knows nothing gets the middle of each scale."""

    def by_segment(values: np.ndarray, fallback: np.ndarray) -> dict[int, np.ndarray]:
        known = ~np.isnan(values if values.ndim == 1 else values[:, 0]) & (who.weight > 0)
        out = {-1: values[known] if known.any() else fallback}
        for s in np.unique(segment[known & (segment >= 0)]):
            if (own := known & (segment == s)).sum() >= 5:
                out[int(s)] = values[own]
        return out

    known_segments = segment[(segment >= 0) & (who.weight > 0)]
    return Donors(
        by_segment(who.tier, np.array([2.0, 3.0, 4.0])),
        by_segment(who.coupling, np.array([1.0, 2.0])),
        {-1: _moat_pool(who)} if is_ambiguous(who) else by_segment(who.moats, np.zeros((1, 1 + len(MOATS)))),
        known_segments if len(known_segments) else np.array([-1]),
    )


def is_ambiguous(who: Subjects) -> bool:
    """Whether an empty list of moats can mean none as well as unknown: no product is known to have none, some are empty."""
    unknown = np.isnan(who.moats[:, 0])
    return bool(unknown.any() and (who.moats[~unknown, 0] > 0).all())


def _moat_pool(who: Subjects) -> np.ndarray:
    """Donors for empty lists: with f the share of empty lists and q the share of unknown tiers and couplings (taken as that of
    unknown moats too), an empty list means none with probability (f - q) / (f (1 - q)) and else some product's moats.
    """
    unknown = np.isnan(who.moats[:, 0])
    f, q = unknown.mean(), float(np.mean(np.isnan(np.r_[who.tier, who.coupling])))
    p_none = float(np.clip((f - q) / max(f * (1 - q), 1e-9), 0.0, 1.0))
    some = who.moats[~unknown]
    if not len(some) or p_none >= 1:
        return np.zeros((1, who.moats.shape[1]))
    n_none = round(len(some) * p_none / (1 - p_none))
    return np.concatenate([some, np.zeros((n_none, who.moats.shape[1]))])


def fill(who: Subjects, segment: np.ndarray, pool: Donors, seed: tuple[int, ...], keys_: np.ndarray | None = None) -> Filled:
    """One draw of everything unknown; a product's draw depends on its id and the seed alone, whoever else is in the file."""
    u = noise(keys(who.product_id) if keys_ is None else keys_, seed, 4)
    seg = np.where(segment < 0, _pick(pool.segment, u[:, 0]), segment)
    tier, coupling, moats = who.tier.copy(), who.coupling.copy(), who.moats.copy()
    for s in np.unique(seg):
        here = seg == s
        for values, field, column in ((tier, "tier", 1), (coupling, "coupling", 2)):
            gap = here & np.isnan(values)
            values[gap] = _pick(pool.of(field, int(s)), u[gap, column])
        gap = here & np.isnan(moats[:, 0])
        moats[gap] = _pick(pool.of("moats", int(s)), u[gap, 3])
    return Filled(seg, tier, coupling, moats)


def keys(product_id: np.ndarray) -> np.ndarray:
    """A number for every product that depends on its id alone."""
    return np.array([zlib.crc32(str(name).encode()) for name in product_id], dtype=np.uint64)


def noise(key: np.ndarray, seed: tuple[int, ...], n_columns: int) -> np.ndarray:
    """Uniform numbers in (0, 1) by product and column, from a hash of its key, the seed and the column (splitmix64)."""
    with np.errstate(over="ignore"):
        for part in seed:
            key = _mix(key + np.uint64(part + 1) * _GOLDEN)
        columns = np.arange(1, n_columns + 1, dtype=np.uint64)
        mixed = _mix(key[:, None] + columns[None, :] * _GOLDEN)
    return ((mixed >> np.uint64(11)).astype(float) + 0.5) / 2.0**53


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mix(z: np.ndarray) -> np.ndarray:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _pick(values: np.ndarray, u: np.ndarray) -> np.ndarray:
    return values[(u * len(values)).astype(int)]


def has_unknowns(who: Subjects) -> bool:
    """Whether any covariate of a product that counts is unknown."""
    unknown = (who.segment < 0) | np.isnan(who.tier) | np.isnan(who.coupling) | np.isnan(who.moats[:, 0])
    return bool(unknown.any())


def refill(who: Subjects, rows: Rows, filled: list[Filled], offset: np.ndarray, seed: int) -> Filled:
    """Choose among candidate draws by the likelihood of each product's spell.

    `offset` holds the linear predictor of every row under every candidate, shape (candidates, rows).
    """
    log_like = rows.n_event * offset - rows.n_risk * np.logaddexp(0, offset)
    by_product = np.zeros((len(filled), who.n))
    for c in range(len(filled)):
        by_product[c] = np.bincount(rows.subject, weights=log_like[c], minlength=who.n)
    p = np.exp(by_product - by_product.max(axis=0))
    p /= p.sum(axis=0)
    u = np.random.default_rng(seed).random(who.n)
    choice = (np.cumsum(p, axis=0) < u).sum(axis=0).clip(max=len(filled) - 1)
    pick = lambda field: np.stack([getattr(f, field) for f in filled])[choice, np.arange(who.n)]  # noqa: E731
    return Filled(pick("segment"), pick("tier"), pick("coupling"), pick("moats"))
