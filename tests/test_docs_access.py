"""What the documents on SQL and programs show can be copied and run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from app.cli import main
from app.sandbox import query
from models.exports.stage import export
from tests.app import published
from tests.conftest import ROOT

DOCS = ROOT / "docs"


def blocks(name, language):
    """Fenced blocks of one language in one document."""
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / name).read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home with a published file and its exports."""
    home = tmp_path_factory.mktemp("home")
    export(published.write(home / "lifeline.duckdb"), home / "exports", datetime(2026, 8, 22, tzinfo=UTC))
    return home


@pytest.mark.parametrize("sql", blocks("sql.md", "sql"))
def test_example_questions_run(made, sql):
    """Every example question is one the sandbox answers."""
    assert query(made / "lifeline.duckdb", sql).columns


@pytest.mark.parametrize("code", [*blocks("sql.md", "python"), *blocks("programs.md", "python")])
def test_python_snippets_run(made, code):
    """Every Python snippet runs as it stands and prints something."""
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "LIFELINE_HOME": str(made)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_commands_run(made, monkeypatch, tmp_path, capsys):
    """Every command line of the document on SQL works."""
    monkeypatch.setenv("LIFELINE_HOME", str(made))
    monkeypatch.chdir(tmp_path)
    for line in "".join(blocks("sql.md", "sh")).splitlines():
        words = shlex.split(line.replace("\\$", "$").split(" > ")[0])
        assert main(words[1:]) == 0, line
    assert (tmp_path / "exposure.parquet").is_file()


def test_every_relation_is_named(made):
    """The table of relations leaves none out and invents none."""
    table = (DOCS / "sql.md").read_text(encoding="utf-8").split("| about | relations |")[1].split("\n\n")[0]
    shown = {row[0] for row in query(made / "lifeline.duckdb", "show tables").rows}
    assert set(re.findall(r"`(\w+)`", table)) == shown


def test_the_tools_are_those_of_the_server():
    """The document names the tools that there are."""
    text = (DOCS / "programs.md").read_text(encoding="utf-8")
    tools = set(re.findall(r"^\| `(\w+)\(", text, re.MULTILINE))
    assert tools == {"find_products", "lifeline_of", "jumps_since", "exposure_of", "run_sql", "what_if"}
    assert json.loads(blocks("programs.md", "json")[0])["mcpServers"]["lifeline"]["args"] == ["mcp"]
