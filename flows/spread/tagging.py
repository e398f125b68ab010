"""The tag stage on a cluster, as the writer sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flows.spread.devices import n_devices
from flows.spread.handover import HandOver
from flows.spread.runner import Runner, run_shards
from flows.spread.shards import DOCUMENTS, cut_documents
from models.errors import SettingsError
from models.exchange import ExchangeError
from models.tagger import in_force
from models.tags import pending_keys, pending_texts, store_table, wanted

if TYPE_CHECKING:
    import duckdb

    from models.settings import Settings

# fewer are tagged here before a cluster is up
FEWEST = 2000


def tag_elsewhere(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    runner: Runner,
    tagger: str,
    clock: Callable[[], datetime],
    say: Callable[[str], None],
    *,
    fewest: int = FEWEST,
    size: int = DOCUMENTS,
) -> int:
    """Tag pending documents on a cluster, where there are `fewest` at least; returns how many were merged.

    First come results that a killed run left behind. What stays pending, for whatever reason, is for the caller to tag.
    """
    try:
        return _tag(con, settings, runner, tagger, clock, say, fewest, size)
    except (ExchangeError, SettingsError) as error:
        say(f"{error}; going on in this process")
        return 0


def _tag(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    runner: Runner,
    tagger: str,
    clock: Callable[[], datetime],
    say: Callable[[str], None],
    fewest: int,
    size: int,
) -> int:
    hand = HandOver(con, settings, "tag")
    n_done = sum(_store(con, tagger, table, clock) for table, about in hand.left() if about.get("tagger") == tagger)
    hand.sweep()
    keys = pending_keys(con, tagger)
    if len(keys) < fewest:
        return n_done
    runner = with_devices(runner, str(settings["tagger"]), str(settings["device"]), n_devices())
    shards = cut_documents(tagger, keys, size)
    say(f"tagging {len(keys)} documents in {len(shards)} shards on {runner.words}")
    for shard in shards:
        hand.give(shard.shard_id, pending_texts(con, tagger, shard.first, shard.last))

    def merge(shard_id: str) -> None:
        nonlocal n_done
        n_done += _store(con, tagger, hand.take(shard_id)[0], clock)
        hand.drop(shard_id)
        say(f"tagged {n_done} of {len(keys)} documents")

    jobs = [{"shard_id": shard.shard_id} for shard in shards]
    run_shards(runner, settings.home, "tag_shard", jobs, _same(hand, settings, tagger), merge, say)
    hand.sweep()
    return n_done


def with_devices(runner: Runner, tagger: str, device: str, n: int) -> Runner:
    """The cluster for a tagger on `n` GPUs of this machine: as many local workers as GPUs, unless a number was given."""
    if device == "cpu" or tagger == "keyword" or (not n and not (runner.address and device == "cuda")):
        return runner
    return replace(runner, has_gpus=True, n_workers=runner.n_workers or (None if runner.address else n))


def _store(con: duckdb.DuckDBPyConnection, tagger: str, table: Any, clock: Callable[[], datetime]) -> int:
    """Merge what the store still wants of a result: offered a second time, it is nothing."""
    fresh = wanted(con, tagger, table)
    return store_table(con, tagger, fresh, clock()) if fresh.num_rows else 0


def _same(hand: HandOver, settings: Settings, tagger: str) -> dict[str, Any]:
    return {
        "address": hand.exchange.address,
        "folder": hand.folder,
        "tagger": in_force(settings),
        "device": str(settings["device"]),
        "name": tagger,
    }
