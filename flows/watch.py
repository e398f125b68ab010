"""Look at the house every few minutes and tell those who asked to be told. Runs beside `lifeline serve`, and in `lifeline health`."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from flows import alarms
from flows.deployments import Deployment
from flows.health_page import serving
from flows.metrics import Look
from flows.workers import ask
from models import logs, settings, vitals
from models.report import say as say_to_stderr

EVERY_S = 120.0
# which parts of the house a flow keeps going
PARTS = {
    "hourly": ("poll", "tags"),
    "daily": ("pass", "poll", "tags"),
    "weekly": ("look",),
    "monthly": ("backtest",),
    "training": ("training",),
}
N_FIRINGS = 40


def periods(specs: Sequence[Deployment]) -> vitals.Periods:
    """How often each part has to come off: the longest pause between two firings; where flows share a part, the more frequent one."""
    found: dict[str, timedelta] = {}
    for spec in specs:
        pauses = [pause for pause in map(longest_pause, spec.schedules) if pause]
        for part in PARTS.get(spec.flow, ()) if pauses else ():
            found[part] = min([*pauses, *filter(None, [found.get(part)])])
    return vitals.Periods(found)


def longest_pause(schedule: Mapping[str, Any]) -> timedelta | None:
    """The longest time between two firings of a schedule; None for one that cannot be read so."""
    if "cron" not in schedule:
        return timedelta(seconds=float(schedule["interval"])) if schedule.get("interval") else None
    from cronsim import CronSim, CronSimError

    try:
        firings = CronSim(str(schedule["cron"]), datetime(2025, 1, 1, tzinfo=UTC))
        moments = [next(firings) for _ in range(N_FIRINGS)]
    except (CronSimError, StopIteration):
        return None
    return max(after - before for before, after in pairwise(moments))


class Watch:
    """Looks at one home. `expected` is what the schedules promise; Prefect is asked where its server is named."""

    def __init__(self, config: settings.Settings, expected: vitals.Periods | None = None) -> None:
        self.config = config
        self.expected = expected

    def look(self, now: datetime | None = None) -> Look:
        """One look."""
        at = now or datetime.now(UTC)
        facts = vitals.read(self.config.home)
        around = vitals.look_around(self.config.home, ask(os.environ.get("PREFECT_API_URL")))
        return Look(at, facts, around, tuple(vitals.judge(facts, around, at, self.expected)))

    def check(self, *, say: Callable[[str], None] = say_to_stderr) -> dict[str, int]:
        """One look, and a message to each address for which something is new. What goes wrong here is said and not raised."""
        try:
            seen = self.look()
            return alarms.ring(seen.vitals, self.config, seen.at, say=say)
        except Exception as error:
            words = logs.masked(f"{type(error).__name__}: {error}")[:300]
            logs.event("watch.failed", "error", error=words)
            say(f"the watch could not look or tell: {words}")
            return {"failed": 1}


def keep_watching(
    watch: Watch, stop: threading.Event, *, every_s: float = EVERY_S, say: Callable[[str], None] = say_to_stderr
) -> None:
    """Check until told to stop, first after one period: a house that has just started gets the time to run."""
    while not stop.wait(every_s):
        watch.check(say=say)


@contextmanager
def watching(config: settings.Settings, specs: Sequence[Deployment], *, every_s: float = EVERY_S) -> Iterator[int | None]:
    """Watch on a thread, and serve the page where `metrics_port` asks for it; yields its port."""
    logs.configure(config)
    watch, stop = Watch(config, periods(specs)), threading.Event()
    threading.Thread(target=keep_watching, args=(watch, stop), kwargs={"every_s": every_s}, name="watch", daemon=True).start()
    try:
        if config["metrics_port"]:
            with serving(watch.look, str(config["metrics_host"]), int(config["metrics_port"])) as port:
                yield port
        else:
            yield None
    finally:
        stop.set()
