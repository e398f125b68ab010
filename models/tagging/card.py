"""The card of a tagger: what it was judged on and how well it did, as JSON for programs and Markdown for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.tagging import scores as judge


def write_card(
    folder: Path,
    name: str,
    judged: judge.Judged,
    figures: Mapping[str, float],
    before: Mapping[str, float] | None,
    curve: Sequence[Mapping[str, float]],
) -> None:
    """Write `card.json` and `card.md`."""
    card = {
        "name": name,
        "figures": dict(figures),
        "before": dict(before) if before else None,
        "per_label": judge.per_label(judged),
        "confusion": judge.confusion(judged),
        "reliability": judge.reliability(judged),
        "learning_curve": [dict(row) for row in curve],
    }
    (folder / "card.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / "card.md").write_text("\n".join(as_markdown(card)) + "\n", encoding="utf-8")


def as_markdown(card: Mapping[str, Any]) -> list[str]:
    """The card as Markdown lines."""
    figures, before = card["figures"], card["before"] or {}
    lines = [
        f"# {card['name']}",
        "",
        f"Judged out of fold, by story, on {figures['n']:.0f} documents.",
        "",
        "| figure | value | before |",
        "|---|--:|--:|",
    ]
    lines += [f"| {name} | {value} | {before.get(name, '–')} |" for name, value in figures.items()]
    lines += ["", "## Labels", "", "| label | support | precision | recall | F1 |", "|---|--:|--:|--:|--:|"]
    for row in card["per_label"]:
        cells = ["–" if row[key] is None else row[key] for key in ("support", "precision", "recall", "f1")]
        lines.append(f"| {row['label']} | {' | '.join(map(str, cells))} |")
    kinds = list(card["confusion"])
    lines += [
        "",
        "## Event kinds",
        "",
        "Rows: the reader; columns: the tagger.",
        "",
        f"| | {' | '.join(kinds)} |",
        f"|---|{'--:|' * len(kinds)}",
    ]
    lines += [f"| {kind} | {' | '.join(str(row[k]) for k in kinds)} |" for kind, row in card["confusion"].items()]
    lines += ["", "## Calibration", "", "| probability from | n | said | true |", "|---|--:|--:|--:|"]
    lines += [f"| {row['from']} | {row['n']} | {row['said']} | {row['true']} |" for row in card["reliability"]]
    lines += ["", "## Learning curve", "", "| labels | micro F1 | macro F1 | kind | jump F1 |", "|---|--:|--:|--:|--:|"]
    for row in card["learning_curve"]:
        lines.append(
            f"| {row['share']:.0%} | {row['micro_f1']} | {row['macro_f1']} | {row['kind_accuracy']} | {row['jump_f1']} |"
        )
    return lines
