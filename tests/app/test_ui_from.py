"""`lifeline ui --from`: a real Streamlit on a machine that has nothing but an address."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from app.commands import ui
from models import store
from models.exchange import open_exchange
from models.publishing import POINTER, put_version
from tests.app.made_up import NOW, publish
from tests.app.wire import Reader
from tests.s3 import s3

__all__ = ["s3"]  # a fixture
ROOT = Path(__file__).resolve().parents[2]
# the command as it is, but for looking every 0.3 s instead of every half minute
COMMAND = """
import sys
from app import elsewhere
elsewhere.Follower.follow.__defaults__ = (0.3,)
from app.cli import main
sys.exit(main(sys.argv[1:]))
"""
PATIENCE_S = 120.0


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.slow)])
def address(request, tmp_path):
    """An exchange on which nothing lies."""
    return str(tmp_path / "exchange") if request.param == "folder" else f"{request.getfixturevalue('s3')}/{tmp_path.name}"


class Tracker:
    """Another machine, which publishes to the exchange."""

    def __init__(self, home, address):
        self.home, self.exchange, self.n = publish(home, n_products=3), open_exchange(address), 0

    def publish(self, name):
        """Put a version there in which the product has this name."""
        self.n += 1
        with store.open_work(self.home) as con:
            con.execute("update product set name = ? where product_id = 'product-00001'", [name])
            store.publish(con, self.home / "lifeline.duckdb")
        put_version(self.exchange, self.home / "lifeline.duckdb", self.home / "exports", NOW + timedelta(hours=self.n))


def begin(home, address, port):
    """The command, on a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIFELINE_")}
    env = {**kept, "LIFELINE_HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", COMMAND, "ui", "--port", str(port), "--from", address]
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@contextmanager
def desk(home, address):
    """The desk's address, and the lines that the command says, for as long as the block runs."""
    with socket.socket() as probe:
        probe.bind((ui.HOST, 0))
        port = probe.getsockname()[1]
    child, said = begin(home, address, port), []
    threading.Thread(target=lambda: said.extend(line.rstrip() for line in child.stderr), daemon=True).start()
    try:
        ui.wait_until_ready(child, port, timeout_s=PATIENCE_S)
        yield f"http://{ui.HOST}:{port}", said
    finally:
        child.terminate()
        assert child.wait(30) == 0, said


def title(where):
    """What the product's page is headed, asked for by a new session."""

    async def read():
        reader = await Reader.come(where)
        seen = await reader.open("product", id="product-00001")
        await reader.leave()
        assert seen.errors == []
        return seen.titles

    return asyncio.run(read())


def until(condition):
    """Wait until something holds; returns whether it did."""
    end = time.monotonic() + PATIENCE_S
    while not (holds := condition()) and time.monotonic() < end:
        time.sleep(0.1)
    return holds


@pytest.mark.slow
def test_the_desk_shows_what_is_published_elsewhere_and_keeps_up(tmp_path, address):
    """A newer publish is on the page of whoever comes next; a broken one is one line, and the page stays as it was until the next."""
    tracker, home = Tracker(tmp_path / "tracker", address), tmp_path / "reader"
    tracker.publish("First")
    with desk(home, address) as (where, said):
        assert title(where) == ["First"]
        assert said[0] == f"showing what is published at {address}; rulings made here stay in {home}"
        tracker.publish("Second")
        assert until(lambda: f"a newer version was published at {address}" in said), said
        assert title(where) == ["Second"]

        whole = tracker.exchange.read(POINTER)
        tracker.exchange.write(POINTER, b"{")
        assert until(lambda: any("is no pointer of ours" in line for line in said)), said
        time.sleep(1)
        torn = f"published/{json.loads(whole)['version']}/lifeline.duckdb"
        content = tracker.exchange.read(torn)
        tracker.publish("Third")
        assert until(lambda: said[-1].startswith("a newer version")), said
        tracker.exchange.write(torn, content[:4096])
        tracker.exchange.write(POINTER, whole)  # back to a version of which half is gone
        assert until(lambda: any("torn or changed" in line for line in said)), said
        assert title(where) == ["Third"]
        tracker.publish("Fourth")
        assert until(lambda: title(where) == ["Fourth"]), said
        troubles = [line for line in said if line.endswith("showing what was fetched last")]
        assert len(troubles) == 2, troubles
        assert until(lambda: len(said) >= 7), said
        assert len(said) == 7, said  # where from, where to look, three newer versions, two troubles: a line each
    assert not (home / "lifeline.duckdb").exists()


def test_with_nothing_published_the_desk_does_not_start(tmp_path, address):
    """One line says what to do."""
    child = begin(tmp_path / "reader", address, 8999)
    _, said = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 1
    assert said.splitlines() == [
        f"lifeline: nothing is published on {address}; set LIFELINE_EXCHANGE to it where the pipeline runs"
    ]
