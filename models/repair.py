"""Mend what `models.damage` finds, one by one, saying what was done. Nothing that is kept is ever deleted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from models import stale
from models.backup import WORK, backups_in
from models.damage import Damage, find, one_line, open_read_only, published
from models.errors import LifelineError, StoreError
from models.restore import unpack
from models.settings import Settings
from models.snapshot import LOGS, count_rows, settle
from models.store import SAFE_CONFIG, hold_lock, open_work

REBUILD = ("detect", "derive", "publish")


@dataclass(frozen=True, slots=True)
class Means:
    """What a repair may use: how to run stages again, whether the log may be given up, and where backups lie."""

    rerun: Callable[[Sequence[str]], None]
    give_up_log: bool = False
    backups: Path | None = None


def repair(config: Settings, now: datetime, means: Means) -> Iterator[tuple[Damage, bool, str]]:
    """Mend what is found, then what that brought to light; each finding with whether it is mended and what was done."""
    seen: set[tuple[str, str]] = set()
    for _ in range(3):
        found = [damage for damage in find(config, now, is_deep=True) if (damage.kind, damage.said) not in seen]
        for damage in found:
            seen.add((damage.kind, damage.said))
            yield damage, *mend(damage, config, now, means)


def mend(damage: Damage, config: Settings, now: datetime, means: Means) -> tuple[bool, str]:
    """Do what can be done about one finding; whether it is mended, and what was done or is still to do, in one line."""
    try:
        return REMEDIES[damage.kind](damage, config, now, means)
    except (LifelineError, OSError) as error:
        return False, f"could not be mended: {one_line(error)}"


def _mend_store(damage: Damage, config: Settings, now: datetime, means: Means) -> tuple[bool, str]:
    with hold_lock(config.home, "lifeline doctor --repair"):
        is_done, said = False, f"left as it is: {damage.remedy}"
        if means.give_up_log and (told := _without_log(config, now)):
            is_done, said = True, told
        elif means.backups:
            is_done, said = _from_backup(config, now, means.backups)
    if is_done:
        with open_work(config.home, purpose="lifeline doctor --repair") as con:
            stale.mark(con, *stale.STAGES)
    return is_done, said


def _without_log(config: Settings, now: datetime) -> str:
    """Put the work file as of its last checkpoint in place, if it can be read whole."""
    copy = config.home / f"{WORK}.compact"
    shutil.copyfile(config.work, copy)
    try:
        rows = settle(copy)
    except StoreError:
        copy.unlink()
        return ""
    aside = _set_aside(config, now)
    os.replace(copy, config.work)
    return f"opened as of its last checkpoint, with {rows.get('document', 0)} documents; file and log as they were lie in {aside}"


def _from_backup(config: Settings, now: datetime, folder: Path) -> tuple[bool, str]:
    """Take the work file of the newest backup that is whole; everything else in the home stays as it is."""
    files = [folder] if folder.is_file() else list(reversed(backups_in(folder)))
    staging = config.home / f"{WORK}.compact-{os.getpid()}"
    refused = []
    for file in files:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        try:
            manifest = unpack(file, staging)
            aside = _set_aside(config, now)
            os.replace(staging / WORK, config.work)
        except LifelineError as error:
            refused.append(one_line(error))
            continue
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        documents = manifest.rows.get("document", 0)
        return (
            True,
            f"restored from {file.name} of {manifest.made_at:%Y-%m-%d %H:%M} UTC, {documents} documents; the broken file lies in {aside}",
        )
    return False, f"no whole backup in {folder}" + (f" ({refused[0]})" if refused else "")


def _set_aside(config: Settings, now: datetime) -> Path:
    """Move the work file and its logs into a folder of the home."""
    aside = config.home / "broken" / f"{now:%Y%m%dT%H%M%SZ}"
    aside.mkdir(parents=True, exist_ok=True)
    for suffix in (*reversed(LOGS), ""):
        file = config.home / (WORK + suffix)
        if file.exists():
            os.replace(file, aside / file.name)
    return aside


def _mend_loose(damage: Damage, config: Settings, now: datetime, means: Means) -> tuple[bool, str]:
    """Copy everything into a new file and put it in place, if it holds the same rows."""
    import duckdb

    copy = config.home / f"{WORK}.compact"
    with hold_lock(config.home, "lifeline doctor --repair"):
        before = config.work.stat().st_size
        copy.unlink(missing_ok=True)
        with duckdb.connect(config=dict(SAFE_CONFIG)) as con:
            con.execute("attach '{}' as old".format(str(config.work).replace("'", "''")))
            con.execute("attach '{}' as new".format(str(copy).replace("'", "''")))
            con.execute("checkpoint old")
            con.execute("copy from database old to new")
            con.execute("checkpoint new")
        with open_read_only(config.work) as old:
            wanted = count_rows(old)
        if settle(copy) != wanted:
            copy.unlink()
            return False, "left as it is: a copy did not hold the same rows"
        os.replace(copy, config.work)
    return True, f"written anew: {before / 1e6:.0f} MB became {config.work.stat().st_size / 1e6:.0f} MB"


def _mend_ledger(damage: Damage, config: Settings, now: datetime, means: Means) -> tuple[bool, str]:
    with open_work(config.home, purpose="lifeline doctor --repair") as con:
        con.execute("update run set status = 'interrupted' where status = 'running'")
    return True, "marked as interrupted"


def _mend_files(damage: Damage, config: Settings, now: datetime, means: Means) -> tuple[bool, str]:
    for path in damage.paths:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return True, "removed"


def _mend_ruling(damage: Damage, config: Settings, now: datetime, means: Means) -> tuple[bool, str]:
    folder = config.rulings / "broken"
    folder.mkdir(exist_ok=True)
    for path in damage.paths:
        target = folder / path.name
        os.replace(path, target if not target.exists() else folder / f"{now:%Y%m%dT%H%M%S}-{path.name}")
    return True, f"moved to {folder}; correct it and move it back, or rule again"


def _mend_rebuild(damage: Damage, config: Settings, now: datetime, means: Means) -> tuple[bool, str]:
    means.rerun(REBUILD)
    return True, f"ran {', '.join(REBUILD)}"


def _mend_publish(damage: Damage, config: Settings, now: datetime, means: Means) -> tuple[bool, str]:
    if not _published_is_due(config):
        return True, "was published with the rest"
    with open_work(config.home, purpose="lifeline doctor --repair") as con:
        stages = REBUILD if stale.stale(con) else ("publish",)
    means.rerun(stages)
    return True, f"ran {', '.join(stages)}"


def _published_is_due(config: Settings) -> bool:
    return any(True for _ in published(config))


def _mend_nothing(damage: Damage, config: Settings, now: datetime, means: Means) -> tuple[bool, str]:
    return False, "left as it is; please report it"


REMEDIES: dict[str, Callable[[Damage, Settings, datetime, Means], tuple[bool, str]]] = {
    "store": _mend_store,
    "loose": _mend_loose,
    "ledger": _mend_ledger,
    "leftover": _mend_files,
    "server": _mend_files,
    "ruling": _mend_ruling,
    "rebuild": _mend_rebuild,
    "publish": _mend_publish,
    "sum": _mend_nothing,
}
