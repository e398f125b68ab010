"""`lifeline train`: fit a tagger from labelled documents and say whether it is better than the one in force."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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
        "--from", dest="warm_start", type=Path, metavar="DIR", help="tagger to start from (default: the one in force)"
    )
    parser.add_argument("--epochs", type=int, help="passes over the labels by the encoder (3 with --base, otherwise 0)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), help="where to compute")
    parser.add_argument("--name", help="version under which documents are tagged (default: lifeline-YEAR.MONTH.DAY)")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder of the new tagger")
    parser.add_argument(
        "--adopt",
        action="store_true",
        help="let this home go by it unless it is worse; DIR has to lie in the home's models/ for that",
    )


def run(args: argparse.Namespace) -> Report:
    """Train, judge on the frozen folds, and recommend the better of the two."""
    from models.tagging.adopted import adopt, adopted
    from models.tagging.embedded import WEIGHTS
    from models.tagging.training import train

    if not args.labels:
        raise UsageError("give labelled documents with --labels FILE")
    config = settings.load()
    if args.adopt and args.output.absolute().parent != config.taggers:
        raise UsageError(f"--adopt needs an --output in {config.taggers}, where this home keeps its taggers")
    result = train(
        args.labels,
        args.output,
        args.name or f"lifeline-{datetime.now(UTC):%Y.%m.%d}",
        text_files=args.texts,
        base=args.base,
        warm_start=args.warm_start or adopted(config.taggers) or WEIGHTS,
        device=args.device or config["device"],
        epochs=args.epochs if args.epochs is not None else (3 if args.base else 0),
        say=say,
    )
    lines = [*_figures(result), _verdict(result, args.output)]
    if args.adopt and (result["is_better"] or result["before"] is None):
        adopt(config.taggers, args.output.name, datetime.now(UTC).date())
        lines[-1] = f"adopted: this home tags with {args.output.name} from now on"
    return Report(lines, result)


def _figures(result: Mapping[str, Any]) -> list[str]:
    """The new tagger's figures, and both taggers' on the references that both were judged on."""
    figures, change = result["figures"], result["drift"]
    if change is None:
        return [f"{name:18} {figures.get(name, '–')}" for name in SHOWN]
    heads = f"{'':18} {'all ' + format(figures['n'], '.0f'):>10} {'the ' + str(change['n']) + ' in common':>20} {'before':>10}"
    columns = (figures, change["now"], change["before"])
    widths = (10, 20, 10)
    rows = [
        f"{name:18} " + " ".join(f"{column.get(name, '–')!s:>{width}}" for column, width in zip(columns, widths, strict=True))
        for name in SHOWN
    ]
    changed = f"{change['kinds_changed']:.1%} of the kinds and {change['labels_changed']:.1%} of the label sets differ; card.md says more"
    return [heads, *rows, changed]


def _verdict(result: Mapping[str, Any], output: Path) -> str:
    if result["is_better"]:
        return f"better on the frozen folds: use it with LIFELINE_TAGGER={output}"
    if result["drift"] is None:
        return f"not comparable: the tagger in force was judged on other references; it stays unless LIFELINE_TAGGER={output}"
    return "not better on the frozen folds: the tagger in force stays"
