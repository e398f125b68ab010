"""The Prefect flows around the stages. Each takes plain parameters, opens the store itself and answers with what was done.

A run that finds the store in use waits for it, so that schedules may meet; a run that fails is run again, for every stage may be.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.pipeline import Job, Outcome, Stage, run
from flows.stages import Counts
from models import settings

WAIT_FOR_WRITER_S = 1800.0
TIME_LIMIT_S = 6 * 3600


def as_task(name: str, stage: Stage) -> Counts:
    """Run a stage as a Prefect task. What it works on is a live connection, so nothing about it can be cached or stored."""
    return task(name=name, cache_policy=NO_CACHE, persist_result=False)(stage)()


@flow(name="daily", retries=2, retry_delay_seconds=300, timeout_seconds=TIME_LIMIT_S, persist_result=False)
def daily(
    as_of: date | None = None,
    sources: Path | None = None,
    offline: bool = False,
    only_due: bool = True,
    with_signs: bool = True,
    wait_s: float = WAIT_FOR_WRITER_S,
    purpose: str = "the daily pipeline",
) -> Outcome:
    """One pass of the whole pipeline: ingest, tag, detect, derive, publish, notify."""
    now = datetime.now(UTC)
    job = Job(
        as_of or now.date(),
        now,
        sources=sources,
        is_offline=offline,
        only_due=only_due,
        with_signs=with_signs,
        wait_s=wait_s,
        purpose=purpose,
    )
    return run(job, settings.load(), as_task)


@flow(name="hourly", retries=1, retry_delay_seconds=60, timeout_seconds=3000, persist_result=False)
def hourly(wait_s: float = WAIT_FOR_WRITER_S) -> Outcome:
    """Poll the sources that are due and tag what is new; the next daily pass does the rest."""
    now = datetime.now(UTC)
    job = Job(now.date(), now, stages=("ingest", "tag"), only_due=True, wait_s=wait_s, purpose="the hourly poll")
    return run(job, settings.load(), as_task)


@flow(name="weekly", retries=1, retry_delay_seconds=3600, timeout_seconds=TIME_LIMIT_S, persist_result=False)
def weekly(wait_s: float = WAIT_FOR_WRITER_S) -> Outcome:
    """Look whether products' pages still stand; two looks a week apart that agree become a proposal for an analyst."""
    now = datetime.now(UTC)
    job = Job(now.date(), now, stages=("look",), with_signs=False, wait_s=wait_s, purpose="the weekly look at products")
    return run(job, settings.load(), as_task)


@flow(name="monthly", retries=1, retry_delay_seconds=3600, timeout_seconds=TIME_LIMIT_S, persist_result=False)
def monthly(wait_s: float = WAIT_FOR_WRITER_S) -> Outcome:
    """Back-test the method on the catalogue in force, so that the accuracy page speaks of what is estimated now."""
    now = datetime.now(UTC)
    job = Job(now.date(), now, stages=("judge",), with_signs=False, wait_s=wait_s, purpose="the monthly back-test")
    return run(job, settings.load(), as_task)
