"""Tagging on local worker processes of Dask and Ray against one process: equal rows, seconds of work, cost of starting.

    python benchmarks/spread.py [--documents 50000] [--embedded 256] [--engines dask,ray] [--workers 1,2,4]

`work` runs from the first worker that starts to tag to the last result on the exchange; `start` is what comes before (cluster, imports,
weights; Prefect's server is started once for all and shown by itself), `rest` what comes after (last merges, cluster down). `cpu` is
the processor time of all workers, which other programs on the machine do not change. Every run's rows are compared with those of one.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

NOW = datetime(2026, 8, 22, tzinfo=UTC)
SHARD = {"keyword": 2048, "embedded": 64}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=50_000, help="for the keyword tagger")
    parser.add_argument("--embedded", type=int, default=256, help="for the embedded tagger; 0 for none")
    parser.add_argument("--engines", default="dask,ray")
    parser.add_argument("--workers", default="1,2,4")
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as the clusters' workers have it
    engines, workers = args.engines.split(","), [int(n) for n in args.workers.split(",")]
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="lifeline-spread-") as folder, prefect(Path(folder)) as seconds:
        print(f"{os.cpu_count()} cores, load {load()}; Prefect's server starts in {seconds:.1f} s")
        print(
            f"{'tagger':9} {'where':8} {'documents':>9} {'start s':>8} {'work s':>7} {'rest s':>7} {'cpu s':>7} {'docs/s':>7} {'speed-up':>8}  load"
        )
        lines = measure("keyword", args.documents, Path(folder), engines, workers)
        if args.embedded:
            lines += measure("embedded", args.embedded, Path(folder), engines, [n for n in workers if n <= 2])
    print(*lines, sep="\n")
    print(f"rows equal to one process in every run; {time.perf_counter() - began:.0f} s in all")


@contextmanager
def prefect(folder: Path) -> Iterator[float]:
    """One Prefect server for all runs; yields the seconds it took to start."""
    from flows.prefect_api import Api, configure

    configure(folder, log_level="CRITICAL")
    api, began = Api(folder, services=False), time.perf_counter()
    api.start()
    api.wait()
    seconds = time.perf_counter() - began
    from prefect.settings import PREFECT_API_URL, temporary_settings

    try:
        with temporary_settings({PREFECT_API_URL: api.url}):
            yield seconds
    finally:
        api.stop()


def measure(tagger: str, n: int, folder: Path, engines: list[str], workers: list[int]) -> list[str]:
    """Tag the same documents alone and on every cluster; prints a line each, returns what to remember."""
    from models import settings
    from models.store import open_work

    home = folder / tagger
    chosen = settings.load({"LIFELINE_HOME": str(home), "LIFELINE_TAGGER": tagger, "LIFELINE_DEVICE": "cpu"})
    with open_work(home) as con:
        fill(con, n)
        alone = tag_here(con, chosen)
        show(tagger, "alone", n, {"start": 0.0, "work": alone, "rest": 0.0, "cpu": alone}, alone)
        wanted, kept = digest(con), []
        for engine in engines:
            first = None
            for count in workers:
                con.execute("delete from tagging; delete from tagging_label")
                told = tag_spread(con, chosen, f"{engine}:{count}", n, SHARD[tagger])
                if digest(con) != wanted:
                    sys.exit(f"the rows of {engine}:{count} are not those of one process")
                first = first or told["work"]
                show(tagger, f"{engine}:{count}", n, told, first)
                kept.append(f"{tagger} on {engine}:{count}: {first / told['work']:.2f} x {engine}:{workers[0]}")
    return kept


def fill(con, n: int) -> None:
    """Documents of announcement length, no two alike, made from the project's own examples."""
    from models.store import insert_rows
    from models.tagging.gathering import own_examples

    own = own_examples()
    rows = [
        {
            "document_id": f"d{i:07}",
            "source_id": "s",
            "title": own[i % len(own)].title,
            "text": " ".join(example.text for example in own[i % len(own) : i % len(own) + 2]) + f" ({i})",
            "lang": "",
            "first_seen_at": NOW,
            "content_hash": f"h{i}",
        }
        for i in range(n)
    ]
    insert_rows(con, "document", rows)


def tag_here(con, chosen) -> float:
    """Seconds that one process takes, the tagger being loaded."""
    from models.tagger import load_tagger
    from models.tags import pending_batches, store_tags

    tagger = load_tagger(chosen)
    tagger.tag([])
    warm = next(iter(pending_batches(con, tagger.name, 4)))
    tagger.tag(warm)
    began = time.perf_counter()
    for batch in pending_batches(con, tagger.name, 256):
        store_tags(con, tagger.name, tagger.tag(batch), NOW)
    return time.perf_counter() - began


def tag_spread(con, chosen, runner: str, n: int, size: int) -> dict[str, float]:
    """Seconds of each part of a run on a cluster; what the workers say of themselves is read from their results."""
    from flows.spread.handover import HandOver
    from flows.spread.runner import parse_runner
    from flows.spread.tagging import tag_elsewhere
    from models.tagger import load_tagger

    name, traces, take, said = load_tagger(chosen).name, [], HandOver.take, []

    def noting(self, shard_id):
        table, about = take(self, shard_id)
        traces.append(about)
        return table, about

    HandOver.take = noting
    began = time.time()
    try:
        merged = tag_elsewhere(con, chosen, parse_runner(runner), name, lambda: NOW, said.append, fewest=1, size=size)
    finally:
        HandOver.take = take
    ended = time.time()
    if merged != n:
        sys.exit(f"{runner} brought {merged} of {n} documents: {said}")
    ready, last = min(trace["ready"] for trace in traces), max(trace["ended"] for trace in traces)
    return {"start": ready - began, "work": last - ready, "rest": ended - last, "cpu": sum(trace["cpu_s"] for trace in traces)}


def digest(con) -> str:
    """Stands for every row that tagging made."""
    found = hashlib.sha256()
    for table, order in (("tagging", "document_id"), ("tagging_label", "document_id, capability")):
        for row in con.execute(f"from {table} order by {order}").fetchall():
            found.update(repr(row).encode())
    return found.hexdigest()


def show(tagger: str, where: str, n: int, told: dict[str, float], first: float) -> None:
    parts = " ".join(f"{told[name]:{width}.1f}" for name, width in (("start", 8), ("work", 7), ("rest", 7), ("cpu", 7)))
    print(f"{tagger:9} {where:8} {n:9} {parts} {n / told['work']:7.0f} {first / told['work']:8.2f}  {load()}", flush=True)


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
