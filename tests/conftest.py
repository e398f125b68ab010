"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parent.parent
# where several processes share the files, these begin first: the longest last would leave one process busy and the others done
LONG = [
    f"test_{name}"
    for name in "kills replay spread run spread_run repair survival_estimate pages team soak upgrade schedule browser".split()
]


def pytest_collection_modifyitems(config, items):
    """In one of several processes: the long files, then those with slow tests, then the others; alone, the order is that of the files."""
    if not hasattr(config, "workerinput"):
        return
    slow = {item.path for item in items if item.get_closest_marker("slow")}

    def turn(item):
        return LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG) + (item.path not in slow)

    items.sort(key=turn)


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """Fills a folder by name, once for all processes of the tests, whichever comes first; nobody may change what lies there."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base

    def folder(name, fill):
        made = base / name
        with FileLock(f"{made}.lock"):
            if not (base / f"{name}.made").exists():
                made.mkdir()
                fill(made)
                (base / f"{name}.made").touch()
        return made

    return folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A fresh home that no setting of this machine leaks into."""
    for name in [name for name in os.environ if name.startswith("LIFELINE_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("LIFELINE_HOME", str(folder))
    return folder


@pytest.fixture
def store():
    """A store in memory with the whole schema."""
    from models.store import open_memory

    con = open_memory()
    yield con
    con.close()


@pytest.fixture
def as_of():
    """The day most stories stand on."""
    return date(2026, 8, 22)


@pytest.fixture(scope="session")
def shared():
    """The folder of real data beside the checkout; not part of the project."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the folder `shared` beside the checkout")
    return folder
