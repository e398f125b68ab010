"""The card of a tagger: what it was judged on and how well it did, as JSON for programs and Markdown for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models.tagging import scores as judge
from models.tagging.memory import Drift


def write_card(
    folder: Path,
    name: str,
    judged: judge.Judged,
    figures: Mapping[str, float],
    change: Drift | None,
    curve: Sequence[Mapping[str, float]],
) -> None:
    """Write `card.json` and `card.md`."""
    card = {
        "name": name,
        "figures": dict(figures),
        "drift": asdict(change) if change else None,
        "per_label": judge.per_label(judged),
        "confusion": judge.confusion(judged),
        "reliability": judge.reliability(judged),
        "learning_curve": [dict(row) for row in curve],
    }
    (folder / "card.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / "card.md").write_text("\n".join(as_markdown(card)) + "\n", encoding="utf-8")


def as_markdown(card: Mapping[str, Any]) -> list[str]:
    """The card as Markdown lines."""
    figures = card["figures"]
    lines = [f"# {card['name']}", "", f"Judged out of fold, by story, on {figures['n']:.0f} documents.", ""]
    lines += ["| figure | value |", "|---|--:|", *(f"| {name} | {value} |" for name, value in figures.items() if name != "n")]
    lines += _drift(card["drift"])
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


def _drift(change: Mapping[str, Any] | None) -> list[str]:
    """What differs from the tagger before, on the references that both were judged on."""
    if change is None:
        return ["", "## Drift", "", "No tagger before it was judged on enough of these documents."]
    kinds, labels = change["kinds_changed"], change["labels_changed"]
    summary = f"On {change['n']} documents that the tagger before was judged on, too: {kinds:.1%} have another kind, {labels:.1%} other labels."
    lines = ["", "## Drift", "", summary, "", "| | before | now |", "|---|--:|--:|"]
    lines += [f"| {name} | {change['before'].get(name, '–')} | {value} |" for name, value in change["now"].items() if name != "n"]
    moved = [row for row in change["per_label"] if row["support"] and row["before"] != row["now"]]
    return lines + [f"| F1 of {row['label']} ({row['support']}) | {row['before']} | {row['now']} |" for row in moved]
