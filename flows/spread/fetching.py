"""Polling on a cluster, as the writer sees it. A host belongs to one shard, and a shard to one worker at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flows.health import State
from flows.ingest import Store
from flows.polling import Polled
from flows.sources import politeness_key
from flows.spread.handover import HandOver
from flows.spread.rows import outcomes_of, state_table
from flows.spread.runner import Runner, run_shards
from flows.spread.shards import cut_hosts, fingerprint
from models.errors import SettingsError
from models.exchange import ExchangeError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from models.settings import Settings

# fewer hosts are asked from here before a cluster is up
FEWEST_HOSTS = 40
SHARDS_A_WORKER = 8
# what a killed run fetched within so long need not be asked for again
FRESH = timedelta(minutes=30)
OPTIONS = ("contact", "allow_private", "fetch_deadline_s", "fetch_max_mb", "fetch_concurrency", "host_spacing_s")


def poll_elsewhere(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    runner: Runner,
    states: Sequence[State],
    store: Store,
    now: datetime,
    say: Callable[[str], None],
    *,
    fewest: int = FEWEST_HOSTS,
) -> Sequence[State]:
    """Poll sources on a cluster, where they lie on `fewest` hosts at least; hands polls to `store`, returns what is still to be polled.

    First come polls that a killed run left behind, unless they are old by now.
    """
    left = {fingerprint(state): state for state in states}

    def merge(table: pa.Table) -> None:
        found = [(left[mark], outcome) for mark, outcome in outcomes_of(table) if mark in left]
        if found:
            store([Polled(state, outcome) for state, outcome in found])
        for state, _ in found:
            left.pop(fingerprint(state))

    try:
        _poll(HandOver(con, settings, "fetch"), settings, runner, left, merge, now, say, fewest)
    except (ExchangeError, SettingsError) as error:
        say(f"{error}; going on in this process")
    return list(left.values())


def _poll(
    hand: HandOver,
    settings: Settings,
    runner: Runner,
    left: dict[str, State],
    merge: Callable[[Any], None],
    now: datetime,
    say: Callable[[str], None],
    fewest: int,
) -> None:
    for table, about in hand.left():
        if is_fresh(about.get("asked_at"), now):
            merge(table)
    hand.sweep()
    n_hosts = len({politeness_key(state.url) for state in left.values()})
    if n_hosts < fewest:
        return
    shards = cut_hosts(list(left.values()), SHARDS_A_WORKER * runner.n_expected)
    say(f"polling {len(left)} sources on {n_hosts} hosts in {len(shards)} shards on {runner.words}")
    for shard in shards:
        hand.give(shard.shard_id, state_table(shard.states, [fingerprint(state) for state in shard.states]))

    def take(shard_id: str) -> None:
        merge(hand.take(shard_id)[0])
        hand.drop(shard_id)

    same = {
        "address": hand.exchange.address,
        "folder": hand.folder,
        "asked_at": now.isoformat(),
        "options": options(settings, runner),
    }
    run_shards(runner, settings.home, "fetch_shard", [{"shard_id": shard.shard_id} for shard in shards], same, take, say)
    hand.sweep()


def is_fresh(asked_at: str | None, now: datetime) -> bool:
    """Whether a poll that a killed run made is recent enough to count as one of now."""
    return asked_at is not None and timedelta(0) <= now - datetime.fromisoformat(asked_at) <= FRESH


def options(settings: Settings, runner: Runner) -> dict[str, Any]:
    """The settings that a fetch needs; hosts asked at once are shared out among local workers."""
    found = {name: settings[name] for name in OPTIONS}
    if not runner.address:
        found["fetch_concurrency"] = max(1, -(-found["fetch_concurrency"] // runner.n_local))
    return found
