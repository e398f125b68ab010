"""Bring a home back from a backup: check everything first, beside the home; then put it in place by rename.

Nothing in the archive is trusted: only plain files that the manifest lists, at their listed sizes and hashes, under the few names that
a backup may have.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from models.backup import FOLDERS, FORMAT, MANIFEST, TAGGERS, TOML, WORK, Manifest, Member, is_alive, schema_version
from models.errors import StoreError, UsageError
from models.snapshot import settle
from models.store import SCHEMA_VERSION, hold_lock, lock_holder

MAX_MANIFEST_BYTES = 16_000_000
STAGING = ".restoring"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back; `kept_aside` is where the old home lies."""

    home: Path
    manifest: Manifest
    kept_aside: Path | None = None


def restore(file: Path, home: Path, now: datetime, *, force: bool = False) -> Restored:
    """Put the backup `file` in place of `home`, whole or not at all; with `force` the old home is kept aside under a new name.

    Raises
    ------
    UsageError
        when the file is no backup or the home is not empty.
    StoreError
        when the backup is damaged or of a newer release, or the home is in use.

    """
    refuse_if_used(home)
    if not force and holds_anything(home):
        raise UsageError(
            f"{home} is not empty; `--force` keeps it aside under another name, or set LIFELINE_HOME to a new folder"
        )
    with _staging(home) as staging:
        manifest = unpack(file, staging)
        home.mkdir(parents=True, exist_ok=True)
        with hold_lock(home, "lifeline restore"):
            return Restored(home, manifest, _put_in_place(staging, home, now))


def holds_anything(home: Path) -> bool:
    """Whether there is a file in a home, its lock aside."""
    return home.exists() and any(path.is_symlink() or path.is_file() for path in home.rglob("*") if path != home / "work.lock")


def verify(file: Path, near: Path) -> Manifest:
    """Check a backup as `restore` would, in a folder that is removed again."""
    with _staging(near) as staging:
        return unpack(file, staging)


def refuse_if_used(home: Path) -> None:
    """Nothing may be writing to a home that is to be replaced.

    Raises
    ------
    StoreError
        when a run or `lifeline serve` is at work in it.

    """
    if holder := lock_holder(home):
        raise StoreError(f"{home} is in use by {holder}; wait for it to end, or stop it")
    try:
        owner = str(json.loads((home / "prefect" / "server.json").read_text(encoding="utf-8"))["owner"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    if is_alive(owner):
        raise StoreError(f"{home} is in use by `lifeline serve` (process {owner}); stop it first")


class Bounded:
    """A stream that refuses to hand out more at once than any header of a backup can need: a header may claim any size."""

    def __init__(self, raw: gzip.GzipFile) -> None:
        self.raw = raw
        self.seek, self.tell = raw.seek, raw.tell

    def read(self, n_bytes: int = -1) -> bytes:
        """At most `n_bytes`."""
        if not 0 <= n_bytes <= MAX_MANIFEST_BYTES:
            raise tarfile.TarError(f"a part of it claims {n_bytes} bytes")
        return self.raw.read(n_bytes)


def unpack(file: Path, folder: Path) -> Manifest:
    """Unpack a backup into an empty folder and check all of it.

    Raises
    ------
    UsageError
        when it is no backup.
    StoreError
        when it is damaged, holds what a backup never holds, or comes from a newer release.

    """
    try:
        with gzip.open(file) as raw, tarfile.open(fileobj=cast("IO[bytes]", Bounded(raw)), mode="r:") as tar:
            manifest = _read_manifest(file, tar)
            _refuse_newer(manifest)
            _refuse_full_disk(manifest, folder)
            _unpack_members(tar, {member.path: member for member in manifest.members}, folder)
    except FileNotFoundError as error:
        raise UsageError(f"{file} does not exist") from error
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise StoreError(f"{file} is damaged or no backup ({error}); use another one") from error
    except OSError as error:
        raise StoreError(f"{file} cannot be unpacked ({error.strerror or error}); use another one or make room") from error
    _check_work(folder / WORK, manifest)
    return manifest


def _read_manifest(file: Path, tar: tarfile.TarFile) -> Manifest:
    first = tar.next()
    if first is None or first.name != MANIFEST or not first.isreg() or first.size > MAX_MANIFEST_BYTES:
        raise UsageError(f"{file} is no backup of lifeline: it does not begin with {MANIFEST}")
    source = tar.extractfile(first)
    assert source is not None
    try:
        return manifest_from(json.loads(source.read()))
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{file} has a manifest that cannot be read ({error}); use another backup") from error


def manifest_from(raw: Mapping[str, Any]) -> Manifest:
    """A manifest from its JSON; refuses names that lead elsewhere."""
    members = [Member(str(one["path"]), int(one["size"]), str(one["sha256"])) for one in raw["members"]]
    for member in members:
        if not is_expected(member.path) or member.size < 0:
            raise ValueError(f"{member.path!r} does not belong into a backup")
    if WORK not in {member.path for member in members}:
        raise ValueError(f"{WORK} is not listed")
    return Manifest(
        format=int(raw["format"]),
        made_at=datetime.fromisoformat(raw["made_at"]),
        program=str(raw["program"]),
        duckdb=str(raw["duckdb"]),
        schema_version=str(raw["schema_version"]),
        rows={str(name): int(n) for name, n in raw["rows"].items()},
        members=members,
        secrets=[str(name) for name in raw.get("secrets", ())],
        skipped=[str(name) for name in raw.get("skipped", ())],
    )


def is_expected(name: str) -> bool:
    """Whether a file of this name may stand in a backup: a plain relative path in one of the folders, or one of two files."""
    parts = PurePosixPath(name).parts
    is_plain = (
        bool(parts) and "/".join(parts) == name and not any(part in ("..", ".", "/") for part in parts) and "\0" not in name
    )
    return is_plain and "\\" not in name and (name in (WORK, TOML) or (len(parts) > 1 and parts[0] in (*FOLDERS, TAGGERS)))


def _refuse_newer(manifest: Manifest) -> None:
    if manifest.format > FORMAT or _number(manifest.schema_version) > _number(SCHEMA_VERSION):
        raise StoreError(
            f"the backup was made by lifeline {manifest.program} with schema version {manifest.schema_version}, this program knows "
            f"version {SCHEMA_VERSION}; install that release or a newer one"
        )


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _refuse_full_disk(manifest: Manifest, folder: Path) -> None:
    needed, free = sum(member.size for member in manifest.members), shutil.disk_usage(folder).free
    if needed > free:
        raise StoreError(f"the backup holds {needed / 1e9:.1f} GB, {folder.parent} has {free / 1e9:.1f} GB free; make room")


def _unpack_members(tar: tarfile.TarFile, wanted: dict[str, Member], folder: Path) -> None:
    """Write each listed member; a link, a stranger, a double, a wrong size or hash is refused."""
    while (info := tar.next()) is not None:
        member = wanted.pop(info.name, None)
        if member is None or not info.isreg() or info.issparse() or info.size != member.size:
            raise StoreError(f"the backup holds {info.name!r}, which its manifest does not list so; do not trust it")
        source = tar.extractfile(info)
        assert source is not None
        target = folder / member.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if _write(source, target, member.size) != member.sha256:
            raise StoreError(f"{member.path} in the backup is damaged: its hash differs from the manifest; use another backup")
    if wanted:
        raise StoreError(f"the backup lacks {min(wanted)}; use another one")


def _write(source: IO[bytes], target: Path, size: int) -> str:
    found = sha256()
    with target.open("xb") as out:
        left = size
        while left and (block := source.read(min(left, 1 << 20))):
            found.update(block)
            out.write(block)
            left -= len(block)
        out.flush()
        os.fsync(out.fileno())
    return found.hexdigest()


def _check_work(work: Path, manifest: Manifest) -> None:
    """Open the work file and read all of it; the rows must be those that the backup counted."""
    found = settle(work)
    if found != dict(manifest.rows) or schema_version(work) != manifest.schema_version:
        raise StoreError(f"{WORK} in the backup does not hold what its manifest says; use another backup")


@contextmanager
def _staging(home: Path) -> Iterator[Path]:
    """An empty hidden folder on the home's own disk: beside it, or inside where the home is a mount or its parent is not ours."""
    home.parent.mkdir(parents=True, exist_ok=True)
    is_inside = home.is_dir() and (os.path.ismount(home) or not os.access(home.parent, os.W_OK))
    parent = home if is_inside else home.parent
    for leftover in parent.glob(f".{home.name}{STAGING}-*"):
        if not is_alive(leftover.name.rpartition("-")[2]):
            shutil.rmtree(leftover, ignore_errors=True)
    staging = parent / f".{home.name}{STAGING}-{os.getpid()}"
    try:
        staging.mkdir(mode=0o700)
    except OSError as error:
        raise StoreError(f"cannot write {staging} ({error.strerror}); mend the permissions of {parent}") from error
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _put_in_place(staging: Path, home: Path, now: datetime) -> Path | None:
    """Make the unpacked folder the home: by one rename, or entry by entry where the home cannot be renamed; returns the old one."""
    if staging.parent == home:
        return _swap_entries(staging, home, now)
    aside = _free_name(home.with_name(f"{home.name}.before-{now:%Y%m%dT%H%M%S}Z"))
    is_worth_keeping = holds_anything(home)
    os.rename(home, aside)
    try:
        os.rename(staging, home)
    except OSError as error:
        os.rename(aside, home)
        raise StoreError(f"cannot put {home} in place ({error.strerror}); it is as it was") from error
    if is_worth_keeping:
        return aside
    shutil.rmtree(aside, ignore_errors=True)
    return None


def _swap_entries(staging: Path, home: Path, now: datetime) -> Path | None:
    """Move the old entries into a folder of the home, then the new ones in, the work file last: without it nothing runs."""
    entries = [entry for entry in home.iterdir() if entry.name != "work.lock" and entry != staging]
    aside = _free_name(home / f"before-{now:%Y%m%dT%H%M%S}Z")
    if entries:
        aside.mkdir(mode=0o700)
    for entry in entries:
        os.rename(entry, aside / entry.name)
    for entry in sorted(staging.iterdir(), key=lambda one: one.name == WORK):
        os.rename(entry, home / entry.name)
    return aside if entries else None


def _free_name(path: Path) -> Path:
    number, found = 1, path
    while found.exists():
        number, found = number + 1, path.with_name(f"{path.name}-{number}")
    return found
