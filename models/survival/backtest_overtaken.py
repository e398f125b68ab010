"""Walk-forward of the overtaken clock: products not yet overtaken on a day, and whether jumps overtook them within h months.

Whether a product still lived is another clock: a job can be overtaken after its seller ended. The reference is the base rate known on the
day: of the products at risk on the newest earlier origin whose horizon had passed, or on all such origins, whichever scores better.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from models.survival import months, overtaken, priors, scores, tables
from models.survival.log import score_row

if TYPE_CHECKING:
    import duckdb

HORIZONS = (3, 6, 12)
LOOK_BACK = 24
PRIOR_N, PRIOR_RATE = 10.0, 0.01


def run(con: duckdb.DuckDBPyConnection, days: Sequence[date], last: date) -> dict[str, Any]:
    """Scores by origin and pooled, and what was said of each product; `last` is the last day of the jumps file."""
    tables.build(con, last, priors.load())
    when = dict(con.execute("select product_id, overtaken_on from overtaken").fetchall())
    earlier = [months.add(days[0], -3 * k) for k in range(LOOK_BACK // 3, 0, -1)] if days else []
    at_risk, said = {}, {}
    for day in [*earlier, *days]:
        tables.build(con, day, priors.load())
        forecast = overtaken.forecast(con, months.index(day), HORIZONS)
        alive = {row[0] for row in con.execute("select product_id from period where is_fate_known and not is_ended").fetchall()}
        said[day] = {key: ahead for key, ahead in forecast.items() if key in alive}
        at_risk[day] = sorted(said[day])
    rows, pooled = [], []
    for k, h in enumerate(HORIZONS):
        judged = [day for day in days if months.add(day, h) <= last and at_risk[day]]
        parts = [(day, *_origin(day, h, k, said, at_risk, when)) for day in judged]
        for day, p, y, newest, every in parts:
            rows.append(_row(day, h, p, y, newest, every))
        if parts:
            columns = [np.concatenate([part[j] for part in parts]) for j in range(1, 5)]
            pooled.append(_row(None, h, *columns))
    return {"rows": rows, "pooled": pooled, "said": [row for day in days for row in _said(day, said[day])]}


def _said(day: date, forecast: dict[str, overtaken.Ahead]) -> list[dict[str, Any]]:
    """Rows of relation hindcast."""
    key = {"clock": "overtaken", "origin_on": day}
    return [
        {"product_id": product, **key, "horizon_months": h, "p": ahead.p[k], "p_low": ahead.low[k], "p_high": ahead.high[k]}
        for product, ahead in sorted(forecast.items())
        for k, h in enumerate(HORIZONS)
    ]


def _origin(
    day: date, h: int, k: int, said: dict, at_risk: dict, when: dict
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    p = np.array([said[day][key].p[k] for key in at_risk[day]])
    y = np.array([_came(when[key], day, h) for key in at_risk[day]])
    past = [past for past in at_risk if months.add(past, h) <= day and at_risk[past]]
    hits = [(sum(_came(when[key], one, h) for key in at_risk[one]), len(at_risk[one])) for one in past]
    newest, every = hits[-1:] or [(0.0, 0)], hits or [(0.0, 0)]
    return p, y, np.full(len(p), _rate(newest, h)), np.full(len(p), _rate(every, h))


def _rate(hits: Sequence[tuple[float, int]], h: int) -> float:
    usual = 1 - (1 - PRIOR_RATE) ** h
    return (sum(n for n, _ in hits) + PRIOR_N * usual) / (sum(n for _, n in hits) + PRIOR_N)


def _came(on: date | None, day: date, h: int) -> float:
    return float(on is not None and day < on <= months.add(day, h))


def _row(day: date | None, h: int, p: np.ndarray, y: np.ndarray, newest: np.ndarray, every: np.ndarray) -> dict[str, Any]:
    best = min(scores.brier(newest, y), scores.brier(every, y))
    row = score_row(day or date.min, h, "overtaken", p, y)
    return row | {
        "origin_on": day,
        "ended": float(y.sum()),
        "brier_base_newest": scores.brier(newest, y),
        "brier_base_all": scores.brier(every, y),
        "brier_reference": best,
        "brier_life_table": best,
        "ratio": row["brier"] / best if best else None,
    }
