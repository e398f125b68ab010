"""What holds for a whole run, in numbers and in words: level, belief in the essays, effect of jumps, weight of the famous dead."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from models.survival import nonparametric, silence
from models.survival.ends import OUTCOMES
from models.survival.model import Model, settings

if TYPE_CHECKING:
    import duckdb

    from models.survival.options import Options


def rows(
    con: duckdb.DuckDBPyConnection, fitted: Model, table: silence.Table, as_of: date, options: Options
) -> list[tuple[str, Any]]:
    """Pairs of key and value for table finding."""
    counted = fitted.rows.weight > 0
    lived = float((fitted.rows.weight * fitted.rows.n_risk)[counted].sum())
    ended = float((fitted.rows.weight * fitted.rows.n_event)[counted].sum())
    out: list[tuple[str, Any]] = [
        ("as_of", as_of),
        ("ends", {"n_ended": fitted.n_ended, "weighted": round(ended, 2), "product_months": round(lived, 1)}),
        ("monthly_hazard", round(ended / lived, 5) if lived else None),
        ("observed_survival_by_age", observed(con)),
        ("belief_in_the_essays", belief(fitted)),
        ("effect_of_jumps", effect(fitted)),
        ("catalogue_start", options.catalogue_start),
        ("moats", "used in the fit" if options.use_moats else "shown, not used in the fit: labelled knowing the fate"),
    ]
    if table.n:
        out.append(("silence", {"n_transitions": table.n, "complete_within_6": _rounded(table.complete_within(6)[6])}))
    return out + _kept(con)


def observed(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Kaplan-Meier with delayed entry at 3, 6, 12 and 24 months of age, and Aalen-Johansen by outcome at 24."""
    seen = nonparametric.observed(con, OUTCOMES)
    by_outcome = seen.incidence_at(24)
    return {
        "survival": {str(age): round(seen.at(age), 4) for age in (3, 6, 12, 24)},
        "ended_by_24_months": {name: round(float(by_outcome[k]), 4) for k, name in enumerate(OUTCOMES)},
    }


def belief(fitted: Model) -> dict[str, Any]:
    """How far the data follow the prior claims: weight of each scale of the means, and a sentence."""
    scale: dict[float, float] = {}
    for mean_scale, _, weight in settings(fitted):
        scale[mean_scale] = scale.get(mean_scale, 0.0) + weight
    mean = sum(k * w for k, w in scale.items())
    words = "hardly" if mean < 0.35 else "about half" if mean < 0.65 else "mostly"
    return {
        "weights": {str(k): round(w, 3) for k, w in sorted(scale.items())},
        "says": f"the data follow the essays' claims {words}",
    }


def effect(fitted: Model) -> dict[str, Any]:
    """The common coefficient of exposure with its 90 % interval, and whether it is told apart from nothing; never a claim of cause."""
    at = fitted.posterior.terms.at("exposure")
    if at < 0:
        return {"says": "no product in this file was exposed to a jump"}
    low, middle, high = np.quantile(fitted.posterior.draws[:, at], [0.05, 0.5, 0.95])
    clear = (
        "not told apart from no effect"
        if low <= 0 <= high
        else "of one sign in this file; no claim, since jobs dealt out at random may fit as well"
    )
    return {
        "per": "log unit of exposure",
        "low": round(low, 3),
        "middle": round(middle, 3),
        "high": round(high, 3),
        "says": clear,
    }


def _rounded(values: np.ndarray) -> list[list[float]]:
    return [[round(float(v), 3) for v in row] for row in values]


def _kept(con: duckdb.DuckDBPyConnection) -> list[tuple[str, Any]]:
    """What the last back-test found, carried forward."""
    import json

    from models.survival.log import kept_findings

    return [(key, json.loads(value)) for key, value in kept_findings(con)]
