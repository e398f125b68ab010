"""`lifeline mcp`: serve read-only tools to other programs over standard input and output."""

from __future__ import annotations

import argparse
import logging

from models import settings
from models.report import Report


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--include-private", action="store_true", help="tell programs of private products, too")


def run(args: argparse.Namespace) -> Report:
    """Serve until the program at the other end hangs up; standard output belongs to the protocol."""
    from importlib.metadata import PackageNotFoundError, version

    from app.mcp_server import build

    logging.basicConfig(level=logging.ERROR)
    try:
        number = version("lifeline")
    except PackageNotFoundError:
        number = ""
    build(settings.load(), include_private=args.include_private, version=number).run("stdio")
    return Report()
