"""Published homes for the pages' tests, made once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.app import made_up

MAIN = Path(__file__).resolve().parents[2] / "app" / "main.py"


@pytest.fixture(scope="session")
def _published(once):
    return once("published", made_up.publish)


@pytest.fixture
def published(_published, tmp_path, monkeypatch):
    """A home of one's own with the shipped catalogue published under made-up estimates."""
    return _own(_published, tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def _hostile(once):
    return once("hostile", partial(made_up.publish, hostile=True))


@pytest.fixture
def hostile(_hostile, tmp_path, monkeypatch):
    """The same, with scripts, formulas and false addresses in every text that comes from outside."""
    return _own(_hostile, tmp_path, monkeypatch)


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A home whose published file has every relation and no row."""
    home = made_up.publish_empty(tmp_path / "home")
    _point_to(home, monkeypatch)
    return home


@pytest.fixture(scope="session")
def _large(once):
    return once("large", partial(made_up.publish, n_products=10_000))


@pytest.fixture
def large(_large, tmp_path, monkeypatch):
    """A home with 10,000 products."""
    return _own(_large, tmp_path, monkeypatch)


def _own(source, tmp_path, monkeypatch):
    home = tmp_path / "home"
    shutil.copytree(source, home, ignore=shutil.ignore_patterns("work.*"))
    _point_to(home, monkeypatch)
    return home


def _point_to(home, monkeypatch):
    for name in [name for name in os.environ if name.startswith("LIFELINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LIFELINE_HOME", str(home))


@pytest.fixture
def visit():
    """Run one page as a browser would ask for it, without drawing it."""
    from streamlit.testing.v1 import AppTest
    from streamlit.util import calc_hash

    def run(page="overview", timeout_s=60, **query):
        desk = AppTest.from_file(str(MAIN), default_timeout=timeout_s)
        if page != "overview":
            desk._page_hash = calc_hash(page)  # AppTest knows pages that are files only
        for name, value in query.items():
            desk.query_params[name] = value
        return desk.run()

    return run


@pytest.fixture(scope="session")
def _estimated(once):
    return once("estimated", _estimate)


def _estimate(home):
    stages = [word for name in ("detect", "derive", "publish") for word in ("--stage", name)]
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "run", "--offline", *stages],
        env={**os.environ, "LIFELINE_HOME": str(home), "PYTHONPATH": str(MAIN.parents[1])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def estimated(_estimated, tmp_path, monkeypatch):
    """A home of one's own, published by the pipeline itself from the shipped catalogue."""
    return _own(_estimated, tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium; without one the tests that need it are skipped."""
    found = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("needs Chromium on the path (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()
