"""Tagging on local worker processes of Dask and Ray against one process: equal rows, seconds of work, cost of starting.

    python benchmarks/spread.py [--taggers keyword,embedded] [--documents 50000] [--embedded 256] [--engines dask,ray] [--workers 1,2,4]
    python benchmarks/spread.py --equal --taggers embedded --embedded 50000 --engines ray,dask --workers 4

`work` runs from the first worker that starts to tag to the last result on the exchange; `start` is what comes before (cluster, imports,
weights; Prefect's server is started once for all and shown by itself), `rest` what comes after (last merges, cluster down). `cpu` is
the processor time of all workers, which other programs on the machine do not change. Every run's rows are compared with those of one.

With `--equal` only the rows count: seconds are shown for those who wait, and say nothing where the cores are not idle; a run whose rows
differ tells how many and which, and the others go on. With `--home FOLDER` what one process tagged stays there, and a benchmark that was
stopped takes up where it was. Speed-up is over the first of `--workers` on the same engine.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

NOW = datetime(2026, 8, 22, tzinfo=UTC)
SHARD = {"keyword": 2048, "embedded": 256}
ROWS = ("tagging", "tagging_label")


def main() -> None:
    args = asked()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as the clusters' workers have it
    engines, workers = args.engines.split(","), [int(n) for n in args.workers.split(",")]
    sizes = {"keyword": args.documents, "embedded": args.embedded}
    began = time.perf_counter()
    with home_of(args.home) as folder, prefect(folder) as seconds:
        print(f"{os.cpu_count()} cores, load {load()}; Prefect's server starts in {seconds:.1f} s")
        print(
            f"{'tagger':9} {'where':8} {'documents':>9} {'start s':>8} {'work s':>7} {'rest s':>7} {'cpu s':>7} {'docs/s':>7} {'speed-up':>8}  load",
            flush=True,
        )
        n_unlike = sum(
            measure(tagger, sizes[tagger], folder, engines, workers, args.equal)
            for tagger in args.taggers.split(",")
            if sizes[tagger]
        )
    print("rows differ" if n_unlike else "rows equal to one process in every run", end="; ")
    print(f"{time.perf_counter() - began:.0f} s in all")
    sys.exit(n_unlike > 0)


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--taggers", default="keyword,embedded")
    parser.add_argument("--documents", type=int, default=50_000, help="for the keyword tagger; 0 for none")
    parser.add_argument("--embedded", type=int, default=256, help="for the embedded tagger; 0 for none")
    parser.add_argument("--engines", default="dask,ray")
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--home", type=Path, help="folder to work in and to leave (default: one that is removed)")
    parser.add_argument("--equal", action="store_true", help="compare rows; go on where they differ")
    args = parser.parse_args()
    if unknown := set(args.taggers.split(",")) - set(SHARD):
        parser.error(f"no tagger {', '.join(sorted(unknown))}; write keyword, embedded or both")
    return args


@contextmanager
def home_of(folder: Path | None) -> Iterator[Path]:
    """The folder that was given, or one for the time of the block."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="lifeline-spread-") as made:
        yield Path(made)


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


def measure(tagger: str, n: int, folder: Path, engines: list[str], workers: list[int], goes_on: bool) -> int:
    """Tag the same documents alone and on every cluster; prints a line each, returns how many runs gave other rows."""
    from models import settings
    from models.store import open_work

    home, n_unlike = folder / tagger, 0
    chosen = settings.load({"LIFELINE_HOME": str(home), "LIFELINE_TAGGER": tagger, "LIFELINE_DEVICE": "cpu"})
    with open_work(home) as con:
        if alone := tag_alone(con, chosen, n):
            show(tagger, "alone", n, {"start": 0.0, "work": alone, "rest": 0.0, "cpu": alone}, alone)
        for engine in engines:
            first = None
            for count in workers:
                con.execute("delete from tagging; delete from tagging_label")
                told, trouble = tag_spread(con, chosen, f"{engine}:{count}", n, SHARD[tagger])
                if told:
                    first = first or told["work"]
                    show(tagger, f"{engine}:{count}", n, told, first)
                trouble = trouble or differing(con)
                if trouble:
                    n_unlike += 1
                    print(f"{engine}:{count} is not like one process: {trouble}", flush=True)
                    if not goes_on:
                        return n_unlike
    return n_unlike


def tag_alone(con, chosen, n: int) -> float:
    """Tag in this process and keep the rows aside, unless that was done in this home; returns the seconds, 0 where it had begun before."""
    from models.tags import n_pending

    made = {name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()}
    if {f"alone_{kept}" for kept in ROWS} <= made:
        return 0.0
    if is_new := not con.execute("select 1 from document limit 1").fetchall():
        fill(con, n)
    seconds = tag_here(con, chosen)
    assert n_pending(con, con.execute("select any_value(tagger) from tagging").fetchall()[0][0]) == 0
    con.execute("begin")
    for kept in ROWS:
        con.execute(f"create or replace table alone_{kept} as from {kept}")
    con.execute("commit")
    return seconds if is_new else 0.0


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
    tagger.tag(next(iter(pending_batches(con, tagger.name, 4)), []))
    began = time.perf_counter()
    for batch in pending_batches(con, tagger.name, 256):
        store_tags(con, tagger.name, tagger.tag(batch), NOW)
    return time.perf_counter() - began


def tag_spread(con, chosen, runner: str, n: int, size: int) -> tuple[dict[str, float], str]:
    """Seconds of each part of a run on a cluster, as the workers' results tell them, or what went wrong."""
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
        return {}, f"{merged} of {n} documents; {said[-1] if said else 'not a word'}"
    ready, last = min(trace["ready"] for trace in traces), max(trace["ended"] for trace in traces)
    cpu = sum(trace["cpu_s"] for trace in traces)
    return {"start": ready - began, "work": last - ready, "rest": ended - last, "cpu": cpu}, ""


def differing(con) -> str:
    """How many rows that tagging made now are not among those of one process, or the other way round, and the first; else nothing."""
    found = []
    for kept in ROWS:
        for one, other in ((kept, f"alone_{kept}"), (f"alone_{kept}", kept)):
            rows = con.execute(f"from {one} except all from {other} order by all").fetchall()
            found += [f"{len(rows)} of {one}, first {rows[0]}"] if rows else []
    return "; ".join(found)


def show(tagger: str, where: str, n: int, told: dict[str, float], first: float) -> None:
    parts = " ".join(f"{told[name]:{width}.1f}" for name, width in (("start", 8), ("work", 7), ("rest", 7), ("cpu", 7)))
    print(f"{tagger:9} {where:8} {n:9} {parts} {n / told['work']:7.0f} {first / told['work']:8.2f}  {load()}", flush=True)


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
