"""The command line. Only the module of the command that was asked for is imported, so that help is quick.

A command module has `configure(parser)` and `run(args) -> Report`. This is the one file of `app` that may reach into `flows`:
it hands the names of flow commands to the import machinery.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from models.errors import LifelineError

# command -> (module, one line of help)
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("flows.commands.up", "the main job, from nothing to a page: make the home, run the pipeline, open the UI"),
    "run": ("flows.commands.run", "one pass of the pipeline: ingest, tag, detect, derive, publish, notify"),
    "serve": ("flows.commands.serve", "keep it running on the schedules of prefect.yaml"),
    "deploy": ("flows.commands.deploy", "hand the schedules of prefect.yaml to a Prefect server whose workers run them"),
    "health": ("flows.commands.health", "a page, metrics and alarms on how each part of the house stands"),
    "ui": ("app.commands.ui", "the Streamlit UI on the published file"),
    "sql": ("app.commands.sql", "one read-only statement on the published file"),
    "classify": ("app.commands.classify", "tag documents from a file"),
    "detect": ("app.commands.detect", "turn dated documents into jumps"),
    "estimate": ("app.commands.estimate", "lifelines for any catalogue"),
    "backtest": ("app.commands.backtest", "walk-forward scores of the estimate"),
    "whatif": ("app.commands.whatif", "lifelines before and after a jump that has not happened"),
    "train": ("app.commands.train", "fit a tagger from labelled documents"),
    "import": ("app.commands.import_", "bring in sources, products, jumps, documents or activity from a file"),
    "export": ("app.commands.export", "write sources, products, jumps, lifelines or all to a folder"),
    "watch": ("app.commands.watch", "add to, remove from or list watchlists"),
    "rule": ("app.commands.rule", "decide on tags, jumps, products and ends"),
    "status": ("app.commands.status", "sources with health, counts, last runs, data cut-off"),
    "doctor": ("app.commands.doctor", "the environment, the settings and what is missing"),
    "backup": ("app.commands.backup", "one archive with everything that cannot be made again, even while a run is writing"),
    "restore": ("app.commands.restore", "check a backup and put it in place of the home"),
    "mcp": ("app.commands.mcp", "serve read-only tools to other programs over the Model Context Protocol"),
}


class Parser(argparse.ArgumentParser):
    """Wrong use is one line that says what was wrong and what to do."""

    def error(self, message: str) -> NoReturn:
        """Print one line and exit with 2."""
        self.exit(2, f"{self.prog}: {message}; see `{self.prog} --help`\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = _root()
    if not words or words[0].startswith("-"):
        parser.parse_args(words)
        parser.print_help()
        return 0 if not words else 2
    name = words[0]
    if name not in COMMANDS:
        parser.error(f"there is no command {name!r}{_nearest(name)}")
    return _run(name, words[1:])


def _root() -> Parser:
    width = max(map(len, COMMANDS))
    listing = "\n".join(f"  {name:<{width}}  {line}" for name, (_, line) in COMMANDS.items())
    parser = Parser(
        prog="lifeline",
        usage="lifeline COMMAND [OPTIONS]",
        description="How long do products built on AI platforms have? Tracks capability jumps and estimates lifelines.",
        epilog=f"commands:\n{listing}\n\n`lifeline COMMAND --help` tells more; every command takes --json.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version())
    return parser


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"lifeline {version('lifeline')}"
    except PackageNotFoundError:
        return "lifeline (not installed)"


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, n=1)
    return f"; did you mean {near[0]!r}" if near else ""


def _run(name: str, words: Sequence[str]) -> int:
    module_name, line = COMMANDS[name]
    try:
        module = importlib.import_module(module_name)
        parser = Parser(prog=f"lifeline {name}", description=line[0].upper() + line[1:] + ".")
        parser.add_argument("--json", action="store_true", help="print a machine-readable report")
        module.configure(parser)
        args = parser.parse_args(list(words))
        report = module.run(args)
    except LifelineError as error:
        return _fail(str(error), error.exit_code, "--json" in words)
    except ModuleNotFoundError as error:
        return _fail(
            f"`lifeline {name}` needs the package {error.name!r}; install it with `pip install 'lifeline[all]'`",
            1,
            "--json" in words,
        )
    except KeyboardInterrupt:
        return _fail("stopped; what was done so far is kept", 130, "--json" in words)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        if os.environ.get("LIFELINE_DEBUG"):
            raise
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}; check the path, who may write there, and the disk", 1, "--json" in words)
    except Exception as error:
        if os.environ.get("LIFELINE_DEBUG"):
            raise
        if type(error).__name__ in ("CatalogException", "BinderException"):
            return _fail(_other_version(error), 1, "--json" in words)
        kind = f"{type(error).__name__}: {error}"[:300]
        return _fail(f"unexpected {kind}; LIFELINE_DEBUG=1 shows where, please report it", 1, "--json" in words)
    if args.json:
        print(json.dumps(report.data, ensure_ascii=False, default=str, indent=2))
    else:
        print(*report.lines, sep="\n", end="\n" if report.lines else "")
    return report.exit_code


def _other_version(error: Exception) -> str:
    """What to do where a database file lacks a relation or a column."""
    lacks = str(error).splitlines()[0][:200]
    remedy = "publish it anew with `lifeline run --stage detect --stage derive --stage publish`"
    return f"the file that is read was written by another version of lifeline ({lacks}); {remedy}"


def _fail(message: str, exit_code: int, as_json: bool) -> int:
    line = " ".join(message.split())
    print(f"lifeline: {line}", file=sys.stderr)
    if as_json:
        print(json.dumps({"error": line}, ensure_ascii=False))
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
