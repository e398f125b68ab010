"""`lifeline up`: the main job, from nothing to a page with lifelines.

The first time, the pipeline runs and the UI opens on what it published. Later, the UI opens at once on the last published file and
takes the new one when the run, which goes on behind it, has put it in place. Signs of life at hundreds of repositories and packages
are left to `lifeline run` and `lifeline serve`: at one host's pace they take minutes.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import NoReturn

from flows import pipeline
from flows.found import found_lines, pass_data, pass_lines
from flows.prefect_api import answers, free_port
from flows.supervised import run_under_prefect
from models import settings
from models.errors import LifelineError
from models.report import Report, say
from models.store import lock_holder, make_home

WAIT_FOR_WRITER_S = 900.0
UI_START_S = 60.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--port", type=int, metavar="N", help="port of the UI (default: the setting `port`); the next free one if it is in use"
    )
    parser.add_argument("--offline", action="store_true", help="poll nothing; work with what is shipped and stored")
    parser.add_argument("--no-ui", action="store_true", help="leave when the run is done")


def run(args: argparse.Namespace) -> Report:
    """Run the pipeline and, unless told otherwise, the UI until it is stopped."""
    config = settings.load()
    make_home(config.home)
    say(f"home {config.home}")
    if args.no_ui:
        return _pass(config, args.offline)
    with _stoppable():
        return _with_ui(config, args)


def _with_ui(config: settings.Settings, args: argparse.Namespace) -> Report:
    had_page = config.published.is_file()
    report = Report() if had_page else _pass(config, args.offline)
    with _ui(args.port or config["port"]) as child:
        if had_page:
            say("it shows the last run while a new one goes on")
            report = _pass_or_keep(config, args.offline)
        say("\n".join([*report.lines, "Ctrl-C stops"]))
        _until_stopped(child)
    return Report([], report.data, report.exit_code)


def _pass(config: settings.Settings, is_offline: bool) -> Report:
    """One run of the whole pipeline, and what it found."""
    now = datetime.now(UTC)
    holder = lock_holder(config.home)
    if holder:
        say(f"waiting for {holder}")
    job = pipeline.Job(now.date(), now, is_offline=is_offline, with_signs=False, wait_s=WAIT_FOR_WRITER_S, purpose="lifeline up")
    outcome = run_under_prefect(job, config)
    lines = [*pass_lines(outcome), *found_lines(config.published)]
    return Report(lines, pass_data(outcome), 0 if outcome.status == "ok" else 1)


def _pass_or_keep(config: settings.Settings, is_offline: bool) -> Report:
    """The same where a page is up already: a run that fails is said, and the page stays."""
    try:
        return _pass(config, is_offline)
    except LifelineError as error:
        line = pipeline.one_line(error)
        return Report([f"the run failed: {line}", "the page shows the run before it"], {"error": line}, error.exit_code)


def _until_stopped(child: subprocess.Popen[bytes]) -> None:
    """Stay while the UI runs; stopping it is how this command is meant to end."""
    with suppress(KeyboardInterrupt):
        code = child.wait()
        raise LifelineError(f"the UI ended with code {code}; `lifeline ui` opens it again")


@contextmanager
def _ui(wanted_port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The UI as a child process, which ends with us."""
    port = free_port(wanted_port)
    if port != wanted_port:
        say(f"port {wanted_port} is in use; taking {port}")
    child = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "ui", "--port", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_page(child, port)
        say(f"open http://127.0.0.1:{port}")
        yield child
    finally:
        child.terminate()
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait_for_page(child: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + UI_START_S
    while not answers(f"http://127.0.0.1:{port}/_stcore/health"):
        if child.poll() is not None or time.monotonic() > until:
            raise LifelineError(f"the UI does not start; see what `lifeline ui --port {port}` says")
        time.sleep(0.1)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does, so that the UI ends with us either way."""

    def stop(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
