"""Whole runs on real stores: from nothing to lifelines, again, with sources, with failures, and killed at any moment."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows import pipeline, stages
from flows.pipeline import Job
from models import settings
from models.errors import StoreLockedError
from models.store import open_published, open_work
from tests.flows.pressroom import feed, sources_csv

ROOT = Path(__file__).resolve().parents[2]
NEWS = [
    (
        "OpenAI launches image generation in ChatGPT for everyone",
        "2026-08-01",
        "ChatGPT now generates images from text, today, for all users.",
    ),
    ("Our office moves", "2026-08-02", "We have a new office."),
]


@pytest.fixture
def news(site):
    """A web site with one feed of two entries."""
    site.pages["/news"] = feed("news", *NEWS)
    return site


@pytest.fixture
def config(home, monkeypatch):
    """Settings for quick runs against loopback sites."""
    monkeypatch.setenv("LIFELINE_ALLOW_PRIVATE", "1")
    monkeypatch.setenv("LIFELINE_TAGGER", "keyword")
    monkeypatch.setenv("LIFELINE_FULLTEXT_PER_RUN", "0")
    return settings.load()


def quiet_job(**asked):
    """A run on a day of the stories, without words."""
    as_of = asked.pop("as_of", date(2026, 8, 22))
    return Job(as_of, datetime(2026, 11, 22, 12, tzinfo=UTC), say=lambda line: None, **asked)


def rows(config, query):
    """What the published file answers."""
    with open_published(config.published) as con:
        return con.execute(query).fetchall()


def rounded(row):
    """A row without the last digits, which the order of summation decides."""
    return [round(value, 9) if isinstance(value, float) else value for value in row]


def artifacts(database):
    """Key and text of the reports that Prefect keeps."""
    import sqlite3

    with sqlite3.connect(database) as con:
        return [(key, json.loads(text)) for key, text in con.execute("select key, data from artifact order by created")]


def cli(*words, timeout=180, **extra):
    """The command line in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **extra}
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *words], env=env, capture_output=True, text=True, timeout=timeout, check=False
    )


def test_from_nothing_to_lifelines_under_prefect(config):
    """`lifeline run --offline` in an empty home publishes jumps, exposures and lifelines of the shipped catalogue."""
    done = cli("run", "--offline", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["status"] == "ok"
    assert list(told["counts"]) == list(stages.STAGES)
    counts = dict(rows(config, "select 'jump', count(*) from jump union all select 'lifeline', count(*) from lifeline"))
    assert counts["jump"] > 500
    assert counts["lifeline"] > 100
    assert rows(config, "select status, finished_at is not null from run") == [("ok", True)]
    reports = artifacts(config.home / "prefect" / "prefect.db")
    assert [key for key, _ in reports] == ["lifeline-daily"]
    assert reports[0][1].startswith("# daily: ok")
    assert "| publish |" in reports[0][1]
    assert (config.exports / "lifeline.csv").is_file()


def test_the_same_day_twice_gives_the_same_lifelines(config):
    """A run is a function of what is kept, the catalogue and the day."""
    asked = "select * from lifeline order by product_id"
    pipeline.run(quiet_job(is_offline=True), config)
    first = [rounded(row) for row in rows(config, asked)]
    pipeline.run(quiet_job(is_offline=True), config)
    assert first
    assert [rounded(row) for row in rows(config, asked)] == first


def test_a_second_run_adds_nothing_and_downloads_nothing(config, news, tmp_path):
    """Documents are stored once; unchanged feeds answer 304; an edit is a version and a new entry a document."""
    sources = sources_csv(news, tmp_path / "sources.csv")
    first = pipeline.run(quiet_job(sources=sources), config)
    second = pipeline.run(quiet_job(sources=sources), config)
    assert (first.counts["ingest"]["new"], second.counts["ingest"]["new"]) == (2, 0)
    assert (first.counts["tag"]["tagged"], second.counts["tag"]["tagged"]) == (2, 0)
    assert rows(config, "select count(*) from document") == [(2,)]
    assert (first.counts["ingest"]["not_modified"], second.counts["ingest"]["not_modified"]) == (0, 1)
    news.pages["/news"] = feed("news", *NEWS, ("A third", "2026-08-03", "More."))
    third = pipeline.run(quiet_job(sources=sources), config)
    assert third.counts["ingest"]["new"] == 1
    assert rows(config, "select count(*), min(first_seen_at) from document") == [
        (3, datetime(2026, 8, 22, 23, 59, 59, tzinfo=UTC))
    ]


def test_a_source_that_fails_fails_alone(config, news, tmp_path):
    """One source without an answer makes the run partial; what the others brought is stored and published."""
    news.pages["/gone"] = (500, {}, b"out of order")
    sources = sources_csv(news, tmp_path / "sources.csv")
    outcome = pipeline.run(quiet_job(sources=sources), config)
    assert outcome.status == "partial"
    assert outcome.counts["ingest"]["failed"] == 1
    assert rows(config, "select count(*) from document") == [(2,)]


def test_a_tagger_that_fails_leaves_the_rest_of_the_run(config, monkeypatch):
    """Without its tagger a run still publishes, and says what failed in its ledger row."""
    monkeypatch.setenv("LIFELINE_TAGGER", "no-such-tagger")
    outcome = pipeline.run(quiet_job(is_offline=True), settings.load())
    assert outcome.status == "partial"
    assert "no-such-tagger" in outcome.counts["tag"]["error"]
    assert rows(config, "select count(*) > 100 from lifeline") == [(True,)]
    assert rows(config, "select status, counts ->> '$.tag.failed' from run") == [("partial", "1")]


def test_a_failed_derivation_leaves_the_last_published_file(config, monkeypatch):
    """A stage that others need stops the run before it publishes; the ledger says failed."""
    pipeline.run(quiet_job(is_offline=True), config)
    before = config.published.read_bytes()

    def broken(context):
        raise ValueError("no numbers today")

    monkeypatch.setattr(pipeline, "KNOWN", {**pipeline.KNOWN, "derive": broken})
    with pytest.raises(ValueError, match="no numbers today"):
        pipeline.run(quiet_job(is_offline=True), config)
    assert config.published.read_bytes() == before
    with open_work(config.home) as con:
        assert con.execute("select status from run order by run_id").fetchall() in (
            [("ok",), ("failed",)],
            [("failed",), ("ok",)],
        )


def test_the_second_writer_hears_who_the_first_is(config):
    """A run that finds the store in use says by whom, and leaves at once."""
    with open_work(config.home, purpose="a long derivation"), pytest.raises(StoreLockedError, match="a long derivation"):
        pipeline.run(quiet_job(is_offline=True), config)


def test_without_prefect_the_stages_run_all_the_same(config):
    """When Prefect's server cannot be reached, that is one line, and the run goes on."""
    done = cli("run", "--offline", PREFECT_API_URL="http://127.0.0.1:9/api")
    assert done.returncode == 0, done.stderr
    assert "going on without Prefect" in done.stderr
    assert "Traceback" not in done.stderr
    assert rows(config, "select count(*) > 100 from lifeline") == [(True,)]


def test_a_run_goes_on_when_nobody_listens(config):
    """Whoever started a run may be gone, and the pipe that it tells its progress to with it; the run publishes all the same."""
    reader, writer = os.pipe()
    os.close(reader)
    plainly = [word for name in ("detect", "derive", "publish") for word in ("--stage", name)]
    command = [sys.executable, "-m", "app.cli", "run", "--offline", *plainly]
    child = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=writer)
    os.close(writer)
    assert child.wait(180) == 0
    assert rows(config, "select status from run") == [("ok",)]


def test_an_earlier_day_polls_no_live_source(config):
    """What is fetched today was not known then; standing on an earlier day says so and polls nothing."""
    done = cli(
        "run", "--as-of", "2025-01-31", "--stage", "ingest", "--stage", "detect", "--stage", "derive", "--stage", "publish"
    )
    assert done.returncode == 0, done.stderr
    assert "no source is polled" in done.stderr
    assert rows(config, "select max(known_on) <= '2025-01-31' from jump") == [(True,)]
    assert rows(config, "select distinct as_of from lifeline") == [(date(2025, 1, 31),)]


@pytest.mark.slow
def test_runs_killed_at_random_moments_lose_and_double_nothing(config, news, tmp_path):
    """`kill -9` in the middle of whole runs: stored documents stay, once each; the published file is whole; the next run heals."""
    for path in ("/a", "/b", "/c"):
        news.pages[path] = feed(path, *((f"{path} entry {i}", "2026-08-01", "words " * 50) for i in range(200)))
    sources = sources_csv(news, tmp_path / "sources.csv")
    pipeline.run(quiet_job(is_offline=True), config)
    moments, seen = random.Random(11), 0
    plainly = [word for name in stages.STAGES for word in ("--stage", name)]
    command = [sys.executable, "-m", "app.cli", "run", "--as-of", "2026-08-22", "--sources", str(sources), *plainly]
    for _ in range(6):
        child = subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(moments.uniform(0.5, 5.0))
        child.send_signal(signal.SIGKILL)
        child.wait()
        with open_work(config.home) as con:
            n, n_distinct = con.execute("select count(*), count(distinct title) from document").fetchone()
        assert n == n_distinct >= seen
        seen = n
        assert rows(config, "select count(*) > 100 from lifeline") == [(True,)]
    outcome = pipeline.run(quiet_job(sources=sources), config)
    assert outcome.status == "ok"
    assert rows(config, "select count(*), count(distinct title) from document") == [(602, 602)]
    assert rows(config, "select count(*) from document_kind") == [(602,)]
    assert {status for (status,) in rows(config, "select distinct status from run")} <= {"ok", "interrupted"}
