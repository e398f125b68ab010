"""The writer's side of the exchange: its own folder there, what it gives out, what it takes in, what it sweeps away."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flows.spread.rows import BrokenShardError, from_parquet, to_parquet
from flows.spread.work import done, given
from models.exchange import Exchange, NotThereError, open_exchange

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from models.settings import Settings


def exchange_address(settings: Settings) -> str:
    """Where Parquet is handed over: the setting, else a folder of the home, which local workers see as well."""
    return str(settings["exchange"] or settings.home / "exchange")


def store_id(con: duckdb.DuckDBPyConnection) -> str:
    """A name for this store, made once, so that two trackers on one exchange leave each other's shards alone."""
    con.execute("insert or ignore into meta values ('store_id', ?)", [secrets.token_hex(8)])
    return str(con.execute("select value from meta where key = 'store_id'").fetchall()[0][0])


class HandOver:
    """The folder of one kind of work of one store; only the writer of that store, of which there is one, uses it."""

    def __init__(self, con: duckdb.DuckDBPyConnection, settings: Settings, work: str) -> None:
        self.exchange: Exchange = open_exchange(exchange_address(settings))
        self.folder = f"spread/{store_id(con)}/{work}"

    def give(self, shard_id: str, table: pa.Table) -> None:
        """Put a shard there for a worker."""
        self.exchange.write(given(self.folder, shard_id), to_parquet(table, {}))

    def take(self, shard_id: str) -> tuple[pa.Table, dict[str, Any]]:
        """The result of a shard, and what the worker says about it."""
        return from_parquet(self.exchange.read(done(self.folder, shard_id)))

    def left(self) -> Iterator[tuple[pa.Table, dict[str, Any]]]:
        """Results that lie there; one that cannot be read is passed over."""
        for name in self.exchange.names(self.folder):
            if name.endswith(".done.parquet"):
                try:
                    yield from_parquet(self.exchange.read(name))
                except (BrokenShardError, NotThereError):
                    continue

    def drop(self, shard_id: str) -> None:
        """Remove a shard and its result."""
        for name in (given(self.folder, shard_id), done(self.folder, shard_id)):
            self.exchange.delete(name)

    def sweep(self) -> None:
        """Remove whatever still lies there, half-written files of dead workers, too."""
        self.exchange.clear(self.folder)
