"""What a run did, as a Markdown page: Prefect keeps it as the run's artifact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from html import escape
from typing import Any


@dataclass(slots=True)
class Progress:
    """What is known of a run at any moment: counts and seconds by stage, and why it stopped, if it did."""

    name: str
    as_of: date
    counts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    run_id: str = ""
    status: str = "failed"
    error: str = ""


def markdown(run: Progress) -> str:
    """The page: what, when and how it ended; what failed, in words; a table of the stages."""
    about = [f"as of {run.as_of}", f"{sum(run.seconds.values()):.1f} s in {len(run.counts)} stages"]
    parts = [f"# {_plain(run.name)}: {run.status}", ", ".join([*about, f"run {run.run_id}"] if run.run_id else about)]
    if failures := failures_of(run):
        parts.append("\n".join(["**What failed**", "", *(f"- {_plain(line)}" for line in failures)]))
    if run.counts:
        parts.append("\n".join(_table(run)))
    return "\n\n".join(parts) + "\n"


def summary(run: Progress) -> str:
    """The same in one line."""
    failures = failures_of(run)
    return f"{run.status} as of {run.as_of}" + (f": {failures[0]}" if failures else "")


def failures_of(run: Progress) -> list[str]:
    """What went wrong, the reason that stopped the run first."""
    found = [f"the run stopped: {run.error}"] if run.error else []
    for stage, counts in run.counts.items():
        if counts.get("error") and counts["error"] == run.error:
            found[0] = f"the run stopped in {stage}: {run.error}"
        elif counts.get("error"):
            found.append(f"{stage}: {counts['error']}")
        elif counts.get("failed"):
            where = "; `lifeline status` names the sources" if stage == "ingest" else ""
            found.append(f"{stage}: {counts['failed']} failed{where}")
    return found


def _table(run: Progress) -> list[str]:
    lines = ["| stage | seconds | what it did |", "|---|---:|---|"]
    for stage, counts in run.counts.items():
        lines.append(f"| {_plain(stage)} | {run.seconds.get(stage, 0.0):.1f} | {_plain(_in_words(counts))} |")
    return lines


def _in_words(counts: Mapping[str, Any]) -> str:
    """Counts with their names; zeros and what stands under "what failed" say nothing here."""
    shown = [
        f"{value:,} {name.replace('_', ' ')}" if isinstance(value, int) else f"{name.replace('_', ' ')}: {value}"
        for name, value in counts.items()
        if value and name != "error"
    ]
    return ", ".join(shown) or "nothing to do"


def _plain(text: str) -> str:
    """Foreign words as they are, whatever they mean to Markdown or HTML; on one line, for they stand in a table."""
    words = escape(" ".join(str(text).split())[:500], quote=False)
    for sign in "\\*_[]|~":
        words = words.replace(sign, f"\\{sign}")
    return words
