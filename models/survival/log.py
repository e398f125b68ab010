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
SHIPPED_SAID = Path(__file__).with_name("walk_forward_said.csv")
SAID = ("product_id", "clock", "origin_on", "horizon_months", "p", "p_low", "p_high")
HORIZONS = (3, 6, 12)
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
    """The walk-forward on the shipped catalogue, as `lifeline backtest --verdict --keep models/survival` wrote it."""
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


def write_hindcast(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Fill table hindcast with what the walk-forward would have said on days up to `as_of`."""
    kept = con.execute(f"select {', '.join(SAID)} from walk_forward_said where origin_on <= ?", [as_of]).fetchall()
    rows = [dict(zip(SAID, row, strict=True)) for row in kept] or [row for row in shipped_said() if row["origin_on"] <= as_of]
    replace_rows(con, "hindcast", rows)


def shipped_said() -> list[dict[str, Any]]:
    """What was said of each product in the walk-forward on the shipped catalogue."""
    if not SHIPPED_SAID.is_file():
        return []
    with SHIPPED_SAID.open(encoding="utf-8", newline="") as handle:
        return [row for wide in csv.DictReader(handle) for row in _tall(wide)]


def _tall(wide: dict[str, str]) -> list[dict[str, Any]]:
    """One row a horizon from a line that holds all of them."""
    key = {"product_id": wide["product_id"], "clock": wide["clock"], "origin_on": date.fromisoformat(wide["origin_on"])}
    rows = []
    for h in HORIZONS:
        p, low, high = (int(text) / 1000 if (text := wide[f"p{h}{end}"]) else None for end in ("", "_low", "_high"))
        rows.append({**key, "horizon_months": h, "p": p, "p_low": low, "p_high": high})
    return rows


def write_said(file: Path, rows: list[dict[str, Any]]) -> None:
    """The same as the program carries it: one line a product, clock and day, chances in thousandths."""
    lines: dict[tuple, dict[str, Any]] = {}
    for row in rows:
        line = lines.setdefault((row["clock"], row["origin_on"], row["product_id"]), {name: row[name] for name in SAID[:3]})
        h = row["horizon_months"]
        line |= {f"p{h}{end}": _thousandths(row[f"p{end}"]) for end in ("", "_low", "_high")}
    names = [*SAID[:3], *(f"p{h}{end}" for h in HORIZONS for end in ("", "_low", "_high"))]
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines[key] for key in sorted(lines))


def _thousandths(p: float | None) -> str:
    return "" if p is None else str(round(1000 * p))


def keep(
    con: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], findings: dict[str, Any], said: list[dict[str, Any]]
) -> None:
    """Put a back-test in the place of the last one."""
    replace_rows(con, "walk_forward", [{name: row.get(name) for name in COLUMNS} for row in rows])
    replace_rows(con, "walk_forward_said", [{name: row[name] for name in SAID} for row in said])
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
