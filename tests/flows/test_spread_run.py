"""Spreading as people start it, `lifeline run` in a process of its own: killed with -9 half-way, and on a Ray cluster of somebody else."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from flows.prefect_api import free_port
from models.store import open_work
from models.tagger import load_tagger
from models.tags import n_pending, pending_batches, store_tags
from tests.flows.site import NOW
from tests.flows.test_spread import a_store

psutil = pytest.importorskip("psutil", reason="needs the extra `dev`")
ROOT = Path(__file__).resolve().parents[2]
N = 6000
# a worker looks once a second whether its writer is there; the rest is for busy machines
GONE_S = 60.0


def start(home, runner, **more):
    """The tag stage as people start it, with everything of its environment that belongs to other runs taken out."""
    own = {"LIFELINE_HOME": str(home), "LIFELINE_RUNNER": runner, "LIFELINE_TAGGER": "keyword", "PYTHONPATH": str(ROOT)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LIFELINE_", "PREFECT_", "RAY_"))}
    command = [sys.executable, "-u", "-m", "app.cli", "run", "--offline", "--stage", "tag"]
    return subprocess.Popen(command, env=kept | own | more, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def of_home(home):
    """What runs for a home, whoever its parent is by now."""
    found = {}
    for process in psutil.process_iter():
        try:
            if process.environ().get("LIFELINE_HOME") == str(home) and process.status() != psutil.STATUS_ZOMBIE:
                found[process.pid] = " ".join(process.cmdline())[-80:]
        except psutil.Error:
            continue
    return found


def gone(home):
    """Wait until nothing runs for a home any more; returns what still does."""
    until = time.monotonic() + GONE_S
    while (left := of_home(home)) and time.monotonic() < until:
        time.sleep(0.2)
    return left


def rows(con):
    """Every row that tagging made, but for when."""
    kinds = con.execute("select * exclude (tagged_at) from tagging order by all").fetchall()
    return kinds, con.execute("from tagging_label order by all").fetchall()


def rows_of_one(home, n):
    """What one process makes of the same documents."""
    con, context = a_store(home, n)
    for batch in pending_batches(con, "keyword-1", 256):
        store_tags(con, "keyword-1", load_tagger("keyword").tag(batch), NOW)
    found = rows(con)
    context.__exit__(None, None, None)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_a_killed_writer_leaves_nothing_running_and_the_next_run_heals(tmp_path, migrated, engine):
    """Killed after its first merged shard; what it stored stays as it is, workers and server end, and the whole is that of one process."""
    pytest.importorskip(f"prefect_{engine}", reason=f"needs the extra `{engine}`")
    home = tmp_path / "spread"
    a_store(home, N)[1].__exit__(None, None, None)
    migrated(home)

    writer = start(home, f"{engine}:2")
    said = []
    for line in writer.stderr:
        said.append(line)
        if line.startswith("tagged "):
            assert len(of_home(home)) > 3, said  # itself, a server, two workers
            writer.kill()
            break
    assert writer.wait() == -9, said
    writer.stderr.close()
    assert gone(home) == {}

    with open_work(home) as con:
        before = con.execute("select document_id, tagged_at from tagging").fetchall()
        assert 2048 <= len(before) < N
        assert n_pending(con, "keyword-1") == N - len(before)
    assert list((home / "exchange").rglob("*.parquet"))

    healing = start(home, f"{engine}:2")
    _, said = healing.communicate()
    assert healing.returncode == 0, said
    assert "going on" not in said
    assert "failed" not in said
    assert gone(home) == {}
    assert not [file for file in (home / "exchange").rglob("*") if file.is_file()]

    with open_work(home) as con:
        assert rows(con) == rows_of_one(tmp_path / "alone", N)
        assert con.execute("select count(*), count(distinct document_id) from tagging").fetchall() == [(N, N)]
        kept = dict(con.execute("select document_id, tagged_at from tagging").fetchall())
        assert all(kept[key] == at for key, at in before)


@pytest.fixture
def ray_head():
    """The client address of a Ray cluster of somebody else, and the token that it asks for."""
    pytest.importorskip("prefect_ray", reason="needs the extra `ray`")
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}
    port, client = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:  # a short path, for its sockets lie in it
        where = [f"--temp-dir={folder}", f"--port={port}", f"--ray-client-server-port={client}", "--node-ip-address=127.0.0.1"]
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--num-cpus=2", *where]
        env = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")} | token
        with open(f"{folder}/said", "w") as said:
            head = subprocess.Popen(
                [*command, "--include-dashboard=false"], env=env | {"PYTHONPATH": str(ROOT)}, stdout=said, stderr=said
            )
        until = time.monotonic() + 120
        while not listens(client) and head.poll() is None and time.monotonic() < until:
            time.sleep(0.2)
        yield f"ray://127.0.0.1:{client}", token
        head.terminate()
        head.wait(60)


def listens(port):
    """Whether somebody answers at a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
def test_a_ray_cluster_that_is_there_already_is_used_by_its_client_address(tmp_path, migrated, ray_head):
    """Row for row as one process, with the cluster's token from the environment; the exchange is empty afterwards."""
    address, token = ray_head
    for attempt in range(3):  # Ray's client gives up after half a minute, which a busy machine may take to serve it
        home = tmp_path / f"spread-{attempt}"
        a_store(home, 2048)[1].__exit__(None, None, None)
        migrated(home)
        run = start(home, f"ray:{address}", **token)
        _, said = run.communicate()
        assert run.returncode == 0, said
        assert f"on ray at {address}" in said
        with open_work(home) as con:
            assert rows(con) == rows_of_one(tmp_path / f"alone-{attempt}", 2048)
        assert not [file for file in (home / "exchange").rglob("*") if file.is_file()]
        if "going on" not in said:
            break
    assert "going on" not in said
    assert "failed" not in said
