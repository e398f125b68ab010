"""`lifeline run`: one pass of the pipeline under Prefect, or single stages plainly."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime
from pathlib import Path

from flows import pipeline
from flows.found import found_lines, pass_data, pass_lines
from flows.supervised import run_under_prefect
from models import settings
from models.errors import UsageError
from models.report import Report, say


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--sources", type=Path, metavar="FILE", help="poll the sources of this CSV instead of the catalogue's")
    parser.add_argument("--as-of", metavar="DATE", help="the day to stand on, YYYY-MM-DD (default: today, UTC)")
    parser.add_argument("--offline", action="store_true", help="poll nothing; work with what is stored")
    parser.add_argument("--stage", metavar="NAME", action="append", help="only this stage, without Prefect; may be repeated")
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="how long to wait for another run to end")
    parser.add_argument("--verbose", action="store_true", help="show Prefect's log")


def run(args: argparse.Namespace) -> Report:
    """Do what the arguments ask for."""
    config, job = settings.load(), job_of(args, datetime.now(UTC))
    log_level = "INFO" if args.verbose else "CRITICAL"
    outcome = pipeline.run(job, config) if args.stage else run_under_prefect(job, config, log_level=log_level)
    lines = pass_lines(outcome)
    if "publish" in outcome.counts:
        lines += found_lines(config.published)
    return Report(lines, pass_data(outcome), 0 if outcome.status == "ok" else 1)


def job_of(args: argparse.Namespace, now: datetime) -> pipeline.Job:
    """What the arguments ask for.

    Standing on an earlier day polls no live source: what is fetched today was not known then. A file of sources is taken at its word.
    """
    as_of = _day(args.as_of, now.date())
    stages = pipeline.stages_named(args.stage)
    looks_back = as_of < now.date() and args.sources is None
    if looks_back and not args.offline and "ingest" in stages:
        say(f"standing on {as_of}: no source is polled, for what is fetched today was not known then")
    return pipeline.Job(
        as_of,
        now,
        stages=stages,
        sources=args.sources,
        is_offline=args.offline or looks_back,
        wait_s=args.wait,
        purpose="lifeline run",
    )


def _day(text: str | None, today: date) -> date:
    if text is None:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--as-of {text!r} is not a date; write YYYY-MM-DD") from error
    if day > today:
        raise UsageError(f"--as-of {day} lies in the future; `lifeline whatif` asks what a coming jump would do")
    return day
