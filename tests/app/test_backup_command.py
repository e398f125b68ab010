"""`lifeline backup` and `lifeline restore` at the command line."""

from __future__ import annotations

import json

import pytest

from app.cli import main
from models.store import insert_rows, open_work


@pytest.fixture
def lifeline(home, capsys):
    """Run a command in this process; returns exit code, standard output and standard error."""

    def run(*words):
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_there_and_back(lifeline, home, tmp_path):
    """A backup is made, checked, pruned and restored, in words and in JSON; wrong use is one line."""
    assert lifeline("backup", tmp_path / "b")[0] == 1
    with open_work(home) as con:
        insert_rows(con, "document", [{"document_id": "d1", "title": "kept", "first_seen_at": "2026-08-01T00:00:00Z"}])
    (home / "lifeline.toml").write_text('notify_urls = "json://token@host"\n')
    code, out, _ = lifeline("backup", tmp_path / "b", "--keep", "2", "--json")
    told = json.loads(out)
    assert (code, told["manifest"]["rows"]["document"], told["manifest"]["secrets"]) == (0, 1, ["notify_urls"])
    assert lifeline("backup", tmp_path / "b", "--keep", "0")[0] == 2
    code, out, _ = lifeline("restore", told["file"], "--check")
    assert (code, "is whole" in out) == (0, True)
    code, _, err = lifeline("restore", told["file"])
    assert code == 2
    assert "--force" in err
    code, out, _ = lifeline("restore", told["file"], "--force")
    assert code == 0
    assert "the old home lies in" in out
    assert "set notify_urls again" in out
    assert "--stage publish" in out
    with open_work(home) as con:
        assert con.execute("select title from document").fetchall() == [("kept",)]
    code, out, err = lifeline("restore", tmp_path / "none.tar.gz", "--force", "--json")
    assert code == 2
    assert "does not exist" in json.loads(out)["error"]
    assert err.count("\n") == 1
