"""What a run tells of itself while it goes: `vitals.json` beside the store, and a line of the log for each step.

Telling never breaks a run: a file that cannot be written is one line of the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from models import logs, vitals

if TYPE_CHECKING:
    from flows.stages import Context

# after these the store holds other documents, tags or sources than before
CHANGES = ("ingest", "tag", "publish")


class Recorder:
    """Follows one run. Call `begin`, then `enter` and `leave` for each stage, then `end`."""

    def __init__(
        self, context: Context, run_id: str, *, purpose: str, started_at: datetime, clock: Callable[[], datetime]
    ) -> None:
        self.context = context
        self.clock = clock
        self.row: dict[str, Any] = {
            "run_id": run_id,
            "as_of": context.as_of,
            "started_at": started_at,
            "finished_at": None,
            "status": "running",
            "purpose": purpose,
            "stage": "",
            "counts": {},
        }
        self.totals = vitals.Totals()
        self.facts: vitals.Facts | None = None

    def begin(self) -> None:
        """Say that the run has begun."""
        left = vitals.read_file(self.context.settings.home)
        self.totals = left.totals if left else vitals.Totals()
        logs.bind(run_id=self.row["run_id"])
        logs.event("run.begun", purpose=self.row["purpose"], as_of=self.row["as_of"])
        self._write()

    def enter(self, stage: str) -> None:
        """Say which stage is at work."""
        self.row["stage"] = stage
        if self.facts:
            self._put(replace(self.facts, stage=stage, written_at=self.clock()))

    def leave(self, stage: str, counts: Mapping[str, Any] | None, seconds: float) -> None:
        """Say what a stage did; nothing of one that was broken off."""
        if counts is None:
            return
        self.row["counts"] = {**self.row["counts"], stage: {**counts, "seconds": seconds}}
        self.row["finished_at"] = self.clock()
        self.totals = self.totals.with_stage(stage, counts, seconds)
        error = counts.get("error")
        logs.event(
            "stage.failed" if error else "stage.done",
            "error" if error else "info",
            stage=stage,
            seconds=seconds,
            **_named(counts),
        )
        if stage in CHANGES or error:
            self._write()

    def end(self, status: str) -> None:
        """Say that the run is over."""
        self.row |= {"status": status, "stage": "", "finished_at": self.clock()}
        self.totals = self.totals.with_run(status)
        seconds = round((self.row["finished_at"] - self.row["started_at"]).total_seconds(), 2)
        level = {"ok": "info", "partial": "warning"}.get(status, "error")
        logs.event("run.ended", level, purpose=self.row["purpose"], status=status, seconds=seconds)
        self._write()

    def _write(self) -> None:
        listed = [row["source_id"] for row in self.context.sources]
        try:
            self._put(
                vitals.gather(
                    self.context.con,
                    self.clock(),
                    tagger=_tagger(self.context),
                    current=self.row,
                    listed=listed,
                    totals=self.totals,
                )
            )
        except Exception as error:
            logs.event("vitals.failed", "error", error=f"{type(error).__name__}: {error}")

    def _put(self, facts: vitals.Facts) -> None:
        self.facts = facts
        try:
            vitals.write(self.context.settings.home, facts)
        except OSError as error:
            logs.event("vitals.failed", "error", error=str(error))


def _named(counts: Mapping[str, Any]) -> dict[str, Any]:
    """Counts as fields of a line; none may take the name of a field that every line has."""
    return {f"n_{name}" if isinstance(value, int) else name: value for name, value in counts.items()}


def _tagger(context: Context) -> str:
    """The tagger in force by its full name, as the last tagging noted it."""
    found = context.con.execute("select value from meta where key = 'tagger'").fetchall()
    return str(found[0][0]) if found else ""
