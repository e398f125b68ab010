"""`lifeline doctor`: the environment, the settings with their origins, what is missing or broken, and with `--repair` its mending."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from models import damage, repair, settings
from models.errors import StoreError, UsageError
from models.report import Report, say, table
from models.store import lock_holder

LOW_DISK_GB = 2.0
STALE_HOURS = 48.0
# package -> (what needs it, whether the main job does)
PACKAGES = {
    "duckdb": ("everything", True),
    "pyarrow": ("everything", True),
    "scipy": ("the estimate", True),
    "prefect": ("runs and schedules", True),
    "httpx": ("fetching", True),
    "feedparser": ("reading feeds", True),
    "trafilatura": ("reading changelog pages", True),
    "streamlit": ("the UI", True),
    "altair": ("charts", True),
    "torch": ("the embedded tagger", False),
    "transformers": ("the embedded tagger", False),
    "apprise": ("digests", False),
    "mcp": ("lifeline mcp", False),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `state` is ok, note (works without) or missing; `remedy` says what to do unless it is ok."""

    what: str
    value: str
    state: str = "ok"
    remedy: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--repair", action="store_true", help="mend what can be made again; nothing that is kept is deleted")
    parser.add_argument(
        "--from", dest="backups", type=Path, metavar="FOLDER", help="with --repair: backups to take a broken work file from"
    )
    parser.add_argument(
        "--give-up-log", action="store_true", help="with --repair: open a work file whose log is broken as of its last checkpoint"
    )


def run(args: argparse.Namespace) -> Report:
    """Look at everything; the exit code is 1 when something is missing that the main job needs, or could not be mended."""
    if not args.repair and (args.backups or args.give_up_log):
        raise UsageError("--from and --give-up-log go with --repair")
    config = settings.load()
    return _repaired(args, config) if args.repair else _looked(config)


def _repaired(args: argparse.Namespace, config: settings.Settings) -> Report:
    """Mend, and say of each finding what was done."""
    means = repair.Means(_rerun, args.give_up_log, args.backups)
    done = []
    for found, is_mended, said in repair.repair(config, datetime.now(UTC), means):
        say(f"{found.said}: {said}")
        done.append({"what": found.kind, "found": found.said, "is_mended": is_mended, "done": said})
    lines = [f"{'mended' if one['is_mended'] else 'NOT mended'}  {one['found']}: {one['done']}" for one in done]
    holder = lock_holder(config.home)
    if holder:
        lines.append(f"the work file was not looked at: it is in use by {holder}")
    is_well = all(one["is_mended"] for one in done)
    return Report(
        lines or ["nothing to mend"], {"home": str(config.home), "repairs": done, "writer": holder}, 0 if is_well else 1
    )


def _rerun(stages: Sequence[str]) -> None:
    """Run stages as `lifeline run` does; its report is progress here."""
    from app.cli import main

    words = [word for stage in stages for word in ("--stage", stage)]
    with redirect_stdout(sys.stderr):
        code = main(["run", "--wait", "600", *words])
    if code:
        raise StoreError(f"`lifeline run {' '.join(words)}` ended with {code}")


def _looked(config: settings.Settings) -> Report:
    """Look, and say what `--repair` would do."""
    findings = [
        *_environment(),
        *_packages(),
        *_home(config.home),
        *_published(config.published),
        *_writer(config.home),
        *_damages(config),
    ]
    shown = [setting_row(setting) for setting in config.values.values()]
    lines = [
        *table([asdict(finding) for finding in findings], ["what", "state", "value"]),
        *[f"  {finding.what}: {finding.remedy}" for finding in findings if finding.state != "ok"],
        "",
        f"home {config.home} ({config.home_origin})",
        *table(shown, ["setting", "value", "origin", "meaning"]),
    ]
    is_broken = any(finding.state == "missing" for finding in findings)
    data = {
        "home": str(config.home),
        "home_origin": config.home_origin,
        "findings": [asdict(finding) for finding in findings],
        "settings": shown,
    }
    return Report(lines, data, 1 if is_broken else 0)


def setting_row(setting: settings.Setting) -> dict[str, Any]:
    """A setting for the eye; of a secret only whether it is set."""
    hidden = setting.name in settings.SECRET and setting.value
    value = "(set, hidden)" if hidden else setting.value
    return {"setting": setting.name, "value": value, "origin": setting.origin, "meaning": setting.meaning}


def _environment() -> Iterator[Finding]:
    is_old = sys.version_info < (3, 11)
    yield Finding(
        "python",
        f"{sys.version.split()[0]} at {sys.executable}",
        "missing" if is_old else "ok",
        "install Python 3.11 or newer" if is_old else "",
    )
    yield Finding("lifeline", _version("lifeline") or "run from a checkout")
    browser = shutil.which("chromium") or shutil.which("google-chrome") or ""
    yield Finding(
        "browser",
        browser or "none",
        "ok" if browser else "note",
        "only the browser tests need Chromium; install it for `make test`",
    )


def _packages() -> Iterator[Finding]:
    for name, (user, is_needed) in PACKAGES.items():
        found = _version(name)
        if found:
            yield Finding(name, f"{found}{_cuda() if name == 'torch' else ''}")
        else:
            yield Finding(
                name, "not installed", "missing" if is_needed else "note", f"{user} needs it: pip install 'lifeline[all]'"
            )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _cuda() -> str:
    """Whether torch sees a GPU, as far as that can be told without importing it, which takes seconds."""
    return ", an NVIDIA driver is there" if Path("/dev/nvidiactl").exists() else ", no GPU"


def _home(home: Path) -> Iterator[Finding]:
    nearest = next(folder for folder in (home, *home.parents) if folder.exists())
    is_writable = nearest.is_dir() and os.access(nearest, os.W_OK)
    yield Finding(
        "home",
        f"{home}{'' if home.exists() else ' (made by the first run)'}",
        "ok" if is_writable else "missing",
        "" if is_writable else f"{nearest} cannot be written to; mend its permissions or set LIFELINE_HOME to another folder",
    )
    free_gb = shutil.disk_usage(nearest).free / 1e9
    is_low = free_gb < LOW_DISK_GB
    yield Finding(
        "disk", f"{free_gb:.1f} GB free", "note" if is_low else "ok", "make room; a run needs some space" if is_low else ""
    )


def _published(file: Path) -> Iterator[Finding]:
    if not file.is_file():
        yield Finding("published file", "none yet", "note", "`lifeline run` writes it (`lifeline up` also opens the UI)")
        return
    hours = (datetime.now(UTC).timestamp() - file.stat().st_mtime) / 3600
    is_stale = hours > STALE_HOURS
    remedy = "`lifeline run` brings it up to date; `lifeline serve` keeps it so" if is_stale else ""
    yield Finding(
        "published file", f"{file.stat().st_size / 1e6:.1f} MB, {hours:.1f} hours old", "note" if is_stale else "ok", remedy
    )


def _damages(config: settings.Settings) -> Iterator[Finding]:
    for one in damage.find(config, datetime.now(UTC)):
        state = "missing" if one.kind == "store" else "note"
        yield Finding("broken", one.said, state, f"`lifeline doctor --repair` {one.remedy}")


def _writer(home: Path) -> Iterator[Finding]:
    yield Finding("writer", lock_holder(home) or "nobody holds the work file")
