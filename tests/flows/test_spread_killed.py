"""A writer that is killed with -9 while its cluster works: nothing is lost, doubled or left running."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

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


def start(home, runner):
    """The tag stage as people start it, with everything of its environment that belongs to other runs taken out."""
    own = {"LIFELINE_HOME": str(home), "LIFELINE_RUNNER": runner, "LIFELINE_TAGGER": "keyword", "PYTHONPATH": str(ROOT)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LIFELINE_", "PREFECT_", "RAY_"))}
    command = [sys.executable, "-u", "-m", "app.cli", "run", "--offline", "--stage", "tag"]
    return subprocess.Popen(command, env=kept | own, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


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


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_a_killed_writer_leaves_nothing_running_and_the_next_run_heals(tmp_path, engine):
    """Killed after its first merged shard; what it stored stays as it is, workers and server end, and the whole is that of one process."""
    pytest.importorskip(f"prefect_{engine}", reason=f"needs the extra `{engine}`")
    home = tmp_path / "spread"
    a_store(home, N)[1].__exit__(None, None, None)

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

    alone, alone_context = a_store(tmp_path / "alone", N)
    with open_work(home) as con:
        for batch in pending_batches(alone, "keyword-1", 256):
            store_tags(alone, "keyword-1", load_tagger("keyword").tag(batch), NOW)
        assert rows(con) == rows(alone)
        assert con.execute("select count(*), count(distinct document_id) from tagging").fetchall() == [(N, N)]
        kept = dict(con.execute("select document_id, tagged_at from tagging").fetchall())
        assert all(kept[key] == at for key, at in before)
    alone_context.__exit__(None, None, None)
