"""What the facts mean: one row a part, with its state and what to do. Pure; the clock is passed in.

A part is `fine`, `late` (a schedule was missed; it works or may come back by itself), `failing` (somebody has to look) or `unknown`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from models.vitals.facts import Attempt, Facts, Trouble
from models.vitals.surroundings import Prefect, Surroundings, Worker

STATES = ("fine", "unknown", "late", "failing")
HOUR = timedelta(hours=1)
# a run may wait for another and then take its time; only after that is a schedule missed
LEAST_GRACE = HOUR
GRACE_SHARE = 0.1
# so many periods without a success are no hiccup
FAILING_PERIODS = 2
LONGEST_RUN = timedelta(hours=6)
# how long a source may be in trouble before somebody should know; what is not named here is trouble at once
PATIENCE = {"failing": 24 * HOUR, "blocked": 24 * HOUR, "not_a_feed": 24 * HOUR, "empty": 168 * HOUR}
SOURCES_LATE, SOURCES_FAILING = 0.25, 0.6
LOW_DISK_BYTES = 2_000_000_000
# a worker that was silent for so many of its beats is dead, and after a day it is forgotten
DEAD_BEATS = 4
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Vital:
    """One part. `matters` says whether the house as a whole fails with it; `last_at` is its last success where it has one."""

    part: str
    state: str
    words: str
    since_at: datetime | None = None
    remedy: str = ""
    matters: bool = True
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A part that has to come off within its period. `stages` are tried in order; the last of them is what counts as success."""

    part: str
    stages: tuple[str, ...]
    noun: str
    remedy: str
    matters: bool = True


RUN_IT = "see whether `lifeline serve` (or a worker) runs, and what `lifeline run` says"
SCHEDULED = (
    Scheduled("poll", ("ingest",), "polled the sources", RUN_IT),
    Scheduled(
        "tags", ("tag",), "tagged what was new", "`lifeline run --stage tag` says why; the setting `tagger` names the tagger"
    ),
    Scheduled(
        "pass",
        ("detect", "derive", "publish"),
        "published",
        "`lifeline run --stage detect --stage derive --stage publish` says why",
    ),
    Scheduled("look", ("look",), "looked at products' pages", "`lifeline run --stage look` does it now", matters=False),
    Scheduled("backtest", ("judge",), "back-tested the method", "`lifeline run --stage judge` does it now", matters=False),
    Scheduled(
        "training", ("train",), "looked for rulings to train from", "`lifeline run --stage train` does it now", matters=False
    ),
)


@dataclass(frozen=True, slots=True)
class Periods:
    """How often each scheduled part has to come off; without one it is not expected. The default is that of `prefect.yaml`."""

    by_part: Mapping[str, timedelta] = field(
        default_factory=lambda: {
            "poll": HOUR,
            "tags": HOUR,
            "pass": 24 * HOUR,
            "look": 7 * 24 * HOUR,
            "backtest": 31 * 24 * HOUR,
            "training": 31 * 24 * HOUR,
        }
    )


def judge(facts: Facts | None, around: Surroundings, now: datetime, periods: Periods | None = None) -> list[Vital]:
    """How every part stands at `now`, in the order of the way a document takes."""
    by_part = (periods or Periods()).by_part
    scheduled = [_scheduled(one, facts, now, by_part[one.part]) for one in SCHEDULED if one.part in by_part]
    return [
        *scheduled,
        _digests(facts),
        _writer(facts, around, now),
        _published(facts, around),
        _sources(facts),
        *_sources_in_trouble(facts, now),
        _disk(around),
        *_keeper(around),
        *_prefect(around.prefect, now),
    ]


def overall(vitals: Iterable[Vital]) -> str:
    """The worst state of the parts that matter; one that is unknown does not make the house unwell."""
    worst = max((STATES.index(one.state) for one in vitals if one.matters), default=0)
    return STATES[worst] if STATES[worst] != "unknown" else "fine"


def _scheduled(one: Scheduled, facts: Facts | None, now: datetime, period: timedelta) -> Vital:
    attempts = facts.attempts if facts else {}
    done = attempts.get(one.stages[-1], Attempt())
    error = _newest_error([attempts[name] for name in one.stages if name in attempts], done.success_at)
    begun_at = done.success_at or (facts.first_run_at if facts else None)
    if begun_at is None:
        return Vital(one.part, "unknown", "nothing has run here yet", None, "`lifeline run`", one.matters)
    due_at = begun_at + period + max(LEAST_GRACE, period * GRACE_SHARE)
    last = f"last {one.noun} {ago(now - done.success_at)} ago" if done.success_at else f"never {one.noun} yet"
    if error:
        return Vital(one.part, "failing", f"{error.error}; {last}", error.attempt_at, one.remedy, one.matters, done.success_at)
    if now <= due_at:
        state = "fine" if done.success_at else "unknown"
        return Vital(one.part, state, last, done.success_at, "", one.matters, done.success_at)
    is_failing = one.matters and now > due_at + period * (FAILING_PERIODS - 1)
    words = f"{last}, every {ago(period)} is the rule"
    return Vital(one.part, "failing" if is_failing else "late", words, due_at, one.remedy, one.matters, done.success_at)


def _newest_error(attempts: list[Attempt], success_at: datetime | None) -> Attempt | None:
    """The newest failed try after the last success."""
    failed = [one for one in attempts if one.error and one.attempt_at and (success_at is None or one.attempt_at > success_at)]
    return max(failed, key=lambda one: one.attempt_at or datetime.min, default=None)


def _digests(facts: Facts | None) -> Vital:
    tried = (facts.attempts if facts else {}).get("notify", Attempt())
    if tried.error:
        words = f"sending failed: {tried.error}"
        return Vital("digests", "failing", words, tried.attempt_at, "see the setting `notify_urls`", False, tried.success_at)
    words = "the last ones were sent, or there were none to send" if tried.success_at else "none were due yet"
    return Vital("digests", "fine" if tried.success_at else "unknown", words, tried.success_at, "", False, tried.success_at)


def _writer(facts: Facts | None, around: Surroundings, now: datetime) -> Vital:
    is_open = facts is not None and facts.status == "running" and facts.started_at is not None
    if around.writer and is_open and facts and facts.started_at and now - facts.started_at > LONGEST_RUN:
        words = f"{around.writer} has been at it for {ago(now - facts.started_at)}, now {facts.stage or 'starting'}"
        return Vital("writer", "failing", words, facts.started_at, "stop that process; the next run takes up where it was")
    if around.writer:
        doing = f", {facts.stage}" if is_open and facts and facts.stage else ""
        return Vital("writer", "fine", f"at work: {around.writer}{doing}", facts.started_at if is_open and facts else None)
    if is_open and facts:
        words = f"run {facts.run_id} began and never came back ({facts.stage or 'starting'})"
        return Vital("writer", "late", words, facts.started_at, "the next run heals it; see why it was killed", False)
    return Vital("writer", "fine", "nobody writes now", None)


def _published(facts: Facts | None, around: Surroundings) -> Vital:
    if not around.files.get("published"):
        was_there = facts is not None and facts.as_of is not None
        words = "the published file is missing" if was_there else "nothing is published yet"
        return Vital(
            "published", "failing" if was_there else "unknown", words, None, "`lifeline run --stage publish` writes it anew"
        )
    as_of = facts.as_of if facts else None
    words = f"as of {as_of}, {around.files['published'] / 1e6:.1f} MB" if as_of else f"{around.files['published'] / 1e6:.1f} MB"
    looks_back = as_of and around.published_at and (around.published_at.date() - as_of).days > 1
    if looks_back:
        return Vital(
            "published", "late", f"{words}: a run looked back", around.published_at, "`lifeline run` brings it up to today", False
        )
    return Vital("published", "fine", words, around.published_at, last_at=around.published_at)


def _sources(facts: Facts | None) -> Vital:
    counts = {name: n for name, n in (facts.sources if facts else {}).items() if name != "not_polled"}
    n, n_well = sum(counts.values()), counts.get("fine", 0) + counts.get("moved", 0)
    if not n:
        return Vital("sources", "unknown", "none was polled yet")
    share = 1 - n_well / n
    said = ", ".join(f"{k} {name.replace('_', ' ')}" for name, k in sorted(counts.items(), key=lambda one: -one[1]))
    state = "failing" if share >= SOURCES_FAILING else "late" if share >= SOURCES_LATE else "fine"
    return Vital("sources", state, said, None, "" if state == "fine" else "`lifeline status` lists them with their errors")


def _sources_in_trouble(facts: Facts | None, now: datetime) -> list[Vital]:
    """A row for each source that has been in trouble for longer than patience lasts; none of them brings the house down."""
    return [_source(one) for one in (facts.troubles if facts else ()) if _is_overdue(one, now)]


def _is_overdue(one: Trouble, now: datetime) -> bool:
    return one.since_at is None or now - one.since_at >= PATIENCE.get(one.health, timedelta(0))


def _source(one: Trouble) -> Vital:
    state = "late" if one.health in ("stale", "empty") else "failing"
    said = {"stale": "nothing new for half a year", "empty": "answers with an empty list"}.get(
        one.health, one.error or one.health
    )
    remedy = "see whether it moved; correct or switch it off with `lifeline import sources`"
    return Vital(f"source:{one.source_id}", state, f"{one.title}: {said}", one.since_at, remedy, False)


def _disk(around: Surroundings) -> Vital:
    if around.free_bytes is None:
        return Vital("disk", "unknown", "the home cannot be seen", None, "see LIFELINE_HOME")
    free = f"{around.free_bytes / 1e9:.1f} GB free"
    if around.free_bytes < 2 * around.files.get("published", 0) + around.files.get("work", 0) // 4:
        return Vital("disk", "failing", f"{free}: too little to publish", None, "free some space")
    state = "late" if around.free_bytes < LOW_DISK_BYTES else "fine"
    return Vital("disk", state, free, None, "free some space" if state == "late" else "")


def _keeper(around: Surroundings) -> list[Vital]:
    if around.keeper is None:
        return []
    if around.keeper:
        return [Vital("schedules", "fine", "`lifeline serve` keeps them")]
    return [Vital("schedules", "failing", "`lifeline serve` is gone without a word", None, "start `lifeline serve` again")]


def _prefect(prefect: Prefect | None, now: datetime) -> list[Vital]:
    if prefect is None:
        return []
    if not prefect.answers:
        return [Vital("prefect", "failing", "Prefect's server does not answer", None, "start it, or correct PREFECT_API_URL")]
    server = Vital("prefect", "fine", "Prefect's server answers")
    if prefect.workers is None:
        return [server]
    alive = [one for one in prefect.workers if not is_dead(one, now)]
    dead = [one for one in prefect.workers if is_dead(one, now)]
    remedy = "`prefect worker start --pool lifeline` starts one"
    if alive:
        pool = Vital("workers", "fine", f"{len(alive)} alive")
    else:
        pool = Vital(
            "workers", "failing", "no worker takes runs", max(filter(None, (one.heard_at for one in dead)), default=None), remedy
        )
    recent = [one for one in dead if one.heard_at and now - one.heard_at < FORGOTTEN_AFTER]
    rows = [Vital(f"worker:{one.name}", "late", "silent", one.heard_at, remedy, False) for one in recent]
    return [server, pool, *rows, *(Vital(f"worker:{one.name}", "fine", "alive", None, "", False) for one in alive)]


def is_dead(worker: Worker, now: datetime) -> bool:
    """Whether a worker was silent for several of its beats."""
    return worker.heard_at is None or now - worker.heard_at > timedelta(seconds=DEAD_BEATS * max(worker.every_s, 1.0))


def ago(span: timedelta) -> str:
    """A span of time in its largest sensible unit."""
    seconds = span.total_seconds()
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} seconds"
