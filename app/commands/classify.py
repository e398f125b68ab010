"""`lifeline classify IN.jsonl OUT.jsonl`: tag documents from a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from models import settings
from models.report import Report, say
from models.tagger import NAMES, load_tagger


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "input", type=Path, metavar="IN.jsonl", help="documents: id, title, text and, where known, lang, url, source"
    )
    parser.add_argument("output", type=Path, metavar="OUT.jsonl", help="tags, in the same order")
    parser.add_argument("--tagger", metavar="NAME|DIR", help=f"{', '.join(NAMES)} or the folder of a trained tagger")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), help="where to compute")


def run(args: argparse.Namespace) -> Report:
    """Tag the file."""
    from models.tagging.files import classify_file

    config = settings.load()
    tagger = load_tagger(args.tagger or config, args.device or config["device"], compiled=config["compile"])
    counts = classify_file(args.input, args.output, tagger, say)
    not_learnt = list(getattr(tagger, "not_learnt", ()))
    lines = [f"tagged {counts['documents']} documents with {tagger.name}: {counts['jumps']} capability jumps -> {args.output}"]
    if not_learnt:
        lines.append(f"labels of the taxonomy that this tagger has not learnt: {', '.join(not_learnt)}")
    return Report(lines, {**counts, "tagger": tagger.name, "output": str(args.output), "not_learnt": not_learnt})
