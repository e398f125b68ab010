"""Accuracy: what the walk-forward found (kept, or shipped with the program), and what became of forecasts that were really made."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.store import insert_rows, replace_rows
from models.survival import scores, tables

if TYPE_CHECKING:
    import duckdb

SHIPPED = Path(__file__).with_name("walk_forward.csv")
SHIPPED_FINDINGS = Path(__file__).with_name("walk_forward.json")
COLUMNS = (
    "origin_on",
    "horizon_months",
    "method",
    "n",
    "n_ended",
    "brier",
    "brier_life_table",
    "brier_no_exposure",
    "auc",
    "slope",
    "oe",
)


def write_accuracy(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Fill table accuracy with origins whose horizon had passed by `as_of`."""
    kept = con.execute(f"select {', '.join(COLUMNS)} from walk_forward where origin_on <= ?", [as_of]).fetchall()
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in kept] or [row for row in shipped() if row["origin_on"] <= as_of]
    replace_rows(con, "accuracy", rows + from_log(con))


def shipped() -> list[dict[str, Any]]:
    """The walk-forward on the shipped catalogue, as `lifeline backtest --ship` wrote it."""
    if not SHIPPED.is_file():
        return []
    with SHIPPED.open(encoding="utf-8", newline="") as handle:
        return [{name: _value(name, row[name]) for name in COLUMNS} for row in csv.DictReader(handle)]


def _value(name: str, text: str) -> Any:
    if name == "origin_on":
        return date.fromisoformat(text)
    if name == "method":
        return text
    if not text:
        return None
    return int(float(text)) if name in ("horizon_months", "n", "n_ended") else float(text)


def kept_findings(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Findings of the last back-test in this home, else those shipped."""
    rows = con.execute("select key, value::varchar from walk_forward_finding order by 1").fetchall()
    if rows or not SHIPPED_FINDINGS.is_file():
        return rows
    return [(key, json.dumps(value)) for key, value in json.loads(SHIPPED_FINDINGS.read_text(encoding="utf-8")).items()]


def keep(con: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], findings: dict[str, Any]) -> None:
    """Put a back-test in the place of the last one."""
    replace_rows(con, "walk_forward", [{name: row.get(name) for name in COLUMNS} for row in rows])
    con.execute("delete from walk_forward_finding")
    insert_rows(
        con, "walk_forward_finding", [{"key": key, "value": json.dumps(value, default=str)} for key, value in findings.items()]
    )


def from_log(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Scores of logged forecasts whose horizon has passed and whose product's fate by then is known; method ends in ':log'."""
    found = tables.columns(
        con,
        "select f.made_on, f.horizon_months, f.method_version, 1 - f.survival as p, "
        "case when b.is_ended and b.end_to <= f.made_on + to_months(f.horizon_months) then 1.0 else 0.0 end as y "
        "from forecast as f join period as b using (product_id) "
        "where f.made_on + to_months(f.horizon_months) <= getvariable('as_of') and b.is_fate_known "
        "and (b.is_ended or b.exited_on >= f.made_on + to_months(f.horizon_months)) "
        "order by f.made_on, f.horizon_months, f.method_version, f.product_id",
    )
    groups = sorted(set(zip(found["made_on"], found["horizon_months"], found["method_version"], strict=True)))
    out = []
    for made_on, h, version in groups:
        here = (found["made_on"] == made_on) & (found["horizon_months"] == h) & (found["method_version"] == version)
        p, y = found["p"][here].astype(float), found["y"][here].astype(float)
        out.append(score_row(made_on, int(h), f"{version}:log", p, y))
    return out


def score_row(origin_on: date, horizon: int, method: str, p: np.ndarray, y: np.ndarray, **more: Any) -> dict[str, Any]:
    """One row of accuracy; what cannot be computed is null."""
    plain = {"brier": scores.brier(p, y), "auc": scores.auc(p, y), "slope": scores.slope(p, y), "oe": scores.oe(p, y)}
    return {
        "origin_on": origin_on,
        "horizon_months": horizon,
        "method": method,
        "n": len(p),
        "n_ended": round(float(y.sum())),
        **{name: None if np.isnan(value) else value for name, value in plain.items()},
        **more,
    }
