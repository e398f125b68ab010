"""Rows of the published lifeline relations for one day, from a fitted model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from models.survival import classes, ends, explain, model, months, overtaken, predict, silence
from models.survival.lifetable import band
from models.survival.priors import Priors

if TYPE_CHECKING:
    import duckdb

HORIZONS = (3, 6, 12)
N_CURVE = 24
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lifelines:
    """Rows of lifeline, lifeline_curve and lifeline_factor."""

    lifeline: list[Row]
    curve: list[Row]
    factor: list[Row]


def rows(
    con: duckdb.DuckDBPyConnection, fitted: model.Model, as_of: date, priors: Priors, signs: dict[str, silence.Sign]
) -> Lifelines:
    """Everything that is said of the products that are alive on `as_of`."""
    chosen = np.flatnonzero(fitted.who.is_alive)
    who = predict.subset(fitted.who, chosen)
    told = summaries(who, fitted.posterior)
    middle, low, high = told.middle, told.low, told.high
    standing = standings(con)
    lost = explain.loss(who, fitted.posterior)
    factor = explain.factors(con, who, fitted.posterior, lost)
    how = _How(
        ends_share=ends.shares(fitted.who, outcomes(con, fitted.who.product_id))[chosen],
        ahead=overtaken.forecast(con, months.index(as_of), HORIZONS),
        overtaken_on=dict(con.execute("select product_id, overtaken_on from overtaken").fetchall()),
        signs=signs,
        largest=_largest(factor),
        at_risk=_at_risk(fitted, who.age_months),
    )
    out, curve = [], []
    for i, product_id in enumerate(who.product_id):
        stand = standing[product_id]
        unsure = classes.why_unsure(stand, high[i, 12] - low[i, 12], as_of)
        out.append(
            {
                "product_id": product_id,
                "as_of": as_of,
                **horizons(middle[i], low[i], high[i]),
                "median_months": classes.median(middle[i]),
                "safe_until_months": classes.safe_until(middle[i]),
                "lifeline_class": "unsure" if unsure else classes.class_name(told.shares[i]),
                **how.of(i, product_id, 1 - middle[i, 12]),
                **lost_columns(stand, lost.total[i], told.lost[i]),
                "n_ended": fitted.n_ended,
                "evidence": "data" if fitted.n_ended >= priors.few_ends else "mostly_prior",
                "reason": unsure or rests_on(fitted, who, i, priors),
            }
        )
        curve += [{"product_id": product_id, "as_of": as_of, **row} for row in curve_rows(middle[i], low[i], high[i])]
    known = {row["product_id"] for row in out if row["lost_months"] is not None}
    return Lifelines(out, curve, [{**row, "as_of": as_of} for row in factor if row["product_id"] in known])


@dataclass(frozen=True, slots=True)
class _How:
    """What is known of the living products beside their survival."""

    ends_share: np.ndarray
    ahead: dict[str, overtaken.Ahead]
    overtaken_on: dict[str, date]
    signs: dict[str, silence.Sign]
    largest: dict[str, str]
    at_risk: np.ndarray

    def of(self, i: int, product_id: str, gone: float) -> Row:
        """The other two clocks, the manners of an end within a year, and what stands behind the estimate."""
        return {
            "overtaken_on": self.overtaken_on.get(product_id),
            **overtaken_columns(self.ahead.get(product_id)),
            **{f"p_{name}_12": float(gone * self.ends_share[i, k]) for k, name in enumerate(ends.OUTCOMES)},
            **silent_columns(self.signs.get(product_id)),
            "main_jump_id": self.largest.get(product_id),
            "n_at_risk": int(self.at_risk[i]),
        }


def horizons(middle: np.ndarray, low: np.ndarray, high: np.ndarray) -> Row:
    """Columns s3 to s12_high of one curve."""
    return {f"s{h}{end}": float(c[h]) for h in HORIZONS for end, c in (("", middle), ("_low", low), ("_high", high))}


def curve_rows(middle: np.ndarray, low: np.ndarray, high: np.ndarray) -> list[Row]:
    """One curve as rows of months, survival, low, high."""
    return [{"months": k, "survival": float(middle[k]), "low": float(low[k]), "high": float(high[k])} for k in range(N_CURVE + 1)]


def overtaken_columns(ahead: overtaken.Ahead | None) -> Row:
    """Columns p_overtaken_3 to p_overtaken_12_high; null for a product that is overtaken already, or sells nothing that is known."""
    columns = (("", ahead and ahead.p), ("_low", ahead and ahead.low), ("_high", ahead and ahead.high))
    return {f"p_overtaken_{h}{end}": part[k] if part else None for k, h in enumerate(HORIZONS) for end, part in columns}


def silent_columns(sign: silence.Sign | None) -> Row:
    """Columns silent_since to p_silent_12_high; null without activity data, chances null for a product that is silent already."""
    since = sign.silent_since_m if sign else None
    row: Row = {"silent_since": months.first_day(since) if since is not None else None}
    for h in HORIZONS:
        low, high = sign.interval[h] if sign and sign.interval else (None, None)
        p = sign.p_silent[h] if sign and sign.p_silent else None
        row |= {f"p_silent_{h}": p, f"p_silent_{h}_low": low, f"p_silent_{h}_high": high}
    return row


def lost_columns(stand: classes.Standing, total: float, interval: np.ndarray) -> Row:
    """Columns lost_months to lost_months_high; null for a product that sells nothing that is known."""
    found = zip(("", "_low", "_high"), (total, *interval), strict=True)
    return {f"lost_months{end}": float(value) if stand.has_sells else None for end, value in found}


@dataclass(frozen=True, slots=True)
class Summaries:
    """What the draws say: curves (subjects, 25), class shares (subjects, 4), 90 % interval of the lost months (subjects, 2)."""

    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray
    shares: np.ndarray
    lost: np.ndarray


def summaries(who: predict.Subjects, post: predict.Posterior) -> Summaries:
    """Curves, classes and the interval of the lost months, in batches so that memory stays bounded."""
    parts: list[tuple[np.ndarray, ...]] = []
    for start in range(0, who.n, predict.BATCH):
        part = predict.subset(who, np.arange(start, min(start + predict.BATCH, who.n)))
        curves = predict.survival(part, post, N_CURVE)
        free = predict.survival(part, post, N_CURVE, without_past=True)
        lost = np.quantile((free - curves).sum(axis=2), [0.05, 0.95], axis=0).T
        parts.append((*model.mean_curve(curves), classes.class_shares(curves), lost))
    if not parts:
        empty = np.zeros((0, N_CURVE + 1))
        return Summaries(empty, empty, empty, np.zeros((0, 4)), np.zeros((0, 2)))
    return Summaries(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def standings(con: duckdb.DuckDBPyConnection) -> dict[str, classes.Standing]:
    """What classes need to know of every product beside its curve."""
    found = con.execute(
        "select b.product_id, exists (select 1 from product_job as j where j.product_id = b.product_id and j.role = 'sells'), b.has_launch, "
        "b.entered_on, b.last_alive_on from period as b"
    ).fetchall()
    return {key: classes.Standing(sells, launch, entered, last) for key, sells, launch, entered, last in found}


def outcomes(con: duckdb.DuckDBPyConnection, product_id: Sequence[str] | np.ndarray) -> np.ndarray:
    """Position of each product's end in ends.OUTCOMES, -1 for those not known to have ended."""
    found = dict(con.execute("select product_id, outcome from period where is_ended and is_fate_known").fetchall())
    return np.array([ends.OUTCOMES.index(found[key]) if key in found else -1 for key in product_id], dtype=int)


def _at_risk(fitted: model.Model, age_months: np.ndarray) -> np.ndarray:
    """Products that were watched in the age band of each subject."""
    edges = fitted.posterior.age_edges
    counted = fitted.rows.weight > 0
    which = band(fitted.rows.age[counted], edges)
    n = np.array([len(np.unique(fitted.rows.subject[counted][which == a])) for a in range(len(edges))])
    return n[band(age_months, edges)]


def _largest(factor: list[Row]) -> dict[str, str]:
    best: dict[str, Row] = {}
    for row in factor:
        if row["jump_id"] and row["lost_months"] > best.get(row["product_id"], {"lost_months": 0.0})["lost_months"]:
            best[row["product_id"]] = row
    return {key: row["jump_id"] for key, row in best.items()}


def rests_on(fitted: model.Model, who: predict.Subjects, i: int, priors: Priors) -> str:
    """One line on what an estimate rests on."""
    parts = [f"{fitted.n_ended} ends among {int((np.bincount(fitted.rows.subject, fitted.rows.weight) > 0).sum())} products"]
    unknown = [name for name, value in (("tier", who.tier[i]), ("coupling", who.coupling[i])) if np.isnan(value)]
    if unknown:
        parts.append(f"{' and '.join(unknown)} unknown, drawn from its segment")
    if not np.isnan(who.silent[i]):
        parts.append("signs of life known")
    if fitted.n_ended < priors.few_ends:
        parts.append("too few ends: mostly prior")
    return "rests on " + "; ".join(parts)
