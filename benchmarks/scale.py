"""What a document costs here, and what that means for a thousand times as many.

    python benchmarks/scale.py [--documents 20000] [--json FILE]        measure, extrapolate, print
    python benchmarks/scale.py --from FILE [--usd-cpu-hour 0.04] …       extrapolate anew from an earlier measurement
    python benchmarks/scale.py --from FILE --markdown                    the tables of docs/scale.md

Measured are processor seconds, bytes and peak memory of each stage on real code and a real store, with announcements of `../shared` where
it is there, else with the project's own examples. Every price is a parameter, and so is the speed of a GPU: it is not measured here.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
SHARED = ROOT.parent / "shared"
LAST = datetime(2026, 8, 22, 12, tzinfo=UTC)
PER_LISTING, PER_BATCH = 20, 64
N_FEEDS, N_EMBEDDED, N_KEYWORD = 200, 128, 2000


def main() -> None:
    """Measure, or read what was measured; then extrapolate."""
    from benchmarks import scale_out

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=sorted(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--documents", type=int, default=20_000, help="documents in the larger of the two stores")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep what was measured and what follows")
    parser.add_argument("--from", type=Path, dest="measured", metavar="FILE", help="do not measure, take this file's figures")
    parser.add_argument("--markdown", action="store_true", help="print tables instead of JSON")
    scale_out.add_prices(parser)
    args = parser.parse_args()
    if args.part:
        print(json.dumps(PARTS[args.part](args.documents)))
        return
    unit = json.loads(args.measured.read_text())["unit"] if args.measured else measure(args.documents)
    found = {"unit": unit, **scale_out.extrapolate(unit, scale_out.prices_of(args))}
    if args.json:
        args.json.write_text(json.dumps(found, indent=1))
    print(scale_out.markdown(found) if args.markdown else json.dumps(found, indent=1))


def measure(n_documents: int) -> dict[str, Any]:
    """Every part in a process of its own, so that peaks of memory and times of children are its own."""
    found: dict[str, Any] = {"machine": machine(), "measured_on": str(date.today())}
    for part in PARTS:
        began = time.monotonic()
        command = [sys.executable, __file__, part, "--documents", str(n_documents)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{part} failed: {done.stderr[-2000:]}")
        found |= json.loads(done.stdout.splitlines()[-1])
        print(f"{part}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return found


def machine() -> dict[str, Any]:
    """Where this was measured."""
    name = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ""
    )
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return {
        "cpu": name or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory_gb),
        "load": round(os.getloadavg()[0], 1),
    }


def cpu_s() -> float:
    """Processor seconds of this process and its children that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def fetch(_: int) -> dict[str, Any]:
    """A poll that brings a feed, and one that brings nothing new: processor seconds of the poller with its parsers and writer."""
    from benchmarks.ingest import LateServer, a_feed

    server = LateServer(N_FEEDS, PER_LISTING, 0.0)
    done = subprocess.run(
        [sys.executable, __file__, "_poll", "--documents", str(server.server.server_address[1])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {
        **json.loads(done.stdout.splitlines()[-1]),
        "feed_bytes": len(a_feed(1, PER_LISTING)),
        "entries_per_feed": PER_LISTING,
    }


def poll(port: int) -> dict[str, Any]:
    """The poller of `fetch`, in a process of its own."""
    from flows.ingest import ingest
    from flows.parse.pool import shared_pool
    from models import settings, store
    from models.types import Source

    sources = [Source(f"f{i:05}", f"Feed {i}", "feed", f"http://127.0.0.1:{port}/{i}") for i in range(N_FEEDS)]
    config = settings.load({"LIFELINE_HOME": tempfile.mkdtemp(), "LIFELINE_ALLOW_PRIVATE": "1", "LIFELINE_FULLTEXT_PER_RUN": "0"})
    found = {}
    with store.open_work(config.home) as con:
        for name, day in (("poll_new_cpu_s", 0), ("poll_304_cpu_s", 1)):
            began = cpu_s()
            counts = ingest(con, sources, clock=lambda day=day: LAST + timedelta(days=day), settings=config)
            shared_pool().close()  # so that its parsers count
            assert counts["failed"] == 0
            found[name] = round((cpu_s() - began) / N_FEEDS, 5)
    return found


def parse(_: int) -> dict[str, Any]:
    """Parsing alone, a document."""
    from benchmarks.ingest import a_feed
    from flows.parse import parse as read

    body, began = a_feed(1, PER_LISTING), cpu_s()
    for _ in range(30):
        read("feed", body)
    return {"parse_cpu_s": round((cpu_s() - began) / 30 / PER_LISTING, 6)}


def tag(_: int) -> dict[str, Any]:
    """Both taggers on one thread, a document."""
    import torch

    from models.tagger import load_tagger
    from models.types import TextIn

    torch.set_num_threads(1)
    texts = [
        TextIn(str(n), row["title"], row["text"], row.get("lang") or "")
        for n, row in zip(range(N_KEYWORD), announcements(), strict=False)
    ]
    found = {"characters": round(sum(len(one.title) + len(one.text) for one in texts) / len(texts))}
    for name, n in (("keyword", N_KEYWORD), ("embedded", N_EMBEDDED)):
        tagger = load_tagger(name, "cpu")
        tagger.tag(texts[:16])
        began = cpu_s()
        tagger.tag(texts[:n])
        found[f"tag_{name}_cpu_s"] = round((cpu_s() - began) / min(n, len(texts)), 6)
    return found


def store_small(n: int) -> dict[str, Any]:
    """The stages of a store of a quarter as many documents, to see what grows."""
    return {"small": _stages(n // 4)}


def store_large(n: int) -> dict[str, Any]:
    """The stages of a store of all of them."""
    return {"large": _stages(n)}


def _stages(n: int) -> dict[str, Any]:
    """Store, tag, detect, derive and publish `n` announcements; processor seconds of each, sizes, peak memory.

    `again` is to detect once more when one listing has come in, each document of which is of another day: the worst that a listing can do.
    """
    from models import store
    from models.catalogue import load, write_tables
    from models.detect.stage import detect
    from models.survival.stage import derive
    from models.tagger import load_tagger

    home, catalogue = Path(tempfile.mkdtemp()), load(Path("/nonexistent"))
    found: dict[str, Any] = {"documents": n}

    def timed(name: str, work: Any) -> None:
        began = cpu_s()
        work()
        found[f"{name}_cpu_s"] = round(cpu_s() - began, 2)

    with store.open_work(home) as con:
        con.execute("set threads = 2")
        store.set_as_of(con, LAST.date())
        timed("store", lambda: _store(con, n))
        con.execute("checkpoint")
        found["store_bytes"] = (home / "work.duckdb").stat().st_size
        tagger = load_tagger("keyword")
        con.execute("insert or replace into meta values ('tagger', ?)", [tagger.name])
        found["keep_tags_cpu_s"] = _tag(con, tagger)
        con.execute("checkpoint")
        found["tagged_bytes"] = (home / "work.duckdb").stat().st_size
        write_tables(con, catalogue)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        timed("detect", lambda: detect(con, catalogue, LAST.date(), home / "rulings", []))
        found["detect_peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        found["before_detect_mb"] = round(before / 1024)
        _store(con, PER_LISTING, first=n)
        _tag(con, tagger)
        timed("again", lambda: detect(con, catalogue, LAST.date(), home / "rulings", []))
        found["jumps"] = con.execute("select count(*) from jump where origin = 'detected'").fetchall()[0][0]
        timed("derive", lambda: derive(con, LAST.date(), seed=1))
        timed("publish", lambda: store.publish(con, home / "lifeline.duckdb"))
    found["published_bytes"] = (home / "lifeline.duckdb").stat().st_size
    return found


def _store(con: Any, n: int, first: int = 0) -> None:
    from models.documents import Entry, store_listings, transaction
    from models.types import Source

    chance, rows, listings = random.Random(3 + first), islice(announcements(), first, None), []
    for number in range(first // PER_LISTING, (first + n) // PER_LISTING):
        entries = []
        for i in range(PER_LISTING):
            row = next(rows)
            day = LAST - timedelta(days=chance.uniform(0, 700))
            entries.append(
                Entry(
                    row["title"], row["text"], f"https://site{number}.example/{i}", published_at=day, lang=row.get("lang") or ""
                )
            )
        listings.append(
            (
                Source(
                    f"s{number}",
                    f"Source {number}",
                    "feed",
                    f"https://site{number}.example/feed",
                    f"https://site{number}.example",
                ),
                entries,
            )
        )
        if len(listings) == PER_BATCH:
            with transaction(con):
                store_listings(con, listings, LAST)
            listings = []
    if listings:
        with transaction(con):
            store_listings(con, listings, LAST)


def _tag(con: Any, tagger: Any) -> float:
    """Tag everything; processor seconds of keeping the tags, without those of the tagger."""
    from models.tags import pending_batches, store_tags

    kept = 0.0
    for batch in pending_batches(con, tagger.name, 256):
        tags = tagger.tag(batch)
        began = cpu_s()
        store_tags(con, tagger.name, tags, LAST)
        kept += cpu_s() - began
    return round(kept, 2)


def announcements() -> Iterator[dict[str, Any]]:
    """Announcements without end: real ones where there are any, else our own examples; from the second round on with words exchanged."""
    rows, chance, turn = _rows(), random.Random(5), 0
    while True:
        for row in rows:
            words = row["text"].split(" ")
            for _ in range(max(1, len(words) // 10) if turn else 0):
                words[chance.randrange(len(words))] = chance.choice(words)
            yield {**row, "title": f"{row['title']} {turn}" if turn else row["title"], "text": " ".join(words)}
        turn += 1


def _rows() -> Sequence[dict[str, Any]]:
    corpus = SHARED / "corpus" / "items_dev.jsonl.zst"
    if corpus.is_file():
        raw = subprocess.run(["zstd", "-dcq", str(corpus)], check=True, capture_output=True).stdout
        return [{name: row.get(name) or "" for name in ("title", "text", "lang")} for row in map(json.loads, raw.splitlines())]
    from models.tagging.gathering import own_examples

    own = own_examples()
    return [
        {"title": one.title, "text": " ".join(other.text for other in own[i : i + 3]), "lang": ""} for i, one in enumerate(own)
    ]


def queue(_: int) -> dict[str, Any]:
    """A real poll of a loopback server against the simulation of it."""
    from benchmarks.poll_queue import check

    return {"queue_check": check(n=300)}


def estimate(_: int) -> dict[str, Any]:
    """The arithmetic at 10,000 products and 5,000 jumps."""
    from benchmarks.derive import measure as derive

    began = cpu_s()
    found = derive(1.0)
    return {"derive_large": {"cpu_s": round(cpu_s() - began, 1), "peak_gb": found["peak_gb"], "products": 10_000, "jumps": 5_000}}


PARTS = {
    "fetch": fetch,
    "parse": parse,
    "tag": tag,
    "small": store_small,
    "large": store_large,
    "queue": queue,
    "estimate": estimate,
}


if __name__ == "__main__":
    if sys.argv[1:2] == ["_poll"]:
        print(json.dumps(poll(int(sys.argv[3]))))
    else:
        main()
