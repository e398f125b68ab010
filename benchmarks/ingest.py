"""How fast and how heavy polling is.

    python benchmarks/ingest.py replay --reader-python /path/to/venv/bin/python
        the recorded feeds of ../shared, week by week, by us and (where an interpreter with `pip install reader` is given) by
        lemon24/reader, on the same server: seconds, processor seconds, peak memory of the process with its children
    python benchmarks/ingest.py load --feeds 2000 --latency-ms 30
        so many feeds on a loopback server that answers late: a cold round, then a round of 304s

Every contender runs in a process of its own. Results go to standard output as JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(ROOT))
FIRST, LAST = datetime(2025, 1, 5, 23, 59, tzinfo=UTC), datetime(2026, 8, 23, 23, 59, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["replay", "load", "_ours", "_ours_load"])
    parser.add_argument("base", nargs="?")
    parser.add_argument("--reader-python")
    parser.add_argument("--every-days", type=int, default=7)
    parser.add_argument("--feeds", type=int, default=2000)
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--latency-ms", type=float, default=30.0)
    args = parser.parse_args()
    report = {"replay": replay, "load": load, "_ours": ours, "_ours_load": ours_load}[args.mode](args)
    print(json.dumps(report, indent=2, default=str), flush=True)


def replay(args: argparse.Namespace) -> dict:
    """Every contender on a fresh server over the same days."""
    contenders = {"lifeline": [sys.executable, __file__, "_ours"]}
    if args.reader_python:
        contenders["reader"] = [args.reader_python, "-c", READER, str(SHARED / "replay" / "sources.csv")]
    found = {}
    for name, command in contenders.items():
        server = subprocess.Popen(
            [sys.executable, str(SHARED / "tools" / "replay.py"), "--port", "0"], stdout=subprocess.PIPE, text=True
        )
        try:
            base = server.stdout.readline().strip()
            extra = ["--every-days", str(args.every_days)] if name == "lifeline" else [str(args.every_days)]
            found[name] = measured([*command, base, *extra])
        finally:
            server.terminate()
            server.wait()
    return found


def measured(command: list[str]) -> dict:
    """Run a command whose last output is JSON; adds wall seconds and the peak memory of it and its children."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            peak[0] = max(peak[0], tree_bytes(child.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.monotonic()
    out, _ = child.communicate()
    seconds = time.monotonic() - start
    done.set()
    watcher.join()
    report = json.loads(out[out.index("{") :]) if "{" in out else {"failed": child.returncode}
    return {"wall_s": round(seconds, 1), "peak_mb": peak[0] // 1_000_000, **report}


def tree_bytes(pid: int) -> int:
    """Resident memory of a process and all below it."""
    parents, resident = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            parents[int(name)] = int(Path(f"/proc/{name}/stat").read_text().rsplit(")", 1)[1].split()[1])
            resident[int(name)] = int(Path(f"/proc/{name}/statm").read_text().split()[1]) * 4096
        except (OSError, IndexError):
            continue
    family = {pid}
    for _ in range(4):
        family |= {child for child, parent in parents.items() if parent in family}
    return sum(resident.get(member, 0) for member in family)


def days(every: int) -> list[datetime]:
    """The days on which a replay polls."""
    n = (LAST - FIRST).days // every
    return [FIRST + timedelta(days=every * i) for i in range(n + 1)]


def move(base: str, moment: datetime) -> None:
    """Set the server's clock."""
    urllib.request.urlopen(
        urllib.request.Request(f"{base}/__clock?at={moment:%Y-%m-%dT%H:%M:%S}", method="POST", data=b"")
    ).read()


def ours(args: argparse.Namespace) -> dict:
    """Poll the replay with this program: documents, versions, health."""
    from flows.ingest import ingest
    from models import settings, store
    from models.types import Source

    rows = list(csv.DictReader((SHARED / "replay" / "sources.csv").open()))
    sources = [
        Source(row["path"].strip("/").replace("/", "-"), row["title"], "auto", args.base + row["path"], row["site"])
        for row in rows
    ]
    home = Path(tempfile.mkdtemp())
    config = settings.load({"LIFELINE_HOME": str(home), "LIFELINE_ALLOW_PRIVATE": "1"})
    with store.open_work(home) as con:
        for day in days(args.every_days):
            move(args.base, day)
            ingest(con, sources, clock=lambda day=day: day, settings=config)
        counts = con.execute(
            "select count(*), sum(n_versions), (select count(*) from source where health in ('fine', 'stale')) from document"
        ).fetchall()[0]
    return {"cpu_s": cpu_s(), "documents": counts[0], "versions": int(counts[1]), "healthy_sources": counts[2]}


def cpu_s() -> float:
    """Processor seconds of this process and its children that ended."""
    from flows.parse.pool import shared_pool

    shared_pool().close()
    times = os.times()
    return round(times.user + times.system + times.children_user + times.children_system, 1)


READER = """
import csv, json, os, sys, tempfile, urllib.request
from datetime import datetime, timedelta, timezone
from reader import make_reader
sources, base, every = sys.argv[1], sys.argv[2], int(sys.argv[3])
reader = make_reader(os.path.join(tempfile.mkdtemp(), "db.sqlite"))
for row in csv.DictReader(open(sources)):
    if row["path"].endswith(".xml"):
        reader.add_feed(base + row["path"])
day, last = datetime(2025, 1, 5, 23, 59, tzinfo=timezone.utc), datetime(2026, 8, 23, 23, 59, tzinfo=timezone.utc)
while day <= last:
    request = urllib.request.Request(f"{base}/__clock?at={day:%Y-%m-%dT%H:%M:%S}", method="POST", data=b"")
    urllib.request.urlopen(request).read()
    for result in reader.update_feeds_iter(workers=16, scheduled=False):
        pass
    day += timedelta(days=every)
times = os.times()
print(json.dumps({"cpu_s": round(times.user + times.system, 1), "entries": reader.get_entry_counts().total}))
"""


def load(args: argparse.Namespace) -> dict:
    """Many feeds that answer late."""
    server = LateServer(args.feeds, args.items, args.latency_ms / 1000)
    command = [sys.executable, __file__, "_ours_load", server.url, "--feeds", str(args.feeds)]
    return measured(command)


class LateServer:
    """Feeds that differ, each answering after a pause; with ETag and 304."""

    def __init__(self, n: int, items: int, pause_s: float) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                time.sleep(pause_s)
                number = int(self.path.rsplit("/", 1)[1])
                tag = f'"{number}"'
                is_known = self.headers.get("If-None-Match") == tag
                body = b"" if is_known else a_feed(number, items)
                self.send_response(304 if is_known else 200)
                self.send_header("ETag", tag)
                if not is_known:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def a_feed(number: int, items: int) -> bytes:
    """One feed with a few sentences an entry."""
    entries = "".join(
        f"<item><title>Entry {i} of feed {number}</title><link>https://site{number}.example/{i}</link><guid>https://site{number}.example/{i}</guid>"
        f"<description>&lt;p&gt;{'The model reads images and calls tools. ' * 8}{number}-{i}&lt;/p&gt;</description>"
        f"<pubDate>Sat, 01 Aug 2026 {i % 24:02}:00:00 GMT</pubDate></item>"
        for i in range(items)
    )
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>Feed {number}</title>{entries}</channel></rss>".encode()


def ours_load(args: argparse.Namespace) -> dict:
    """A cold round and a round of 304s."""
    from flows.ingest import ingest
    from models import settings, store
    from models.types import Source

    sources = [Source(f"f{i:05}", f"Feed {i}", "feed", f"{args.base}/{i}") for i in range(args.feeds)]
    home = Path(tempfile.mkdtemp())
    config = settings.load({"LIFELINE_HOME": str(home), "LIFELINE_ALLOW_PRIVATE": "1"})
    report = {}
    with store.open_work(home) as con:
        for name, day in (("cold", LAST), ("not_modified", LAST + timedelta(days=1))):
            start = time.monotonic()
            counts = ingest(con, sources, clock=lambda day=day: day, settings=config)
            report |= {f"{name}_s": round(time.monotonic() - start, 1), f"{name}_counts": counts}
    return report | {"cpu_s": cpu_s(), "cpus": os.cpu_count(), "load_average": os.getloadavg()[0]}


if __name__ == "__main__":
    main()
