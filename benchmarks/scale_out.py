"""From the cost of one document to that of ten million a day: arithmetic over what `benchmarks/scale.py` measured. No figure of its own.

The shares and prices below are assumptions, each a parameter of the command; what is measured comes in as `unit`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from math import exp
from typing import Any

from benchmarks.poll_queue import Costs, Web, most_sources, simulate

DAY_S = 86_400
# sources, documents a day
STEPS = ((500, 2_000), (5_000, 50_000), (20_000, 1_000_000), (100_000, 10_000_000))
MILLION = ("stage", "cpu_hours", "gpu_hours", "gb", "usd", "usd_a_month")
POLL = ("n_sources", "threads", "processes", "seconds", "p50_s", "p99_s", "longest_host_s", "interpreter_busy", "bound_by")
SIZE = (
    "sources documents_a_day fetch_cores tag_keyword_cores tag_embedded_cores writer_cores gpus traffic_gb_a_day store_gb_a_year "
    "days_kept_that_a_pass_holds usd_a_day"
).split()
Unit = Mapping[str, Any]


@dataclass(frozen=True)
class Prices:
    """What is assumed. Money is US dollars; the defaults are round figures of public clouds in 2026, to be replaced by your own."""

    usd_cpu_hour: float = 0.04
    usd_gpu_hour: float = 3.0
    usd_gb_month: float = 0.08
    gpu_documents_s: float = 0.0  # 0: not measured
    polls_a_day: float = 24.0
    bytes_304: float = 500.0
    latency_s: float = 0.4
    spacing_s: float = 0.5
    busy: float = 0.6  # share of a core that is planned with
    cores: int = 2
    threads: int = 16
    kept_days: int = 365
    pass_hours: float = 1.0  # longest that the daily pass may take
    poll_minutes: float = 45.0


def add_prices(parser: argparse.ArgumentParser) -> None:
    """An option for each assumption."""
    for field in fields(Prices):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)


def prices_of(args: argparse.Namespace) -> Prices:
    """The assumptions as asked for."""
    return Prices(**{field.name: getattr(args, field.name) for field in fields(Prices)})


def per_document(unit: Unit) -> dict[str, float]:
    """Processor seconds and bytes of one document by stage; what a whole pass does again each time is per document kept."""
    large, small = unit["large"], unit["small"]
    n = large["documents"]
    more = n - small["documents"]
    return {
        "parse_cpu_s": unit["parse_cpu_s"],
        "tag_keyword_cpu_s": unit["tag_keyword_cpu_s"],
        "tag_embedded_cpu_s": unit["tag_embedded_cpu_s"],
        "store_cpu_s": large["store_cpu_s"] / n,
        "keep_tags_cpu_s": large["keep_tags_cpu_s"] / n,
        "store_bytes": large["tagged_bytes"] / n,
        "published_bytes": (large["published_bytes"] - small["published_bytes"]) / more,
        # the difference of two stores, because a pass has a fixed cost that no document causes
        "detect_cpu_s": max(0.0, large["detect_cpu_s"] - small["detect_cpu_s"]) / more,
        "again_cpu_s": max(0.0, large["again_cpu_s"] - small["again_cpu_s"]) / more,
        "publish_cpu_s": max(0.0, large["publish_cpu_s"] - small["publish_cpu_s"]) / more,
        "detect_bytes": max(0.0, large["detect_peak_mb"] - small["detect_peak_mb"]) * 1e6 / more,
    }


def extrapolate(unit: Unit, prices: Prices) -> dict[str, Any]:
    """Everything that follows."""
    one = per_document(unit)
    return {
        "assumed": asdict(prices),
        "per_document": {name: round(value, 8) for name, value in one.items()},
        "per_million": per_million(unit, one, prices),
        "polls": polls(unit, prices),
        "limits": limits(unit, one, prices),
        "steps": [step(unit, one, prices, *size) for size in STEPS],
    }


def per_million(unit: Unit, one: Mapping[str, float], prices: Prices) -> list[dict[str, Any]]:
    """Hours, gigabytes and dollars of a million documents by stage."""
    polls_per_document = STEPS[-1][0] * prices.polls_a_day / STEPS[-1][1]
    poll = _fetch_cpu_s(unit, polls_per_document, 1.0)
    gpu = 1e6 / prices.gpu_documents_s / 3600 if prices.gpu_documents_s else None
    rows = [
        ("fetch and parse", poll * 1e6 / 3600, None, None),
        ("tag, keyword, CPU", one["tag_keyword_cpu_s"] * 1e6 / 3600, None, None),
        ("tag, embedded, CPU", one["tag_embedded_cpu_s"] * 1e6 / 3600, None, None),
        ("tag, embedded, GPU" + ("" if gpu else " (not measured)"), None, gpu, None),
        (
            "store documents and tags",
            (one["store_cpu_s"] + one["keep_tags_cpu_s"]) * 1e6 / 3600,
            None,
            one["store_bytes"] * 1e6 / 1e9,
        ),
        ("detect what is new", one["detect_cpu_s"] * 1e6 / 3600, None, None),
        ("each pass: detect", one["again_cpu_s"] * 1e6 / 3600, None, None),
        ("each pass: publish", one["publish_cpu_s"] * 1e6 / 3600, None, one["published_bytes"] * 1e6 / 1e9),
    ]
    return [
        {
            "stage": name,
            "cpu_hours": None if cpu is None else _short(cpu),
            "gpu_hours": None if gpu_hours is None else _short(gpu_hours),
            "gb": None if gb is None else _short(gb),
            "usd": _usd(cpu, gpu_hours, prices),
            "usd_a_month": None if gb is None else _short(gb * prices.usd_gb_month),
        }
        for name, cpu, gpu_hours, gb in rows
    ]


def _usd(cpu_hours: float | None, gpu_hours: float | None, prices: Prices) -> float | None:
    if cpu_hours is not None:
        return _short(cpu_hours * prices.usd_cpu_hour)
    return None if gpu_hours is None else _short(gpu_hours * prices.usd_gpu_hour)


def _fetch_cpu_s(unit: Unit, n_polls: float, n_documents: float) -> float:
    """Processor seconds of polls that bring so many documents: each poll costs a question, each new body its parsing and storing.

    A body lists old entries, too, so each poll that finds something new is charged a whole feed.
    """
    share_new = 1 - exp(-n_documents / n_polls) if n_polls else 0.0
    return n_polls * (unit["poll_304_cpu_s"] + share_new * max(0.0, unit["poll_new_cpu_s"] - unit["poll_304_cpu_s"]))


def costs_of(unit: Unit) -> Costs:
    """What one poll takes, in the words of the queue: parsing is done elsewhere, writing by one thread, the rest in the interpreter."""
    entries = unit["entries_per_feed"]
    write_new = unit["large"]["store_cpu_s"] / unit["large"]["documents"] * entries
    return Costs(fetch_s=unit["poll_304_cpu_s"], parse_s=unit["parse_cpu_s"] * entries, write_s=write_new * 0.1)


def polls(unit: Unit, prices: Prices) -> list[dict[str, Any]]:
    """An hourly poll of N sources by one process and by several."""
    web, costs = Web(latency_s=prices.latency_s, spacing_s=prices.spacing_s), costs_of(unit)
    ways = ((prices.threads, 1), (4 * prices.threads, 1), (4 * prices.threads, 4))
    return [
        asdict(simulate(n, web, costs, threads=threads, processes=processes, cores=max(prices.cores, processes + 1)))
        for n, _ in STEPS
        for threads, processes in ways
    ]


def limits(unit: Unit, one: Mapping[str, float], prices: Prices) -> list[dict[str, Any]]:
    """Where each stage of one machine as measured is full."""
    web, costs, day = Web(latency_s=prices.latency_s, spacing_s=prices.spacing_s), costs_of(unit), DAY_S * prices.busy
    within = prices.poll_minutes * 60
    pass_s, memory = prices.pass_hours * 3600, unit["machine"]["memory_gb"] * 1e9 / 2
    writer = one["store_cpu_s"] + one["keep_tags_cpu_s"]
    rows = [
        (
            f"hourly poll, {prices.threads} threads",
            most_sources(web, costs, within_s=within, threads=prices.threads, cores=prices.cores),
            "sources",
        ),
        (
            f"hourly poll, {4 * prices.threads} threads",
            most_sources(web, costs, within_s=within, threads=4 * prices.threads, cores=prices.cores),
            "sources",
        ),
        ("tag, embedded, all cores", day * prices.cores / one["tag_embedded_cpu_s"], "documents a day"),
        ("tag, keyword, all cores", day * prices.cores / one["tag_keyword_cpu_s"], "documents a day"),
        ("the writer: documents and tags", day / writer, "documents a day"),
        ("detect what is new", day / one["detect_cpu_s"], "documents a day"),
        (f"detect within {prices.pass_hours:g} h", pass_s / one["again_cpu_s"] if one["again_cpu_s"] else 0, "documents kept"),
        ("detect in half of the memory", memory / one["detect_bytes"] if one["detect_bytes"] else 0, "documents kept"),
        (
            f"publish within {prices.pass_hours:g} h",
            pass_s / one["publish_cpu_s"] if one["publish_cpu_s"] else 0,
            "documents kept",
        ),
    ]
    return [{"stage": name, "full_at": round(_short(value)), "of": of} for name, value, of in rows]


def step(unit: Unit, one: Mapping[str, float], prices: Prices, n_sources: int, n_documents: int) -> dict[str, Any]:
    """One size: cores and disk that it takes, and dollars a day."""
    day, n_polls = DAY_S * prices.busy, n_sources * prices.polls_a_day
    fetch = _fetch_cpu_s(unit, n_polls, n_documents)
    kept = n_documents * prices.kept_days
    cores = {
        "fetch": fetch / day,
        "tag_keyword": n_documents * one["tag_keyword_cpu_s"] / day,
        "tag_embedded": n_documents * one["tag_embedded_cpu_s"] / day,
        "writer": n_documents * (one["store_cpu_s"] + one["keep_tags_cpu_s"] + one["detect_cpu_s"]) / day,
    }
    share_new = 1 - exp(-n_documents / n_polls)
    cpu_hours = sum(cores[name] for name in ("fetch", "tag_embedded", "writer")) * day / 3600
    gb = kept * one["store_bytes"] / 1e9
    return {
        "sources": n_sources,
        "documents_a_day": n_documents,
        "cores": {name: _short(value) for name, value in cores.items()},
        "gpus": _short(n_documents / prices.gpu_documents_s / day) if prices.gpu_documents_s else None,
        "traffic_gb_a_day": _short(n_polls * (prices.bytes_304 + share_new * unit["feed_bytes"]) / 1e9),
        "store_gb_a_year": _short(gb),
        "days_kept_that_a_pass_holds": _short(most_kept(unit, one, prices) / n_documents),
        "usd_a_day": _short(cpu_hours * prices.usd_cpu_hour + gb * prices.usd_gb_month / 30),
    }


def most_kept(unit: Unit, one: Mapping[str, float], prices: Prices) -> float:
    """Documents that a pass reads within its time and within half of the memory."""
    in_time = prices.pass_hours * 3600 / max(one["again_cpu_s"], 1e-9)
    return min(in_time, unit["machine"]["memory_gb"] * 1e9 / 2 / max(one["detect_bytes"], 1e-9))


def _short(value: float) -> float:
    """Two digits that mean something."""
    return float(f"{value:.2g}")


def markdown(found: Mapping[str, Any]) -> str:
    """The tables of docs/scale.md."""
    unit, steps = found["unit"], found["steps"]
    blocks = [
        _table("A million documents", found["per_million"], MILLION),
        _table("Where one machine is full", found["limits"], ["stage", "full_at", "of"]),
        _table("An hourly poll", found["polls"], POLL),
        _table("What each size takes", list(map(flat, steps)), SIZE),
    ]
    head = f"{unit['machine']['cpu']}, {unit['machine']['cores']} cores, {unit['machine']['memory_gb']} GB; load {unit['machine']['load']}; {unit['measured_on']}"
    return "\n\n".join([head, *blocks])


def _table(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    lines = [f"| {' | '.join(name.replace('_', ' ') for name in columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([f"## {title}", "", *lines, *(line(row, columns) for row in rows)])


def line(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    """One row of a table."""
    return f"| {' | '.join(_cell(row.get(name)) for name in columns)} |"


def flat(size: Mapping[str, Any]) -> dict[str, Any]:
    """A size with its cores as columns."""
    return {**size, **{f"{name}_cores": value for name, value in size["cores"].items()}}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return (
        f"{value:,.0f}"
        if isinstance(value, int) or (isinstance(value, float) and value >= 100)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
