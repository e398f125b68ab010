"""What can be seen from outside the store, while a run holds it: files, the lock, the process that keeps the schedules."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

FILES = {"work": "work.duckdb", "wal": "work.duckdb.wal", "published": "lifeline.duckdb"}


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that takes runs from Prefect's work pool. `every_s` is how often it says that it lives."""

    name: str
    heard_at: datetime | None
    every_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Prefect:
    """Prefect's server, where runs are handed to workers; `workers` is None where there is no work pool."""

    answers: bool
    workers: tuple[Worker, ...] | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What lies around the store. `keeper` is `lifeline serve`: True alive, False gone without a word, None not used here."""

    writer: str | None = None
    files: Mapping[str, int] = field(default_factory=dict)
    published_at: datetime | None = None
    free_bytes: int | None = None
    keeper: bool | None = None
    prefect: Prefect | None = None


def look_around(home: Path, prefect: Prefect | None = None) -> Surroundings:
    """See what is there; what cannot be seen stays unknown."""
    from models.store import lock_holder

    sizes = {name: _size(home / file) for name, file in FILES.items()}
    published = home / FILES["published"]
    try:
        published_at: datetime | None = datetime.fromtimestamp(published.stat().st_mtime, UTC)
        free: int | None = shutil.disk_usage(home).free
    except OSError:
        published_at, free = None, _free(home)
    return Surroundings(lock_holder(home), sizes, published_at, free, keeper_lives(home), prefect)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _free(home: Path) -> int | None:
    try:
        return shutil.disk_usage(home).free
    except OSError:
        return None


def keeper_lives(home: Path) -> bool | None:
    """Whether the process that `lifeline serve` noted is there; None when it left in order, or never was."""
    try:
        owner = int(json.loads((home / "prefect" / "server.json").read_text(encoding="utf-8"))["owner"])
        os.kill(owner, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return True
