"""A copy of a store that is being written to is a prefix of its commits."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from models import backup, restore, snapshot
from models.errors import StoreError
from models.snapshot import CHECKPOINT, FLUSH, Log, Look, is_quiet, read_log, unsure

DROP_TABLE, INSERT = 2, 26
# Commits numbered rows as fast as it can, with many checkpoints, updates, row groups written ahead of their commit, and dropped tables;
# says after each commit which number is safe.
WRITER = """
import duckdb, os, sys
con, told, n = duckdb.connect(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT), 0
con.execute("create table row_(i bigint primary key, s varchar)")
con.execute("create table big(i bigint, x double)")
con.execute("set checkpoint_threshold = '300KB'")
while True:
    con.execute("begin")
    con.execute("insert into row_ values (?, repeat('x', 500))", [n])
    if n % 20 == 0: con.execute("insert into big select ?, random() from range(150000)", [n])
    if n % 70 == 69: con.execute("drop table big"); con.execute("create table big(i bigint, x double)")
    if n % 7 == 0: con.execute("update row_ set s = 'later' where i = ?", [n // 2])
    con.execute("commit")
    os.pwrite(told, str(n).encode().ljust(20), 0)
    n += 1
"""


@pytest.fixture
def writer(tmp_path):
    """A process that commits as fast as it can, its file, and what it has acknowledged."""
    file, told = tmp_path / "busy" / "work.duckdb", tmp_path / "told"
    file.parent.mkdir()
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(file), str(told)])
    while not told.exists() or not told.read_text():
        assert child.poll() is None
        time.sleep(0.02)
    yield child, file, lambda: int(told.read_text())
    child.kill()
    child.wait()


def check(copy: Path, acknowledged: int) -> int:
    """A copy holds the commits 0 to n, each whole and once, and n is no less than what was acknowledged; returns n."""
    with duckdb.connect(str(copy)) as con:
        n, newest, n_distinct = con.execute("select count(*), max(i), count(distinct i) from row_").fetchone()
        assert n == n_distinct == newest + 1
        assert newest >= acknowledged
        begun = max((one for one in range(69, newest + 1, 70)), default=-1)
        wanted = [(one, 150000) for one in range(0, newest + 1, 20) if one > begun]
        assert con.execute("select i, count(*) from big group by i order by i").fetchall() == wanted
        for one in {newest, acknowledged, 0}:
            assert con.execute("select count(*) from row_ where i = ?", [one]).fetchone() == (1,)
    return newest


def test_backups_made_while_a_writer_commits_hold_whole_prefixes(writer, tmp_path):
    """Through checkpoints and drops every restored backup holds all commits up to one, none doubled, no acknowledged one lost."""
    _, file, acknowledged = writer
    headers, seen, start = set(), [], time.monotonic()
    while time.monotonic() < start + 6 or len(seen) < 3 or (len(headers) < 2 and time.monotonic() < start + 120):
        safe, home = acknowledged(), tmp_path / f"home{len(seen)}"
        made = backup.back_up(file.parent, tmp_path / f"{len(seen)}.tar.gz", datetime.now(UTC), wait_s=20)
        restore.restore(made.file, home, datetime.now(UTC))
        seen.append(check(home / "work.duckdb", safe))
        headers.add(snapshot.look(file).headers)
    assert seen == sorted(seen)
    assert len(headers) > 1, "no checkpoint happened; the test shows nothing"


def test_a_copy_of_a_store_whose_writer_was_killed_is_whole(writer, tmp_path):
    """What a killed process left, log and all, is copied as it stands."""
    child, file, acknowledged = writer
    time.sleep(0.5)
    safe = acknowledged()
    child.kill()
    child.wait()
    time.sleep(0.2)
    snapshot.snapshot(file, tmp_path / "copy.duckdb", wait_s=5)
    check(tmp_path / "copy.duckdb", safe)


@pytest.mark.parametrize(
    ("after", "log", "grown", "reason"),
    [
        (Look(b"1", {"": (1, 1, 1), ".wal": (2, 9, 5)}, 0), Log(4), Log(9, frozenset({INSERT, FLUSH})), ""),
        (Look(b"2", {"": (1, 1, 1), ".wal": (2, 9, 5)}, 0), Log(4), Log(), "checkpoint"),
        (Look(b"1", {"": (1, 1, 1), ".wal": (3, 9, 5)}, 0), Log(4), Log(), "begun anew"),
        (Look(b"1", {"": (1, 1, 1)}, 0), Log(4), Log(), "begun anew"),
        (Look(b"1", {"": (1, 1, 1), ".wal": (2, 9, 5), ".wal.checkpoint": (4, 1, 1)}, 0), Log(4), Log(), "checkpoint"),
        (Look(b"1", {"": (1, 1, 1), ".wal": (2, 9, 5)}, 0), Log(4, behind=frozenset({CHECKPOINT})), Log(), "checkpoint"),
        (Look(b"1", {"": (1, 1, 1), ".wal": (2, 9, 5)}, 0), Log(4), Log(9, frozenset({DROP_TABLE, FLUSH})), "dropped"),
        (Look(b"1", {"": (1, 1, 1), ".wal": (2, 9, 5)}, 0), Log(4), Log(4, behind=frozenset({77})), "dropped"),
    ],
)
def test_only_a_copy_that_cannot_mix_two_states_is_trusted(after, log, grown, reason):
    """A checkpoint, a new log, a drop or an entry of an unknown kind during the copy makes it void; plain commits do not."""
    before = Look(b"1", {"": (1, 1, 1), ".wal": (2, 4, 3)}, 0)
    found = unsure(before, after, log, grown)
    assert reason in found
    assert bool(found) == bool(reason)


def test_quiet_means_unchanged_and_not_changed_just_now():
    """A file that changed within the grain of the clock may change again without a trace."""
    stamps = {"": (1, 1, 1_000_000_000)}
    assert is_quiet(Look(b"1", stamps, 2_000_000_000), Look(b"1", stamps, 3_000_000_000))
    assert not is_quiet(Look(b"1", stamps, 1_050_000_000), Look(b"1", stamps, 3_000_000_000))
    assert not is_quiet(Look(b"1", stamps, 2_000_000_000), Look(b"1", {"": (1, 2, 1_000_000_000)}, 3_000_000_000))


def test_a_log_is_read_up_to_its_last_commit(tmp_path):
    """The log of the DuckDB in use has the shape relied on: typed entries, a flush at each commit; a torn tail is left out."""
    file = tmp_path / "x.duckdb"
    code = "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); c.execute('create table a(i int)'); c.execute('insert into a values (1)'); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, str(file)], check=True)
    wal = tmp_path / "x.duckdb.wal"
    whole = read_log(wal)
    assert whole.committed_to == wal.stat().st_size
    assert whole.before == {1, 25, INSERT, FLUSH}
    assert whole.behind == frozenset()
    os.truncate(wal, wal.stat().st_size - 5)
    torn = read_log(wal)
    assert 0 < torn.committed_to < whole.committed_to
    assert read_log(wal, torn.committed_to).before == frozenset()


def test_a_block_that_cannot_be_read_is_found(tmp_path):
    """A copy is read to its last block before anybody relies on it."""
    file = tmp_path / "x.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute("create table a as select random() as x from range(300000)")
    data = bytearray(file.read_bytes())
    for at in range(2 * len(data) // 5, 3 * len(data) // 5, 64 << 10):  # in several blocks: one of them may be free
        data[at : at + 64] = bytes(64)
    file.write_bytes(data)
    old = time.time() - 10
    os.utime(file, (old, old))
    with pytest.raises(StoreError, match="cannot be read whole"):
        snapshot.snapshot(file, tmp_path / "copy.duckdb", wait_s=0)
