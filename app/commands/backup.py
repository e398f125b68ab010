"""`lifeline backup`: one archive with everything of the home that cannot be made again."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from models import backup, settings
from models.errors import UsageError
from models.report import Report


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("target", type=Path, metavar="TARGET", help="a folder, or a file name that ends in .tar.gz")
    parser.add_argument("--without-taggers", action="store_true", help="leave out the taggers in models/")
    parser.add_argument("--keep", type=int, metavar="N", help="remove all but the newest N backups in the folder afterwards")
    parser.add_argument(
        "--wait", type=float, default=60.0, metavar="SECONDS", help="how long to try while a run is writing (default: 60)"
    )


def run(args: argparse.Namespace) -> Report:
    """Write the backup, then prune."""
    if args.keep is not None and args.keep < 1:
        raise UsageError(f"--keep {args.keep} would keep none; give 1 or more")
    config = settings.load()
    made = backup.back_up(config.home, args.target, datetime.now(UTC), with_taggers=not args.without_taggers, wait_s=args.wait)
    removed = backup.prune(made.file.parent, args.keep) if args.keep else []
    return Report(lines_of(made, removed), data_of(made, removed))


def lines_of(made: backup.Backup, removed: list[Path]) -> list[str]:
    """What was written and what was left out."""
    rows, said = made.manifest.rows, []
    said.append(
        f"{made.file}: {made.size / 1e6:.1f} MB, {len(made.manifest.members)} files, "
        f"{rows.get('document', 0)} documents, {rows.get('tagging', 0)} tagged, read whole"
    )
    if made.manifest.secrets:
        said.append(f"left out, because a backup travels: {', '.join(made.manifest.secrets)}; note them elsewhere")
    said += [f"left out, for it is no plain file: {name}" for name in made.manifest.skipped]
    said += [f"removed the older {file.name}" for file in removed]
    return said


def data_of(made: backup.Backup, removed: list[Path]) -> dict[str, object]:
    """The same for programs."""
    return {
        "file": str(made.file),
        "size": made.size,
        "manifest": backup.as_json(made.manifest),
        "removed": [str(file) for file in removed],
    }
