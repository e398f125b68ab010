"""What is broken in a home, found by looking; `models.repair` mends it.

The look asks for the writer's lock for its moment; while a run is writing, the store itself is not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models import ledger, rulings, stale
from models.backup import WORK, is_alive
from models.errors import StoreError
from models.restore import STAGING
from models.settings import Settings
from models.snapshot import count_rows
from models.store import SAFE_CONFIG, hold_lock, open_memory, open_published, published_views

if TYPE_CHECKING:
    import duckdb

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


def find(config: Settings, now: datetime, *, is_deep: bool = False) -> list[Damage]:
    """Everything in a home that is broken, in the order in which it has to be mended.

    A large work file is opened but not read to its last block unless `is_deep`: that takes a while.
    """
    if not config.home.is_dir():
        return []
    try:
        with hold_lock(config.home, "lifeline doctor"):
            return [*_store(config, is_deep), *_leftovers(config, now), *_server(config), *_rulings(config), *published(config)]
    except StoreError:  # somebody is at work, or the home cannot be written to, which is said elsewhere
        return [*_server(config), *_rulings(config)]


def _store(config: Settings, is_deep: bool) -> Iterator[Damage]:
    """The work file: whether it opens and can be read whole, what its ledger says, whether its tables are whole."""
    if not config.work.is_file():
        return
    try:
        con = open_read_only(config.work)
    except StoreError as error:
        yield _broken_store(config, str(error))
        return
    with con:
        try:
            if is_deep or config.work.stat().st_size < READ_AT_ONCE_BYTES:
                count_rows(con)
            yield from list(_inside(con, config))
        except Exception as error:
            yield _broken_store(config, f"{WORK} cannot be read whole ({one_line(error)})")


def _broken_store(config: Settings, said: str) -> Damage:
    newest = "; `--give-up-log` opens it as of its last checkpoint" if (config.home / f"{WORK}.wal").exists() else ""
    remedy = (
        f"only when asked: `--from FOLDER` takes the work file of the newest backup there{newest}; the broken file is set aside"
    )
    return Damage("store", said, remedy)


def open_read_only(work: Path) -> duckdb.DuckDBPyConnection:
    """The work file, which nobody has open; raises StoreError when it does not open."""
    import duckdb

    try:
        con = duckdb.connect(str(work), read_only=True, config=dict(SAFE_CONFIG))
        con.execute("set timezone = 'UTC'")
    except duckdb.Error as error:
        raise StoreError(f"{work.name} cannot be opened ({one_line(error)})") from error
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
    row = con.execute("select block_size * used_blocks from pragma_database_size()").fetchone()
    size = config.work.stat().st_size
    loose = size - int(row[0]) if row else 0
    if loose > max(LOOSE_BYTES, LOOSE_SHARE * size):
        yield Damage("loose", f"{loose / 1e6:.0f} of the {size / 1e6:.0f} MB of {WORK} are free", "writes it anew without them")
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


def published(config: Settings) -> Iterator[Damage]:
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
        yield Damage("publish", f"{config.published.name} cannot be read ({one_line(error)})", "publishes it again")
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


def one_line(error: BaseException) -> str:
    """An error's words in one line."""
    return " ".join(str(error).split())[:200]
