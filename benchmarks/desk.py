"""The desk under many readers: seconds until a page is whole, processor seconds a page, memory, and whether sessions mix.

    python benchmarks/desk.py [--home DIR] [--people 20] [--minutes 2] [--json FILE]

Needs a home that `lifeline run` has published. It starts the desk as `lifeline ui` does and speaks Streamlit's own protocol to it, so
that the server is measured and not twenty browsers on the same processor. Three parts: every page alone; twenty people who open a random
page of the whole list with random filters every five to eight seconds, each in a language of their own; and all of them in one moment.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app.commands import ui  # noqa: E402
from models import settings, store, taxonomy  # noqa: E402
from tests.app.wire import Reader, Seen  # noqa: E402

PAUSE_S = (5.0, 8.0)
N_ALONE = 3
N_BURSTS = 3
PROVIDERS = ("OpenAI", "Google", "Anthropic", "Meta", "Microsoft")
Query = dict[str, Any]


@dataclass(frozen=True, slots=True)
class World:
    """What there is to ask for."""

    products: list[tuple[str, str]]
    jumps: list[str]

    def pages(self, dice: random.Random) -> list[tuple[str, Query]]:
        """One address of every page, with filters as they fall."""
        product, _ = dice.choice(self.products)
        capability = dice.choice(taxonomy.load().capabilities)
        provider = dice.choice(PROVIDERS)
        return [
            ("overview", {}),
            ("jumps", {"capability": [capability]}),
            ("jumps", {"view": dice.choice(["first", "table", "timeline"]), "provider": [provider]}),
            ("jumps", {"jump": dice.choice(self.jumps)}),
            ("products", {"sort": dice.choice(["survival", "silent", "name"]), "p": dice.choice("123")}),
            ("products", {"capability": [capability], "tier": dice.sample("12345", 2)}),
            ("product", {"id": product}),
            ("capability", {"id": capability}),
            ("portfolio", {}),
            ("your-product", {}),
            ("what-if", {"capability": capability, "platform": provider, "id": product}),
            ("review", {}),
            ("sources", {"q": dice.choice(["", "openai", "blog"])}),
            ("accuracy", {"method": dice.choice(["ended:all", "ended:cohort"])}),
            ("method", {"view": dice.choice(["definitions", "findings", "dictionary", "taxonomy"])}),
            ("sql", {"q": f"from product select count(*) as n where wrapper_tier = {dice.randint(1, 5)}"}),
        ]


def main() -> None:
    """Start the desk, warm it, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, default=None)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    home = args.home or settings.load().home
    with ui.serving(home) as (address, child):
        found = asyncio.run(measure(address, world(home), child.pid, args.people, 60 * args.minutes))
    print(json.dumps(found, indent=2))
    if args.json:
        args.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


def world(home: Path) -> World:
    """Living products with their names, and every jump."""
    with store.open_published(home / "lifeline.duckdb") as con:
        products = con.execute("select product_id, name from lifeline join product using (product_id) order by 1").fetchall()
        return World(products, [row[0] for row in con.execute("select jump_id from jump order by 1").fetchall()])


async def measure(desk: str, there: World, pid: int, n_people: int, duration_s: float) -> dict[str, Any]:
    """The three parts, one after the other."""
    alone = await each_alone(desk, there, pid)
    readers = [await Reader.come(desk) for _ in range(n_people)]
    people = [Person(reader, there, number) for number, reader in enumerate(readers)]
    cpu = processor_s(pid)
    start = time.perf_counter()
    load = os.getloadavg()[0]
    await asyncio.gather(*(person.live(start + duration_s) for person in people))
    took, used = time.perf_counter() - start, processor_s(pid) - cpu
    pace = [(page, seen) for person in people for page, seen in person.views]
    bursts = [await burst(people) for _ in range(N_BURSTS)]
    for reader in readers:
        await reader.leave()
    return {
        "alone": alone,
        "human_pace": {
            "people": n_people,
            "pages_a_second": round(len(pace) / took, 2),
            "cores_used": round(used / took, 2),
            "load_average": [round(load, 1), round(os.getloadavg()[0], 1)],
            "all": figures([seen.seconds for _, seen in pace]),
            "by_page": by_page(pace),
        },
        "all_in_one_moment": bursts,
        "mixed_up": [line for person in people for line in person.mixed_up],
        "errors": sorted({error for _, seen in pace for error in seen.errors}),
        "memory_mb": memory_mb(pid),
    }


async def each_alone(desk: str, there: World, pid: int) -> dict[str, Any]:
    """Every page by one reader: the first time, and the best of three more, with processor seconds."""
    reader = await Reader.come(desk)
    found: dict[str, Any] = {}
    for page, query in there.pages(random.Random(1)):
        first = await reader.open(page, **query)
        cpu, seconds = [], []
        for _ in range(N_ALONE):
            before = processor_s(pid)
            seconds.append((await reader.open(page, **query)).seconds)
            await asyncio.sleep(0.1)
            cpu.append(processor_s(pid) - before)
        found[f"{page} {'&'.join(query)}".strip()] = {
            "first_s": round(first.seconds, 2),
            "again_s": round(min(seconds), 2),
            "processor_s": round(min(cpu), 2),
            "kilobytes": round(first.n_bytes / 1000),
        }
    await reader.leave()
    return found


class Person:
    """Somebody at the desk, with a language and habits of their own."""

    def __init__(self, reader: Reader, there: World, number: int) -> None:
        self.reader, self.there, self.dice = reader, there, random.Random(number)
        self.lang = "zh" if number % 2 else "en"
        self.views: list[tuple[str, Seen]] = []
        self.mixed_up: list[str] = []
        self.own = there.products[(7 * number) % len(there.products)]

    async def live(self, until: float) -> None:
        """Read pages at a human pace until the clock says so."""
        await asyncio.sleep(self.dice.uniform(0, PAUSE_S[1]))
        while time.perf_counter() < until:
            page, query = self.dice.choice(self.there.pages(self.dice))
            await self.read(page, query)
            await asyncio.sleep(self.dice.uniform(*PAUSE_S))

    async def read(self, page: str, query: Query) -> float:
        """One page; what it says must be in this person's language and about what was asked."""
        seen = await self.reader.open(page, **query, lang=self.lang)
        self.views.append((page, seen))
        words = "".join(seen.titles + seen.words)
        is_chinese = any("\u4e00" <= letter <= "\u9fff" for letter in words)
        names = dict(self.there.products)
        if self.lang == "zh" and not is_chinese:
            self.mixed_up.append(f"{page} is not in Chinese")
        if page == "product" and seen.titles[:1] != [" ".join(names[query["id"]].split())] and not is_escaped(seen.titles):
            self.mixed_up.append(f"{seen.titles} for {query['id']}")
        return seen.seconds


def is_escaped(titles: list[str]) -> bool:
    """Whether a title holds a name that Markdown would have read, so that it does not stand letter by letter."""
    return any("\\" in title for title in titles)


async def burst(people: list[Person]) -> dict[str, Any]:
    """Everybody opens another page in the same moment."""
    pages = [person.dice.choice(person.there.pages(person.dice)) for person in people]
    took = await asyncio.gather(*(person.read(*page) for person, page in zip(people, pages, strict=True)))
    return figures(list(took))


def figures(seconds: list[float]) -> dict[str, Any]:
    """Median, 95th percentile and most."""
    ordered = sorted(seconds)
    return {
        "n": len(ordered),
        "median_s": round(statistics.median(ordered), 2),
        "p95_s": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 2),
        "most_s": round(ordered[-1], 2),
    }


def by_page(views: list[tuple[str, Seen]]) -> dict[str, Any]:
    """The same for each page."""
    grouped = defaultdict(list)
    for page, seen in views:
        grouped[page].append(seen.seconds)
    return {page: figures(seconds) for page, seconds in sorted(grouped.items())}


def processor_s(pid: int) -> float:
    """Processor seconds of the server so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> dict[str, int]:
    """Resident memory of the server now and at its most."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return {name: int(lines[key].split()[0]) // 1024 for name, key in (("now", "VmRSS"), ("most", "VmHWM"))}


if __name__ == "__main__":
    main()
