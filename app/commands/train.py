"""`lifeline train`: fit a tagger from labelled documents and say whether it is better than the one in force."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from models import settings
from models.errors import UsageError
from models.report import Report, say

SHOWN = ("micro_f1", "macro_f1", "kind_accuracy", "jump_f1", "micro_f1_zh", "calibration_error")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--labels", nargs="+", type=Path, metavar="FILE", help="labelled JSON Lines; documents with a `story` are judged on"
    )
    parser.add_argument(
        "--texts", nargs="*", type=Path, default=[], metavar="FILE", help="unlabelled JSON Lines: translations and words"
    )
    parser.add_argument(
        "--base", metavar="DIR|NAME", help="fine-tune this encoder; without it, the encoder of the tagger started from"
    )
    parser.add_argument(
        "--from", dest="warm_start", type=Path, metavar="DIR", help="tagger to start from (default: the embedded one)"
    )
    parser.add_argument("--epochs", type=int, help="passes over the labels by the encoder (3 with --base, otherwise 0)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), help="where to compute")
    parser.add_argument("--name", help="version under which documents are tagged (default: lifeline-YEAR.MONTH.DAY)")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder of the new tagger")


def run(args: argparse.Namespace) -> Report:
    """Train, judge on the frozen folds, and recommend the better of the two."""
    from models.tagging.embedded import WEIGHTS
    from models.tagging.training import train

    if not args.labels:
        raise UsageError("give labelled documents with --labels FILE")
    config = settings.load()
    result = train(
        args.labels,
        args.output,
        args.name or f"lifeline-{datetime.now(UTC):%Y.%m.%d}",
        text_files=args.texts,
        base=args.base,
        warm_start=args.warm_start or WEIGHTS,
        device=args.device or config["device"],
        epochs=args.epochs if args.epochs is not None else (3 if args.base else 0),
        say=say,
    )
    before = result["before"] or {}
    lines = [f"{name:18} {result['figures'].get(name, '–')!s:8} before {before.get(name, '–')}" for name in SHOWN]
    lines.append(
        f"better on the frozen folds: use it with LIFELINE_TAGGER={args.output}"
        if result["is_better"]
        else "not better on the frozen folds: the tagger in force stays"
    )
    return Report(lines, result)
