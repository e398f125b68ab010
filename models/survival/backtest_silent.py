"""Walk-forward of the silent clock: who will have completed six silent months within h months?

Seen late histories depend on late activity, so one reading is not enough: `clean` is the landmark at which everybody of the
chat lists was looked up (six months after its origin), `optimistic` follows each project to its snapshot, `pessimistic` takes
what was not seen as silence.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import UsageError
from models.survival import months, scores, silence
from models.survival.log import score_row

HORIZONS = (3, 6, 12)
CHAT_LISTS = (
    "sindresorhus/awesome-chatgpt",
    "reorx/awesome-chatgpt-api",
    "EmbraceAGI/awesome-chatgpt-zh",
    "formulahendry/awesome-gpt",
    "ikaijua/Awesome-AITools",
)
LANDMARK = date(2024, 3, 28)
LANDMARK_ORIGIN = date(2023, 9, 30)
PESSIMISTIC_END = date(2026, 7, 31)
ACTIVE_WITHIN = 3
PRIOR_ENDS, PRIOR_MONTHLY = 5.0, 0.05
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One product at one origin and horizon: forecast, naive forecasts, outcome, and its silent months at the origin."""

    product_id: str
    origin_m: int
    horizon: int
    p: float
    constant: float
    life_table: float
    y: float
    silent: int


def read_open_source(file: Path) -> list[dict[str, str]]:
    """Rows of the open-source cohort whose history was read."""
    with file.open(encoding="utf-8", newline="") as handle:
        return [row for row in csv.DictReader(handle) if row["fetched"] == "yes" and row["monthly"]]


def histories(rows: Sequence[dict[str, str]], reading: str) -> list[silence.History]:
    """Histories under one reading: `optimistic` ends before the snapshot, `pessimistic` runs to the end with zeros."""
    out = []
    for row in rows:
        counts = {
            months.index(date.fromisoformat(f"{part.split(':')[0]}-01")): int(part.split(":")[1])
            for part in row["monthly"].split(";")
        }
        snapshot = date.fromisoformat(row["snapshot_on"])
        last = months.index(PESSIMISTIC_END) if reading == "pessimistic" else max(months.index(snapshot) - 1, max(counts))
        first = min(counts)
        filled = np.array([counts.get(m, 0) for m in range(first, last + 1)])
        out.append(silence.History(row["product_id"], first, filled, months.index(date.fromisoformat(row["list_date"]))))
    return out


def landmark(rows: Sequence[dict[str, str]]) -> list[silence.History]:
    """Projects of the chat lists that were looked up at the landmark; the month of the landmark counts as whole."""
    chosen = [row for row in rows if row["list"] in CHAT_LISTS and row["snapshot_on"] >= str(LANDMARK.replace(day=27))]
    end = months.index(LANDMARK)
    full = histories([row | {"snapshot_on": max(row["snapshot_on"], "2024-04-01")} for row in chosen], "optimistic")
    return [replace(one, counts=one.until(end).counts) for one in full]


def cases(
    known: Sequence[silence.History], origin_m: int, horizons: Sequence[int], training: Sequence[silence.History] | None = None
) -> list[Case]:
    """Forecast at the end of month `origin_m` from histories up to then; judge those whose months are known up to each horizon."""
    past = [
        one.until(origin_m)
        for one in (training or known)
        if one.entered_m <= origin_m and one.first_m <= origin_m and one.last_m >= origin_m
    ]
    if not past:
        return []
    done = silence.fit(past).complete_within(max(horizons))
    monthly, by_age = naive(past)
    out = []
    for one in known:
        if one.entered_m > origin_m or one.first_m > origin_m or one.last_m < origin_m:
            continue
        silent, size = silence.states(one.until(origin_m).counts)
        s, z = int(silent[-1]), int(size[-1])
        if not 0 <= s < silence.RUN:
            continue
        for h in horizons:
            if one.last_m < origin_m + h:
                continue
            later, _ = silence.states(one.until(origin_m + h).counts)
            y = float((later[-h:] >= silence.RUN).any())
            age = origin_m - one.first_m
            aged = 1 - float(np.prod([1 - by_age[min((age + k) // 6, len(by_age) - 1)] for k in range(1, h + 1)]))
            out.append(Case(one.product_id, origin_m, h, float(done[h, s, z]), 1 - (1 - monthly) ** h, aged, y, s))
    return out


def naive(past: Sequence[silence.History]) -> tuple[float, np.ndarray]:
    """Monthly chance that six silent months become complete: one for all, and by half-years of age, since each product's listing."""
    ends, seen = np.zeros(8), np.zeros(8)
    for one in past:
        silent, _ = silence.states(one.counts)
        begin = max(0, one.entered_m - one.first_m)
        for k in range(begin, len(silent) - 1):
            if 0 <= silent[k] < silence.RUN:
                bin_ = min((k + 1) // 6, 7)
                seen[bin_] += 1
                ends[bin_] += silent[k + 1] == silence.RUN
    monthly = (ends.sum() + PRIOR_ENDS) / (seen.sum() + PRIOR_ENDS / PRIOR_MONTHLY)
    return float(monthly), (ends + PRIOR_ENDS * 1.0) / (seen + PRIOR_ENDS / monthly)


def score(some: Sequence[Case], method: str) -> Row:
    """Scores of cases of one horizon; the reference is the better of constant hazard and life table."""
    p, y = np.array([case.p for case in some]), np.array([case.y for case in some])
    constant, table = (scores.brier(np.array([getattr(case, name) for case in some]), y) for name in ("constant", "life_table"))
    row = score_row(
        months.last_day(some[0].origin_m), some[0].horizon, method, p, y, brier_life_table=table, brier_constant=constant
    )
    best = min(constant, table)
    return row | {"brier_reference": best, "ratio": row["brier"] / best if best else None, "ended": float(y.sum())}


def run(readings: dict[str, Sequence[silence.History]], days: Sequence[date], *, name: str = "silent") -> dict[str, Any]:
    """Walk forward over month-ends for every reading; beside all, those with a sign of life in the last three months."""
    rows, pooled = [], []
    for reading, known in readings.items():
        found = [case for day in days for case in cases(known, months.index(day), HORIZONS)]
        for suffix, view in (("", found), (":active", [case for case in found if case.silent < ACTIVE_WITHIN])):
            for h in HORIZONS:
                some = [case for case in view if case.horizon == h]
                if some:
                    pooled.append(score(some, f"{name}:{reading}{suffix}") | {"origin_on": None})
                    rows += [
                        score([c for c in some if c.origin_m == m], f"{name}:{reading}{suffix}")
                        for m in sorted({c.origin_m for c in some})
                    ]
    if not rows:
        raise UsageError("no product was active and followed long enough on any origin; give earlier origins or longer histories")
    return {"rows": rows, "pooled": pooled}


def clean(rows: Sequence[dict[str, str]]) -> list[Row]:
    """The clean landmark: forecast on its origin with what all lists showed by then, judged where everybody was looked up."""
    training = histories(rows, "optimistic")
    found = cases(landmark(rows), months.index(LANDMARK_ORIGIN), (6,), training)
    views = (("silent:clean", found), ("silent:clean:active", [case for case in found if case.silent < ACTIVE_WITHIN]))
    return [score(some, method) for method, some in views if some]
