"""Live through sixty days in one process: six-hourly polls of the archived web with random faults, the whole pass once a day.

    python benchmarks/soak.py [--days 60] [--seed 1] [--fault-share 0.05] [--home DIR] [--json FILE]

Prints a line a day (documents, resident memory of this process and of its parsers, sizes of the files) and then what has to hold:

    memory  the mean over the last quarter of the days lies within 10 % of that over the second quarter
    files   nothing but documents makes them grow: the write-ahead log is folded in, no file is left over, bytes a document do not rise
    ledger  every run came to its end, and what the runs say they did is what the store holds

Exit code 1 when one of them does not. Needs `../shared` with the archived feeds. The clock is simulated, the work is not.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.relay import Relay, relay  # noqa: E402
from benchmarks.replay import Archive, archive  # noqa: E402

FIRST = date(2026, 6, 20)
POLL_HOURS = (0, 6, 12, 18)
FAULTS = "500 429 403 404 slow hang reset huge bomb loop private garbage xxe laughs empty html latin1".split()
FLAT = 0.10
SETTINGS = {
    "LIFELINE_ALLOW_PRIVATE": "1",
    "LIFELINE_TAGGER": "keyword",
    "LIFELINE_FULLTEXT_PER_RUN": "0",
    "LIFELINE_FETCH_DEADLINE_S": "2",  # what drips or hangs costs a poll so long
}


@dataclass(frozen=True)
class Day:
    """What a simulated day left. Memory is resident, after a collection, bytes."""

    on: str
    seconds: float
    documents: int
    new: int
    failed: int
    faults: int
    own_bytes: int
    children_bytes: int
    work_bytes: int
    wal_bytes: int
    published_bytes: int
    home_bytes: int
    home_files: int

    @property
    def tree_bytes(self) -> int:
        """Memory of the process with its children."""
        return self.own_bytes + self.children_bytes


def main() -> int:
    """Live through the days; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--first", type=date.fromisoformat, default=FIRST)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fault-share", type=float, default=0.05, help="share of the sources that is broken at each poll")
    parser.add_argument("--home", type=Path, help="keep the home here (default: a temporary folder)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        home = args.home or Path(folder) / "home"
        days = soak(home, args.days, first=args.first, seed=args.seed, fault_share=args.fault_share, say=show)
        found = verdict(days, home)
    times = os.times()
    found["seconds"] = round(time.monotonic() - began, 1)
    # children count when they have ended: the parsers of the last jobs are missing here
    found["cpu_seconds"] = round(times.user + times.system + times.children_user + times.children_system, 1)
    found["machine"] = {"cpus": os.cpu_count(), "load": os.getloadavg()[0]}
    print(json.dumps(found, indent=1))
    if args.json:
        args.json.write_text(json.dumps({**found, "days": [asdict(day) for day in days]}, indent=1))
    return 0 if not found["broken"] else 1


def soak(
    home: Path, n_days: int, *, first: date = FIRST, seed: int = 1, fault_share: float = 0.05, say: Any = lambda day: None
) -> list[Day]:
    """Live through `n_days` from `first` in `home`; one `Day` each."""
    os.environ |= {**SETTINGS, "LIFELINE_HOME": str(home)}
    home.mkdir(parents=True, exist_ok=True)
    days, chance = [], random.Random(seed)
    with archive(day=first) as web, relay(web.base) as front:
        sources = _write_sources(Archive(front.base, web.shared), home.parent / "sources.csv")
        paths = [row["path"] for row in web.rows()]
        for n in range(n_days):
            days.append(_live(first + timedelta(days=n), home, sources, web, front, paths, chance, fault_share))
            say(days[-1])
    return days


def _write_sources(web: Archive, file: Path) -> Path:
    """The archived sources with a period a little under the time between two polls, so that each is due at each."""
    web.write_sources(file)
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([lines[0] + ",every_hours", *(f"{line},5" for line in lines[1:])]) + "\n", encoding="utf-8")
    return file


def _live(
    day: date, home: Path, sources: Path, web: Archive, front: Relay, paths: Sequence[str], chance: random.Random, share: float
) -> Day:
    """One day: the polls, the last of them as part of the whole pass."""
    began, sums = time.monotonic(), Counter[str]()
    for hour in POLL_HOURS:
        moment = datetime(day.year, day.month, day.day, hour, 5, tzinfo=UTC)
        web.move_to(moment)
        plan = {path: chance.choice(FAULTS) for path in paths if chance.random() < share}
        front.plan(plan)
        counts = _run(moment, sources, is_whole=hour == POLL_HOURS[-1])
        sums.update(new=counts["new"], failed=counts["failed"], faults=len(plan))
    gc.collect()
    own, children = memory(except_below={front.pid, web.pid})
    files = {file: file.stat().st_size for file in home.rglob("*") if file.is_file()}
    return Day(
        on=str(day),
        seconds=round(time.monotonic() - began, 1),
        documents=counts["documents"],
        **sums,
        own_bytes=own,
        children_bytes=children,
        work_bytes=files.get(home / "work.duckdb", 0),
        wal_bytes=files.get(home / "work.duckdb.wal", 0),
        published_bytes=files.get(home / "lifeline.duckdb", 0),
        home_bytes=sum(files.values()),
        home_files=len(files),
    )


def _run(moment: datetime, sources: Path, *, is_whole: bool) -> dict[str, int]:
    """One run as a schedule makes it; returns what its polling counted."""
    from flows import pipeline
    from models import settings

    stages = tuple(pipeline.STAGES) if is_whole else ("ingest", "tag")
    job = pipeline.Job(
        moment.date(), moment, stages, sources, only_due=True, clock=lambda: moment, purpose="the soak", say=lambda line: None
    )
    return dict(pipeline.run(job, settings.load()).counts["ingest"])


def memory(except_below: set[int]) -> tuple[int, int]:
    """Resident bytes of this process and of its children, but for the servers of the archive."""
    import psutil

    me = psutil.Process()
    below = [child.memory_info().rss for child in me.children(recursive=True) if child.pid not in except_below]
    return me.memory_info().rss, sum(below)


def show(day: Day) -> None:
    """A line for people."""
    mb = {name: value / 1e6 for name, value in asdict(day).items() if name.endswith("_bytes")}
    print(
        f"{day.on} {day.seconds:5.1f} s  documents {day.documents} (+{day.new})  faults {day.faults}, failed {day.failed}  "
        f"memory {mb['own_bytes']:.0f} + {mb['children_bytes']:.0f} MB  work {mb['work_bytes']:.1f}  published {mb['published_bytes']:.1f}  "
        f"home {mb['home_bytes']:.1f} MB in {day.home_files} files",
        flush=True,
    )


def verdict(days: Sequence[Day], home: Path) -> dict[str, Any]:
    """The figures by quarter, and in `broken` what does not hold."""
    quarters = [_means(quarter) for quarter in split(days, 4)]
    second, last = quarters[1], quarters[3]
    ledger = ledger_sums(home)
    rise = last["tree_bytes"] / second["tree_bytes"] - 1
    per_document = last["work_bytes"] / last["documents"] / (second["work_bytes"] / second["documents"]) - 1
    broken = [
        *([f"memory rose by {rise:.1%} from the second quarter to the last"] if rise > FLAT else []),
        *([f"bytes a document rose by {per_document:.1%}"] if per_document > FLAT else []),
        *(["the write-ahead log was left behind"] if any(day.wal_bytes for day in days) else []),
        *(
            [f"files in the home: {days[0].home_files} at first, {days[-1].home_files} at last"]
            if last["home_files"] > second["home_files"] + 2
            else []
        ),
        *ledger["broken"],
    ]
    return {"n_days": len(days), "quarters": quarters, "memory_rise": round(rise, 4), "ledger": ledger, "broken": broken}


def split(days: Sequence[Day], n: int) -> list[Sequence[Day]]:
    """`n` runs of days in order, as equal as can be, none empty as long as there are days enough."""
    edges = [round(i * len(days) / n) for i in range(n + 1)]
    return [days[low : max(high, low + 1)] for low, high in pairwise(edges)]


def _means(days: Sequence[Day]) -> dict[str, float]:
    names = (
        "tree_bytes",
        "own_bytes",
        "children_bytes",
        "documents",
        "work_bytes",
        "published_bytes",
        "home_bytes",
        "home_files",
        "seconds",
    )
    return {name: round(mean(getattr(day, name) for day in days), 1) for name in names}


def ledger_sums(home: Path) -> dict[str, Any]:
    """What the runs say they did against what the store holds; `broken` lists each sum that does not add up."""
    from models import ledger
    from models.store import open_work

    with open_work(home, purpose="the soak's check") as con:
        wrong = ledger.check(con, home / "lifeline.duckdb", last=100_000)
        status = dict(con.execute("select status, count(*) from run group by 1").fetchall())
        said = con.execute(
            "select sum((counts ->> '$.ingest.new')::bigint), sum((counts ->> '$.ingest.polled')::bigint), "
            "sum((counts ->> '$.ingest.failed')::bigint), sum((counts ->> '$.tag.tagged')::bigint) from run"
        ).fetchall()[0]
        held = con.execute(
            "select (select count(*) from document), (select count(*) from fetch_log), "
            "(select count(*) from fetch_log where outcome = 'failed'), (select count(*) from tagging)"
        ).fetchall()[0]
        n_twice = con.execute("select count(*) - count(distinct document_id) from document").fetchall()[0][0]
    names = ("new documents", "polls", "failed polls", "tagged documents")
    sums = {name: {"said": int(a or 0), "held": int(b)} for name, a, b in zip(names, said, held, strict=True)}
    # a new version of a document is tagged anew in place of the old one, so more may have been tagged than there are tags
    broken = [
        f"{name}: the runs say {two['said']}, the store holds {two['held']}"
        for name, two in sums.items()
        if (two["said"] < two["held"] if name == "tagged documents" else two["said"] != two["held"])
    ]
    broken += [f"{n} runs {name}" for name, n in status.items() if name not in ("ok", "partial")]
    return {"runs": status, **sums, "broken": broken + wrong + ([f"{n_twice} documents twice"] if n_twice else [])}


if __name__ == "__main__":
    sys.exit(main())
