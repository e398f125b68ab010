"""Replay fourteen months of real feeds through the whole pipeline, month by month: what each day brought, seconds, peak memory.

    python benchmarks/replay.py [--home DIR] [--tagger keyword] [--days 2025-06-30 2025-12-31 …] [--json FILE]

Needs `../shared` with the archived feeds. Runs plainly, in one process, without Prefect.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flows import pipeline  # noqa: E402
from models import settings  # noqa: E402

SHARED = ROOT.parent / "shared"
FIRST, LAST = date(2025, 6, 30), date(2026, 8, 22)


class Archive:
    """The archived web on loopback, as it stood on a day that can be moved."""

    def __init__(self, base: str, shared: Path, pid: int = 0) -> None:
        self.base = base
        self.shared = shared
        self.pid = pid

    def move(self, day: date) -> None:
        """Let the web stand as on the evening of `day`."""
        self.move_to(datetime(day.year, day.month, day.day, 23, 59, 59))

    def move_to(self, moment: datetime) -> None:
        """Let the web stand as at `moment`, UTC."""
        urllib.request.urlopen(f"{self.base}/__clock?at={moment:%Y-%m-%dT%H:%M:%S}", data=b"").read()

    def stats(self) -> dict[str, Any]:
        """Requests, 304s and bytes by path since the start."""
        found: dict[str, Any] = json.load(urllib.request.urlopen(f"{self.base}/__stats"))
        return found

    def rows(self) -> list[dict[str, str]]:
        """The archived sources as they are listed."""
        with (self.shared / "replay" / "sources.csv").open(encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))

    def write_sources(self, file: Path) -> Path:
        """The same as a file of sources for `lifeline run --sources`."""
        with file.open("w", encoding="utf-8", newline="") as handle:
            out = csv.writer(handle)
            out.writerow(["source_id", "title", "kind", "url", "site", "provider", "tier"])
            for row in self.rows():
                kind = "registry" if row["kind"] == "registry" else "changelog" if row["path"].endswith(".md") else "feed"
                tier = "registry" if kind == "registry" else "official"
                url = self.base + row["path"]
                out.writerow([Path(row["path"]).stem, row["title"], kind, url, row["site"], row["provider"], tier])
        return file


@contextmanager
def archive(shared: Path = SHARED, day: date = FIRST) -> Iterator[Archive]:
    """Serve the archive on a free port until left."""
    command = [sys.executable, str(shared / "tools" / "replay.py"), "--at", f"{day}T23:59:59", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield Archive(server.stdout.readline().strip(), shared, server.pid)
        finally:
            server.terminate()


def month_ends(first: date = FIRST, last: date = LAST) -> list[date]:
    """The last day of each month from `first` on, and `last`."""
    days, month = [], first.replace(day=1)
    while True:
        month = (month + timedelta(days=32)).replace(day=1)
        end = month - timedelta(days=1)
        if end >= last:
            return [*days, last]
        days.append(end)


def run_on(day: date, sources: Path, stages: Sequence[str] = ()) -> pipeline.Outcome:
    """One pass that stands on `day`, in this process."""
    chosen = pipeline.stages_named(list(stages))
    job = pipeline.Job(day, datetime.now(UTC), stages=chosen, sources=sources, say=lambda line: None)
    return pipeline.run(job, settings.load())


def peak_mb() -> dict[str, float]:
    """Peak resident memory of this process and of the largest of its children, MB."""
    kinds = {"self": resource.RUSAGE_SELF, "child": resource.RUSAGE_CHILDREN}
    return {name: round(resource.getrusage(kind).ru_maxrss / 1024, 1) for name, kind in kinds.items()}


def main() -> None:
    """Run the days, the last one twice, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="keep the store here (default: a temporary folder)")
    parser.add_argument("--tagger", default="embedded")
    parser.add_argument("--days", nargs="*", type=date.fromisoformat, default=month_ends())
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, archive() as web:
        os.environ |= {
            "LIFELINE_HOME": str(args.home or folder),
            "LIFELINE_ALLOW_PRIVATE": "1",
            "LIFELINE_TAGGER": args.tagger,
            "LIFELINE_FULLTEXT_PER_RUN": "0",
        }
        sources = web.write_sources(Path(folder) / "sources.csv")
        days = [measured(web, day, sources) for day in [*args.days, args.days[-1]]]
    total = {"days": days, "seconds": round(sum(day["seconds"] for day in days), 1), "peak_mb": peak_mb()}
    print(f"{total['seconds']} s in all, peak {total['peak_mb']} MB")
    if args.json:
        args.json.write_text(json.dumps(total, indent=1, default=str))


def measured(web: Archive, day: date, sources: Path) -> dict[str, Any]:
    """One day: its counts and seconds, printed as a line."""
    web.move(day)
    began = time.perf_counter()
    outcome = run_on(day, sources)
    seconds = round(time.perf_counter() - began, 2)
    ingest, counts = outcome.counts["ingest"], outcome.counts
    print(
        f"{day} {outcome.status:<7} {seconds:6.1f} s  documents {ingest['documents']:5} (+{ingest['new']}, {ingest['not_modified']} unchanged "
        f"sources)  jumps {counts['detect'].get('jump')}  exposures {counts['derive'].get('exposure')}  lifelines {counts['derive'].get('lifeline')}",
        flush=True,
    )
    return {"day": day, "seconds": seconds, "by_stage": outcome.seconds, "counts": counts}


if __name__ == "__main__":
    main()
