"""`lifeline health`: how each part of the house stands, as a page, as metrics, and as alarms to those who asked."""

from __future__ import annotations

import argparse
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from flows import deployments
from flows.health_page import as_data, serving
from flows.watch import EVERY_S, Watch, keep_watching, periods
from models import logs, settings
from models.errors import UsageError
from models.report import Report, say, table

DEFAULT_PORT = 9109


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--once", action="store_true", help="look once and leave; the exit code is 1 when a part that matters is failing"
    )
    parser.add_argument("--send", action="store_true", help="with --once: send alarms, too")
    parser.add_argument(
        "--port", type=int, metavar="N", help=f"port of the page (default: the setting `metrics_port`, or {DEFAULT_PORT})"
    )
    parser.add_argument("--host", metavar="ADDRESS", help="address to bind to (default: the setting `metrics_host`)")
    parser.add_argument("--every", type=float, default=EVERY_S, metavar="SECONDS", help="seconds between two checks for alarms")
    parser.add_argument("--file", type=Path, metavar="FILE", help="the prefect.yaml whose schedules are kept")


def run(args: argparse.Namespace) -> Report:
    """Look once, or keep looking until stopped."""
    config = settings.load()
    logs.configure(config)
    watch = Watch(config, _expected(args.file))
    if args.once:
        return _once(watch, send=args.send)
    port = (config["metrics_port"] or DEFAULT_PORT) if args.port is None else args.port
    if not 0 <= port < 65536:
        raise UsageError(f"{port} is no port; use 1 to 65535, or 0 for any free one")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with serving(watch.look, args.host or str(config["metrics_host"]), port) as bound, suppress(KeyboardInterrupt):
        say(f"http://{args.host or config['metrics_host']}:{bound}/health and /metrics; Ctrl-C stops")
        watch.check()
        keep_watching(watch, stop, every_s=args.every)
    return Report([], {"stopped": True})


def _expected(file: Path | None) -> Any:
    """What the schedules promise; without a file of them those that ship."""
    if file:
        return periods(deployments.read(file))
    try:
        return periods(deployments.read(deployments.find_file()))
    except UsageError:
        return None


def _once(watch: Watch, *, send: bool) -> Report:
    seen = watch.look()
    if send:
        watch.check()
    data = as_data(seen)
    shown = [{**row, "since": f"{row['since']:%Y-%m-%d %H:%M}" if row["since"] else ""} for row in data["parts"]]
    lines = [f"the house is {data['state']}", *table(shown, ["part", "state", "since", "words", "remedy"])]
    return Report(lines, data, 1 if data["state"] == "failing" else 0)
