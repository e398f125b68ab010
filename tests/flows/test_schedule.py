"""The schedules: what `prefect.yaml` says, and a scheduled run that really happens."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from flows import deployments
from flows.prefect_api import Api, configure, free_port
from models.errors import LifelineError, UsageError
from models.store import lock_holder, open_work

ROOT = Path(__file__).resolve().parents[2]


def test_every_deployment_that_ships_names_a_flow_that_exists():
    """Each deployment's flow is there, retries, and has a time limit; one run of each at a time."""
    found = deployments.read(deployments.find_file())
    assert {spec.name for spec in found} == {"hourly", "daily", "weekly", "monthly", "training"}
    for spec in found:
        flow = getattr(importlib.import_module(spec.module), spec.flow)
        assert flow.retries >= 1
        assert flow.timeout_seconds
        assert spec.concurrency_limit == {"limit": 1, "collision_strategy": "CANCEL_NEW"}


def test_the_file_is_one_that_prefect_itself_takes():
    """The same file serves `prefect deploy --all`: Prefect's own model accepts it."""
    from prefect.cli.deploy._models import PrefectYamlModel

    model = PrefectYamlModel.model_validate(yaml.safe_load(deployments.find_file().read_text()))
    assert [one.work_pool.name for one in model.deployments] == ["lifeline"] * len(model.deployments)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "deployments: 3",
        "- a\n- b",
        "deployments:\n- name: x\n",
        "{",
        "deployments:\n- nothing\n",
        "deployments:\n- name: x\n  entrypoint: daily\n  schedules: [{interval: 5}]\n",
    ],
)
def test_a_file_without_deployments_is_refused_in_words(tmp_path, text):
    """Whatever else the file is, it is named in one line."""
    file = tmp_path / "prefect.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"prefect\.yaml"):
        deployments.read(file)


@pytest.mark.parametrize("entrypoint", ["flows.daily.daily", "flows/daily.py:daily"])
def test_a_flow_is_named_by_its_module_or_its_file(tmp_path, entrypoint):
    """A module works wherever the program is installed; a path is how a checkout may write it."""
    file = tmp_path / "prefect.yaml"
    file.write_text(f"deployments:\n- name: x\n  entrypoint: {entrypoint}\n  schedules: [{{interval: 5}}]\n")
    assert [(spec.module, spec.flow) for spec in deployments.read(file)] == [("flows.daily", "daily")]


def test_a_port_in_use_is_stepped_over():
    """The next free port is taken; a whole range in use is an error with a remedy."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port(port) < port + 20
    with pytest.raises(LifelineError, match="--port"):
        free_port(65530 + 10)


def test_prefect_is_told_to_keep_quiet_and_stay_home(monkeypatch, tmp_path):
    """Telemetry is off and state goes to the home, unless the operator said otherwise."""
    for name in (
        "PREFECT_HOME",
        "PREFECT_SERVER_ANALYTICS_ENABLED",
        "DO_NOT_TRACK",
        "PREFECT_LOGGING_LEVEL",
        "NO_PROXY",
        "no_proxy",
    ):
        monkeypatch.setenv(name, "before")
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "DEBUG")
    configure(tmp_path, log_level="CRITICAL")
    assert os.environ["PREFECT_HOME"] == str(tmp_path / "prefect")
    assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert os.environ["PREFECT_LOGGING_LEVEL"] == "DEBUG"
    assert "127.0.0.1" in os.environ["NO_PROXY"]


def test_only_a_living_serve_is_taken_for_running(site, tmp_path):
    """A note of a server counts while its owner lives and it answers; anything else in its place is no server."""
    site.pages["/api/health"] = (200, {}, b"true")
    api = Api(tmp_path, services=False)
    note = tmp_path / "prefect" / "server.json"
    note.parent.mkdir()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for owner, path, told in [(os.getpid(), "/api", site.url + "/api"), (gone.pid, "/api", ""), (os.getpid(), "/elsewhere", "")]:
        note.write_text(json.dumps({"url": site.url + path, "owner": owner}))
        assert api.running() == told
    note.write_text("no note")
    assert api.running() == ""


@pytest.fixture
def serve(home, tmp_path):
    """`lifeline serve` with nothing set up, one deployment due every five seconds, in a process group of its own."""
    spec = {
        "name": "soon",
        "entrypoint": "flows/daily.py:daily",
        "schedules": [{"interval": 5}],
        "parameters": {"offline": True},
        "concurrency_limit": {"limit": 1, "collision_strategy": "CANCEL_NEW"},
    }
    file = tmp_path / "prefect.yaml"
    file.write_text(yaml.safe_dump({"deployments": [spec]}))
    env = {**os.environ, "PYTHONPATH": str(ROOT), "LIFELINE_TAGGER": "keyword"}
    started = []

    def start():
        log = (tmp_path / f"log{len(started)}").open("wb")
        command = [sys.executable, "-m", "app.cli", "serve", "--file", str(file)]
        started.append(subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True))
        return started[-1]

    yield start
    for child in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def until(happened, child, seconds=300):
    """Wait for something while a process lives."""
    end = time.monotonic() + seconds
    while not happened():
        assert child.poll() is None, "it ended by itself"
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


@pytest.mark.slow
def test_a_scheduled_run_really_happens_also_after_a_kill(home, serve):
    """The clock starts a run; killed in the middle of one, the next `lifeline serve` runs it again and publishes; it ends in order."""
    first = serve()
    until(lambda: lock_holder(home), first)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    (home / "lifeline.duckdb").unlink(missing_ok=True)
    second = serve()
    until((home / "lifeline.duckdb").is_file, second)
    assert (home / "prefect" / "server.json").is_file()
    second.send_signal(signal.SIGTERM)
    assert second.wait(timeout=120) == 0
    assert not (home / "prefect" / "server.json").exists()
    with open_work(home, wait_s=60) as con:
        assert con.execute("select count(*) > 100 from lifeline").fetchone() == (True,)
