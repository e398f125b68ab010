"""Made-up worlds with a known truth that is not the estimator's own model.

Differences on purpose: continuous time; a hazard that falls with age by a power law; log-normal frailty; a tier effect with a step
instead of a line; exposure that decays exponentially with its own life and saturates; effects drawn afresh in every world.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from models import taxonomy

START, AS_OF, CATALOGUE_START = date(2021, 7, 1), date(2025, 7, 1), date(2023, 1, 1)
DAY = 30.4375
STAGE = {"announced": 0.2, "preview": 0.5, "ga": 1.0}
REACH = {"limited": 0.3, "developers": 0.6, "paid": 0.7, "everyone": 1.0}
SEGMENTS = ("eye", "brain", "hand", "make", "platform")
MOATS = ("data", "reputation", "distribution", "workflow")


@dataclass(frozen=True)
class World:
    """Files of the contract plus what only the maker knows: the outcome and the true survival 12 months past as_of."""

    products: list[dict]
    jumps: list[dict]
    true_s12: dict[str, float]
    ended_in_12: dict[str, bool]
    level: float


def make(
    seed: int,
    *,
    n: int = 400,
    ended: float = 0.4,
    effect: float = 1.0,
    missing: float = 0.3,
    n_jumps: int = 240,
    sampling_rate_alive: float = 1.0,
    flat: bool = False,
) -> World:
    """A world of `n` listed products of which a share `ended` has ended by as_of; `effect` is the truth about jumps (0 = none).

    `sampling_rate_alive` keeps only that part of the survivors. `flat` gives every product the same hazard but for age.
    """
    rng = np.random.default_rng(seed)
    jumps = _jumps(rng, n_jumps)
    people = _products(rng, 3 * n)
    effects = _effects(rng, effect, flat)
    fixed = np.array([_fixed(p, effects) + rng.normal(0, 0.0 if flat else 0.25) for p in people])
    born = np.array([p["born"] for p in people])
    exposure = _exposures(people, jumps)
    unit = rng.exponential(size=len(people))
    observed_from = np.maximum(born, _t(CATALOGUE_START))
    level = _calibrate(fixed, born, exposure, effects, unit, observed_from, ended)
    cumulative = _cumulative(level, fixed, born, exposure, effects)
    ends = np.array([_first_passage(row, b, u) for row, b, u in zip(cumulative, born, unit, strict=True)])
    listed = np.flatnonzero(ends > _t(CATALOGUE_START))
    alive = ends > _t(AS_OF)
    kept = [i for i in listed if not alive[i] or rng.random() < sampling_rate_alive][:n]
    rows, s12, out = [], {}, {}
    for i in kept:
        key = f"p{i:04d}"
        rows.append(_row(rng, key, people[i], None if alive[i] else ends[i], missing))
        if alive[i]:
            s12[key] = float(np.exp(-(_at(cumulative[i], _t(AS_OF) + 12) - _at(cumulative[i], _t(AS_OF)))))
            out[key] = bool(ends[i] <= _t(AS_OF) + 12)
    return World(rows, [j["row"] for j in jumps], s12, out, level)


STEP = 0.25  # months


def _t(day: date) -> float:
    return (day - START).days / DAY


def _day(t: float) -> date:
    return START + timedelta(days=int(t * DAY))


def _jumps(rng, n):
    caps = np.array(taxonomy.load().capabilities[:-1])
    popularity = rng.dirichlet(np.full(len(caps), 1.0))
    last = _t(AS_OF) + 12
    times = last * rng.beta(1.6, 1.0, size=n)
    out = []
    for k, t in enumerate(sorted(times)):
        chosen = rng.choice(caps, size=rng.integers(1, 3), replace=False, p=popularity)
        stage, reach = rng.choice(list(STAGE), p=[0.1, 0.3, 0.6]), rng.choice(list(REACH))
        magnitude = int(rng.choice([1, 2, 3], p=[0.45, 0.4, 0.15]))
        row = {
            "jump_id": f"j{k}",
            "date": _day(t).isoformat(),
            "capabilities": ";".join(chosen),
            "stage": stage,
            "reach": reach,
            "magnitude": magnitude,
        }
        out.append({"row": row, "t": t, "capabilities": set(chosen), "w": STAGE[stage] * REACH[reach] * (magnitude / 3) ** 1.3})
    return out


def _products(rng, n):
    caps = np.array(taxonomy.load().capabilities[:-1])
    popularity = rng.dirichlet(np.full(len(caps), 2.0))
    out = []
    for _ in range(n):
        sells = rng.choice(caps, size=rng.integers(1, 4), replace=False, p=popularity)
        out.append(
            {
                "born": _t(AS_OF) * rng.beta(1.3, 1.2),
                "sells": list(sells),
                "depends_on": list(rng.choice(caps, size=rng.integers(0, 2), replace=False)),
                "segment": rng.choice(SEGMENTS),
                "tier": int(rng.choice([1, 2, 3, 4, 5], p=[0.2, 0.3, 0.2, 0.15, 0.15])),
                "coupling": int(rng.integers(0, 4)),
                "moats": [m for m in MOATS if rng.random() < 0.2],
            }
        )
    return out


def _effects(rng, effect, flat):
    k = 0.0 if flat else 1.0
    return {
        "tier": k * rng.normal(0.7, 0.1),
        "coupling": k * rng.normal(0.5, 0.1),
        "segment": dict(zip(SEGMENTS, k * rng.normal(0, 0.35, 5), strict=True)),
        "moat": k * rng.normal(-0.5, 0.1),
        "jump": effect,
        "shape": -0.25,
        "life": rng.uniform(5, 12),
    }


def _fixed(p, e):
    return (
        e["tier"] * (p["tier"] <= 2)
        + e["coupling"] * (p["coupling"] == 3)
        + e["segment"][p["segment"]]
        + e["moat"] * bool(p["moats"])
    )


def _grid():
    return np.arange(0, _t(AS_OF) + 12 + STEP, STEP)


def _exposures(people, jumps, life=8.0):
    grid = _grid()
    by_capability = {c: np.zeros(len(grid)) for c in taxonomy.load().capabilities}
    waves = [(j, np.where(grid >= j["t"], j["w"] * np.exp(-(grid - j["t"]) / life), 0.0)) for j in jumps]
    for j, wave in waves:
        for c in j["capabilities"]:
            by_capability[c] += wave
    out = []
    for p in people:
        total = sum(by_capability[c] for c in p["sells"]) / len(p["sells"])
        early = [(j, wave) for j, wave in waves if j["t"] < p["born"]]
        total = total - sum((wave * len(j["capabilities"] & set(p["sells"])) for j, wave in early), np.zeros(len(grid))) / len(
            p["sells"]
        )
        out.append(2 * np.sqrt(np.maximum(total, 0) / 2) if total.max() > 0 else total)
    return np.array(out)


def _cumulative(level, fixed, born, exposure, e):
    grid = _grid()
    age = np.maximum(grid[None, :] - born[:, None], 0.1)
    h = level * np.exp(fixed[:, None] + e["jump"] * exposure) * (age / 12) ** e["shape"] * (grid[None, :] >= born[:, None])
    return np.concatenate([np.zeros((len(h), 1)), np.cumsum(h * STEP, axis=1)[:, :-1]], axis=1)


def _calibrate(fixed, born, exposure, e, unit, observed_from, ended):
    """The level at which the wanted share of listed products has ended by as_of."""
    low, high = 1e-4, 0.5
    base = _cumulative(1.0, fixed, born, exposure, e)
    at_as_of = np.array([_at(row, _t(AS_OF)) for row in base])
    at_start = np.array([_at(row, t) for row, t in zip(base, observed_from, strict=True)])
    for _ in range(40):
        level = np.sqrt(low * high)
        listed = unit > level * at_start
        low, high = (level, high) if np.mean(unit[listed] <= level * at_as_of[listed]) < ended else (low, level)
    return level


def _at(row, t):
    return np.interp(t, _grid(), row)


def _first_passage(row, born, unit):
    if unit >= row[-1]:
        return np.inf
    return float(np.interp(unit, row, _grid()))


def _row(rng, key, p, end, missing):
    def maybe(value):
        return "" if rng.random() < missing else value

    return {
        "product_id": key,
        "launched_on": _day(p["born"]).isoformat(),
        "outcome": "alive" if end is None else rng.choice(["shut_down", "acquired", "pivoted"], p=[0.7, 0.2, 0.1]),
        "ended_on": "" if end is None else max(_day(end), _day(p["born"])).isoformat(),
        "sells": ";".join(p["sells"]),
        "depends_on": ";".join(p["depends_on"]),
        "segment": maybe(p["segment"]),
        "wrapper_tier": maybe(p["tier"]),
        "coupling": maybe(p["coupling"]),
        "moats": maybe(";".join(p["moats"])),
    }


def write(world: World, folder: Path) -> tuple[Path, Path]:
    """The world as products.csv and jumps.csv, without anything after as_of being hidden from the jumps file."""
    paths = folder / "products.csv", folder / "jumps.csv"
    for path, rows in zip(paths, (world.products, world.jumps), strict=True):
        with path.open("w", newline="") as handle:
            writer = csv.DictWriter(handle, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return paths
