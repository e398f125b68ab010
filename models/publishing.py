"""What a publish leaves on the exchange for readers elsewhere: versions, each whole, and a pointer to the newest.

    published/20261122T043700Z-3f9c2a71d0e4/lifeline.duckdb
                                           /relations/<relation>.parquet
                                           /manifest.json       sizes and hashes of the files, written after them
    published/latest.json                                       version and hash of its manifest, written last

A reader that follows the pointer finds everything the manifest names, or notices: every file is checked before it is used.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from models.exchange import Exchange, ExchangeError, NotThereError, checked
from models.privacy import public_sql
from models.store import SAFE_CONFIG, SCHEMA_VERSION

if TYPE_CHECKING:
    import duckdb

FOLDER = "published"
POINTER = f"{FOLDER}/latest.json"
DATABASE = "lifeline.duckdb"
KEPT_VERSIONS = 3
VERSION = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Pointer:
    """The newest version and the hash of its manifest."""

    version: str
    manifest_sha256: str


def put_version(
    exchange: Exchange, published: Path, exports: Path, now: datetime, *, include_private: bool = False, keep: int = KEPT_VERSIONS
) -> dict[str, int]:
    """Put the published file and the Parquet of every relation on the exchange, as a version of its own; returns files and bytes.

    Nothing of a private product goes there unless `include_private`. All but the newest `keep` versions are removed.

    Raises
    ------
    ExchangeError
        when the exchange cannot be written; the pointer then still leads to the version before.

    """
    with TemporaryDirectory(prefix="lifeline-") as folder:
        database = published if include_private else without_private(published, Path(folder) / DATABASE)
        files = {DATABASE: database, **{f"relations/{file.name}": file for file in sorted(exports.glob("*.parquet"))}}
        entries: list[dict[str, Any]] = [
            {"name": name, "bytes": file.stat().st_size, "sha256": sha256_of(file)} for name, file in files.items()
        ]
        version = f"{now:%Y%m%dT%H%M%SZ}-{entries[0]['sha256'][:12]}"
        about = {"schema_version": SCHEMA_VERSION, "version": version, "published_at": now.isoformat(timespec="seconds")}
        manifest = json.dumps({**about, "files": entries}, indent=1).encode()
        for name, file in files.items():
            exchange.put(f"{FOLDER}/{version}/{name}", file)
    exchange.write(f"{FOLDER}/{version}/manifest.json", manifest)
    pointer = {"version": version, "manifest": f"{version}/manifest.json", "manifest_sha256": sha256(manifest).hexdigest()}
    exchange.write(POINTER, json.dumps(pointer).encode())
    prune(exchange, version, keep)
    return {"exchange_file": len(entries), "exchange_byte": sum(entry["bytes"] for entry in entries)}


def without_private(published: Path, target: Path) -> Path:
    """The published file itself where it holds no private product, else a copy without any, in `target`."""
    import duckdb

    with duckdb.connect(":memory:", config=dict(SAFE_CONFIG)) as con:
        con.execute(f"attach '{_quoted(published)}' as published (read_only)")
        if not con.execute("select 1 from published.main.product where is_private limit 1").fetchall():
            return published
        con.execute(f"attach '{_quoted(target)}' as copy")
        for relation, comment in con.execute(
            "select table_name, comment from duckdb_tables() where database_name = 'published' order by 1"
        ).fetchall():
            _copy_public(con, relation, comment)
    return target


def _copy_public(con: duckdb.DuckDBPyConnection, relation: str, comment: str | None) -> None:
    columns = con.execute(
        "select column_name, comment from duckdb_columns() where database_name = 'published' and table_name = ?", [relation]
    ).fetchall()
    query = public_sql(relation, [name for name, _ in columns], schema="published.main")
    con.execute(f"create table copy.main.{relation} as {query}")
    con.execute(f"comment on table copy.main.{relation} is {_literal(comment)}")
    for column, meaning in columns:
        con.execute(f"comment on column copy.main.{relation}.{column} is {_literal(meaning)}")


def prune(exchange: Exchange, newest: str, keep: int) -> None:
    """Remove old versions and what uploads that broke off left; never the one that the pointer names."""
    names = exchange.names(FOLDER)
    versions = sorted({part for name in names if VERSION.fullmatch(part := name.split("/")[1])}, reverse=True)
    whole = [version for version in versions if f"{FOLDER}/{version}/manifest.json" in names]
    stay = {newest, *whole[:keep]}
    for name in names:
        if VERSION.fullmatch(part := name.split("/")[1]) and part not in stay:
            exchange.delete(name)


def latest(exchange: Exchange) -> Pointer:
    """Where the pointer leads.

    Raises
    ------
    ExchangeError
        when there is none, or it is none of ours.

    """
    try:
        told = json.loads(exchange.read(POINTER))
        version, digest = str(told["version"]), str(told["manifest_sha256"])
    except NotThereError as error:
        raise ExchangeError(
            f"nothing is published on {exchange.address}; set LIFELINE_EXCHANGE to it where the pipeline runs"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ExchangeError(f"{POINTER} on {exchange.address} is no pointer of ours ({type(error).__name__})") from error
    if not VERSION.fullmatch(version) or not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ExchangeError(f"{POINTER} on {exchange.address} names no version of ours")
    return Pointer(version, digest)


def fetch_database(exchange: Exchange, cache: Path) -> Path:
    """The newest published file, in `cache` under the hash of its manifest; fetched and checked where it is not there yet.

    Raises
    ------
    ExchangeError
        when there is none, or what lies there is not what its manifest says.

    """
    for attempt in (1, 2):
        pointer = latest(exchange)
        target = cache / pointer.manifest_sha256[:32] / DATABASE
        if target.is_file():
            return target
        try:
            _fetch(exchange, pointer, target)
            break
        except NotThereError:
            if attempt == 2:
                raise  # the version was not just pruned under us: it is incomplete
    _forget_others(cache, target.parent)
    return target


def _fetch(exchange: Exchange, pointer: Pointer, target: Path) -> None:
    entry = manifest_of(exchange, pointer).get(DATABASE, {"bytes": -1, "sha256": ""})
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{DATABASE}.{os.getpid()}.tmp")
    try:
        exchange.get(f"{FOLDER}/{pointer.version}/{DATABASE}", temporary)
        if temporary.stat().st_size != entry["bytes"] or sha256_of(temporary) != entry["sha256"]:
            raise ExchangeError(f"{DATABASE} of {pointer.version} on {exchange.address} is torn or changed; publish again")
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def manifest_of(exchange: Exchange, pointer: Pointer) -> Mapping[str, Mapping[str, Any]]:
    """Size and hash of every file of a version, by name, if the manifest is the one that the pointer means."""
    content = exchange.read(f"{FOLDER}/{pointer.version}/manifest.json")
    if sha256(content).hexdigest() != pointer.manifest_sha256:
        raise ExchangeError(f"the manifest of {pointer.version} on {exchange.address} is torn or changed; publish again")
    try:
        return {checked(str(entry["name"])): entry for entry in json.loads(content)["files"]}
    except (ValueError, KeyError, TypeError) as error:
        raise ExchangeError(f"the manifest of {pointer.version} on {exchange.address} is none of ours") from error


def cache_of(home: Path, address: str) -> Path:
    """Where this home keeps what it fetched from an exchange."""
    return home / "cache" / sha256(address.encode()).hexdigest()[:16]


def _forget_others(cache: Path, current: Path) -> None:
    """Remove versions fetched before; one that is being read stays readable for its reader."""
    import shutil

    for folder in cache.iterdir():
        if folder.is_dir() and folder != current:
            with suppress(OSError):
                shutil.rmtree(folder)


def sha256_of(file: Path) -> str:
    """Hash of a file's content."""
    with open(file, "rb") as handle:
        return file_digest(handle, "sha256").hexdigest()


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _literal(text: str | None) -> str:
    return "'" + (text or "").replace("'", "''") + "'"
