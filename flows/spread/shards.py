"""How work is cut: pure functions. A shard's id names its content, so that its result can be told apart from any other."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from flows.health import State
from flows.sources import LEARNT, SAID, politeness_key

# more tasks than this in one flow run would weigh on Prefect's database
MOST_SHARDS = 400
DOCUMENTS = 2048


@dataclass(frozen=True, slots=True)
class Documents:
    """Documents from id to id, `n` of them."""

    shard_id: str
    first: str
    last: str
    n: int


@dataclass(frozen=True, slots=True)
class Hosts:
    """Sources that are asked one after the other: all the due ones of some hosts."""

    shard_id: str
    states: tuple[State, ...]


def cut_documents(
    tagger: str, keys: Sequence[tuple[str, str]], size: int = DOCUMENTS, most: int = MOST_SHARDS
) -> list[Documents]:
    """Consecutive shards of `size` documents, larger ones where there would be more than `most`; `keys` are id and hash, by id."""
    size = max(size, -(-len(keys) // most))
    parts = [keys[start : start + size] for start in range(0, len(keys), size)]
    return [Documents(digest([tagger, part]), part[0][0], part[-1][0], len(part)) for part in parts]


def cut_hosts(states: Sequence[State], n_shards: int) -> list[Hosts]:
    """At most `n_shards` shards of about as many sources each; all sources of one host are in one, so that its pauses hold."""
    by_host: dict[str, list[State]] = {}
    for state in sorted(states, key=lambda state: state.source.source_id):
        by_host.setdefault(politeness_key(state.url), []).append(state)
    parts: list[list[State]] = [[] for _ in range(min(n_shards, len(by_host)))]
    heap = [(0, i) for i in range(len(parts))]
    for _, found in sorted(by_host.items(), key=lambda item: (-len(item[1]), item[0])):
        n, i = heap[0]
        parts[i] += found
        heapq.heapreplace(heap, (n + len(found), i))
    ordered = [tuple(sorted(part, key=lambda state: state.source.source_id)) for part in parts]
    return [Hosts(digest([fingerprint(state) for state in part]), part) for part in ordered]


def fingerprint(state: State) -> str:
    """Names a source in the state in which it is polled: after any poll it is another."""
    said = [getattr(state.source, name) for name in SAID]
    return digest([said, [_plain(getattr(state, name)) for name in LEARNT]])


def _plain(value: Any) -> Any:
    """Instants as numbers, for libraries name one time zone in several ways."""
    return value.timestamp() if isinstance(value, datetime) else value


def digest(value: Any) -> str:
    """Twenty hexadecimal digits that stand for plain values."""
    return sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:20]
