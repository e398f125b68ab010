"""An hourly poll as a queue: how long N sources take with so many threads, two at a host, and a pause between requests to one host.

    python benchmarks/poll_queue.py [--sources 500 5000 20000 100000] [--threads 16] [--processes 1] [--latency-s 0.4] …

An event simulation in the words of `flows.polling`: a thread takes the next source whose host is free, waits for the host's turn, then for
the answer, then for its share of the processor (one interpreter computes one thing at a time), and the writer commits in batches. Hosts
have sizes as the web has: most sources sit alone, a few hosts carry thousands. `--check` polls a real loopback server and compares.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

PER_HOST = 2


@dataclass(frozen=True)
class Web:
    """What a poll meets. `alone` is the share of sources whose host has no other; the rest lies on `big_hosts` hosts, sizes by Zipf."""

    latency_s: float = 0.4
    spread: float = 0.8  # sigma of the lognormal around it
    hang_share: float = 0.005  # answers that never come
    deadline_s: float = 25.0
    spacing_s: float = 0.5
    alone: float = 0.7
    big_hosts: int = 40
    new_share: float = 0.1  # polls that bring a body to parse; the others are 304s


@dataclass(frozen=True)
class Costs:
    """Processor seconds of one poll: in the interpreter that fetches, in a parser, in the writer."""

    fetch_s: float = 0.004
    parse_s: float = 0.02
    write_s: float = 0.002


@dataclass(frozen=True)
class Result:
    """How long the poll took and what it waited for. `longest_host_s` is what the biggest host takes by itself."""

    n_sources: int
    threads: int
    processes: int
    seconds: float
    p50_s: float
    p99_s: float
    busiest_host: int
    longest_host_s: float
    interpreter_busy: float
    writer_busy: float
    bound_by: str


def hosts_of(n: int, web: Web, chance: random.Random) -> list[int]:
    """The host of each source."""
    n_alone = round(n * web.alone)
    weights = [1 / (rank + 1) for rank in range(web.big_hosts)]
    shared = chance.choices(range(web.big_hosts), weights, k=n - n_alone)
    hosts = [*shared, *range(web.big_hosts, web.big_hosts + n_alone)]
    chance.shuffle(hosts)
    return hosts


def simulate(n: int, web: Web, costs: Costs, *, threads: int = 16, processes: int = 1, cores: int = 2, seed: int = 1) -> Result:
    """One poll of `n` sources; hosts are divided among the processes, each with `threads` threads, one writer for all."""
    chance = random.Random(seed)
    hosts = hosts_of(n, web, chance)
    sizes = Counter(hosts)
    busy, ends, fetched = [], [], 0.0
    # interpreters share the cores; parsers and the writer take theirs from the same
    slow = max(1.0, (processes + 1) / cores)
    for one in range(processes):
        mine = [host for host in hosts if host % processes == one]
        moments, used = _one_process(mine, web, replace(costs, fetch_s=costs.fetch_s * slow), threads, chance)
        ends += moments
        busy.append(used)
        fetched = max(fetched, max(moments, default=0.0))
    parsing = n * web.new_share * costs.parse_s / cores
    writing = n * costs.write_s
    seconds = max(fetched, parsing, writing)
    host_alone = max(sizes.values()) * max(web.spacing_s, web.latency_s / PER_HOST)
    shares = {
        "the biggest host's spacing": host_alone,
        "the interpreter": max(busy),
        "the writer": writing,
        "the parsers": parsing,
        "threads that wait for answers": n / processes * _mean_wait(web) / threads,
    }
    ends.sort()
    return Result(
        n, threads, processes, round(seconds, 1), round(ends[len(ends) // 2], 1), round(ends[int(len(ends) * 0.99)], 1), max(sizes.values()),
        round(host_alone, 1), round(max(busy) / max(seconds, 1e-9), 2), round(writing / max(seconds, 1e-9), 2), max(shares, key=lambda name: shares[name]),
    )  # fmt: skip


def _mean_wait(web: Web) -> float:
    return web.latency_s * (1 - web.hang_share) + web.deadline_s * web.hang_share


def _one_process(hosts: Sequence[int], web: Web, costs: Costs, threads: int, chance: random.Random) -> tuple[list[float], float]:
    """Events of one process: when each poll ended, and how long its interpreter computed."""
    waiting: dict[int, int] = Counter(hosts)
    order = deque(waiting)
    at_host: Counter[int] = Counter()
    turn: dict[int, float] = {}
    free: list[float] = [0.0] * threads
    heapq.heapify(free)
    running: list[tuple[float, int]] = []
    ends: list[float] = []
    interpreter, used = 0.0, 0.0
    while order or running:
        host = _next(order, at_host) if order and len(running) < threads else None
        if host is None:
            now, done = heapq.heappop(running)
            at_host[done] -= 1
            heapq.heappush(free, now)
            ends.append(now)
            continue
        began = heapq.heappop(free)
        waiting[host] -= 1
        if not waiting[host]:
            order.pop()  # it was rotated to the end
        at_host[host] += 1
        start = max(began, turn.get(host, 0.0))
        turn[host] = start + web.spacing_s
        wait = web.deadline_s if chance.random() < web.hang_share else chance.lognormvariate(0, web.spread) * web.latency_s
        interpreter = max(interpreter, start) + costs.fetch_s
        used += costs.fetch_s
        heapq.heappush(running, (max(start + wait, interpreter), host))
    return ends, used


def _next(order: deque[int], at_host: Counter[int]) -> int | None:
    for _ in range(len(order)):
        host = order[0]
        order.rotate(-1)
        if at_host[host] < PER_HOST:
            return host
    return None


def most_sources(web: Web, costs: Costs, *, within_s: float, **how: int) -> int:
    """The most sources that one poll gets through within a time, to 3 %."""
    low, high = 1, 400_000
    while high - low > max(1, low * 0.03):
        middle = (low + high) // 2
        low, high = (middle, high) if simulate(middle, web, costs, **how).seconds <= within_s else (low, middle)
    return low


def check(n: int = 400, latency_ms: float = 100.0, threads: int = 16) -> dict[str, Any]:
    """A real poll of a loopback server against the simulation of the same."""
    import tempfile
    from datetime import UTC, datetime, timedelta

    from benchmarks.ingest import LateServer
    from flows.ingest import ingest
    from models import settings, store
    from models.types import Source

    server = LateServer(n, 5, latency_ms / 1000)
    sources = [Source(f"f{i:05}", f"Feed {i}", "feed", f"{server.url}/{i}") for i in range(n)]
    config = settings.load(
        {"LIFELINE_HOME": tempfile.mkdtemp(), "LIFELINE_ALLOW_PRIVATE": "1", "LIFELINE_FETCH_CONCURRENCY": str(threads)}
    )
    now = datetime(2026, 8, 23, tzinfo=UTC)
    with store.open_work(config.home) as con:
        ingest(con, sources, clock=lambda: now, settings=config)
        began, cpu = time.monotonic(), time.process_time()
        counts = ingest(con, sources, clock=lambda: now + timedelta(days=1), settings=config)
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    # the server computes in this process, too, so what one poll takes of the interpreter is all of it
    web = Web(latency_s=latency_ms / 1000, spread=0.0, hang_share=0.0, spacing_s=0.0, alone=1.0, new_share=0.0)
    told = simulate(n, web, Costs(cpu / n, 0.0, 0.0), threads=threads, cores=2)
    return {
        "polls": counts["polled"],
        "not_modified": counts["not_modified"],
        "real_s": round(seconds, 2),
        "simulated_s": told.seconds,
        "cpu_s": round(cpu, 2),
    }


def main() -> None:
    """Print a row for each number of sources as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, nargs="*", default=[500, 5000, 20_000, 100_000])
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--check", action="store_true")
    for name, value in {**asdict(Web()), **asdict(Costs())}.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    args = parser.parse_args()
    if args.check:
        print(json.dumps(check(threads=args.threads)))
        return
    web = Web(**{name: getattr(args, name) for name in asdict(Web())})
    costs = Costs(**{name: getattr(args, name) for name in asdict(Costs())})
    for n in args.sources:
        print(
            json.dumps(asdict(simulate(n, web, costs, threads=args.threads, processes=args.processes, cores=args.cores))),
            flush=True,
        )


if __name__ == "__main__":
    main()
