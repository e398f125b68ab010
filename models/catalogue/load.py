"""The catalogue in force: shipped files with the files of a home laid over them, and its tables in the store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from models import taxonomy
from models.catalogue.files import SHIPPED, Row, read_jumps, read_products, read_sources
from models.store import replace_rows

if TYPE_CHECKING:
    import duckdb

ENDED = ("shut_down", "acquired", "pivoted")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Validated rows, and a hash of the files they came from."""

    products: Sequence[Row]
    jumps: Sequence[Row]
    sources: Sequence[Row]
    hash: str


def load(overlay: Path | None = None, *, shipped: Path | None = SHIPPED) -> Catalogue:
    """Read the shipped catalogue (none with `shipped=None`) and lay the CSVs of `overlay` over it, row by row, by id.

    Rows of `overlay/private_products.csv` come last and are marked private.
    """
    digest = hashlib.sha256()
    folders = [folder for folder in (shipped, overlay) if folder]
    products = _layers(folders, "products.csv", read_products, "product_id", digest)
    private = _layers(folders, "private_products.csv", read_products, "product_id", digest)
    products |= {key: {**row, "is_private": True} for key, row in private.items()}
    jumps = _layers(folders, "jumps.csv", read_jumps, "jump_id", digest)
    sources = _layers(folders, "sources.csv", read_sources, "source_id", digest)
    return Catalogue(list(products.values()), list(jumps.values()), list(sources.values()), digest.hexdigest()[:16])


def _layers(folders, name, read, key, digest) -> dict[str, Row]:  # type: ignore[no-untyped-def]
    rows: dict[str, Row] = {}
    for folder in folders:
        file = folder / name
        if file.is_file():
            digest.update(file.read_bytes())
            rows |= {row[key]: row for row in read(file)}
    return rows


def write_tables(con: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> dict[str, int]:
    """Fill product, product_job, product_moat and capability_term; returns row counts. Jumps enter through detection."""
    return {
        "product": replace_rows(con, "product", [product_row(row) for row in catalogue.products]),
        "product_job": replace_rows(con, "product_job", [job for row in catalogue.products for job in job_rows(row)]),
        "product_moat": replace_rows(con, "product_moat", [moat for row in catalogue.products for moat in moat_rows(row)]),
        "capability_term": replace_rows(con, "capability_term", _terms()),
    }


def product_row(row: Mapping) -> Row:
    """One row of table product from one validated row of products.csv."""
    copied = [
        "product_id",
        "name",
        "vendor",
        "homepage",
        "category",
        "segment",
        "wrapper_tier",
        "coupling",
        "launched_on",
        "launched_precision",
        "outcome",
        "ended_on",
        "ended_precision",
        "last_alive_on",
        "gone_by",
        "cohort",
        "cohort_seen_on",
        "ended_because",
        "note",
        "source_url_launch",
        "verified",
    ]
    return {
        **{name: row.get(name) for name in copied},
        "name": row.get("name") or row["product_id"],
        "launched_precision": row.get("launched_precision") or "day",
        "ended_known_on": end_known_on(row),
        "source_url": row.get("source_url_status"),
        "is_private": bool(row.get("is_private")),
        "is_moats_known": bool(row.get("moats")),
    }


def end_known_on(row: Mapping) -> date | None:
    """The day from which a back-test may use the end: its date, the last day of its month or year, or the day it was seen gone."""
    if row.get("outcome") not in ENDED:
        return None
    ended = row.get("ended_on")
    if ended is None:
        return row.get("gone_by")
    return period_end(ended, row.get("ended_precision"))


def period_end(day: date, precision: str | None) -> date:
    """The last day that the stated precision allows, so that no back-test knows a fact too early."""
    if precision == "year":
        return date(day.year, 12, 31)
    if precision == "month":
        from calendar import monthrange

        return day.replace(day=monthrange(day.year, day.month)[1])
    return day


def job_rows(row: Mapping) -> list[Row]:
    """What a product sells and needs, each with an equal share of its role."""
    roles = [("sells", row.get("sells") or ()), ("depends_on", row.get("depends_on") or ())]
    return [
        {"product_id": row["product_id"], "capability": label, "role": role, "share": 1 / len(jobs)}
        for role, jobs in roles
        for label in jobs
    ]


def moat_rows(row: Mapping) -> list[Row]:
    """The moats of a product; the word none is no moat."""
    return [{"product_id": row["product_id"], "moat": moat} for moat in row.get("moats") or () if moat != "none"]


def _terms() -> list[Row]:
    return [
        {
            "id": term.id,
            "kind": term.kind,
            "segment": term.segment or None,
            "name_en": term.name_en,
            "name_zh": term.name_zh or None,
            "definition": term.definition,
            "excludes": term.excludes or None,
        }
        for term in taxonomy.load().terms
    ]
