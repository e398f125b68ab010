"""`lifeline restore`: check a backup and put it in place of the home."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from models import backup, restore, settings
from models.report import Report


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="an archive that `lifeline backup` wrote")
    parser.add_argument("--force", action="store_true", help="replace a home that is not empty; the old one is kept aside")
    parser.add_argument("--check", action="store_true", help="only check the backup; change nothing")


def run(args: argparse.Namespace) -> Report:
    """Check, or check and restore."""
    home, _ = settings.home_of()
    if args.check:
        manifest = restore.verify(args.file, home)
        return Report([f"{args.file} is whole: {told(manifest)}"], {"file": str(args.file), "manifest": backup.as_json(manifest)})
    done = restore.restore(args.file, home, datetime.now(UTC), force=args.force)
    lines = [
        f"{home} holds {told(done.manifest)}",
        *([f"the old home lies in {done.kept_aside}"] if done.kept_aside else []),
        *(f"set {name} again: backups hold no secrets" for name in done.manifest.secrets),
        "next: `lifeline run --stage detect --stage derive --stage publish` makes the published file, `lifeline run` also polls",
    ]
    data = {
        "home": str(home),
        "kept_aside": str(done.kept_aside) if done.kept_aside else None,
        "manifest": backup.as_json(done.manifest),
    }
    return Report(lines, data)


def told(manifest: backup.Manifest) -> str:
    """A backup in one line."""
    return (
        f"the backup of {manifest.made_at:%Y-%m-%d %H:%M} UTC by lifeline {manifest.program}: "
        f"{manifest.rows.get('document', 0)} documents, {len(manifest.members)} files"
    )
