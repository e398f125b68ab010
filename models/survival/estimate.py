"""Lifelines for any catalogue: validated rows into a store in memory, then the derive stage of the pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from models.catalogue.files import Row
from models.errors import UsageError
from models.store import insert_rows, open_memory
from models.survival import load, stage
from models.survival.options import Options

if TYPE_CHECKING:
    import duckdb

COLUMNS = (
    "product_id", "s3", "s6", "s12", "s3_low", "s3_high", "s6_low", "s6_high", "s12_low", "s12_high", "overtaken_on", "p_overtaken_3",
    "p_overtaken_6", "p_overtaken_12", "lifeline_class", "reason", "silent_since", "p_silent_3", "p_silent_6", "p_silent_12",
)  # fmt: skip
META = ("catalogue_start", "sampling_rate_alive", "moats")


def options(meta: Mapping[str, Any]) -> Options:
    """What the meta file says.

    Raises
    ------
    UsageError
        for an unknown key or a value that cannot be.

    """
    unknown = sorted(set(meta) - set(META))
    if unknown:
        raise UsageError(f"--meta: unknown key {unknown[0]!r}; known are {', '.join(META)}")
    return Options(_start(meta.get("catalogue_start")), _rate(meta.get("sampling_rate_alive")), _flag(meta.get("moats", True)))


def _start(value: Any) -> date | None:
    try:
        return None if value in (None, "") else date.fromisoformat(str(value))
    except ValueError as error:
        raise UsageError(f"--meta: catalogue_start is {value!r}; write YYYY-MM-DD") from error


def _rate(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise UsageError(f"--meta: sampling_rate_alive is {value!r}; give a share above 0 and up to 1")
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"--meta: moats is {value!r}; use true (labelled without knowing the fate) or false (leave them out)")
    return value


def guessed_start(products: Sequence[Row], as_of: date) -> date | None:
    """The day of the first end, where so much was lived before it that ends must have been missed; None where nothing says so.

    A file drawn up on some day holds only what had survived to it. With the later rate of ends, at least MISSED ends would have come
    before the first one that the file knows: too many for a rate that merely rose with the years.
    """
    ends = sorted(row["ended_on"] for row in products if row["ended_on"] and row["ended_on"] <= as_of)
    if not ends or any(row["cohort_seen_on"] for row in products):
        return None
    spans = [(row["launched_on"], min(row["ended_on"] or as_of, as_of)) for row in products if row["launched_on"]]
    before = sum(max(0, (min(until, ends[0]) - born).days) for born, until in spans)
    after = sum(max(0, (until - max(born, ends[0])).days) for born, until in spans)
    return ends[0] if after and before * len(ends) / after >= MISSED else None


MISSED = 15.0


def estimate(
    products: Sequence[Row],
    jumps: Sequence[Row],
    activity: Sequence[Row],
    as_of: date,
    *,
    seed: int = 1,
    options: Options | None = None,
) -> duckdb.DuckDBPyConnection:
    """A store in memory with every derived table filled for `as_of`; the caller closes it.

    Raises
    ------
    UsageError
        when no product is alive on the day.

    """
    chosen = options or Options()
    if chosen.catalogue_start is None:
        chosen = replace(chosen, catalogue_start=guessed_start(products, as_of))
    con = open_memory()
    load.write(con, products, jumps)
    insert_rows(
        con,
        "activity_count",
        [
            {
                "product_id": row["product_id"],
                "month": row["month"].replace(day=1),
                "kind": "releases",
                "n": row["n"],
                "origin": "import",
            }
            for row in activity
        ],
        conflict="or replace",
    )
    stage.derive(con, as_of, seed=seed, options=chosen)
    # scores and verdict that ship were found on the shipped catalogue and say nothing of this file
    con.execute("delete from finding where key in ('gates', 'do_jumps_matter')")
    con.execute("delete from accuracy where not ends_with(method, ':log')")
    if not con.execute("select count(*) from lifeline").fetchall()[0][0]:
        con.close()
        raise UsageError(f"no product is alive on {as_of}; check the launch dates and outcomes, or take another --as-of")
    return con
