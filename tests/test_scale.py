"""What docs/scale.md says follows from what was measured, and the queue behind it from arithmetic that can be done by hand."""

from __future__ import annotations

import json

import pytest

from benchmarks import scale_out
from benchmarks.poll_queue import Costs, Web, hosts_of, simulate
from tests.conftest import ROOT

FREE = Costs(0.0, 0.0, 0.0)
STEADY = Web(latency_s=0.5, spread=0.0, hang_share=0.0, spacing_s=0.0, alone=1.0, new_share=0.0)


@pytest.fixture(scope="module")
def unit():
    """What was measured."""
    return json.loads((ROOT / "benchmarks" / "scale.json").read_text())["unit"]


def test_sources_alone_take_their_latency_by_threads():
    """1,600 answers of half a second by 16 threads are 50 seconds; four processes are four times as many threads."""
    assert simulate(1600, STEADY, FREE, threads=16).seconds == pytest.approx(50, rel=0.02)
    assert simulate(1600, STEADY, FREE, threads=16, processes=4, cores=8).seconds == pytest.approx(12.5, rel=0.05)


def test_one_host_takes_its_spacing_whatever_the_threads():
    """100 sources of one host, half a second apart, are 50 seconds with 2 threads and with 64."""
    one_host = Web(**{**vars_of(STEADY), "alone": 0.0, "big_hosts": 1, "spacing_s": 0.5, "latency_s": 0.1})
    for threads in (2, 64):
        assert simulate(100, one_host, FREE, threads=threads).seconds == pytest.approx(50, rel=0.02)


def test_the_interpreter_is_one():
    """1,000 polls that compute 10 ms each take 10 seconds, however many threads there are."""
    found = simulate(1000, Web(**{**vars_of(STEADY), "latency_s": 0.01}), Costs(0.01, 0.0, 0.0), threads=64)
    assert found.seconds == pytest.approx(10, rel=0.05)
    assert found.bound_by == "the interpreter"


def test_every_source_has_a_host_and_the_first_is_the_biggest():
    """As many hosts as asked for share what is not alone."""
    import random

    hosts = hosts_of(1000, Web(alone=0.5, big_hosts=10), random.Random(1))
    sizes = sorted((hosts.count(host) for host in range(10)), reverse=True)
    assert (len(hosts), sum(sizes)) == (1000, 500)
    assert sizes[0] > 3 * sizes[-1]


def vars_of(web):
    """Fields of a web by name."""
    from dataclasses import asdict

    return asdict(web)


def test_the_tables_of_the_page_are_those_of_the_command(unit):
    """Each row of cost and size stands in docs/scale.md as the command prints it."""
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    prices, one = scale_out.Prices(), scale_out.per_document(unit)
    for row in scale_out.per_million(unit, one, prices):
        assert scale_out.line(row, scale_out.MILLION) in page
    for size in scale_out.STEPS:
        assert scale_out.line(scale_out.flat(scale_out.step(unit, one, prices, *size)), scale_out.SIZE) in page


def test_a_gpu_given_its_speed_is_reckoned_with(unit):
    """Without a speed a GPU is not measured; with one it has hours and a price."""
    one = scale_out.per_document(unit)
    gpu = next(row for row in scale_out.per_million(unit, one, scale_out.Prices()) if "GPU" in row["stage"])
    assert (gpu["gpu_hours"], gpu["usd"]) == (None, None)
    assert "not measured" in gpu["stage"]
    fast = scale_out.Prices(gpu_documents_s=1000.0, usd_gpu_hour=3.6)
    gpu = next(row for row in scale_out.per_million(unit, one, fast) if "GPU" in row["stage"])
    assert (gpu["gpu_hours"], gpu["usd"]) == (0.28, 1.0)
