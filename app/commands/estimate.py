"""`lifeline estimate`: lifelines for any catalogue of products and jumps."""

from __future__ import annotations

import argparse
import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

from models.errors import UsageError
from models.report import Report


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--products", type=Path, required=True, metavar="CSV", help="at least product_id, launched_on, outcome")
    parser.add_argument(
        "--jumps", type=Path, required=True, metavar="CSV", help="at least jump_id, date, capabilities, stage, reach, magnitude"
    )
    parser.add_argument("--activity", type=Path, metavar="CSV", help="product_id, month, n")
    parser.add_argument(
        "--as-of", type=day, required=True, metavar="DATE", help="the day to stand on; nothing later is looked at"
    )
    parser.add_argument("--meta", type=Path, metavar="JSON", help="catalogue_start, sampling_rate_alive, moats")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the draws (default 1)")
    parser.add_argument("--output", type=Path, required=True, metavar="CSV", help="one row per product alive on the day")


def day(value: str) -> date:
    """An ISO date, for argparse."""
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{value!r} is not a date; write YYYY-MM-DD") from error


def run(args: argparse.Namespace) -> Report:
    """Estimate and write; reports what the estimate rests on."""
    from models.catalogue import read_jumps, read_products
    from models.importing import read_activity
    from models.survival.estimate import COLUMNS, estimate, options

    products, jumps = read_products(args.products), read_jumps(args.jumps)
    activity = read_activity(args.activity, [row["product_id"] for row in products]) if args.activity else []
    chosen = options(read_meta(args.meta) if args.meta else {})
    con = estimate(products, jumps, activity, args.as_of, seed=args.seed, options=chosen)
    try:
        rows = con.execute(f"select {', '.join(COLUMNS)} from lifeline order by product_id").fetchall()
        findings = {
            key: json.loads(value) for key, value in con.execute("select key, value from finding order by key").fetchall()
        }
        classes = dict(con.execute("select lifeline_class, count(*) from lifeline group by 1 order by 2 desc").fetchall())
    finally:
        con.close()
    write(args.output, COLUMNS, rows)
    data = {
        "n_alive": len(rows),
        "as_of": args.as_of,
        "seed": args.seed,
        "classes": classes,
        "findings": findings,
        "output": str(args.output),
    }
    ends = findings["ends"]
    lines = [
        f"{len(rows)} products alive on {args.as_of}: {', '.join(f'{n} {name}' for name, n in classes.items())}",
        f"rests on {ends['n_ended']} ends in {ends['product_months']:.0f} product-months; {findings['belief_in_the_essays']['says']}",
        f"effect of jumps: {findings['effect_of_jumps']['says']}",
        f"written to {args.output}",
    ]
    return Report(lines, data)


def read_meta(file: Path) -> dict[str, Any]:
    """The meta file, which must hold one JSON object."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror}); give the path of a JSON file") from error
    except ValueError as error:
        raise UsageError(f'{file} is not JSON ({error}); write an object such as {{"catalogue_start": "2023-01-01"}}') from error
    if not isinstance(found, dict):
        raise UsageError(f'{file} holds no JSON object; write one such as {{"catalogue_start": "2023-01-01"}}')
    return found


def write(file: Path, columns: tuple[str, ...], rows: list[tuple]) -> None:
    """Rows as CSV, unknown as empty; the file appears whole or not at all."""
    temporary = file.with_name(f".{file.name}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(columns)
            writer.writerows(rows)
        temporary.replace(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}); choose another --output") from error
