"""What can be broken in a home and made good again: found by looking, mended one by one. Nothing that is kept is ever deleted.

    home -> findings, each with its remedy (`find`) -> what was done about each (`mend`)

Both ask for the writer's lock for the moment of their look; while a run is writing, the store itself is not looked at.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models import ledger, rulings, stale
from models.backup import WORK, backups_in, is_alive
from models.errors import LifelineError, StoreError, StoreLockedError
from models.restore import STAGING, unpack
from models.settings import Settings
from models.snapshot import LOGS, count_rows, settle
from models.store import SAFE_CONFIG, hold_lock, open_memory, open_published, open_work, published_views

if TYPE_CHECKING:
    import duckdb

REBUILD = ("detect", "derive", "publish")
# what a writer made no longer than this ago may still be under way
FRESH_S = 3600.0
# a file of which more than this share is free is written anew
LOOSE_SHARE, LOOSE_BYTES = 0.5, 100_000_000
READ_AT_ONCE_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is broken: `kind` chooses the remedy, `said` names it, `remedy` says what `--repair` does, `paths` are its files."""

    kind: str
    said: str
    remedy: str
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Means:
    """What a repair may use: how to run stages again, whether the log may be given up, and where backups lie."""

    rerun: Callable[[Sequence[str]], None]
    give_up_log: bool = False
    backups: Path | None = None


def find(config: Settings, now: datetime, *, is_deep: bool = False) -> list[Damage]:
    """Everything in a home that is broken, in the order in which it has to be mended.

    A large work file is opened but not read to its last block unless `is_deep`: that takes a while.
    """
    if not config.home.is_dir():
        return []
    try:
        with hold_lock(config.home, "lifeline doctor"):
            return [*_store(config, is_deep), *_leftovers(config, now), *_server(config), *_rulings(config), *_published(config)]
    except StoreLockedError:
        return [*_server(config), *_rulings(config)]


def _store(config: Settings, is_deep: bool) -> Iterator[Damage]:
    """The work file: whether it opens and can be read whole, what its ledger says, whether its tables are whole."""
    if not config.work.is_file():
        return
    try:
        con = _open(config.work)
    except StoreError as error:
        yield _broken_store(config, str(error))
        return
    with con:
        try:
            if is_deep or config.work.stat().st_size < READ_AT_ONCE_BYTES:
                count_rows(con)
            yield from list(_inside(con, config))
        except Exception as error:
            yield _broken_store(config, f"{WORK} cannot be read whole ({_line(error)})")


def _broken_store(config: Settings, said: str) -> Damage:
    newest = "; `--give-up-log` opens it as of its last checkpoint" if (config.home / f"{WORK}.wal").exists() else ""
    remedy = (
        f"only when asked: `--from FOLDER` takes the work file of the newest backup there{newest}; the broken file is set aside"
    )
    return Damage("store", said, remedy)


def _open(work: Path) -> duckdb.DuckDBPyConnection:
    import duckdb

    try:
        con = duckdb.connect(str(work), read_only=True, config=dict(SAFE_CONFIG))
        con.execute("set timezone = 'UTC'")
    except duckdb.Error as error:
        raise StoreError(f"{work.name} cannot be opened ({_line(error)})") from error
    return con


def _inside(con: duckdb.DuckDBPyConnection, config: Settings) -> Iterator[Damage]:
    tables = {name for (name,) in con.execute("select table_name from duckdb_tables() where schema_name = 'main'").fetchall()}
    if not {"meta", "run"} <= tables:
        return
    open_runs = con.execute("select run_id from run where status = 'running' order by 1").fetchall()
    if open_runs:
        named = ", ".join(run_id for (run_id,) in open_runs)
        yield Damage("ledger", f"the ledger has runs that never came back: {named}", "marks them as interrupted")
    if owed := stale.stale(con):
        words = f"the tables of {' and '.join(owed)} are not whole: an upgrade emptied them, or a run died"
        yield Damage("rebuild", words, "runs detect, derive and publish again")
    size = con.execute("select block_size * free_blocks, block_size * total_blocks from pragma_database_size()").fetchone()
    if size and size[0] > max(LOOSE_BYTES, LOOSE_SHARE * size[1]):
        words = f"{size[0] / 1e6:.0f} of the {size[1] / 1e6:.0f} MB of {WORK} are free"
        yield Damage("loose", words, "writes it anew without them")
    if not open_runs:
        for line in _wrong_sums(con, config):
            yield Damage("sum", line, "nothing: it is a trace of something that went wrong; please report it")


def _wrong_sums(con: duckdb.DuckDBPyConnection, config: Settings) -> list[str]:
    """What the ledger counts otherwise than it is; a published file that cannot be read is a finding of its own."""
    import duckdb

    try:
        return ledger.check(con, config.published)
    except (StoreError, duckdb.Error):
        return ledger.check(con)


def _leftovers(config: Settings, now: datetime) -> Iterator[Damage]:
    """Temporary files of processes that are gone; only asked while nobody writes."""
    home = config.home
    found = [
        *home.glob(f".{config.published.name}.*.tmp*"),
        *home.glob(f"{WORK}.compact*"),
        *config.exports.glob(".*.tmp"),
        *(file for file in config.rulings.glob(".*.tmp") if now.timestamp() - file.stat().st_mtime > FRESH_S),
        *(
            folder
            for parent in (home, home.parent)
            for folder in parent.glob(f".{home.name}{STAGING}-*")
            if not is_alive(folder.name.rpartition("-")[2])
        ),
    ]
    if found:
        named = ", ".join(sorted(file.name for file in found))
        yield Damage("leftover", f"temporary files of processes that died: {named}", "removes them", tuple(sorted(found)))


def _server(config: Settings) -> Iterator[Damage]:
    """The address of a `lifeline serve` that is gone."""
    file = config.home / "prefect" / "server.json"
    if file.is_file() and not is_alive(_owner(file)):
        yield Damage("server", f"{file.name} names a `lifeline serve` that is gone", "removes the note", (file,))


def _owner(file: Path) -> str:
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["owner"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _rulings(config: Settings) -> Iterator[Damage]:
    """Files in `rulings/` that are no rulings."""
    _, problems = rulings.read(config.rulings)
    for line in problems:
        file = config.rulings / line.split(" is no ruling")[0]
        yield Damage("ruling", line.rpartition(";")[0] or line, "moves it to rulings/broken/", (file,))


def _published(config: Settings) -> Iterator[Damage]:
    """The published file and the exports against what this program would write."""
    if not config.work.is_file():
        return
    if not config.published.is_file():
        if config.exports.joinpath("index.json").is_file():
            yield Damage("publish", f"{config.published.name} is missing", "publishes it again")
        return
    try:
        with open_published(config.published) as con:
            count_rows(con)
            found = _columns(con, "main")
    except Exception as error:
        yield Damage("publish", f"{config.published.name} cannot be read ({_line(error)})", "publishes it again")
        return
    with open_memory() as empty:
        wanted = {name: _columns(empty, "pub")[name] for name, _ in published_views(empty)}
    old = sorted(name for name, columns in wanted.items() if not columns <= found.get(name, frozenset()))
    if old:
        yield Damage("publish", f"{config.published.name} is of an older release (see {old[0]})", "publishes it again")
    elif missing := _missing_exports(config.exports):
        yield Damage("publish", f"exports are missing or torn: {', '.join(missing)}", "publishes them again")


def _columns(con: duckdb.DuckDBPyConnection, schema: str) -> dict[str, frozenset[str]]:
    rows: list[tuple[str, list[str]]] = con.execute(
        "select table_name, list(column_name) from duckdb_columns() where schema_name = ? and not internal group by all", [schema]
    ).fetchall()
    return {table: frozenset(names) for table, names in rows}


def _missing_exports(folder: Path) -> list[str]:
    """Exports that the index lists and that are not there at the listed size."""
    try:
        listed: list[dict[str, Any]] = json.loads((folder / "index.json").read_text(encoding="utf-8"))["files"]
        return [
            one["name"]
            for one in listed
            if not (folder / one["name"]).is_file() or (folder / one["name"]).stat().st_size != one["bytes"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return ["index.json"]


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
        return False, f"could not be mended: {_line(error)}"


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
            refused.append(_line(error))
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
        with _open(config.work) as old:
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
    means.rerun(("publish",))
    return True, "published again"


def _published_is_due(config: Settings) -> bool:
    return any(True for _ in _published(config))


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


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
