"""`lifeline doctor --repair` on homes that are really broken."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime

import duckdb
import pytest

from app.cli import main
from flows import pipeline
from flows.pipeline import Job
from models import backup, damage, settings
from models.store import hold_lock, insert_rows, open_published, open_work

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
# the ledger's row of a run that was killed, in a log that no checkpoint has taken in
KILLED = """
import os, sys, pathlib
from models import runs, store
from datetime import UTC, date, datetime
with store.open_work(pathlib.Path(sys.argv[1])) as con:
    con.execute("set checkpoint_threshold = '1GB'")
    runs.begin(con, "killed", as_of=date(2026, 8, 22), started_at=datetime(2026, 8, 23, tzinfo=UTC), catalogue_hash="c")
    con.execute("insert into document (document_id, title, first_seen_at) values ('late', 'in the log', now())")
    os._exit(9)
"""


@pytest.fixture(scope="module")
def well(tmp_path_factory):
    """A home after detect and publish, and a backup of it, made once."""
    home = tmp_path_factory.mktemp("well") / "home"
    config = settings.load({"LIFELINE_HOME": str(home)})
    with open_work(home) as con:
        insert_rows(con, "document", [{"document_id": "d1", "title": "kept", "first_seen_at": "2026-08-01T00:00:00Z"}])
    pipeline.run(Job(date(2026, 8, 22), NOW, stages=("detect", "publish"), is_offline=True, say=lambda line: None), config)
    backup.back_up(home, home.parent / "backups", NOW)
    return home


@pytest.fixture
def broken(home, well):
    """A copy of that home, to be broken."""
    return shutil.copytree(well, home)


@pytest.fixture
def doctor(capsys, home):
    """Run `lifeline doctor`; returns exit code and the report."""

    def run(*words):
        code = main(["doctor", "--json", *map(str, words)])
        return code, json.loads(capsys.readouterr().out)

    return run


def found(told):
    """What `lifeline doctor` names as broken."""
    return [one["value"] for one in told["findings"] if one["what"] == "broken"]


def repairs(told):
    """What was found and whether it was mended."""
    return [(one["what"], one["is_mended"]) for one in told["repairs"]]


def test_a_home_that_is_well_has_nothing_to_mend(broken, doctor):
    """Neither before the first run nor after."""
    assert found(doctor()[1]) == []
    assert doctor("--repair") == (0, {"home": str(broken), "repairs": [], "writer": None})
    shutil.rmtree(broken)
    assert found(doctor()[1]) == []
    assert doctor("--repair")[0] == 0


@pytest.mark.parametrize(
    "how", ["gone", "torn", *(pytest.param(how, marks=pytest.mark.slow) for how in ("old", "export", "index"))]
)
def test_what_is_published_is_made_again(broken, doctor, how):
    """A published file that is gone, torn or old, and exports that are gone, are named, published again, and then well."""
    published = broken / "lifeline.duckdb"
    if how == "gone":
        published.unlink()
    elif how == "torn":
        with published.open("r+b") as file:
            file.truncate(published.stat().st_size // 2)
    elif how == "old":
        with duckdb.connect(str(published)) as con:
            con.execute("alter table lifeline drop column p_silent_12")
        with duckdb.connect(str(broken / "work.duckdb")) as con:
            con.execute("drop table posterior")
            con.execute("update meta set value = 'of an older release' where key = 'schema_digest'")
    else:
        (broken / "exports" / {"export": "jump.csv", "index": "index.json"}[how]).unlink()
    (said,) = [line for line in found(doctor()[1]) if not line.startswith("run ")]
    assert {"gone": "is missing", "torn": "cannot be", "old": "older release", "export": "jump.csv", "index": "index.json"}[
        how
    ] in said
    code, told = doctor("--repair")
    assert (code, repairs(told)) == (0, [("publish", True)])
    with open_published(published) as con:
        assert con.execute("select count(p_silent_12) from lifeline").fetchone() == (0,)
    assert (broken / "exports" / "jump.csv").is_file()
    assert doctor("--repair")[1]["repairs"] == []


def test_traces_of_dead_processes_go(broken, doctor):
    """Temporary files, the note of a `lifeline serve` that is gone, a run that never came back."""
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(broken)], check=False, env={**os.environ, "PYTHONPATH": os.getcwd()}
    )
    assert child.returncode == 9
    for name in (".lifeline.duckdb.77.tmp", "exports/.jump.csv.tmp", "rulings/.x.json.tmp"):
        (broken / name).write_text("half")
    os.utime(broken / "rulings/.x.json.tmp", (1, 1))
    (broken / "rulings" / ".fresh.json.tmp").write_text("being written")
    (broken / "prefect").mkdir()
    (broken / "prefect" / "server.json").write_text(json.dumps({"url": "http://127.0.0.1:1/api", "owner": 999999999}))
    assert len(found(doctor()[1])) == 3
    code, told = doctor("--repair")
    assert (code, sorted(repairs(told))) == (0, [("ledger", True), ("leftover", True), ("server", True)])
    assert not (broken / "prefect" / "server.json").exists()
    assert [file.name for file in broken.rglob(".*") if file.is_file()] == [".fresh.json.tmp"]
    with open_work(broken) as con:
        assert con.execute("select status from run where run_id = 'killed'").fetchone() == ("interrupted",)
    assert doctor("--repair")[1]["repairs"] == []


def test_a_ruling_that_cannot_be_read_is_set_aside_not_deleted(broken, doctor):
    """It is named and lies in rulings/broken/ as it was."""
    (broken / "rulings" / "bad.json").write_text("{not json")
    assert "bad.json is no ruling" in found(doctor()[1])[0]
    code, told = doctor("--repair")
    assert (code, repairs(told)) == (0, [("ruling", True)])
    assert (broken / "rulings" / "broken" / "bad.json").read_text() == "{not json"
    assert doctor("--repair")[1]["repairs"] == []


def tear(file):
    """Overwrite the middle of a file."""
    with file.open("r+b") as handle:
        handle.seek(file.stat().st_size // 2)
        handle.write(os.urandom(200_000))


@pytest.mark.slow
def test_a_work_file_that_cannot_be_read_is_replaced_only_when_asked(broken, well, doctor):
    """Without `--from` it is left as it is; with it the newest backup takes its place and the broken file is set aside."""
    tear(broken / "work.duckdb")
    code, told = doctor()
    assert code == 1
    assert "cannot be" in found(told)[0]
    code, told = doctor("--repair")
    assert (code, repairs(told)) == (1, [("store", False)])
    (broken / "rulings" / "mine.txt").write_text("later than the backup")
    (well.parent / "backups" / "lifeline-backup-20990101T000000Z.tar.gz").write_text("no archive")
    code, told = doctor("--repair", "--from", well.parent / "backups")
    assert (code, repairs(told)) == (0, [("store", True), ("rebuild", True)])
    assert "lifeline-backup-20260822T120000Z" in told["repairs"][0]["done"]
    with open_work(broken) as con:
        assert con.execute("select title from document").fetchall() == [("kept",)]
    assert (broken / "rulings" / "mine.txt").exists()
    assert [file.name for file in (broken / "broken").rglob("*.duckdb")] == ["work.duckdb"]
    assert doctor("--repair")[1]["repairs"] == []


@pytest.mark.slow
def test_a_broken_log_can_be_given_up(broken, doctor):
    """The work file opens as of its last checkpoint; file and log as they were are set aside."""
    subprocess.run([sys.executable, "-c", KILLED, str(broken)], check=False, env={**os.environ, "PYTHONPATH": os.getcwd()})
    log = broken / "work.duckdb.wal"
    data = bytearray(log.read_bytes())
    data[120:160] = bytes(40)
    log.write_bytes(data)
    assert "cannot be opened" in found(doctor()[1])[0]
    assert doctor("--repair")[0] == 1
    code, told = doctor("--repair", "--give-up-log")
    assert (code, repairs(told)[0]) == (0, ("store", True))
    with open_work(broken) as con:
        assert con.execute("select title from document").fetchall() == [("kept",)]
    assert [file.read_bytes() for file in (broken / "broken").rglob("*.wal")] == [bytes(data)]


def test_a_file_that_is_mostly_free_is_written_anew(broken, doctor, monkeypatch):
    """Views, comments and keys come along; what was free is gone."""
    monkeypatch.setattr(damage, "LOOSE_BYTES", 1_000_000)
    told = "select view_name, comment from duckdb_views() where not internal order by 1"
    with open_work(broken) as con:
        con.execute(
            "create table bulk as "
            "select array_to_string([md5((i * k)::varchar) for k in range(60)], ' ') as text from range(15000) as numbers(i)"
        )
    with open_work(broken) as con:  # behind it in the file, so that it cannot just be cut shorter
        con.execute("create table behind as from bulk limit 1000")
    with open_work(broken) as con:
        con.execute("drop table bulk")
    with open_work(broken) as con:  # what one checkpoint frees, the next one counts
        con.execute("insert or replace into meta values ('tagger', 'any')")
        con.execute("checkpoint")
        views = con.execute(told).fetchall()
    large = (broken / "work.duckdb").stat().st_size
    code, report = doctor("--repair")
    assert (code, repairs(report)) == (0, [("loose", True)])
    assert (broken / "work.duckdb").stat().st_size < large / 2
    with open_work(broken) as con:
        assert con.execute(told).fetchall() == views
        assert con.execute("select title from document").fetchall() == [("kept",)]
        con.execute("insert or replace into meta values ('schema_version', '1')")


def test_while_a_run_is_writing_the_store_is_left_alone(broken, doctor):
    """The report says who is at work, and nothing of the store is touched."""
    with hold_lock(broken, "the nightly run"):
        assert found(doctor()[1]) == []
        assert "the nightly run" in doctor("--repair")[1]["writer"]


def test_flags_of_repair_need_repair(doctor):
    """Wrong use is one line."""
    assert main(["doctor", "--give-up-log"]) == 2
