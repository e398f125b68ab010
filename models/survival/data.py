"""What the SQL tables of one day say, as arrays: subjects (products), their jobs, and person-period rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from models import taxonomy
from models.survival import months, tables

if TYPE_CHECKING:
    import duckdb

SEGMENTS = taxonomy.SEGMENTS
MOATS = taxonomy.MOATS


@dataclass(frozen=True, slots=True)
class Subjects:
    """One entry per product known on the day. Unknown segment is -1; unknown tier, coupling and moats are NaN.

    `moats` has a column for any moat and one for each of MOATS. Jobs are what a product sells, sorted by subject: `job_x` is the
    exposure of the job in the month of as_of (share x weight, decayed), `job_share` its share. `silent` (0-5) and `small` are the
    signs of life at the end of the last whole month, NaN when nothing is known.
    """

    product_id: np.ndarray
    segment: np.ndarray
    tier: np.ndarray
    coupling: np.ndarray
    moats: np.ndarray
    born_in: np.ndarray
    help: np.ndarray
    retired: np.ndarray
    age_months: np.ndarray
    weight: np.ndarray
    is_alive: np.ndarray
    job_subject: np.ndarray
    job_capability: np.ndarray
    job_share: np.ndarray
    job_x: np.ndarray
    silent: np.ndarray
    small: np.ndarray

    @property
    def n(self) -> int:
        """Number of products."""
        return len(self.product_id)


@dataclass(frozen=True, slots=True)
class Rows:
    """Person-period rows: subject index, month, age, chance to be at risk, chance of an end, weight; exposures as triplets."""

    subject: np.ndarray
    m: np.ndarray
    age: np.ndarray
    n_risk: np.ndarray
    n_event: np.ndarray
    is_spread: np.ndarray
    weight: np.ndarray
    help: np.ndarray
    retired: np.ndarray
    x_row: np.ndarray
    x_capability: np.ndarray
    x: np.ndarray
    silent: np.ndarray
    small: np.ndarray

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.subject)


def capability_index() -> dict[str, int]:
    """Position of each capability label in every array that has one column per capability."""
    return {label: i for i, label in enumerate(taxonomy.load().capabilities)}


def subjects(con: duckdb.DuckDBPyConnection, as_of: date, *, use_moats: bool) -> Subjects:
    """Read the products of temp table `period` with what the exposure tables say of the month of `as_of`."""
    base = tables.columns(
        con,
        "select b.product_id, b.segment, b.wrapper_tier::double as tier, b.coupling::double as coupling, coalesce(w.weight, 0.0) as weight, "
        "b.is_fate_known and not b.is_ended as is_alive, date_diff('day', b.launch_on, getvariable('as_of')) / 30.4375 as age, "
        "coalesce(i.x, 0.0) as born_in, coalesce(n.help, 0.0) as help, coalesce(n.retired, 0.0) as retired, "
        "coalesce(p.is_moats_known, true) as is_moats_known, s.silent::double as silent, s.small::double as small "
        "from period as b left join sample_weight as w using (product_id) left join born_in as i using (product_id) "
        "left join now_exposure as n using (product_id) left join product as p using (product_id) "
        "left join sign_now as s using (product_id) order by b.product_id",
    )
    position = {key: i for i, key in enumerate(base["product_id"])}
    jobs = tables.columns(con, "select product_id, capability, share, x from job_now order by product_id, capability")
    return Subjects(
        product_id=base["product_id"],
        segment=_codes(base["segment"], SEGMENTS),
        tier=base["tier"],
        coupling=base["coupling"],
        moats=_moats(con, position, base["is_moats_known"].astype(bool))
        if use_moats
        else np.zeros((len(position), 1 + len(MOATS))),
        born_in=steady(base["born_in"]),
        help=steady(base["help"]),
        retired=steady(base["retired"]),
        age_months=base["age"],
        weight=steady(base["weight"]),
        is_alive=base["is_alive"].astype(bool),
        job_subject=np.array([position[key] for key in jobs["product_id"]], dtype=int),
        job_capability=_codes(jobs["capability"], tuple(capability_index())),
        job_share=steady(jobs["share"]),
        job_x=steady(jobs["x"]),
        silent=base["silent"],
        small=base["small"],
    )


def rows(con: duckdb.DuckDBPyConnection, who: Subjects) -> Rows:
    """Read the person-period rows, in order of product and month."""
    position = {key: i for i, key in enumerate(who.product_id)}
    base = tables.columns(
        con,
        "select r.product_id, r.m, r.age_months::double as age, r.n_risk, r.n_event, r.is_spread, w.weight, "
        "coalesce(o.help, 0.0) as help, coalesce(o.retired, 0.0) as retired, s.silent::double as silent, s.small::double as small "
        "from wanted_row as i join person_period as r using (product_id, m) join sample_weight as w using (product_id) "
        "left join other_exposure as o using (row_id) left join sign_row as s using (row_id) order by i.row_id",
    )
    sold = tables.columns(con, "select row_id, capability, x from sold_exposure order by row_id, capability")
    return Rows(
        subject=np.array([position[key] for key in base["product_id"]], dtype=int),
        m=base["m"],
        age=base["age"],
        n_risk=base["n_risk"],
        n_event=base["n_event"],
        is_spread=base["is_spread"].astype(bool),
        weight=steady(base["weight"]),
        help=steady(base["help"]),
        retired=steady(base["retired"]),
        x_row=sold["row_id"].astype(int),
        x_capability=_codes(sold["capability"], tuple(capability_index())),
        x=steady(sold["x"]),
        silent=base["silent"],
        small=base["small"],
    )


def steady(values: np.ndarray) -> np.ndarray:
    """Sums of the database to nine places: its threads add in any order, and the same seed must give the same numbers."""
    return np.round(values, 9)


def part_of_month(as_of: date) -> float:
    """The part of the month of `as_of` that has passed, 0 to 1."""
    return as_of.day / months.last_day(months.index(as_of)).day


def _codes(values: np.ndarray, words: Sequence[str]) -> np.ndarray:
    where = {word: i for i, word in enumerate(words)}
    return np.array([where.get(value, -1) for value in values], dtype=int)


def _moats(con: duckdb.DuckDBPyConnection, position: dict, is_known: np.ndarray) -> np.ndarray:
    """Indicators, the first for any moat; rows of products whose moats are unknown are NaN."""
    out = np.zeros((len(position), 1 + len(MOATS)))
    for product_id, moat in con.execute("select product_id, moat from product_moat").fetchall():
        i = position.get(product_id)
        if i is not None:
            out[i, 0] = 1
            if moat in MOATS:
                out[i, 1 + MOATS.index(moat)] = 1
    out[~is_known & (out[:, 0] == 0)] = np.nan
    return out
