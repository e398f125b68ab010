"""`lifeline backtest`: walk-forward scores of the estimate, with the bounds they are held to."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from app.commands.estimate import day
from models.errors import UsageError
from models.report import Report, say, table

OUTCOMES = ("ended", "silent", "overtaken")
COLUMNS = ("method", "horizon_months", "n", "n_ended", "brier", "brier_reference", "ratio", "auc", "slope", "oe")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--outcome", choices=OUTCOMES, help="one clock only; without it, all that the files can answer")
    parser.add_argument("--products", type=Path, metavar="CSV", help="instead of the shipped catalogue")
    parser.add_argument("--jumps", type=Path, metavar="CSV", help="instead of the shipped jumps")
    parser.add_argument("--activity", type=Path, metavar="CSV", help="product_id, month, n, for --outcome silent with --products")
    parser.add_argument(
        "--from", dest="first", type=day, metavar="DATE", help="first origin (default 2023-12-31; silent 2023-09-30)"
    )
    parser.add_argument("--to", dest="last", type=day, metavar="DATE", help="last origin (default: as far as outcomes are known)")
    parser.add_argument("--every", type=int, default=3, metavar="MONTHS", help="months between origins (default 3)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verdict", action="store_true", help="also judge whether jumps matter, with shuffles (minutes)")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="also write the three files walk_forward* for the accuracy page"
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="JSON", help="rows per origin, horizon and method, and pooled rows"
    )


def run(args: argparse.Namespace) -> Report:
    """Score and write; exit code 1 when a bound that the shipped data are held to does not hold."""
    from models.survival import judge, log

    if args.every < 1:
        raise UsageError(f"--every is {args.every}; give one month or more")
    is_shipped = args.products is None
    found = _all(args)
    pooled = [row for part in found.values() for row in part["pooled"]]
    held = judge.gates(pooled) if is_shipped else []
    findings: dict[str, Any] = {"gates": held} if held else {}
    if args.verdict:
        con, jumps = _store(args)
        findings["do_jumps_matter"] = judge.readings(con, jumps, say)
        con.close()
    report = {"rows": [row for part in found.values() for row in part["rows"]], "pooled": pooled, **findings}
    report |= {"coverage_of_counts": found["ended"]["coverage_of_counts"]} if "ended" in found else {}
    _write(args.output, json.dumps(report, indent=1, default=str, allow_nan=False))
    if args.keep:
        keep(args.keep, report["rows"], findings, log.COLUMNS)
        log.write_said(args.keep / log.SHIPPED_SAID.name, [row for part in found.values() for row in part.get("said", [])])
    lines = [
        *table(pooled, COLUMNS),
        "",
        *table([_shown(gate) for gate in held], ("holds", "value", "bound", "n", "n_ended", "gate")),
    ]
    if args.verdict:
        lines += ["", findings["do_jumps_matter"]["says"]]
    return Report([*lines, f"written to {args.output}"], report, 0 if all(gate["holds"] for gate in held) else 1)


def _shown(gate: Mapping[str, Any]) -> dict[str, Any]:
    return {**gate, "holds": "yes" if gate["holds"] else "NO"}


def _all(args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    from models.survival import backtest, judge

    is_shipped = args.products is None
    wanted = (args.outcome,) if args.outcome else (OUTCOMES if is_shipped or args.activity else ("ended", "overtaken"))
    out: dict[str, dict[str, Any]] = {}
    if "silent" in wanted:
        out["silent"] = _silent(args)
    if "ended" in wanted or "overtaken" in wanted:
        con, _ = _store(args)
        last = backtest.last_day(con)
        if "ended" in wanted:
            days = backtest.origins(args.first or judge.FIRST, args.last or last, args.every)
            out["ended"] = judge.ended(con, days, use_moats=not is_shipped, with_hindsight=is_shipped, seed=args.seed, say=say)
        if "overtaken" in wanted:
            days = backtest.origins(args.first or judge.FIRST, args.last or judge.LAST_OVERTAKEN, args.every)
            out["overtaken"] = judge.overtaken(con, days)
        con.close()
    return out


def _silent(args: argparse.Namespace) -> dict[str, Any]:
    from models.catalogue import read_products
    from models.importing import read_activity
    from models.survival import backtest, judge

    if args.products is None and args.activity is None:
        return judge.silent_open_source(args.first or judge.OPEN_SOURCE_FIRST, args.last or date(2026, 1, 31), args.every)
    if args.products is None or args.activity is None:
        raise UsageError("--outcome silent needs both --products and --activity, or neither for the shipped open-source cohort")
    products = read_products(args.products)
    activity = read_activity(args.activity, [row["product_id"] for row in products])
    if not activity:
        raise UsageError(f"{args.activity} holds no counts; give product_id,month,n")
    days = backtest.origins(args.first or judge.OPEN_SOURCE_FIRST, args.last or max(row["month"] for row in activity), args.every)
    return judge.silent_file(products, activity, days)


def _store(args: argparse.Namespace):
    """A store in memory with the products and jumps asked for, and the jumps as rows."""
    from models import catalogue
    from models.store import open_memory
    from models.survival import load

    if (args.products is None) != (args.jumps is None):
        raise UsageError("give both --products and --jumps, or neither for the shipped catalogue")
    if args.products is None:
        shipped = catalogue.load()
        products, jumps = shipped.products, shipped.jumps
    else:
        products, jumps = catalogue.read_products(args.products), catalogue.read_jumps(args.jumps)
    con = open_memory()
    load.write(con, products, jumps)
    return con, jumps


def keep(folder: Path, rows: list[dict[str, Any]], findings: Mapping[str, Any], columns: tuple[str, ...]) -> None:
    """Scores as walk_forward.csv and findings as walk_forward.json, as the program carries them."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "walk_forward.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: round(v, 6) if isinstance(v := row.get(name), float) else v for name in columns} for row in rows)
    (folder / "walk_forward.json").write_text(json.dumps(findings, indent=1, default=str) + "\n", encoding="utf-8")


def _write(file: Path, text: str) -> None:
    temporary = file.with_name(f".{file.name}.tmp")
    try:
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}); choose another --output") from error
