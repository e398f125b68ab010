"""CSV files of the contract into the store's tables, as the pipeline would have filled them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from models.catalogue.files import Row
from models.catalogue.load import Catalogue, write_tables
from models.store import replace_rows

if TYPE_CHECKING:
    import duckdb


def write(con: duckdb.DuckDBPyConnection, products: Sequence[Row], jumps: Sequence[Row]) -> None:
    """Fill product, product_job, product_moat, jump and jump_capability from validated rows."""
    write_tables(con, Catalogue(products, jumps, [], ""))
    replace_rows(con, "jump", [jump_row(row) for row in jumps])
    replace_rows(
        con,
        "jump_capability",
        [{"jump_id": row["jump_id"], "capability": label, "share": 1.0} for row in jumps for label in row["capabilities"]],
    )


def jump_row(row: Row) -> Row:
    """One row of table jump from one validated row of jumps.csv; it is known from the day it happened."""
    copied = ("jump_id", "platform", "provider", "stage", "reach", "magnitude", "summary", "source_url", "note")
    happened_on: date = row["date"]
    return {
        **{name: row.get(name) for name in copied},
        "happened_on": happened_on,
        "known_on": happened_on,
        "date_precision": row.get("date_precision") or "day",
        "release": row.get("model_or_feature"),
        "confidence": 1.0,
        "origin": "catalogue",
    }
