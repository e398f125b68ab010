"""One pass of the pipeline: the stages of `flows.stages` in order, under the writer's lock, with a row in the run ledger."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from functools import partial
from pathlib import Path
from typing import Any

from flows.memory import share_heaps
from flows.stages import ASIDE, MAY_FAIL, STAGES, Context, Counts
from flows.vitals import Recorder
from models import catalogue as catalogues
from models import logs, runs
from models.errors import LifelineError, UsageError
from models.report import say as say_to_stderr
from models.settings import Settings
from models.store import open_work, set_as_of
from models.types import Source

# two months of hourly polls and daily passes
KEPT_RUNS = 1500
KNOWN = {**STAGES, **ASIDE}
Stage = Callable[[], Counts]
Call = Callable[[str, Stage], Counts]


@dataclass(frozen=True, slots=True)
class Job:
    """What a run is asked to do. `as_of` is the day it stands on, `now` the instant it began.

    `with_signs` also polls the hundreds of places where products show signs of life, those that are due. `clock` stands in for
    the real one, so that days can be lived through in minutes.
    """

    as_of: date
    now: datetime
    stages: tuple[str, ...] = tuple(STAGES)
    sources: Path | None = None
    is_offline: bool = False
    only_due: bool = False
    with_signs: bool = True
    wait_s: float = 0.0
    purpose: str = "lifeline run"
    say: Callable[[str], None] = say_to_stderr
    clock: Callable[[], datetime] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did: counts and seconds by stage."""

    run_id: str
    as_of: date
    status: str
    counts: Mapping[str, Counts]
    seconds: Mapping[str, float] = field(default_factory=dict)


def plainly(name: str, stage: Stage) -> Counts:
    """Call a stage as the function that it is."""
    return stage()


def run(job: Job, settings: Settings, call: Call = plainly) -> Outcome:
    """Run the stages of `job`; `call` runs one of them, plainly or as a Prefect task.

    Raises
    ------
    LifelineError
        when a stage that others need fails; what the stages before it stored is kept, and the published file stays as it was.

    """
    share_heaps()
    logs.configure(settings)
    catalogue, sources, signs = read_inputs(job, settings)
    with open_work(settings.home, purpose=job.purpose, wait_s=job.wait_s) as con:
        set_as_of(con, job.as_of)
        clock = job.clock or clock_on(job.as_of, job.now)
        context = Context(con, settings, catalogue, sources, signs, job.as_of, clock, job.say, job.is_offline, job.only_due)
        return _in_ledger(context, job, call)


def read_inputs(job: Job, settings: Settings) -> tuple[catalogues.Catalogue, Sequence[Mapping[str, Any]], Sequence[Source]]:
    """The catalogue in force, the sources to poll, and where products show signs of life.

    Raises
    ------
    CatalogueError
        when a row of either cannot be.

    """
    from flows.signs import read_signals, signal_sources

    catalogue = catalogues.load(settings.catalogue)
    if job.sources:
        return catalogue, catalogues.read_sources(job.sources), []
    return catalogue, catalogue.sources, signal_sources(read_signals(settings.catalogue)) if job.with_signs else []


def clock_on(as_of: date, now: datetime) -> Callable[[], datetime]:
    """The clock of a run: the real one today; on an earlier day it stands still at the day's last second, so that history replays."""
    if as_of == now.date():
        return lambda: datetime.now(UTC)
    stopped = datetime.combine(as_of, time_of_day(23, 59, 59), UTC)
    return lambda: stopped


def _in_ledger(context: Context, job: Job, call: Call) -> Outcome:
    run_id = runs.new_id(job.now, secrets.token_hex(2))
    runs.begin(context.con, run_id, as_of=job.as_of, started_at=job.now, catalogue_hash=context.catalogue.hash)
    runs.prune(context.con, KEPT_RUNS)
    counts: dict[str, Counts] = {}
    seconds: dict[str, float] = {}
    clock = job.clock or (lambda: datetime.now(UTC))

    def record(status: str) -> None:
        runs.record(context.con, run_id, status=status, finished_at=clock(), counts=_with_seconds(counts, seconds))

    def step(name: str) -> None:
        told.enter(name)
        began = time.perf_counter()
        try:
            counts[name] = _attempt(name, partial(KNOWN[name], context), call, job.say)
        except Exception as error:
            counts[name] = {"failed": 1, "error": one_line(error)}
            raise
        finally:
            seconds[name] = round(time.perf_counter() - began, 2)
            told.leave(name, counts.get(name), seconds[name])

    told = Recorder(context, run_id, purpose=job.purpose, started_at=job.now, clock=clock)
    told.begin()
    try:
        for name in job.stages:
            if name == "publish":
                record(runs.status_of(counts))
            job.say(f"{name} …")
            step(name)
        swept = {"prune": _attempt("prune", partial(KNOWN["prune"], context), plainly, job.say)} if is_whole(job) else {}
    except BaseException:
        record("failed")
        told.end("failed")
        raise
    counts |= {name: dropped for name, dropped in swept.items() if any(dropped.values())}
    status = runs.status_of(counts)
    record(status)
    told.end(status)
    return Outcome(run_id, job.as_of, status, counts, seconds)


def is_whole(job: Job) -> bool:
    """Whether a job is a whole pass, which ends with dropping what is no longer kept."""
    return set(STAGES) <= set(job.stages)


def _attempt(name: str, stage: Stage, call: Call, say: Callable[[str], None]) -> Counts:
    """One stage; a failure of one that others do not need is said and counted, not raised."""
    try:
        return call(name, stage)
    except Exception as error:
        if "Query interrupted" in str(error):  # what DuckDB makes of Ctrl-C
            raise KeyboardInterrupt from error
        if name not in MAY_FAIL:
            raise
        line = one_line(error)
        say(f"{name} failed: {line}")
        return {"failed": 1, "error": line}


def one_line(error: BaseException) -> str:
    """An error in one line; ours speak for themselves, others name their kind."""
    words = " ".join(str(error).split())[:300]
    return words if isinstance(error, LifelineError) else f"{type(error).__name__}: {words}"


def _with_seconds(counts: Mapping[str, Counts], seconds: Mapping[str, float]) -> dict[str, Any]:
    return {name: {**stage, "seconds": seconds.get(name)} for name, stage in counts.items()}


def stages_named(names: list[str] | None) -> tuple[str, ...]:
    """The stages asked for, in the order of the pipeline; all of them for none.

    Raises
    ------
    UsageError
        for a name that is no stage.

    """
    unknown = [name for name in names or [] if name not in KNOWN]
    if unknown:
        raise UsageError(f"there is no stage {unknown[0]!r}; use one of {', '.join(KNOWN)}")
    return tuple(name for name in KNOWN if name in (names or STAGES))
