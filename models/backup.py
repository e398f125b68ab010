"""Backups of a home: one archive with everything that cannot be made again, and the way back.

    home -> whole copy of the work file, folders, settings -> manifest -> .tar.gz under a hidden name -> renamed
    .tar.gz -> every member checked against the manifest, beside the home -> opened and read -> renamed into place

What can be made again is left out: the published file, the exports, Prefect's state. Secrets are left out, too: a backup travels.
"""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from models.errors import StoreError, UsageError
from models.settings import SECRET, read_file
from models.snapshot import snapshot
from models.store import lock_holder

FORMAT = 1
MANIFEST = "manifest.json"
WORK = "work.duckdb"
TOML = "lifeline.toml"
FOLDERS = ("rulings", "watchlists", "catalogue")
TAGGERS = "models"
PREFIX, SUFFIX = "lifeline-backup-", ".tar.gz"
# texts compress well at any level; the fastest is three times as quick as the best
GZIP_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a backup."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. `secrets` are settings that were set in lifeline.toml and are not in the backup."""

    format: int
    made_at: datetime
    program: str
    duckdb: str
    schema_version: str
    rows: Mapping[str, int]
    members: Sequence[Member]
    secrets: Sequence[str] = ()
    skipped: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup."""

    file: Path
    size: int
    manifest: Manifest


def back_up(home: Path, target: Path, now: datetime, *, with_taggers: bool = True, wait_s: float = 60.0) -> Backup:
    """Write a backup of `home` to `target`, a folder or a file name; consistent even while another process is writing.

    Raises
    ------
    UsageError
        when `target` is there already.
    StoreError
        when there is nothing to back up, or no whole copy could be made within `wait_s`.

    """
    file = file_name(target, now)
    if file.exists():
        raise UsageError(f"{file} is there already; give another name, or a folder")
    if not (home / WORK).is_file():
        raise StoreError(f"{home} has no {WORK} yet; there is nothing to back up (`lifeline run` makes it)")
    if f"(process {os.getpid()} " in (lock_holder(home) or ""):
        raise StoreError("this very process is writing to the work file; back up from another one, as `lifeline backup` does")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with _staging(file) as staging:
            rows = snapshot(home / WORK, staging / WORK, wait_s=wait_s)
            secrets = _copy_settings(home / TOML, staging / TOML)
            skipped = _copy_folders(home, staging, [*FOLDERS, *([TAGGERS] if with_taggers else [])])
            manifest = _manifest(staging, rows, now, secrets, skipped)
            archive = staging.with_suffix(".tar.gz")
            _pack(staging, manifest, archive)
            os.replace(archive, file)
    except OSError as error:
        raise StoreError(f"cannot write {file} ({error.strerror or error}); make room or choose another place") from error
    return Backup(file, file.stat().st_size, manifest)


def file_name(target: Path, now: datetime) -> Path:
    """The archive's name: as given, or in the folder given a name that tells the time."""
    return target if target.name.endswith(SUFFIX) else target / f"{PREFIX}{now:%Y%m%dT%H%M%S}Z{SUFFIX}"


def backups_in(folder: Path) -> list[Path]:
    """Backups in a folder under the names that this program gives, the newest last."""
    return sorted(folder.glob(f"{PREFIX}[0-9]*Z{SUFFIX}")) if folder.is_dir() else []


def prune(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest `keep` backups that this program named; returns what went."""
    old = backups_in(folder)[: -keep or None] if keep > 0 else []
    for file in old:
        file.unlink(missing_ok=True)
    return old


@contextmanager
def _staging(file: Path) -> Iterator[Path]:
    """A hidden folder beside the archive; those of processes that died are removed."""
    for leftover in file.parent.glob(f".{PREFIX}*.partial*"):
        if not is_alive(leftover.name.removeprefix(f".{PREFIX}").split(".")[0]):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink(missing_ok=True)
    staging = file.with_name(f".{PREFIX}{os.getpid()}.partial")
    staging.mkdir(mode=0o700)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        staging.with_suffix(".tar.gz").unlink(missing_ok=True)


def is_alive(process: str) -> bool:
    """Whether a process of this number is there."""
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def _copy_settings(file: Path, target: Path) -> list[str]:
    """Write the settings of a home without its secrets, and without comments, which may hold some; returns the secrets' names."""
    if not file.is_file():
        return []
    found = read_file(file)
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in found.items() if name not in SECRET]
    target.write_text("".join(lines), encoding="utf-8")
    return [name for name in found if name in SECRET and found[name]]


def _copy_folders(home: Path, staging: Path, folders: Sequence[str]) -> list[str]:
    """Copy the plain files of these folders, hidden ones left out; returns the names of what is neither file nor folder."""
    skipped = []
    for folder in folders:
        for path in sorted((home / folder).rglob("*")):
            name = path.relative_to(home)
            if any(part.startswith(".") for part in name.parts) or (path.is_dir() and not path.is_symlink()):
                continue
            if path.is_symlink() or not path.is_file():
                skipped.append(str(name))
                continue
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, staging / name)
    return skipped


def _manifest(staging: Path, rows: Mapping[str, int], now: datetime, secrets: Sequence[str], skipped: Sequence[str]) -> Manifest:
    files = sorted(path for path in staging.rglob("*") if path.is_file())
    members = [Member(path.relative_to(staging).as_posix(), path.stat().st_size, digest(path)) for path in files]
    return Manifest(
        FORMAT, now, _version("lifeline"), _version("duckdb"), schema_version(staging / WORK), rows, members, secrets, skipped
    )


def schema_version(work: Path) -> str:
    """The schema version that a work file says it has; empty when it has none."""
    import duckdb

    from models.store import SAFE_CONFIG

    with duckdb.connect(str(work), read_only=True, config=dict(SAFE_CONFIG)) as con:
        try:
            found = con.execute("select value from meta where key = 'schema_version'").fetchone()
        except duckdb.CatalogException:
            return ""
    return str(found[0]) if found else ""


def _pack(staging: Path, manifest: Manifest, archive: Path) -> None:
    """Write the archive, manifest first, readable by its owner alone, on disk when this returns."""
    (staging / MANIFEST).write_text(json.dumps(asdict(manifest), ensure_ascii=False, default=str, indent=1), encoding="utf-8")
    handle = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as raw:
        with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=GZIP_LEVEL) as tar:
            for name in (MANIFEST, *(member.path for member in manifest.members)):
                tar.add(staging / name, name, recursive=False, filter=_without_owner)
        raw.flush()
        os.fsync(raw.fileno())


def _without_owner(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mode = 0o600
    return info


def digest(file: Path) -> str:
    """Hash of a file's bytes."""
    found = sha256()
    with file.open("rb") as handle:
        while block := handle.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def as_json(manifest: Manifest) -> dict[str, Any]:
    """A manifest for people who read JSON."""
    return asdict(manifest)
