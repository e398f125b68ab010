"""Walk-forward of the ended clock: stand on past days, forecast with what was known then, compare with what came.

Cases at an origin are the products watched then whose fate at the horizon is known now. Ends known to a window count in parts. Where
more than one case in twenty was lost from sight, cases weigh 1 / chance of not being lost by then (IPCW). `weighted` scores count a
product that is known because it died as the fit does, so that the level is that of the cohort.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import UsageError
from models.survival import lifetable, log, model, months, predict, priors, scores, stage
from models.survival.options import Options

if TYPE_CHECKING:
    import duckdb

HORIZONS = (3, 6, 12)
WITHOUT_JUMPS = ("exposure", "coupling_x_exposure", "deprecation", "help", "born_in")
LOST_AT_MOST, FEWEST_KEPT = 0.05, 0.6
N_BOOT = 200
FOLLOWED_FOR_COUNTS = 0.8
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fate:
    """What is known at the end: the window of the end (None when alive) and the last day seen alive."""

    end_from: date | None
    end_to: date | None
    seen_until: date
    is_cohort: bool
    weight: float


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Forecast chances of an end within each horizon at one origin, by product; `draws` are those of the estimate for the last horizon."""

    origin: date
    product_id: np.ndarray
    estimate: np.ndarray
    no_exposure: np.ndarray
    life_table: np.ndarray
    constant: np.ndarray
    draws: np.ndarray

    def said(self) -> Iterator[Row]:
        """What is said of each product: its chance of an end within each horizon, with the 90 % interval of the draws."""
        low, high = np.quantile(self.draws, [0.05, 0.95], axis=0)
        for i, key in enumerate(self.product_id):
            for k, h in enumerate(HORIZONS):
                yield {
                    "product_id": str(key),
                    "clock": "ended",
                    "origin_on": self.origin,
                    "horizon_months": h,
                    "p": float(self.estimate[i, k]),
                    "p_low": float(low[i, k]),
                    "p_high": float(high[i, k]),
                }


@dataclass(frozen=True, slots=True)
class Case:
    """One product at one origin and horizon: forecasts, outcome (0-1), weight in the score."""

    product_id: str
    origin: date
    horizon: int
    p: np.ndarray
    y: float
    w: float
    is_cohort: bool
    sample_weight: float


def origins(first: date, last: date, every: int) -> list[date]:
    """Days from `first` to `last`, `every` months apart."""
    out, k = [], 0
    while (day := months.add(first, k * every)) <= last:
        out.append(day)
        k += 1
    return out


def last_day(con: duckdb.DuckDBPyConnection) -> date:
    """The last day on which anything is known of any product."""
    found = con.execute(
        "select greatest(max(ended_on), max(last_alive_on), max(gone_by)) from product where outcome is not null"
    ).fetchall()[0][0]
    if found is None:
        raise UsageError("no product has an end or a day last seen alive; a back-test needs what became of them")
    return found


def fates(con: duckdb.DuckDBPyConnection, at: date, prior: priors.Priors, options: Options) -> dict[str, Fate]:
    """What is known of every product on the day `at`."""
    stage.build(con, at, prior, options)
    rows = con.execute(
        "select b.product_id, b.end_from, b.end_to, b.exited_on, b.is_cohort, w.weight from period as b "
        "join sample_weight as w using (product_id) where b.is_fate_known"
    ).fetchall()
    return {key: Fate(a, b, until, cohort, weight) for key, a, b, until, cohort, weight in rows}


def forecast(con: duckdb.DuckDBPyConnection, origin: date, prior: priors.Priors, options: Options, *, seed: int) -> Forecasts:
    """Forecast from what was known on `origin`; raises UsageError when nobody was alive then."""
    known = stage.build(con, origin, prior, options)
    fitted, _ = stage.fit(con, origin, prior, options, known, seed=seed)
    plain = model.estimate(con, origin, prior, seed=seed, use_moats=options.use_moats, without=WITHOUT_JUMPS)
    chosen = np.flatnonzero(fitted.who.is_alive)
    who = predict.subset(fitted.who, chosen)
    curves = predict.survival(who, fitted.posterior, max(HORIZONS))
    bare = predict.survival(predict.subset(plain.who, chosen), plain.posterior, max(HORIZONS)).mean(axis=0)
    r = fitted.rows
    table = lifetable.fit(r.age, r.n_risk, r.n_event, r.weight, level=prior.level_monthly)
    aged = table.survival(who.age_months, max(HORIZONS))
    monthly = (r.weight @ r.n_event + lifetable.PRIOR_ENDS) / (r.weight @ r.n_risk + lifetable.PRIOR_ENDS / prior.level_monthly)
    h = list(HORIZONS)
    constant = np.repeat(1 - (1 - monthly) ** np.array(h)[None, :], who.n, axis=0)
    return Forecasts(
        origin,
        who.product_id,
        1 - curves.mean(axis=0)[:, h],
        1 - bare[:, h],
        1 - aged[:, h],
        constant,
        1 - curves[:, :, HORIZONS],
    )


def outcome(fate: Fate, origin: date, horizon: int) -> tuple[float, float] | None:
    """(share of the end that falls within the horizon, share of it that lies after the origin), or None when lost from sight."""
    until = months.add(origin, horizon)
    if fate.end_to is not None and fate.end_from is not None:
        if fate.end_to <= origin:
            return None
        window = max((fate.end_to - fate.end_from).days, 0) + 1
        after = min(window, (fate.end_to - origin).days)
        within = after - min(window, max(0, (fate.end_to - until).days))
        return max(0.0, within / after), after / window
    return (0.0, 1.0) if fate.seen_until >= until else None


def cases(found: Forecasts, known: dict[str, Fate], last: date) -> Iterator[Case]:
    """Cases of one origin that can be judged; those lost from sight are dropped, and stood for by their like when they are many."""
    for k, h in enumerate(HORIZONS):
        if months.add(found.origin, h) > last:
            continue
        picked = []
        n_lost = 0
        for i, key in enumerate(found.product_id):
            fate = known.get(key)
            if fate is None or (fate.end_to is None and fate.seen_until < found.origin):
                continue
            judged = outcome(fate, found.origin, h)
            if judged is None:
                n_lost += fate.end_to is None
                continue
            picked.append((i, key, fate, judged))
        keep = (
            _not_lost(known, [str(key) for key in found.product_id], found.origin, h)
            if n_lost > LOST_AT_MOST * max(len(picked) + n_lost, 1)
            else None
        )
        if keep is not None and keep[h] < FEWEST_KEPT:
            continue  # too few are followed that far for any weighting to stand in for the rest
        for i, key, fate, (y, share) in picked:
            p = np.array([found.estimate[i, k], found.no_exposure[i, k], found.life_table[i, k], found.constant[i, k]])
            seen = h if y < 0.5 else max(0, months.index(fate.end_to or last) - months.index(found.origin))
            w = share / (keep[min(seen, h)] if keep is not None else 1.0)
            yield Case(str(key), found.origin, h, p, y, w, fate.is_cohort, fate.weight)


def _not_lost(known: dict[str, Fate], keys: Sequence[str], origin: date, horizon: int) -> np.ndarray:
    """Kaplan-Meier chance of not being lost from sight after 0..horizon months."""
    stay = np.ones(horizon + 1)
    for m in range(1, horizon + 1):
        start, stop = months.add(origin, m - 1), months.add(origin, m)
        there = [known[key] for key in keys if key in known and known[key].seen_until >= start]
        lost = sum(fate.end_to is None and fate.seen_until < stop for fate in there)
        stay[m] = stay[m - 1] * (1 - lost / max(len(there), 1))
    return np.maximum(stay, 0.1)


def score(some: Sequence[Case], method: str, *, weighted: bool) -> Row:
    """Scores of a set of cases of one horizon; `brier_reference` is the better of life table and constant hazard."""
    p = np.stack([case.p for case in some])
    y = np.array([case.y for case in some])
    w = np.array([case.w * (case.sample_weight if weighted else 1.0) for case in some])
    brier = [scores.brier(p[:, j], y, w) for j in range(4)]
    values = {
        "brier": brier[0],
        "brier_no_exposure": brier[1],
        "brier_life_table": brier[2],
        "brier_constant": brier[3],
        "brier_reference": min(brier[2], brier[3]),
        "auc": scores.auc(p[:, 0], y, w),
        "slope": scores.slope(p[:, 0], y, w),
        "oe": scores.oe(p[:, 0], y, w),
    }
    return {
        "origin_on": some[0].origin,
        "horizon_months": some[0].horizon,
        "method": method,
        "n": len(some),
        "ended": round(float(y.sum()), 2),
        "n_ended": round(float(y.sum())),
        **{name: None if np.isnan(value) else value for name, value in values.items()},
        "ratio": brier[0] / min(brier[2], brier[3]),
    }


def bootstrap(some: Sequence[Case], *, weighted: bool, seed: int = 1) -> tuple[float, float]:
    """90 % interval of the Brier ratio over draws of products, all cases of a product together."""
    keys = sorted({case.product_id for case in some})
    number = {key: i for i, key in enumerate(keys)}
    p, y = np.stack([case.p for case in some]), np.array([case.y for case in some])
    w = np.array([case.w * (case.sample_weight if weighted else 1.0) for case in some])
    loss = w[:, None] * (y[:, None] * (1 - p) ** 2 + (1 - y[:, None]) * p**2)
    who = np.array([number[case.product_id] for case in some])
    per_product = np.stack([np.bincount(who, loss[:, j], len(keys)) for j in range(4)], axis=1)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(keys), np.full(len(keys), 1 / len(keys)), size=N_BOOT) @ per_product
    low, high = np.quantile(drawn[:, 0] / np.minimum(drawn[:, 2], drawn[:, 3]), [0.05, 0.95])
    return float(low), float(high)


def counts_covered(found: Sequence[Forecasts], known: dict[str, Fate], last: date, *, seed: int = 1) -> Row:
    """How often the number that ended lay within the 90 % interval of the number forecast (draws and luck), over origins and horizons."""
    rng, inside = np.random.default_rng(seed), []
    for one in found:
        members = [i for i, key in enumerate(one.product_id) if key in known and known[str(key)].is_cohort]
        for k, h in enumerate(HORIZONS):
            got = {i: outcome(known[str(one.product_id[i])], one.origin, h) for i in members}
            judged = [(i, y) for i, (y, _) in ((i, pair) for i, pair in got.items() if pair is not None)]
            if months.add(one.origin, h) > last or len(judged) < FOLLOWED_FOR_COUNTS * max(len(members), 1) or not judged:
                continue
            p = one.draws[:, [i for i, _ in judged], k]
            low, high = np.quantile((rng.random(p.shape) < p).sum(axis=1), [0.05, 0.95])
            inside.append(low <= sum(y for _, y in judged) <= high)
    return {"n": len(inside), "share_inside": float(np.mean(inside)) if inside else None}


def run(
    con: duckdb.DuckDBPyConnection,
    days: Sequence[date],
    *,
    options: Options,
    seed: int = 1,
    name: str = "ended",
    say: Any = None,
) -> dict[str, Any]:
    """Walk forward over `days`; returns rows by origin, horizon and method, pooled rows, reliability, coverage of counts, and what was
    said of each product (rows of relation hindcast).
    """
    prior = priors.load()
    last = last_day(con)
    found = []
    for day in days:
        if months.add(day, min(HORIZONS)) > last:
            continue
        try:
            found.append(forecast(con, day, prior, options, seed=seed))
        except UsageError:
            continue
        if say:
            say(f"{name}: {day}, {len(found[-1].product_id)} products")
    if not found:
        raise UsageError(
            f"nobody was alive on any of {len(days)} days with three months to follow before {last}; choose earlier days"
        )
    known = fates(con, last, prior, options)
    judged = [case for one in found for case in cases(one, known, last)]
    said = [row for one in found for row in one.said()]
    return _report(judged, name) | {"coverage_of_counts": counts_covered(found, known, last), "said": said}


def _report(judged: Sequence[Case], name: str) -> dict[str, Any]:
    rows, pooled = [], []
    views = (
        (f"{name}:all", False, judged),
        (f"{name}:weighted", True, judged),
        (f"{name}:cohort", False, [c for c in judged if c.is_cohort]),
    )
    for method, weighted, view in views:
        for h in HORIZONS:
            some = [case for case in view if case.horizon == h]
            if not some:
                continue
            low, high = bootstrap(some, weighted=weighted)
            p, y = np.array([case.p[0] for case in some]), np.array([case.y for case in some])
            pooled.append(
                score(some, method, weighted=weighted)
                | {"origin_on": None, "ratio_low": low, "ratio_high": high, "reliability": scores.reliability(p, y)}
            )
            for day in sorted({case.origin for case in some}):
                rows.append(score([case for case in some if case.origin == day], method, weighted=weighted))
    return {"rows": rows, "pooled": pooled}


def accuracy_rows(report: dict[str, Any]) -> list[Row]:
    """Rows for relation accuracy."""
    return [{name: row.get(name) for name in log.COLUMNS} for row in report["rows"]]
