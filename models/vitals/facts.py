"""What the writer knows of its own work, as it lies in `vitals.json`. Instants are UTC; unknown is None."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

VERSION = 1
# the stages whose runs are counted, and the outcomes of a poll: label values have to be few
STAGES = ("ingest", "tag", "detect", "derive", "publish", "notify", "look", "judge", "train")
POLLED = ("new", "changed", "not_modified", "failed")


@dataclass(frozen=True, slots=True)
class Attempt:
    """The newest try of a stage, and when it last came off. `error` is that of the newest try, empty when it went well."""

    attempt_at: datetime | None = None
    success_at: datetime | None = None
    seconds: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A source that does not answer as it should, since when."""

    source_id: str
    title: str
    health: str
    since_at: datetime | None
    n_failures: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts since the file was begun; they only rise."""

    runs: Mapping[str, int] = field(default_factory=dict)
    stage_runs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    polls: Mapping[str, int] = field(default_factory=dict)
    documents: Mapping[str, int] = field(default_factory=dict)

    def with_stage(self, name: str, counts: Mapping[str, Any], seconds: float) -> Totals:
        """These and one more run of a stage."""
        outcome = "failed" if counts.get("error") else "ok"
        stage_runs = {**self.stage_runs, name: _plus(self.stage_runs.get(name, {}), {outcome: 1})}
        polls, documents = self.polls, self.documents
        if name == "ingest":
            polled = {"polled": counts.get("polled", 0)} | {key: counts.get(key, 0) for key in ("not_modified", "failed")}
            polls = _plus(polls, polled)
            documents = _plus(documents, {key: counts.get(key, 0) for key in ("new", "changed")})
        if name == "tag":
            documents = _plus(documents, {"tagged": counts.get("tagged", 0)})
        seconds_by_stage = {**self.stage_seconds, name: round(self.stage_seconds.get(name, 0.0) + seconds, 3)}
        return Totals(self.runs, stage_runs, seconds_by_stage, polls, documents)

    def with_run(self, status: str) -> Totals:
        """These and one more run."""
        return Totals(_plus(self.runs, {status: 1}), self.stage_runs, self.stage_seconds, self.polls, self.documents)


def _plus(before: Mapping[str, int], more: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(before.get(name, 0)) + int(more.get(name) or 0) for name in {**before, **more}}


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the writer leaves. `run` is the run under way or the last one; `stage` where it stands, empty when it is done."""

    written_at: datetime
    run_id: str = ""
    purpose: str = ""
    status: str = ""
    stage: str = ""
    started_at: datetime | None = None
    first_run_at: datetime | None = None
    as_of: date | None = None
    n_documents: int | None = None
    n_untagged: int | None = None
    attempts: Mapping[str, Attempt] = field(default_factory=dict)
    sources: Mapping[str, int] = field(default_factory=dict)
    signs: Mapping[str, int] = field(default_factory=dict)
    troubles: tuple[Trouble, ...] = ()
    totals: Totals = field(default_factory=Totals)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Facts:
        """Back from plain values.

        Raises
        ------
        ValueError, KeyError, TypeError, AttributeError
            when they are not what `to_json` makes.

        """
        if told["version"] != VERSION:
            raise ValueError(f"version {told['version']}")
        plain = ("run_id", "purpose", "status", "stage", "n_documents", "n_untagged", "sources", "signs")
        return cls(
            written_at=datetime.fromisoformat(told["written_at"]),
            started_at=_instant(told["started_at"]),
            first_run_at=_instant(told["first_run_at"]),
            as_of=date.fromisoformat(told["as_of"]) if told["as_of"] else None,
            attempts={name: _attempt(one) for name, one in told["attempts"].items()},
            troubles=tuple(Trouble(**{**one, "since_at": _instant(one["since_at"])}) for one in told["troubles"]),
            totals=Totals(**told["totals"]),
            **{name: told[name] for name in plain},
        )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _attempt(told: Mapping[str, Any]) -> Attempt:
    return Attempt(_instant(told["attempt_at"]), _instant(told["success_at"]), told["seconds"], told["error"])


def attempts_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Attempt]:
    """The newest try and the last success of each stage, from rows of the run ledger in any order.

    A row stands on its own day only: a pass that looked back on March says nothing of how fresh today is. A poll that nothing answered,
    or that was told to ask nobody, is a try but no success.
    """
    found: dict[str, Attempt] = {}
    for row in sorted(rows, key=lambda one: one["started_at"]):
        if row["as_of"] and row["as_of"] != row["started_at"].date():
            continue
        for name, counts in (row["counts"] or {}).items():
            before = found.get(name, Attempt())
            at = row["finished_at"] or row["started_at"]
            error = _error(name, counts)
            is_success = not error and not counts.get("network")
            found[name] = Attempt(at, at if is_success else before.success_at, counts.get("seconds"), error)
    return found


def _error(stage: str, counts: Mapping[str, Any]) -> str:
    """What went wrong with a stage as a whole; single sources that fail are states of theirs."""
    if counts.get("error"):
        return str(counts["error"])
    if stage == "notify" and counts.get("failed"):
        return f"{counts['failed']} addresses did not take a digest"
    return "no source answered" if stage == "ingest" and _got_nothing(counts) else ""


def _got_nothing(counts: Mapping[str, Any]) -> bool:
    """Whether a poll asked a few sources and every one of them failed."""
    n = int(counts.get("polled") or 0)
    return n >= 3 and int(counts.get("failed") or 0) >= n
