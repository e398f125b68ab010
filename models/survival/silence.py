"""The silent clock: six whole months without a sign of life, forecast from recent activity.

State of a product at the end of a month: months of silence so far (0-5) and the size class of its last active month (24 states). From
each state the chance to be active in the next month is a share shrunk to that of the same silence, and this to all; so is the size of an
active month. Runs of six are absorbing; their chance within h months follows by recursion. Silence is dated twice: by its first silent
month, and by the month that completes six, which is when it can be known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

RUN = 6
SIZE_EDGES = (1, 3, 10, 30)
SHRINK_SILENCE, SHRINK_CELL, SHRINK_SIZE = 10.0, 10.0, 5.0
UNKNOWN = -1
USUAL = np.array([0.8, 0.4, 0.25, 0.2, 0.15, 0.12])  # chance to be active again, by months of silence


@dataclass(frozen=True, slots=True)
class History:
    """Monthly counts of one product from month `first_m` on, without gaps; `entered_m` is the month its watch began."""

    product_id: str
    first_m: int
    counts: np.ndarray
    entered_m: int

    @property
    def last_m(self) -> int:
        """Last month that is known."""
        return self.first_m + len(self.counts) - 1

    def until(self, m: int) -> History:
        """What was known at the end of month `m`."""
        return History(self.product_id, self.first_m, self.counts[: max(0, m - self.first_m + 1)], self.entered_m)


def size_class(n: np.ndarray) -> np.ndarray:
    """0 to 3 by the count of an active month: 1-2, 3-9, 10-29, 30 and more."""
    return np.clip(np.searchsorted(SIZE_EDGES, n, side="right") - 1, 0, len(SIZE_EDGES) - 1)


def states(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Months of silence and size class of the last active month at the end of every month; -1 before the first active one."""
    where = np.arange(len(counts))
    active = np.asarray(counts) > 0
    last = np.maximum.accumulate(np.where(active, where, -1))
    silent = np.where(last >= 0, where - last, UNKNOWN)
    size = np.where(last >= 0, size_class(np.asarray(counts)[np.maximum(last, 0)]), UNKNOWN)
    return silent, size


@dataclass(frozen=True, slots=True)
class Table:
    """Chance to be active next month by silence and size, and of each size given activity; with the transitions they rest on.

    `draws` are tables that the same transitions could have come from; intervals come from them.
    """

    active: np.ndarray
    size: np.ndarray
    n: int
    draws: tuple[Table, ...] = ()

    def complete_within(self, horizon: int) -> np.ndarray:
        """Chance that a run of six silent months is complete within 0..horizon months; shape (horizon + 1, 6, 4)."""
        done = np.zeros((horizon + 1, RUN, len(SIZE_EDGES)))
        for h in range(1, horizon + 1):
            quiet = np.concatenate([done[h - 1, 1:], np.ones((1, len(SIZE_EDGES)))])
            woken = self.size @ done[h - 1, 0]
            done[h] = self.active * woken + (1 - self.active) * quiet
        return done

    def interval_within(self, horizon: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Ends of the 90 % interval of `complete_within`, the point always inside; None without draws."""
        if not self.draws:
            return None
        point = self.complete_within(horizon)
        drawn = np.stack([one.complete_within(horizon) for one in self.draws])
        low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
        return np.minimum(low, point), np.maximum(high, point)

    def ahead(self, n_months: int) -> np.ndarray:
        """Expected silent months (to 5) and chance of a small last month at the start of each month ahead; shape (2, 6, 4, n_months)."""
        n_size = len(SIZE_EDGES)
        flat = RUN * n_size
        step = np.zeros((flat, flat))
        for s in range(RUN):
            for z in range(n_size):
                step[s * n_size + z, :n_size] += self.active[s, z] * self.size[s, z]
                step[s * n_size + z, min(s + 1, RUN - 1) * n_size + z] += 1 - self.active[s, z]
        silent, small = np.repeat(np.arange(RUN), n_size), np.tile(np.arange(n_size) == 0, RUN).astype(float)
        out, now = np.empty((2, flat, n_months)), np.eye(flat)
        for k in range(n_months):
            out[0, :, k], out[1, :, k] = now @ silent, now @ small
            now = now @ step
        return out.reshape(2, RUN, n_size, n_months)


def fit(histories: list[History], *, n_draws: int = 0, seed: int = 1) -> Table:
    """Count transitions from the month each product entered; what came before its listing was selected by the listing."""
    n_size = len(SIZE_EDGES)
    active, seen = np.zeros((RUN, n_size)), np.zeros((RUN, n_size))
    sizes = np.zeros((2, n_size, n_size))
    for one in histories:
        silent, size = states(one.counts)
        begin = max(0, one.entered_m - one.first_m)
        s, z, after = silent[begin:-1], size[begin:-1], one.counts[begin + 1 :]
        ok = (s >= 0) & (s < RUN)
        np.add.at(seen, (s[ok], z[ok]), 1)
        woke = ok & (after > 0)
        np.add.at(active, (s[woke], z[woke]), 1)
        np.add.at(sizes, ((s[woke] > 0).astype(int), z[woke], size_class(after[woke])), 1)
    drawn = _draws(active, seen, sizes, np.random.default_rng((seed, 6)), n_draws)
    return Table(_shrunk(active, seen), _sizes(sizes), int(seen.sum()), drawn)


def _draws(active: np.ndarray, seen: np.ndarray, sizes: np.ndarray, rng: np.random.Generator, n: int) -> tuple[Table, ...]:
    """Tables drawn from what the shrunken shares stand for: a beta for each chance to be active, a Dirichlet for each row of sizes."""
    of_silence = active.sum(axis=1) + SHRINK_SILENCE * USUAL, (seen - active).sum(axis=1) + SHRINK_SILENCE * (1 - USUAL)
    parents = _pooled_sizes(sizes)
    out = []
    for _ in range(n):
        parent = rng.beta(*of_silence)
        share = rng.beta(active + SHRINK_CELL * parent[:, None], seen - active + SHRINK_CELL * (1 - parent[:, None]))
        gamma = rng.standard_gamma(sizes + SHRINK_SIZE * parents)
        rows = gamma / gamma.sum(axis=2, keepdims=True)
        out.append(Table(share, np.stack([rows[0], *[rows[1]] * (RUN - 1)]), 0))
    return tuple(out)


def _shrunk(active: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Cell shares leaning on the share of their silence, which leans on a share that falls by silence in the usual way."""
    return (active + SHRINK_CELL * _by_silence(active, seen)[:, None]) / (seen + SHRINK_CELL)


def _by_silence(active: np.ndarray, seen: np.ndarray) -> np.ndarray:
    return (active.sum(axis=1) + SHRINK_SILENCE * USUAL) / (seen.sum(axis=1) + SHRINK_SILENCE)


def _sizes(count: np.ndarray) -> np.ndarray:
    """Size of an active month given the last one's, after activity or after a gap; shape (6, 4, 4), rows sum to 1."""
    table = (count + SHRINK_SIZE * _pooled_sizes(count)) / (count.sum(axis=2, keepdims=True) + SHRINK_SIZE)
    return np.stack([table[0], *[table[1]] * (RUN - 1)])


def _pooled_sizes(count: np.ndarray) -> np.ndarray:
    return (count.sum(axis=(0, 1)) + 1) / (count.sum() + len(SIZE_EDGES))


def histories(counts: Mapping[str, Mapping[int, int]], last_m: int, entered: Mapping[str, int]) -> list[History]:
    """Fill months absent between a product's first and last known month with zeros, and look at nothing after `last_m`.

    A file without a single zero lists active months only: then the months after a product's last one are zeros too, up to the last month
    that the file knows of anybody.
    """
    known = [m for months in counts.values() for m in months if m <= last_m]
    if not known:
        return []
    lists_active = all(n > 0 for months in counts.values() for n in months.values())
    file_end = min(last_m, max(known))
    out = []
    for product_id in sorted(counts):
        months = {m: n for m, n in counts[product_id].items() if m <= last_m}
        if not months:
            continue
        first, last = min(months), file_end if lists_active else max(months)
        filled = np.array([months.get(m, 0) for m in range(first, last + 1)])
        out.append(History(product_id, first, filled, entered.get(product_id, first)))
    return out


@dataclass(frozen=True, slots=True)
class Sign:
    """How a product stands: silent months, size class, the month the silence began (None when active last), p and interval by horizon."""

    silent: int
    size: int
    silent_since_m: int | None
    p_silent: dict[int, float] | None
    interval: dict[int, tuple[float, float]] | None = None


def signs(known: list[History], table: Table, last_m: int, horizons: tuple[int, ...]) -> dict[str, Sign]:
    """Standing of every product whose activity is known up to `last_m`; p only for those not silent yet."""
    done = table.complete_within(max(horizons))
    bounds = table.interval_within(max(horizons))
    out = {}
    for one in known:
        if one.last_m < last_m:
            continue
        silent, size = states(one.counts)
        s, z = int(silent[-1]), int(size[-1])
        if s == UNKNOWN:
            continue
        is_silent = s >= RUN
        p = None if is_silent else {h: float(done[h, s, z]) for h in horizons}
        interval = {h: (float(bounds[0][h, s, z]), float(bounds[1][h, s, z])) for h in horizons} if bounds and p else None
        out[one.product_id] = Sign(s, z, one.last_m - s + 1 if is_silent else None, p, interval)
    return out
