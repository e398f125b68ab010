"""Backup and restore: everything that cannot be made again comes back, and nothing is replaced by less than a checked backup."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import tarfile
from datetime import UTC, datetime, timedelta

import pytest

from models import backup, restore
from models.errors import StoreError, UsageError
from models.store import hold_lock, insert_rows, open_work

NOON = datetime(2026, 8, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A home with something of everything that is kept, and a backup of it, made once."""
    home = tmp_path_factory.mktemp("kept") / "home"
    with open_work(home) as con:
        rows = [{"document_id": f"d{i}", "title": f"title {i}", "first_seen_at": NOON} for i in range(50)]
        insert_rows(con, "document", rows)
    for name, text in {
        "rulings/r.json": "{}",
        "rulings/.half.tmp": "half",
        "watchlists/mine.csv": "product_id\na\n",
        "catalogue/private_products.csv": "product_id\nmy-own\n",
        "models/mine/tagger.json": "{}",
        "exports/lifeline.csv": "made again",
        "lifeline.duckdb": "made again",
        "prefect/prefect.db": "made again",
    }.items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(text)
    (home / "lifeline.toml").write_text('# tgram://token\nnotify_urls = "tgram://token/chat"\ncontact = "me \\" é"\nseed = 7\n')
    (home / "rulings" / "link.json").symlink_to("/etc/hostname")
    return home, backup.back_up(home, home.parent / "backups", NOON)


@pytest.fixture
def kept(home, original):
    """A copy of that home."""
    return shutil.copytree(original[0], home, symlinks=True)


@pytest.fixture
def made(original):
    """The backup of that home."""
    return original[1]


def members(file):
    """Names and bytes in an archive."""
    with tarfile.open(file) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar if info.isreg()}


def repacked(made, target, change=lambda name, data: data, extra=()):
    """The same archive with changed members."""
    with tarfile.open(target, "w:gz") as tar:
        for name, data in members(made.file).items():
            if (new := change(name, data)) is not None:
                info = tarfile.TarInfo(name)
                info.size = len(new)
                tar.addfile(info, io.BytesIO(new))
        for info, data in extra:
            tar.addfile(info, io.BytesIO(data))
    return target


def titles(home):
    """Titles in the store."""
    with open_work(home) as con:
        return con.execute("select count(*), max(title) from document").fetchone()


def test_what_cannot_be_made_again_is_in_the_archive_and_secrets_are_not(made):
    """Work file, rulings, lists, private products, settings and taggers; no published file, no address that holds a token."""
    found = members(made.file)
    assert set(found) == {
        "manifest.json",
        "work.duckdb",
        "lifeline.toml",
        "rulings/r.json",
        "watchlists/mine.csv",
        "catalogue/private_products.csv",
        "models/mine/tagger.json",
    }
    assert b"token" not in b"".join(found.values())
    assert made.manifest.secrets == ["notify_urls"]
    assert made.manifest.skipped == ["rulings/link.json"]
    assert made.file.stat().st_mode & 0o077 == 0
    assert [path.name for path in made.file.parent.iterdir()] == [made.file.name]


def test_a_backup_comes_back_as_it_was(made, tmp_path):
    """In an empty place everything stands again, settings included."""
    home = tmp_path / "new" / "home"
    done = restore.restore(made.file, home, NOON)
    assert titles(home) == (50, "title 9")
    assert (home / "catalogue/private_products.csv").read_text() == "product_id\nmy-own\n"
    assert (home / "lifeline.toml").read_text() == 'contact = "me \\" é"\nseed = 7\n'
    assert done.kept_aside is None
    assert done.manifest == made.manifest


def test_taggers_can_be_left_out(kept, tmp_path):
    """They may be large and trained again."""
    made = backup.back_up(kept, tmp_path / "small.tar.gz", NOON, with_taggers=False)
    assert made.file == tmp_path / "small.tar.gz"
    assert not any(name.startswith("models/") for name in members(made.file))


def test_a_home_that_is_not_empty_is_replaced_only_by_force_and_kept_aside(made, kept):
    """Without `--force` nothing changes; with it the old home lies beside the new one."""
    with open_work(kept) as con:
        insert_rows(con, "document", [{"document_id": "z", "title": "written later", "first_seen_at": NOON}])
    with pytest.raises(UsageError, match="--force"):
        restore.restore(made.file, kept, NOON)
    done = restore.restore(made.file, kept, NOON, force=True)
    assert titles(kept) == (50, "title 9")
    assert titles(done.kept_aside) == (51, "written later")
    assert (done.kept_aside / "prefect" / "prefect.db").exists()
    assert not [path for path in kept.parent.iterdir() if "restoring" in path.name]


def test_a_home_that_cannot_be_renamed_is_swapped_entry_by_entry(made, kept, monkeypatch):
    """A home that is a mount of its own keeps its folder; the old files lie inside under a new name."""
    monkeypatch.setattr(os.path, "ismount", lambda path: path == kept)
    done = restore.restore(made.file, kept, NOON, force=True)
    assert done.kept_aside.parent == kept
    assert titles(kept) == (50, "title 9")
    assert (done.kept_aside / "lifeline.duckdb").read_text() == "made again"
    assert not (kept / "lifeline.duckdb").exists()


def test_a_home_in_use_is_left_alone(made, kept):
    """While a run holds the store, or `lifeline serve` lives, nothing is replaced."""
    with hold_lock(kept, "the nightly run"), pytest.raises(StoreError, match="the nightly run"):
        restore.restore(made.file, kept, NOON, force=True)
    (kept / "prefect" / "server.json").write_text(json.dumps({"url": "x", "owner": os.getpid()}))
    with pytest.raises(StoreError, match="lifeline serve"):
        restore.restore(made.file, kept, NOON, force=True)
    assert (kept / "lifeline.duckdb").exists()


def _linked(name):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return info


def _plain(name, size):
    info = tarfile.TarInfo(name)
    info.size = size
    return info


def _manifest(**changes):
    def change(name, data):
        return json.dumps({**json.loads(data), **changes}).encode() if name == "manifest.json" else data

    return change


def _members(**changes):
    def change(name, data):
        if name != "manifest.json":
            return data
        raw = json.loads(data)
        raw["members"][0] |= changes
        return json.dumps(raw).encode()

    return change


@pytest.mark.parametrize(
    ("change", "extra", "said"),
    [
        (lambda name, data: data[:-1] + b"x" if name == "watchlists/mine.csv" else data, (), "damaged"),
        (lambda name, data: data + b"x" if name == "watchlists/mine.csv" else data, (), "does not list so"),
        (lambda name, data: None if name == "rulings/r.json" else data, (), r"lacks rulings/r\.json"),
        (lambda name, data: None if name == "manifest.json" else data, (), "no backup of lifeline"),
        (lambda name, data: data, [(_plain("../../evil", 1), b"x")], "evil"),
        (lambda name, data: data, [(_plain("rulings/more.json", 1), b"x")], "more"),
        (lambda name, data: data, [(_linked("rulings/x.json"), b"")], "does not list so"),
        (_members(path="../evil"), (), "evil"),
        (_members(path="/etc/evil"), (), "evil"),
        (_members(path="rulings/../../evil"), (), "evil"),
        (_members(path=".ssh/evil"), (), "evil"),
        (_members(size=10**15), (), "make room"),
        (_manifest(schema_version="2"), (), "newer one"),
        (_manifest(format=2), (), "newer one"),
        (_manifest(rows={"document": 51}), (), "does not hold"),
        (_manifest(members=[]), (), r"work\.duckdb is not listed"),
        (_manifest(members="all"), (), "cannot be read"),
    ],
)
def test_an_archive_that_is_not_what_it_says_changes_nothing(made, kept, tmp_path, change, extra, said):
    """A damaged, forged or newer backup is refused in one line before the home is touched."""
    forged = repacked(made, tmp_path / "forged.tar.gz", change, extra)
    before = sorted(path for path in kept.parent.rglob("*"))
    with pytest.raises((StoreError, UsageError), match=said) as refused:
        restore.restore(forged, kept, NOON, force=True)
    assert "\n" not in str(refused.value)
    assert sorted(path for path in kept.parent.rglob("*")) == before


def test_what_is_cut_short_or_claims_too_much_is_refused(made, kept, tmp_path):
    """Half an archive, no archive, a header of a gigabyte."""
    torn, other, greedy = tmp_path / "torn.tar.gz", tmp_path / "other.tar.gz", tmp_path / "greedy.tar.gz"
    torn.write_bytes(made.file.read_bytes()[: made.file.stat().st_size // 2])
    other.write_text("no archive")
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 10**9
    greedy.write_bytes(gzip.compress(header.tobuf()))
    for file in (torn, other, greedy, tmp_path):
        with pytest.raises(StoreError):
            restore.restore(file, kept, NOON, force=True)
    with pytest.raises(UsageError, match="does not exist"):
        restore.restore(tmp_path / "none.tar.gz", kept, NOON, force=True)
    assert titles(kept) == (50, "title 9")


def test_old_backups_go_and_other_files_stay(kept, tmp_path):
    """`--keep` counts only what this program named."""
    folder = tmp_path / "b"
    for hour in range(4):
        backup.back_up(kept, folder, NOON + timedelta(hours=hour), with_taggers=False)
    (folder / "lifeline-backup-of-my-own.tar.gz").write_text("mine")
    assert len(backup.prune(folder, 2)) == 2
    assert [file.name for file in backup.backups_in(folder)] == [
        "lifeline-backup-20260822T140000Z.tar.gz",
        "lifeline-backup-20260822T150000Z.tar.gz",
    ]
    assert (folder / "lifeline-backup-of-my-own.tar.gz").exists()


def test_nothing_is_overwritten_and_nothing_half_is_left(kept, tmp_path, monkeypatch):
    """A name that is taken is refused; a backup that fails leaves no file; leftovers of a killed one go."""
    backup.back_up(kept, tmp_path / "b", NOON)
    with pytest.raises(UsageError, match="there already"):
        backup.back_up(kept, tmp_path / "b", NOON)
    with pytest.raises(StoreError, match="nothing to back up"):
        backup.back_up(tmp_path / "nowhere", tmp_path / "c", NOON)
    (tmp_path / "c" / ".lifeline-backup-999999999.partial").mkdir(parents=True)

    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_pack", full)
    with pytest.raises(StoreError, match="No space left"):
        backup.back_up(kept, tmp_path / "c", NOON)
    assert list((tmp_path / "c").iterdir()) == []


def test_a_writer_does_not_back_up_its_own_file(kept, tmp_path):
    """Reading and closing the file would end this process's own lock on it."""
    with hold_lock(kept, "a run"), pytest.raises(StoreError, match="from another one"):
        backup.back_up(kept, tmp_path / "b", NOON)


def test_a_backup_can_be_checked_without_a_home(made, tmp_path):
    """Checking unpacks beside the home that would be, and leaves nothing."""
    home = tmp_path / "not-yet"
    assert restore.verify(made.file, home).rows["document"] == 50
    assert not home.exists()
    assert not [path for path in tmp_path.iterdir() if "restoring" in path.name]
