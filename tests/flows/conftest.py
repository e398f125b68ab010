"""Fixtures of the flows' tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import version

import pytest

from flows.prefect_api import QUIET
from tests.flows.site import Site


@pytest.fixture
def site():
    """A web server on loopback."""
    running = Site()
    yield running
    running.close()


@pytest.fixture(scope="session")
def pool():
    """Parsing processes that all tests share."""
    from flows.parse.pool import ParsePool

    with ParsePool(1) as shared_pool:
        yield shared_pool


@pytest.fixture(scope="session")
def migrated(once):
    """Gives a home the database that Prefect's migrations make: ten seconds of processor time, spent once and not for each home."""

    def fill(folder):
        env = {**os.environ, **QUIET, "PREFECT_HOME": str(folder)}
        subprocess.run(
            [sys.executable, "-m", "prefect", "server", "database", "upgrade", "-y"], env=env, check=True, capture_output=True
        )
        (folder / "migrated").write_text(version("prefect"), encoding="utf-8")

    template = once("prefect", fill)

    def give(home):
        (home / "prefect").mkdir(parents=True)
        for name in ("prefect.db", "migrated"):
            shutil.copy(template / name, home / "prefect" / name)

    return give
