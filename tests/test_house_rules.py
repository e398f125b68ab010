"""The rules of the house, as tests."""

from __future__ import annotations

import ast
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = {
    "models": {"flows", "app", "prefect", "streamlit", "httpx"},
    "flows": {"app", "streamlit"},
    "app": {"flows", "prefect", "httpx"},
}


def imports(file: Path) -> set[str]:
    """Top-level names of everything that a file imports."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names = plain | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("room", FORBIDDEN)
def test_rooms_import_only_what_they_may(room):
    """`models` imports no other room; `flows` and `app` never each other, except in the command line."""
    files = [file for file in (ROOT / room).rglob("*.py") if file != ROOT / "app" / "cli.py"]
    wrong = {str(file.relative_to(ROOT)): imports(file) & FORBIDDEN[room] for file in files}
    assert {file: names for file, names in wrong.items() if names} == {}


def test_help_is_quick():
    """`lifeline --help` answers in under half a second of processor time, which a busy machine does not stretch."""
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "app.cli", "--help"], cwd=ROOT, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.5


def test_no_pickle_anywhere():
    """Nothing is stored or loaded as a pickle."""
    files = [file for room in FORBIDDEN for file in (ROOT / room).rglob("*.py")]
    assert [str(file) for file in files if imports(file) & {"pickle", "cloudpickle", "joblib", "dill"}] == []
