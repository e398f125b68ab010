"""The page, the metrics and the alarms of a real home."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from prometheus_client.parser import text_string_to_metric_families

from flows import alarms, deployments, watch, workers
from flows.health_page import serving
from flows.prefect_api import free_port
from models import settings, vitals
from models.store import open_work
from models.vitals import Attempt, Facts, Trouble, Vital
from tests.conftest import ROOT
from tests.flows.test_notify import port, webhook  # noqa: F401
from tests.flows.test_notify import serving as listening
from tests.flows.test_run import quiet_job

HOUR = timedelta(hours=1)
BAD = "<script>alert(1)</script>\nhttps://user:s3cret@site.example/?key=abc"


def facts(now, hours_ago=0.5, **more):
    """A house that worked so many hours ago."""
    done = Attempt(now - hours_ago * HOUR, now - hours_ago * HOUR, 2.5)
    stages = ("ingest", "tag", "detect", "derive", "publish", "look", "judge", "train")
    return replace(
        Facts(
            now,
            "r1",
            "hourly",
            "ok",
            "",
            now - HOUR,
            now - 900 * HOUR,
            now.date(),
            100,
            3,
            dict.fromkeys(stages, done),
            {"fine": 9},
        ),
        **more,
    )


@pytest.fixture
def house(home):
    """A home whose vitals say what the test wants."""
    home.mkdir()
    (home / "lifeline.duckdb").write_bytes(b"x" * 1000)

    def left(hours_ago=0.5, **more):
        now = datetime.now(UTC)
        vitals.write(home, facts(now, hours_ago, **more))
        return watch.Watch(settings.load())

    return left


def fetch(url, accept="*/*"):
    """Status, headers and text."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept}), timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def test_health_is_200_while_it_works_and_503_when_a_part_fails(house):
    """JSON for programs, a page for people, both naming each part; hostile words are escaped, secrets masked."""
    seen = house()
    with serving(seen.look, "127.0.0.1", 0) as where:
        status, _, body = fetch(f"http://127.0.0.1:{where}/health")
        assert (status, json.loads(body)["state"], json.loads(body)["untagged_documents"]) == (200, "fine", 3)
        house(hours_ago=9)
        status, headers, body = fetch(f"http://127.0.0.1:{where}/health")
        parts = {row["part"]: row["state"] for row in json.loads(body)["parts"]}
        assert (status, parts["poll"], parts["pass"]) == (503, "failing", "fine")
        assert {"poll", "tags", "pass", "look", "backtest", "writer", "published", "sources", "disk", "digests"} <= set(parts)
        house(troubles=(Trouble("bad", BAD, "failing", datetime.now(UTC) - 90 * HOUR, 9, BAD),))
        for accept in ("application/json", "text/html"):
            status, headers, body = fetch(f"http://127.0.0.1:{where}/health", accept)
            assert status == 200
            assert "s3cret" not in body
            assert "abc" not in body
        assert "<script>" not in body
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert fetch(f"http://127.0.0.1:{where}/else")[0] == 404


def test_metrics_are_what_prometheus_expects(house):
    """Its own parser reads them; units and suffixes follow its conventions; labels are few however many sources there are."""
    troubles = tuple(Trouble(f"s{i}", BAD, "failing", datetime.now(UTC) - 90 * HOUR, 9, BAD) for i in range(300))
    totals = vitals.Totals().with_stage("ingest", {"polled": 9, "failed": 1, "new": 4}, 2.5).with_run("partial")
    seen = house(troubles=troubles, totals=totals, sources={"fine": 700, "failing": 300})
    with serving(seen.look, "127.0.0.1", 0) as where:
        status, headers, text = fetch(f"http://127.0.0.1:{where}/metrics")
        _, openmetrics, _ = fetch(f"http://127.0.0.1:{where}/metrics", "application/openmetrics-text; version=1.0.0")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    assert openmetrics["Content-Type"].startswith("application/openmetrics-text")
    found = {family.name: family for family in text_string_to_metric_families(text)}
    value = {(one.name, *sorted(one.labels.values())): one.value for family in found.values() for one in family.samples}
    assert value["lifeline_healthy",] == 1
    assert value["lifeline_sources_in_trouble",] == 300
    assert value["lifeline_documents_untagged",] == 3
    assert value["lifeline_sources", "failing"] == 300
    assert value["lifeline_part_state", "fine", "poll"] == 1
    assert value["lifeline_runs_total", "partial"] == 1
    assert value["lifeline_polls_total", "polled"] == 9
    assert value["lifeline_stage_seconds_total", "ingest"] == 2.5
    for family in found.values():
        assert re.fullmatch(r"lifeline_[a-z_]+", family.name)
        assert family.documentation
        assert family.type in ("gauge", "counter")
        assert family.type != "gauge" or not family.name.endswith("_total")
        assert len(family.samples) < 100
    assert "s3cret" not in text


def test_an_empty_home_is_no_failure(home):
    """Before the first run nothing is known, which is no alarm."""
    seen = watch.Watch(settings.load()).look()
    assert (seen.state, seen.facts) == ("fine", None)


def test_a_real_run_leaves_vitals_that_others_read_while_it_holds_the_store(home, monkeypatch):
    """Vitals are there after a run, tell of its stages, and are read while a writer holds the file."""
    from flows import pipeline

    monkeypatch.setenv("LIFELINE_TAGGER", "keyword")
    now = datetime.now(UTC)
    config = settings.load()
    pipeline.run(
        replace(quiet_job(is_offline=True, stages=("ingest", "tag"), purpose="the hourly poll"), as_of=now.date(), now=now),
        config,
    )
    with open_work(home, purpose="a long derivation"):
        seen = watch.Watch(config).look()
    state = {one.part: one for one in seen.vitals}
    assert "a long derivation" in state["writer"].words
    assert state["tags"].state == "fine"
    assert state["poll"].state == "unknown", "a run that asked nobody is no poll"
    assert (seen.facts.purpose, seen.facts.status, seen.facts.n_untagged) == ("the hourly poll", "ok", 0)
    assert seen.facts.totals.stage_runs["tag"] == {"ok": 1}


def test_a_stage_that_breaks_shows_with_its_words(home, monkeypatch):
    """A run that fails leaves the error of its stage for whoever looks, and in the ledger."""
    from flows import pipeline

    def broken(context):
        raise ValueError("no numbers today")

    monkeypatch.setattr(pipeline, "KNOWN", {**pipeline.KNOWN, "derive": broken})
    now = datetime.now(UTC)
    with pytest.raises(ValueError, match="no numbers"):
        pipeline.run(replace(quiet_job(is_offline=True, stages=("derive",)), as_of=now.date(), now=now), settings.load())
    seen = {one.part: one for one in watch.Watch(settings.load()).look().vitals}
    assert seen["pass"].state == "failing"
    assert "no numbers today" in seen["pass"].words
    with open_work(home) as con:
        assert con.execute("select counts ->> '$.derive.error' from run").fetchall() == [("ValueError: no numbers today",)]


def test_an_alarm_reaches_a_real_webhook_once_and_once_when_it_ended(house, webhook, monkeypatch):  # noqa: F811
    """A missed schedule rings once, however often one looks; its end is told once."""
    monkeypatch.setenv("LIFELINE_NOTIFY_URLS", f"json://127.0.0.1:{port(webhook)}/hook")
    for hours_ago in (9, 9, 10, 0.1, 0.1):
        assert house(hours_ago).check(say=lambda line: None)["failed"] == 0
    assert [message["title"].split(": ")[1] for message in webhook.got] == ["2 alarms", "2 recoveries"]
    assert "every 60 minutes is the rule" in webhook.got[0]["message"]
    assert "127.0.0.1" not in (settings.load().home / "alarms.json").read_text()


def test_an_address_that_was_down_and_quiet_hours_lose_no_alarm(house, webhook, monkeypatch):  # noqa: F811
    """What an address did not take, or what happened at night, is told at the next look; what ended meanwhile is not."""
    monkeypatch.setenv("LIFELINE_ALARM_URLS", f"json://127.0.0.1:{port(webhook)}/")
    config = house().config
    late = [Vital("poll", "late", "missed", None)]
    night, noon = datetime(2026, 8, 22, 23, tzinfo=UTC), datetime(2026, 8, 23, 12, tzinfo=UTC)
    webhook.status = 500
    said = []
    assert alarms.ring(late, config, noon, say=said.append)["failed"] == 1
    assert "did not take the alarm" in said[0]
    webhook.status, webhook.got = 200, []
    monkeypatch.setenv("LIFELINE_QUIET_HOURS", "22-07")
    quiet = settings.load()
    assert alarms.ring(late, quiet, night)["held"] == 1
    assert webhook.got == []
    assert alarms.ring(late, quiet, noon)["digests"] == 1
    assert alarms.ring([Vital("poll", "fine", "well")], quiet, noon)["digests"] == 1
    assert alarms.ring(late, quiet, night)["held"] == 1
    assert alarms.ring([Vital("poll", "fine", "well")], quiet, noon)["digests"] == 0


def test_two_watchers_of_one_home_send_one_message(house, webhook, monkeypatch):  # noqa: F811
    """Both look at the same moment, many times over; the address hears of it once."""
    monkeypatch.setenv("LIFELINE_NOTIFY_URLS", f"json://127.0.0.1:{port(webhook)}/")
    config = house().config
    late = [Vital("poll", "late", "missed", None)]
    threads = [threading.Thread(target=alarms.ring, args=(late, config, datetime.now(UTC))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alarms.ring(late, config, datetime.now(UTC))
    assert len(webhook.got) == 1


class Pool(BaseHTTPRequestHandler):
    """Prefect's answer about the workers of a pool, to those who sign in."""

    rows = ({"name": "w1", "last_heartbeat_time": "2026-08-22T12:00:00.5Z", "heartbeat_interval_seconds": 30}, {"name": "w2"})

    def do_POST(self):
        """List the workers."""
        self.rfile.read(int(self.headers["Content-Length"]))
        is_in = self.headers["Authorization"] == "Basic bWU6cHc="
        self.send_response(404 if "elsewhere" in self.path else 200 if is_in else 401)
        self.end_headers()
        self.wfile.write(json.dumps(list(self.rows)).encode())

    def log_message(self, *_):
        """Say nothing."""


def test_workers_are_read_from_prefects_server():
    """Heartbeats come from the pool; no pool is no worker to miss; no server, or one that refuses us, does not answer."""
    signed_in = {"PREFECT_API_AUTH_STRING": "me:pw"}
    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Pool)) as server:
        url = f"http://127.0.0.1:{port(server)}"
        found = workers.ask(f"{url}/api", signed_in)
        assert workers.ask(f"{url}/elsewhere", signed_in) == vitals.Prefect(True)
        assert workers.ask(f"{url}/api", {}) == vitals.Prefect(False)
    assert found.answers
    assert [(one.name, one.every_s) for one in found.workers] == [("w1", 30.0), ("w2", 30.0)]
    assert found.workers[0].heard_at == datetime(2026, 8, 22, 12, 0, 0, 500000, tzinfo=UTC)
    assert workers.ask(None) is None
    assert workers.ask("http://127.0.0.1:9/api") == vitals.Prefect(False)


def test_the_schedules_that_ship_say_what_is_expected():
    """Periods come from prefect.yaml: the longest pause of each; a part without a schedule is not expected."""
    found = watch.periods(deployments.read(deployments.find_file())).by_part
    assert {part: found[part] / HOUR for part in ("poll", "tags", "pass", "look", "backtest")} == {
        "poll": 1,
        "tags": 1,
        "pass": 24,
        "look": 168,
        "backtest": 31 * 24,
    }
    one = deployments.Deployment("x", "flows.daily", "daily", schedules=({"interval": 600},))
    assert {part: span.total_seconds() for part, span in watch.periods([one]).by_part.items()} == {
        "pass": 600,
        "poll": 600,
        "tags": 600,
    }
    assert watch.longest_pause({"cron": "every day"}) is None


def test_health_once_is_a_check_for_container_engines(house, capsys, monkeypatch):
    """Exit code 0 with a table while all is well, 1 when a part that matters is failing."""
    from app.cli import main

    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    house()
    assert main(["health", "--once"]) == 0
    assert "the house is fine" in capsys.readouterr().out
    house(hours_ago=30)
    assert main(["health", "--once", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["state"] == "failing"


def test_beside_serve_a_page_stands_and_alarms_go_out(house, webhook, monkeypatch):  # noqa: F811
    """What `lifeline serve` starts beside its schedules: the page on the port asked for, and a look every so often that tells."""
    where = free_port()
    monkeypatch.setenv("LIFELINE_METRICS_PORT", str(where))
    monkeypatch.setenv("LIFELINE_ALARM_URLS", f"json://127.0.0.1:{port(webhook)}/")
    specs = deployments.read(deployments.find_file())
    house(hours_ago=9)
    with watch.watching(settings.load(), specs, every_s=0.1) as bound:
        assert bound == where
        assert fetch(f"http://127.0.0.1:{where}/health")[0] == 503
        until = time.monotonic() + 120
        while not webhook.got and time.monotonic() < until:
            time.sleep(0.05)
    assert len(webhook.got) == 1
    with pytest.raises(urllib.error.URLError):
        fetch(f"http://127.0.0.1:{where}/health")


def test_a_serve_that_was_killed_is_noticed(house, home):
    """The note that a running `lifeline serve` leaves names a process; when that is gone, the schedules are failing."""
    seen = house()
    note = home / "prefect" / "server.json"
    note.parent.mkdir()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for owner, state in ((os.getpid(), "fine"), (gone.pid, "failing")):
        note.write_text(json.dumps({"url": "http://127.0.0.1:9/api", "owner": owner}))
        assert {one.part: one.state for one in seen.look().vitals}["schedules"] == state
    note.unlink()
    assert "schedules" not in {one.part for one in seen.look().vitals}


def test_the_health_command_serves_until_it_is_told_to_stop(house, home):
    """A process of its own with the page on a free port; SIGTERM ends it with 0."""
    house()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "app.cli", "health", "--port", "0", "--every", "0.2"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as child:
        url = child.stderr.readline().split("/health")[0]
        status, _, text = fetch(f"{url}/metrics")
        child.send_signal(signal.SIGTERM)
        assert child.wait(120) == 0
    assert (status, "lifeline_healthy 1.0" in text) == (200, True)


def test_status_shows_each_part(home, capsys):
    """`lifeline status` has a table of parts, also in a home whose writer left no vitals; sources have their own table."""
    from app.cli import main
    from tests.app import published

    published.write(home / "lifeline.duckdb")
    assert main(["status", "--json"]) == 0
    parts = {row["part"]: row["state"] for row in json.loads(capsys.readouterr().out)["parts"]}
    assert {"poll", "pass", "published", "disk", "sources"} <= set(parts)
    now = datetime.now(UTC)
    vitals.write(home, facts(now, 9, troubles=(Trouble("bad", "Bad", "gone", now, 1, "410"),)))
    assert main(["status"]) == 0
    text = capsys.readouterr().out
    assert re.search(r"poll +failing +last polled the sources 9 hours ago", text)
    assert "source:bad" not in text
