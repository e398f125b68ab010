"""`lifeline export`: lists as files, from the published file."""

from __future__ import annotations

import argparse
from pathlib import Path

from models import settings
from models.errors import UsageError
from models.exports import lists
from models.report import Report
from models.store import open_published


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("kind", choices=[*lists.KINDS, "all"], help="what to write")
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="folder for KIND.csv and so on, or a file whose ending names the format"
    )
    parser.add_argument(
        "--format", choices=lists.FORMATS, action="append", help="csv (default), jsonl, parquet, opml (sources); repeatable"
    )
    parser.add_argument("--include-private", action="store_true", help="write private products, too")


def run(args: argparse.Namespace) -> Report:
    """Write the lists asked for; each file is whole or not there."""
    files = targets(args.kind, args.folder, args.format or ["csv"])
    counts: dict[str, int] = {}
    with open_published(settings.load().published) as con:
        for kind, names in files.items():
            table = lists.read(con, kind, include_private=args.include_private)
            counts |= {str(file): lists.write(table, file) for file in names}
    return Report([f"{file}: {n} rows" for file, n in counts.items()], {"files": counts})


def targets(kind: str, folder: Path, formats: list[str]) -> dict[str, list[Path]]:
    """Files to write by kind; `folder` may itself be a file when one kind is asked for."""
    kinds = lists.KINDS if kind == "all" else (kind,)
    if folder.suffix.lower().removeprefix(".") in lists.FORMATS and not folder.is_dir():
        if kind == "all":
            raise UsageError(f"{folder} is one file and all are {len(kinds)}; give a folder")
        return {kind: [folder]}
    if "opml" in formats and kind not in ("sources", "all"):
        raise UsageError("OPML is for sources; choose csv, jsonl or parquet")
    return {one: [folder / f"{one}.{form}" for form in formats if form != "opml" or one == "sources"] for one in kinds}
