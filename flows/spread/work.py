"""What a worker does with one shard. A result that is there already is not made again, so a shard may be given out twice."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flows.spread.rows import BrokenShardError, from_parquet, outcome_table, states_of, to_parquet
from models.errors import TaggerError
from models.exchange import Exchange, NotThereError, open_exchange

if TYPE_CHECKING:
    from models.tagger import Tagger

# as in a single process, so that memory stays as small
TAG_BATCH = 256


def tag_shard(address: str, folder: str, shard_id: str, tagger: str, device: str, name: str) -> str:
    """Tag the documents of a shard with the tagger called so, which has to be the version `name`; returns the shard's id.

    Raises
    ------
    TaggerError
        when this machine has another version of the tagger, whose tags would be others.

    """
    from models.tags import tag_table
    from models.types import TextIn

    exchange = open_exchange(address)
    if is_done(exchange, folder, shard_id):
        return shard_id
    began = _now()
    table, _ = from_parquet(exchange.read(given(folder, shard_id)))
    reader = tagger_here(tagger, device)
    if reader.name != name:
        raise TaggerError(
            f"{socket.gethostname()} has the tagger {reader.name}, asked for was {name}; install one release everywhere"
        )
    rows = table.to_pylist()
    texts = [TextIn(row["id"], row["title"], row["text"], row["lang"], row["url"], row["source"]) for row in rows]
    ready = _now()
    found = [tags for start in range(0, len(texts), TAG_BATCH) for tags in reader.tag(texts[start : start + TAG_BATCH])]
    result = tag_table(found, {row["id"]: row["content_hash"] for row in rows})
    exchange.write(done(folder, shard_id), to_parquet(result, {"tagger": name, **_traces(began, ready)}))
    return shard_id


def fetch_shard(address: str, folder: str, shard_id: str, asked_at: str, options: Mapping[str, Any]) -> str:
    """Poll the sources of a shard as the writer would, with `options` of its settings; returns the shard's id."""
    from flows.parse.pool import shared_pool
    from flows.polling import Tools, open_client, poll_all
    from flows.robots import Robots

    exchange = open_exchange(address)
    if is_done(exchange, folder, shard_id):
        return shard_id
    began = _now()
    table, _ = from_parquet(exchange.read(given(folder, shard_id)))
    marks = {state.source.source_id: (mark, state) for mark, state in states_of(table)}
    with open_client(options) as client:
        tools = Tools(client, shared_pool(), Robots(client))
        states = [state for _, state in marks.values()]
        polled = list(poll_all(states, tools, n_threads=options["fetch_concurrency"]))
    rows = sorted((one.outcome.source_id, one.outcome) for one in polled)
    result = outcome_table([(marks[source_id][0], outcome) for source_id, outcome in rows])
    exchange.write(done(folder, shard_id), to_parquet(result, {"asked_at": asked_at, **_traces(began, began)}))
    return shard_id


def given(folder: str, shard_id: str) -> str:
    """Where the writer puts a shard."""
    return f"{folder}/{shard_id}.given.parquet"


def done(folder: str, shard_id: str) -> str:
    """Where a worker puts its result."""
    return f"{folder}/{shard_id}.done.parquet"


def is_done(exchange: Exchange, folder: str, shard_id: str) -> bool:
    """Whether a readable result is there."""
    with suppress(NotThereError, BrokenShardError):
        from_parquet(exchange.read(done(folder, shard_id)))
        return True
    return False


def _now() -> tuple[float, float]:
    """Time of day, and processor time of this process."""
    return time.time(), time.process_time()


def _traces(began: tuple[float, float], ready: tuple[float, float]) -> dict[str, Any]:
    """Who did it, when, and at what cost in processor time once it was `ready`; for measuring."""
    ended, used = _now()
    return {
        "worker": f"{socket.gethostname()}:{os.getpid()}",
        "began": began[0],
        "ready": ready[0],
        "ended": ended,
        "cpu_s": used - ready[1],
    }


@lru_cache(maxsize=1)
def tagger_here(which: str, device: str) -> Tagger:
    """The tagger of this process, loaded once, on a device of its own where there are several."""
    from flows.spread.devices import use_device
    from models.tagger import load_tagger

    use_device(device)
    return load_tagger(which, device)
