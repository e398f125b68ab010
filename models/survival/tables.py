"""The survival tables of one day, built by the SQL files of `models/sql/survival` in the order of their numbers."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from models.catalogue import SHIPPED
from models.store import SQL, insert_rows, run_sql, set_as_of
from models.survival import months
from models.survival.priors import Priors

if TYPE_CHECKING:
    import duckdb

FOLDER = SQL / "survival"
BEFORE_WEIGHTS = ("010_jump_step", "020_period", "030_exposure", "040_overtaken", "060_person_period")
FOR_ROWS = ("050_jump_sum", "070_row_exposure")


def weigh_jumps(con: duckdb.DuckDBPyConnection, as_of: date, priors: Priors) -> None:
    """Fill jump.weight with what each jump known on `as_of` adds to its story."""
    set_parameters(con, as_of, priors, None)
    write_terms(con, priors)
    run_sql(con, FOLDER / f"{BEFORE_WEIGHTS[0]}.sql")


def build(con: duckdb.DuckDBPyConnection, as_of: date, priors: Priors, *, catalogue_start: date | None = None) -> None:
    """Build what is known on `as_of`: steps of jumps, periods, links, the overtaken clock and the person-period table."""
    set_parameters(con, as_of, priors, catalogue_start)
    write_terms(con, priors)
    for name in BEFORE_WEIGHTS:
        run_sql(con, FOLDER / f"{name}.sql")


def build_exposures(con: duckdb.DuckDBPyConnection) -> None:
    """Build the exposure of every row of the person-period table; call after `build`."""
    con.execute("create or replace temp table sign_row (row_id bigint, silent integer, small integer)")
    con.execute("create or replace temp table sign_now (product_id varchar, silent integer, small integer)")
    for name in FOR_ROWS:
        run_sql(con, FOLDER / f"{name}.sql")


def set_parameters(con: duckdb.DuckDBPyConnection, as_of: date, priors: Priors, catalogue_start: date | None) -> None:
    """Hand the SQL files the day, its month, and the constants of the priors file."""
    set_as_of(con, as_of)
    con.execute(f"set variable as_of_m = {months.index(as_of)}")
    con.execute(f"set variable half_life = {priors.half_life_months}")
    con.execute(f"set variable born_in_half_life = {priors.born_in_half_life_months}")
    con.execute(f"set variable decisive_weight = {priors.decisive_weight - 1e-9}")
    start = f"date '{catalogue_start.isoformat()}'" if catalogue_start else "null::date"
    con.execute(f"set variable catalogue_start = {start}")
    con.execute("set variable cohorts_by_fate = ?::varchar[]", [list(priors.cohorts_by_fate)])


def write_terms(con: duckdb.DuckDBPyConnection, priors: Priors) -> None:
    """Weights of stage, reach and magnitude, and the names under which a provider is met, as temporary tables."""
    con.execute("create or replace temp table weight_term (kind varchar, word varchar, value double)")
    insert_rows(
        con,
        "weight_term",
        [{"kind": k, "word": w, "value": v} for k, words in priors.jump_weight.items() for w, v in words.items()],
    )
    con.execute("create or replace temp table provider_alias (name varchar primary key, provider_key varchar)")
    insert_rows(con, "provider_alias", provider_aliases())


def provider_aliases() -> list[Mapping[str, str]]:
    """Every name of every known provider in lower case, each with the provider's own name in lower case as key."""
    file = SHIPPED / "providers.csv"
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    keys = {row["provider"].strip().lower(): row["provider"].strip().lower() for row in rows}
    for row in rows:
        for alias in (row.get("name_zh") or "", *(row.get("aliases") or "").split(";")):
            if alias.strip():
                keys.setdefault(alias.strip().lower(), row["provider"].strip().lower())
    return [{"name": name, "provider_key": key} for name, key in keys.items()]


def columns(con: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> dict[str, np.ndarray]:
    """The columns of a query as arrays; numbers come as floats with NaN for null, everything else as objects with None."""
    table = con.sql(query, params=list(parameters) or None).to_arrow_table()
    return {name: _array(table[name]) for name in table.column_names}


def _array(column: Any) -> np.ndarray:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_integer(kind) and column.null_count == 0:
        return column.to_numpy()
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    if pa.types.is_boolean(kind) and column.null_count == 0:
        return column.to_numpy(zero_copy_only=False).astype(bool)
    return np.array(column.to_pylist(), dtype=object)
