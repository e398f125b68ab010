"""After real runs, with faults and a kill, the ledger adds up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from flows import pipeline
from flows.pipeline import Job
from models import ledger, settings
from models.store import insert_rows, open_work
from tests.flows.pressroom import feed, sources_csv

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("ingest", "tag", "detect", "publish")


def entries(name, n):
    """Entries of a feed."""
    return [(f"{name} launches feature {i}", "2026-08-01", "words " * 50) for i in range(n)]


@pytest.mark.slow
def test_after_faults_and_a_kill_the_ledger_adds_up(site, home, monkeypatch, tmp_path):
    """Sources that fail, say wait or bring nothing new, no tagger, a run killed in the middle: every count is accounted for."""
    for name, value in {"ALLOW_PRIVATE": "1", "TAGGER": "keyword", "FULLTEXT_PER_RUN": "0"}.items():
        monkeypatch.setenv(f"LIFELINE_{name}", value)
    site.pages["/a"], site.pages["/b"] = feed("a", *entries("a", 300)), feed("b", *entries("b", 5))
    site.pages["/broken"], site.pages["/wait"] = (500, {}, b"out of order"), (429, {"Retry-After": "600"}, b"")
    sources, start = sources_csv(site, tmp_path / "sources.csv"), datetime(2026, 8, 23, tzinfo=UTC)

    def run(hour, **env):
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        job = Job(date(2026, 8, 22), start + timedelta(hours=hour), stages=STAGES, sources=sources, say=lambda line: None)
        return pipeline.run(job, settings.load())

    first = run(0)
    assert first.counts["ingest"]["polled"] == 4
    assert first.counts["ingest"]["documents"] == 305
    site.pages["/b"] = feed("b", *entries("b", 7))
    run(1, LIFELINE_TAGGER="no-such-tagger")
    monkeypatch.setenv("LIFELINE_TAGGER", "keyword")
    site.pages["/a"] = feed("a", *entries("a", 900))
    words = [word for name in STAGES for word in ("--stage", name)]
    child = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "run", "--as-of", "2026-08-22", "--sources", str(sources), *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stderr is not None
    for line in child.stderr:
        if "tagged" in line:
            break
    time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stderr.close()
    last = run(24 * 365)
    with open_work(home) as con:
        assert ledger.check(con, settings.load().published) == []
        statuses = con.execute("select status from run order by started_at").fetchall()
        assert [status for (status,) in statuses] == ["partial", "partial", "interrupted", "partial"]
        assert con.execute("select count(*) from document").fetchone() == (907,)
        con.execute("delete from jump_document where true")
        con.execute("delete from jump where jump_id = (select min(jump_id) from jump)")
        assert [line for line in ledger.check(con) if f"detect counts {last.counts['detect']['jump']} rows of jump," in line]


@pytest.mark.slow
def test_a_whole_pass_adds_up_and_ends_with_dropping_what_is_old(home, monkeypatch):
    """Derived tables and the published file hold the rows that the run counted; so does what went with age."""
    monkeypatch.setenv("LIFELINE_TAGGER", "keyword")
    monkeypatch.setenv("LIFELINE_KEEP_VERSIONS_DAYS", "30")
    config = settings.load()
    with open_work(home) as con:
        old = {"document_id": "d", "version": 1, "seen_at": datetime(2026, 5, 1, tzinfo=UTC), "text": "old"}
        insert_rows(con, "document_version", [old])
    pipeline.run(Job(date(2026, 8, 22), datetime(2026, 11, 22, 12, tzinfo=UTC), is_offline=True, say=lambda line: None), config)
    with open_work(home) as con:
        assert ledger.check(con, config.published) == []
        assert con.execute("select counts ->> '$.prune.versions' from run").fetchall() == [("1",)]
        assert con.execute("select text from document_version").fetchall() == [(None,)]
