"""The state of each part in Prometheus' words: base units, `_total` on what only rises, labels from short fixed lists.

Everything is read anew at each scrape, so nothing is kept here, and a run in another process shows at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from models.vitals import Facts, Surroundings, Vital, overall
from models.vitals.judge import STATES

if TYPE_CHECKING:
    from prometheus_client.core import Metric

HEALTH = ("fine", "empty", "stale", "failing", "blocked", "moved", "gone", "not_a_feed", "not_polled")
# parts that have one row each by name are counted, not listed: there may be a hundred thousand sources
LISTED = ("source:", "worker:")


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the house."""

    at: datetime
    facts: Facts | None
    around: Surroundings
    vitals: tuple[Vital, ...]

    @property
    def state(self) -> str:
        """The house as a whole."""
        return overall(self.vitals)


def families(look: Look) -> Iterator[Metric]:
    """Every metric of one look."""
    yield from _parts(look)
    yield from _sizes(look)
    if look.facts:
        yield from _stages(look.facts)
        yield from _documents(look.facts)
        yield from _totals(look.facts)


def exposition(look: Look, accept: str) -> tuple[str, bytes]:
    """Content type and text of a scrape, in the format that the scraper prefers."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder

    class Once:
        def collect(self) -> Iterable[Metric]:
            return families(look)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Once())
    encode, content_type = choose_encoder(accept)
    return content_type, encode(registry)


def _parts(look: Look) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    rows = [one for one in look.vitals if not one.part.startswith(LISTED)]
    state = GaugeMetricFamily(
        "lifeline_part_state", "1 for the state that each part of the house is in", labels=["part", "state"]
    )
    last = GaugeMetricFamily("lifeline_part_last_success_timestamp_seconds", "When a part last came off", labels=["part"])
    for one in rows:
        for name in STATES:
            state.add_metric([one.part, name], float(one.state == name))
        if one.last_at:
            last.add_metric([one.part], one.last_at.timestamp())
    yield state
    yield last
    yield _gauge("lifeline_healthy", "1 unless a part that matters is failing", float(look.state != "failing"))
    troubled = sum(one.part.startswith("source:") for one in look.vitals)
    yield _gauge("lifeline_sources_in_trouble", "Sources that have been in trouble for longer than patience lasts", troubled)
    if look.around.prefect:
        alive = sum(one.part.startswith("worker:") and one.state == "fine" for one in look.vitals)
        yield _gauge("lifeline_workers", "Workers of the pool that were heard of lately", alive)


def _sizes(look: Look) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    size = GaugeMetricFamily("lifeline_file_size_bytes", "Size of each file of the home", labels=["file"])
    for name, n_bytes in look.around.files.items():
        size.add_metric([name], n_bytes)
    yield size
    if look.around.free_bytes is not None:
        yield _gauge("lifeline_disk_free_bytes", "Space left where the home is", look.around.free_bytes)
    if look.around.published_at:
        published = look.around.published_at.timestamp()
        yield _gauge("lifeline_published_timestamp_seconds", "When the published file was put in place", published)
    yield _gauge("lifeline_writer_active", "1 while a process holds the store", float(look.around.writer is not None))


def _stages(facts: Facts) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    last = GaugeMetricFamily("lifeline_stage_last_success_timestamp_seconds", "When a stage last came off", labels=["stage"])
    took = GaugeMetricFamily("lifeline_stage_last_duration_seconds", "How long the newest try of a stage took", labels=["stage"])
    for name, one in facts.attempts.items():
        if one.success_at:
            last.add_metric([name], one.success_at.timestamp())
        if one.seconds is not None:
            took.add_metric([name], one.seconds)
    yield last
    yield took
    yield _gauge("lifeline_vitals_timestamp_seconds", "When the writer last left its vitals", facts.written_at.timestamp())
    if facts.as_of:
        day = datetime.combine(facts.as_of, time(), UTC).timestamp()
        yield _gauge("lifeline_published_as_of_timestamp_seconds", "The day that the published file stands on", day)


def _documents(facts: Facts) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    if facts.n_documents is not None:
        yield _gauge("lifeline_documents", "Documents stored", facts.n_documents)
    if facts.n_untagged is not None:
        yield _gauge("lifeline_documents_untagged", "Documents that wait for their tags", facts.n_untagged)
    for name, meaning, counts in (
        ("lifeline_sources", "Sources by health", facts.sources),
        ("lifeline_signs", "Places where products show signs of life, by health", facts.signs),
    ):
        family = GaugeMetricFamily(name, meaning, labels=["health"])
        for health in HEALTH:
            family.add_metric([health], counts.get(health, 0))
        yield family


def _totals(facts: Facts) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily

    totals = facts.totals
    runs = CounterMetricFamily("lifeline_runs", "Runs by how they ended", labels=["status"])
    for status in ("ok", "partial", "failed"):
        runs.add_metric([status], totals.runs.get(status, 0))
    yield runs
    tries = CounterMetricFamily("lifeline_stage_runs", "Stages by how they ended", labels=["stage", "outcome"])
    for stage, counts in totals.stage_runs.items():
        for outcome in ("ok", "failed"):
            tries.add_metric([stage, outcome], counts.get(outcome, 0))
    yield tries
    took = CounterMetricFamily("lifeline_stage_seconds", "Time that stages took", labels=["stage"])
    for stage, seconds in totals.stage_seconds.items():
        took.add_metric([stage], seconds)
    yield took
    yield _counted(
        "lifeline_polls", "Polls of sources; those that failed or brought nothing new are counted within", totals.polls
    )
    yield _counted("lifeline_documents_read", "Documents that were new, changed or tagged", totals.documents)


def _counted(name: str, meaning: str, counts: object) -> Metric:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(name, meaning, labels=["what"])
    for what, n in dict(counts).items():  # type: ignore[call-overload]
        family.add_metric([what], n)
    return family


def _gauge(name: str, meaning: str, value: float) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(name, meaning, value=value)
