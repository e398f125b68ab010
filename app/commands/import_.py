"""`lifeline import`: bring in a file, whole or not at all."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from models import catalogue, importing, settings
from models.catalogue.files import Row
from models.errors import UsageError
from models.importing import Imported
from models.report import Report

KINDS = ("sources", "products", "jumps", "documents", "activity")


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("kind", choices=KINDS, help="what the file holds")
    parser.add_argument("file", type=Path, help="CSV, JSON Lines (.jsonl), Parquet, or for sources OPML")
    parser.add_argument(
        "--private", action="store_true", help="products of your own: kept in the home, never in exports unless asked"
    )
    parser.add_argument("--cohort", metavar="NAME", help="products: they were listed together, as in a list of a certain day")
    parser.add_argument(
        "--listed-on", type=date.fromisoformat, metavar="DATE", help="products: the day of that list (YYYY-MM-DD)"
    )


def run(args: argparse.Namespace) -> Report:
    """Validate, lay over what is there, and say what changed."""
    if args.kind != "products" and (args.private or args.cohort or args.listed_on):
        raise UsageError(f"--private, --cohort and --listed-on are for products; leave them out for {args.kind}")
    if bool(args.cohort) != bool(args.listed_on):
        raise UsageError("--cohort and --listed-on go together; give both, as in --cohort W24 --listed-on 2024-03-01")
    done = _import(args, settings.load())
    lines = [
        f"{done.kind}: {done.n_rows} rows read, {done.n_new} new, {done.n_changed} changed, {done.n_same} as before ({done.target})"
    ]
    if done.ignored:
        lines.append(f"columns without a meaning here: {', '.join(done.ignored)}")
    lines.append("`lifeline run` takes them in" if done.kind != "documents" else "`lifeline run --offline` tags them")
    data = {"kind": done.kind, "n_rows": done.n_rows, "n_new": done.n_new, "n_changed": done.n_changed, "target": done.target}
    return Report(lines, data | {"ignored_columns": list(done.ignored)})


def _import(args: argparse.Namespace, inside: settings.Settings) -> Imported:
    if args.kind == "documents":
        return _documents(args.file, inside, datetime.now(UTC))
    if args.kind == "activity":
        return _activity(args.file, inside)
    from models.store import make_home

    make_home(inside.home)
    kind = "private" if args.private else args.kind
    if args.cohort and not _is_catalogue(args.file):
        return _cohort(args.file, args.cohort, args.listed_on, inside)
    amend = partial(_listed, cohort=args.cohort, listed_on=args.listed_on) if args.cohort else importing.as_it_is
    return importing.import_catalogue(kind, args.file, inside.catalogue, amend=amend)


def _is_catalogue(file: Path) -> bool:
    """Whether the file is a CSV of the contract; anything else is a public list, to be read in its own words."""
    if file.suffix.lower() != ".csv" or not file.is_file():
        return file.suffix.lower() not in (".md", ".markdown", ".txt")
    with file.open(encoding="utf-8-sig", errors="replace") as handle:
        return "product_id" in handle.readline()


def _cohort(file: Path, name: str, listed_on: date, inside: settings.Settings) -> Imported:
    """A dated list as a cohort: products with labels from the list's own words; ids that are known already stay as they are."""
    import tempfile

    from models.cohorts import read_cohort

    known = {row["product_id"] for row in catalogue.load(inside.catalogue).products}
    rows = [row for row in read_cohort(file, name, listed_on) if row["product_id"] not in known]
    if not rows:
        raise UsageError(f"every product of {file} is in the catalogue already; set their cohort in a products.csv instead")
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "products.csv"
        listed.write_text(importing.catalogue_csv(rows), encoding="utf-8")
        return importing.import_catalogue("products", listed, inside.catalogue)


def _documents(file: Path, inside: settings.Settings, now: datetime) -> Imported:
    from models.archive import read_archive, store_archive
    from models.store import open_work

    documents = read_archive(file)
    with open_work(inside.home, purpose="lifeline import", wait_s=5) as con:
        counts = store_archive(con, documents, now)
    return Imported("documents", counts.n_entries, counts.n_new, counts.n_changed, "work.duckdb")


def _activity(file: Path, inside: settings.Settings) -> Imported:
    from models.store import open_work

    rows = importing.read_activity(file, [row["product_id"] for row in catalogue.load(inside.catalogue).products])
    with open_work(inside.home, purpose="lifeline import", wait_s=5) as con:
        return importing.store_activity(con, rows)


def _listed(row: Row, *, cohort: str, listed_on: date) -> Row:
    """A product as a member of a list: from that day on it is under observation."""
    return {**row, "cohort": row["cohort"] or cohort, "cohort_seen_on": row["cohort_seen_on"] or listed_on}
