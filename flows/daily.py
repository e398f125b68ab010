"""The Prefect flows around the stages. Each takes plain parameters, opens the store itself and answers with what was done.

A run that finds the store in use waits for it, so that schedules may meet; a run that fails is run again, for every stage may be.
However it ends, it leaves a report as an artifact of Prefect's.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows import run_report
from flows.pipeline import Job, Outcome, Stage, one_line, run
from flows.stages import Counts
from models import settings
from models.report import say

WAIT_FOR_WRITER_S = 1800.0
TIME_LIMIT_S = 6 * 3600


def as_task(name: str, stage: Stage) -> Counts:
    """Run a stage as a Prefect task. What it works on is a live connection, so nothing about it can be cached or stored."""
    return task(name=name, cache_policy=NO_CACHE, persist_result=False)(stage)()


def reported(name: str, job: Job) -> Outcome:
    """Run the stages as tasks, and leave a report of what was done, also by a run that fails."""
    progress = run_report.Progress(name, job.as_of)

    def call(stage_name: str, stage: Stage) -> Counts:
        began = time.perf_counter()
        try:
            counts = as_task(stage_name, stage)
        except BaseException as error:
            counts = {"failed": 1, "error": one_line(error)}
            raise
        finally:
            progress.counts[stage_name], progress.seconds[stage_name] = counts, time.perf_counter() - began
        return counts

    try:
        outcome = run(job, settings.load(), call)
        progress.run_id, progress.status = outcome.run_id, outcome.status
    except BaseException as error:
        progress.error = one_line(error)
        raise
    finally:
        leave_report(progress)
    return outcome


def leave_report(progress: run_report.Progress) -> None:
    """Give the report to Prefect. A run is worth more than its report: what goes wrong here is said and forgotten."""
    try:
        create_markdown_artifact(
            run_report.markdown(progress), key=f"lifeline-{progress.name}", description=run_report.summary(progress)
        )
    except Exception as error:
        say(f"the report of this run could not be stored: {one_line(error)}")


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
    return reported("daily", job)


@flow(name="hourly", retries=1, retry_delay_seconds=60, timeout_seconds=3000, persist_result=False)
def hourly(wait_s: float = WAIT_FOR_WRITER_S) -> Outcome:
    """Poll the sources that are due and tag what is new; the next daily pass does the rest."""
    now = datetime.now(UTC)
    job = Job(now.date(), now, stages=("ingest", "tag"), only_due=True, wait_s=wait_s, purpose="the hourly poll")
    return reported("hourly", job)


@flow(name="weekly", retries=1, retry_delay_seconds=3600, timeout_seconds=TIME_LIMIT_S, persist_result=False)
def weekly(wait_s: float = WAIT_FOR_WRITER_S) -> Outcome:
    """Look whether products' pages still stand; two looks a week apart that agree become a proposal for an analyst."""
    now = datetime.now(UTC)
    job = Job(now.date(), now, stages=("look",), with_signs=False, wait_s=wait_s, purpose="the weekly look at products")
    return reported("weekly", job)


@flow(name="monthly", retries=1, retry_delay_seconds=3600, timeout_seconds=TIME_LIMIT_S, persist_result=False)
def monthly(wait_s: float = WAIT_FOR_WRITER_S) -> Outcome:
    """Back-test the method on the catalogue in force, so that the accuracy page speaks of what is estimated now."""
    now = datetime.now(UTC)
    job = Job(now.date(), now, stages=("judge",), with_signs=False, wait_s=wait_s, purpose="the monthly back-test")
    return reported("monthly", job)


@flow(name="training", retries=1, retry_delay_seconds=3600, timeout_seconds=TIME_LIMIT_S, persist_result=False)
def training(wait_s: float = WAIT_FOR_WRITER_S) -> Outcome:
    """Train the tagger anew when analysts have ruled on more tags; it is adopted only if it is better on the same references."""
    now = datetime.now(UTC)
    job = Job(now.date(), now, stages=("train",), with_signs=False, wait_s=wait_s, purpose="the monthly training")
    return reported("training", job)
