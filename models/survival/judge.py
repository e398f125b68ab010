"""All back-tests of the shipped catalogue or of a file, with the bounds they are held to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from models.catalogue.files import SHIPPED, Row
from models.store import insert_rows, open_memory
from models.survival import backtest, backtest_overtaken, backtest_silent, load, log, months, signs, silence, verdict
from models.survival.options import Options

if TYPE_CHECKING:
    import duckdb

FIRST, OPEN_SOURCE_FIRST = date(2023, 12, 31), date(2023, 9, 30)
LAST_OVERTAKEN = date(2025, 12, 31)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Gate:
    """A bound that a pooled score is held to."""

    name: str
    method: str
    horizon: int
    field: str
    low: float | None
    high: float | None

    def judge(self, pooled: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
        """The gate with the value found and whether it holds; None when the method was not run."""
        for row in pooled:
            if row["method"] == self.method and row["horizon_months"] == self.horizon:
                value = row[self.field]
                holds = (
                    value is not None and (self.low is None or value >= self.low) and (self.high is None or value <= self.high)
                )
                bound = " and ".join(f"{sign} {v}" for sign, v in ((">=", self.low), ("<=", self.high)) if v is not None)
                return {
                    "gate": self.name,
                    "value": value,
                    "bound": bound,
                    "n": row["n"],
                    "n_ended": row["n_ended"],
                    "holds": holds,
                }
        return None


GATES = (
    Gate("ended, all rows, 12 months, Brier ratio, moats ignored", "ended:all", 12, "ratio", None, 1.0),
    Gate("ended, all rows weighted as in the fit, 12 months, Brier ratio", "ended:weighted", 12, "ratio", None, 1.0),
    Gate("ended, all rows, 12 months, Brier ratio, with moats (hindsight)", "ended-with-moats:all", 12, "ratio", None, 0.98),
    Gate("silent, clean landmark, 6 months, Brier ratio", "silent:clean", 6, "ratio", None, 0.7),
    Gate("silent, clean landmark, 6 months, AUC", "silent:clean", 6, "auc", 0.85, None),
    Gate("silent, clean landmark, active in the last three months, Brier ratio", "silent:clean:active", 6, "ratio", None, 0.85),
    Gate("silent, all origins, pessimistic, 6 months, Brier ratio", "silent:pessimistic", 6, "ratio", None, 0.65),
    Gate("silent, all origins, pessimistic, 6 months, AUC", "silent:pessimistic", 6, "auc", 0.85, None),
    Gate(
        "silent, all origins, pessimistic, active in the last three months, Brier ratio",
        "silent:pessimistic:active",
        6,
        "ratio",
        None,
        0.85,
    ),
    *(
        Gate(f"overtaken, {h} months, Brier ratio to the base rate known", "overtaken", h, "ratio", None, 0.95)
        for h in (3, 6, 12)
    ),
    *(Gate(f"overtaken, {h} months, observed over expected", "overtaken", h, "oe", 0.7, 1.4) for h in (3, 6, 12)),
)


def gates(pooled: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every gate that the pooled rows can answer."""
    return [found for gate in GATES if (found := gate.judge(pooled)) is not None]


def ended(
    con: duckdb.DuckDBPyConnection, days: Sequence[date], *, use_moats: bool, with_hindsight: bool, seed: int, say: Say
) -> dict[str, Any]:
    """The ended clock; `with_hindsight` adds a run with moats that were labelled knowing the fate, named so."""
    out = backtest.run(con, days, options=Options(use_moats=use_moats), seed=seed, say=say)
    if with_hindsight:
        other = backtest.run(con, days, options=Options(use_moats=True), seed=seed, name="ended-with-moats", say=say)
        out = out | {"rows": out["rows"] + other["rows"], "pooled": out["pooled"] + other["pooled"]}
    return out


def overtaken(con: duckdb.DuckDBPyConnection, days: Sequence[date]) -> dict[str, Any]:
    """The overtaken clock over month-ends up to the last jump."""
    last = con.execute("select max(happened_on) from jump").fetchall()[0][0]
    if last is None:
        return {"rows": [], "pooled": []}
    return backtest_overtaken.run(con, [month_end(day) for day in days], last)


def silent_open_source(first: date, last: date, every: int) -> dict[str, Any]:
    """The silent clock on the shipped open-source cohort: clean landmark, and all origins under both bounds."""
    rows = backtest_silent.read_open_source(SHIPPED / "oss_activity.csv")
    days = [month_end(day) for day in backtest.origins(first, last, every)]
    out = backtest_silent.run({how: backtest_silent.histories(rows, how) for how in ("pessimistic", "optimistic")}, days)
    clean = backtest_silent.clean(rows)
    return {"rows": clean + out["rows"], "pooled": clean + out["pooled"]}


def silent_file(products: Sequence[Row], activity: Sequence[Row], days: Sequence[date]) -> dict[str, Any]:
    """The silent clock on an activity file."""
    con = open_memory()
    load.write(con, products, [])
    insert_rows(
        con,
        "activity_count",
        [
            {
                "product_id": r["product_id"],
                "month": r["month"].replace(day=1),
                "kind": "releases",
                "n": r["n"],
                "origin": "import",
            }
            for r in activity
        ],
    )
    last = max((row["month"] for row in activity), default=date.min)
    known: list[silence.History] = signs.read(con, months.last_day(months.index(last))) if activity else []
    con.close()
    return backtest_silent.run({"file": known}, [month_end(day) for day in days])


def refresh(
    con: duckdb.DuckDBPyConnection, products: Sequence[Row], jumps: Sequence[Row], *, seed: int = 1, say: Say = print
) -> list[dict[str, Any]]:
    """Back-test the catalogue in force and keep scores and gates in the work file, for the runs that follow; returns the gates.

    Works on a copy in memory, so that a run's tables stay as they are. The verdict on jumps is left as it was: it takes minutes.
    """
    memory = open_memory()
    load.write(memory, products, jumps)
    last = backtest.last_day(memory)
    parts = [
        silent_open_source(OPEN_SOURCE_FIRST, backtest_silent.PESSIMISTIC_END, 3),
        ended(memory, backtest.origins(FIRST, last, 3), use_moats=False, with_hindsight=False, seed=seed, say=say),
        overtaken(memory, backtest.origins(FIRST, LAST_OVERTAKEN, 3)),
    ]
    memory.close()
    found = gates([row for part in parts for row in part["pooled"]])
    findings = {key: json.loads(value) for key, value in log.kept_findings(con)} | {"gates": found}
    said = [row for part in parts for row in part.get("said", [])]
    log.keep(con, [row for part in parts for row in part["rows"]], findings, said)
    return found


def month_end(day: date) -> date:
    """The last day of a day's month."""
    return months.last_day(months.index(day))


def readings(con: duckdb.DuckDBPyConnection, jumps: Sequence[Row], say: Say) -> dict[str, Any]:
    """The verdict on jumps under every reading of the shipped data."""
    as_of = backtest.last_day(con)
    found = []
    for name, cohort in (("all products", None), ("followed cohort", True), ("hand-collected part", False)):
        say(f"verdict: {name}")
        found.append(verdict.reading(con, as_of, name, cohort=cohort))
    rows = backtest_silent.read_open_source(SHIPPED / "oss_activity.csv")
    for how in ("pessimistic", "optimistic"):
        say(f"verdict: open-source projects, {how}")
        store = verdict.open_source_store(rows, jumps, how)
        found.append(verdict.reading(store, backtest_silent.PESSIMISTIC_END, f"open-source projects, {how}", use_signs=True))
        store.close()
    return {"readings": found, "says": verdict.words(found)}
