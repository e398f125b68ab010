"""Bad input at the command line: one clear line with a remedy, the right exit code, and nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import main
from models.store import insert_rows, open_work
from tests.flows.pressroom import sources_csv
from tests.flows.site import Site

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def lifeline(home, capsys, monkeypatch):
    """Run a command in this process; returns exit code, standard output and the lines of standard error."""
    monkeypatch.setenv("LIFELINE_TAGGER", "keyword")

    def run(*words):
        try:
            code = main(words)
        except SystemExit as left:
            code = left.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err.splitlines()

    return run


def stored(home):
    """A home whose store holds one document."""
    with open_work(home) as con:
        insert_rows(con, "document", [{"document_id": "d1", "title": "kept", "first_seen_at": "2026-08-01T00:00:00Z"}])


def documents(home):
    """Titles in the store."""
    with open_work(home) as con:
        return [title for (title,) in con.execute("select title from document").fetchall()]


def test_an_unknown_command_is_one_line_with_the_nearest_one(lifeline):
    """A typing error gets the command that was probably meant."""
    code, out, err = lifeline("statsu")
    assert (code, out) == (2, "")
    assert err == ["lifeline: there is no command 'statsu'; did you mean 'status'; see `lifeline --help`"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--as-of", "yesterday"], "write YYYY-MM-DD"),
        (["run", "--as-of", "2999-01-01"], "lies in the future"),
        (["run", "--stage", "cook"], "use one of ingest, tag, detect, derive, publish, notify"),
        (["run", "--sources", "nowhere.csv", "--stage", "ingest"], "give the path of a CSV file"),
        (["serve", "--file", "nowhere.yaml"], "give the path of a prefect.yaml"),
        (["status", "--colour"], "--help"),
    ],
)
def test_wrong_use_is_one_line_and_code_2(lifeline, words, said):
    """Values that cannot be are named, with what to write instead."""
    code, _, err = lifeline(*words)
    assert code == 2
    assert len(err) == 1
    assert said in err[0]


def test_a_broken_csv_is_named_by_row_and_column(lifeline, home, tmp_path):
    """A wrong value in a file of sources stops the run before anything is touched."""
    stored(home)
    file = tmp_path / "sources.csv"
    file.write_text("source_id,title,kind,url\na,A,feed,https://example.org/a\nb,B,carrier pigeon,https://example.org/b\n")
    code, _, err = lifeline("run", "--sources", str(file), "--stage", "ingest")
    assert code == 2
    assert len(err) == 1
    assert "row 3, column kind" in err[0]
    assert documents(home) == ["kept"]


def test_a_broken_catalogue_of_the_home_stops_the_run_before_it_writes(lifeline, home):
    """An overlay that cannot be read is named; the store stays as it was."""
    stored(home)
    (home / "catalogue" / "jumps.csv").write_text("jump_id,date\nx,2026-01-01\n")
    code, _, err = lifeline("run", "--offline", "--stage", "detect")
    assert code == 2
    assert "jumps.csv" in err[-1]
    assert documents(home) == ["kept"]


def test_a_source_that_is_no_feed_is_marked_and_the_run_is_partial(lifeline, home, tmp_path, monkeypatch):
    """A login page where a feed should be is a state of its source; the rest of the run is done and the exit code is 1."""
    monkeypatch.setenv("LIFELINE_ALLOW_PRIVATE", "1")
    stored(home)
    site = Site()
    site.pages["/login"] = (
        200,
        {"Content-Type": "text/html"},
        b"<!doctype html><title>Sign in</title><form><input name=user></form>",
    )
    file = sources_csv(site, tmp_path / "sources.csv")
    code, _, _ = lifeline(
        "run", "--sources", str(file), *(word for name in ("ingest", "detect", "derive", "publish") for word in ("--stage", name))
    )
    site.close()
    assert code == 1
    assert documents(home) == ["kept"]
    code, out, _ = lifeline("status", "--json")
    assert code == 0
    assert [row["health"] for row in json.loads(out)["sources"] if row["source_id"] == "login"] == ["not_a_feed"]
    assert json.loads(out)["runs"][0]["status"] == "partial"


def test_a_missing_home_is_a_line_with_the_command_that_makes_one(lifeline):
    """Reading before the first run says what to run first."""
    code, _, err = lifeline("status")
    assert code == 1
    assert len(err) == 1
    assert "`lifeline run`" in err[0]


def test_a_locked_store_names_who_holds_it(lifeline, home):
    """A second run leaves at once with 1 and says who is at it, also in JSON."""
    with open_work(home, purpose="the daily pipeline"):
        code, out, err = lifeline("run", "--offline", "--json")
    assert code == 1
    assert f"the daily pipeline (process {os.getpid()}" in err[-1]
    assert "--wait" in err[-1]
    assert "the daily pipeline" in json.loads(out)["error"]


def test_a_store_of_another_version_is_refused_and_left_alone(lifeline, home):
    """A work file that another version wrote is not touched."""
    stored(home)
    with open_work(home) as con:
        con.execute("update meta set value = '99' where key = 'schema_version'")
    before = (home / "work.duckdb").read_bytes()
    code, _, err = lifeline("run", "--offline", "--stage", "detect")
    assert code == 1
    assert "schema version 99" in err[-1]
    assert (home / "work.duckdb").read_bytes() == before


def test_a_file_that_is_no_database_is_one_line(lifeline, home):
    """Something else under the work file's name is named and left alone."""
    home.mkdir()
    (home / "work.duckdb").write_text("not a database" * 100)
    code, _, err = lifeline("run", "--offline", "--stage", "detect")
    assert code == 1
    assert len(err) == 1
    assert "work.duckdb" in err[0]
    assert (home / "work.duckdb").read_text().startswith("not a database")


def test_a_published_file_that_cannot_be_read_says_how_to_write_it_anew(lifeline, home):
    """A broken published file is no traceback."""
    home.mkdir()
    (home / "lifeline.duckdb").write_text("broken" * 1000)
    code, _, err = lifeline("status")
    assert code == 1
    assert len(err) == 1
    assert "--stage publish" in err[0]


def test_a_home_that_cannot_be_written_is_one_line(lifeline, monkeypatch, tmp_path):
    """A home under a file, where no folder can be made, is refused with the setting to change."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LIFELINE_HOME", str(tmp_path / "file" / "home"))
    code, _, err = lifeline("run", "--offline")
    assert code == 1
    assert len(err) == 1
    assert "set LIFELINE_HOME" in err[0]


@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv to drop the rights of root")
def test_a_read_only_home_is_one_line(home):
    """Without the right to write, run says so in one line, and doctor finds it."""
    home.mkdir()
    home.chmod(0o555)
    for folder in home.parents:
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    plain = ["setpriv", "--reuid=65534", "--clear-groups"] if os.getuid() == 0 else []
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for words in (["run", "--offline"], ["doctor"]):
        done = subprocess.run(
            [*plain, sys.executable, "-m", "app.cli", *words], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "set LIFELINE_HOME" in done.stderr + done.stdout
        assert "Traceback" not in done.stderr


def test_a_setting_that_cannot_be_used_names_its_origin(lifeline, monkeypatch):
    """A word where a number belongs is named with the variable it stood in."""
    monkeypatch.setenv("LIFELINE_PORT", "eighty")
    code, _, err = lifeline("doctor")
    assert code == 2
    assert err == ["lifeline: LIFELINE_PORT is 'eighty', expected a whole number"]


def test_what_nobody_expected_is_one_line_unless_asked_for_more(lifeline, monkeypatch):
    """A defect is no page of traceback for who only uses the program; who wants it gets it."""

    def broken():
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("models.settings.load", broken)
    code, _, err = lifeline("status")
    assert (code, len(err)) == (1, 1)
    assert "ZeroDivisionError" in err[0]
    monkeypatch.setenv("LIFELINE_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        lifeline("status")


def test_doctor_shows_settings_with_origin_and_hides_secrets(lifeline, monkeypatch):
    """Each setting with where it came from; of secrets only that they are set."""
    monkeypatch.setenv("LIFELINE_NOTIFY_URLS", "json://user:hunter2@example.org")
    code, out, _ = lifeline("doctor", "--json")
    found = {row["setting"]: row for row in json.loads(out)["settings"]}
    assert code == 0
    assert (found["notify_urls"]["value"], found["notify_urls"]["origin"]) == ("(set, hidden)", "LIFELINE_NOTIFY_URLS")
    assert "hunter2" not in out
    assert found["port"]["origin"] == "default"


def test_a_file_of_another_version_is_said_to_be_one(estimated, capsys):
    """A published file without a relation that is read gets the command that publishes it anew."""
    import duckdb

    with duckdb.connect(str(estimated / "lifeline.duckdb")) as con:
        con.execute("drop table source")
    for words in (("status",), ("export", "all", str(estimated / "out"))):
        assert main(words) == 1
        err = capsys.readouterr().err.splitlines()
        assert len(err) == 1
        assert "another version of lifeline" in err[0]
        assert "lifeline run --stage detect --stage derive --stage publish" in err[0]


def test_a_home_that_is_a_file_is_one_line(lifeline, home):
    """What the system refuses names the path and what to look at, and asks nobody for a report."""
    home.parent.mkdir(parents=True, exist_ok=True)
    if home.exists():
        shutil.rmtree(home)
    home.write_text("", encoding="utf-8")
    code, _, err = lifeline("watch", "add", "mine", "chatpdf")
    assert code == 1
    assert len(err) == 1
    assert str(home) in err[0]
    assert "unexpected" not in err[0]


def test_a_language_that_there_is_not_is_refused(lifeline, monkeypatch):
    """One line that names the two that there are."""
    monkeypatch.setenv("LIFELINE_LANG", "fr")
    assert lifeline("status")[2] == ["lifeline: LIFELINE_LANG is 'fr'; use en or zh"]


def test_who_jumps_may_be_named_by_the_product_it_ships(estimated):
    """ChatGPT is OpenAI's; a slip of the pen gets the name that was probably meant."""
    from app.commands import whatif
    from models import store

    with store.open_published(estimated / "lifeline.duckdb") as con:
        assert whatif._who_jumps(con, "ChatGPT")[0] == "OpenAI"
        assert whatif._who_jumps(con, "OpenAI") == ("OpenAI", [])
        assert "did you mean 'Apple'?" in whatif._who_jumps(con, "Appel")[1][0]
