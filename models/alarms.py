"""When the house itself needs somebody: which parts ring, what is new since an address was told, and the message. Pure.

    vitals -> firing -> less what this address was told -> one message -> remembered

An alarm is told once, and once more when it has ended. What cannot be seen now neither rings nor ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.digest import as_markdown
from models.vitals import Vital

# what mends itself within this time rings nobody; a failed run is tried again sooner
PATIENCE = timedelta(minutes=15)
# states that somebody chose or that the next run heals
SILENT = frozenset({"published:late"})
N_SHOWN = 20
# how a part ends that is not there any more: in trouble only as long as it is listed, or gone with whatever it was
LISTED_WHILE_BAD, GONE_WITH_IT = "source:", "worker:"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One part that rings. `key` is its name for as long as it does."""

    key: str
    line: str
    since_at: datetime | None = None
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What an address has still to hear: new alarms, and keys with their lines that ended; `dropped` ends without a word."""

    raised: tuple[Alarm, ...] = ()
    ended: Mapping[str, str] | None = None
    dropped: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """How many things there are to tell."""
        return len(self.raised) + len(self.ended or {})


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent."""

    title: str
    body: str
    alerts: tuple[str, ...]


def firing(vitals: Sequence[Vital], now: datetime) -> list[Alarm]:
    """The parts that ring: late or failing for longer than patience lasts, those that matter first."""
    rows = sorted(vitals, key=lambda one: (not one.matters, one.state != "failing"))
    return [Alarm(one.part, f"{one.part}: {one.words}", one.since_at, one.remedy) for one in rows if _rings(one, now)]


def _rings(one: Vital, now: datetime) -> bool:
    if one.state not in ("late", "failing") or f"{one.part}:{one.state}" in SILENT:
        return False
    return one.since_at is None or now - one.since_at >= PATIENCE


def changes(vitals: Sequence[Vital], told: Mapping[str, str], now: datetime) -> Changes:
    """What is new for somebody who was `told` these alarms, key to line."""
    rings = {alarm.key: alarm for alarm in firing(vitals, now)}
    state = {one.part: one.state for one in vitals}
    ended, dropped = {}, []
    for key, line in told.items():
        if key in rings:
            continue
        if state.get(key) == "fine" or (key not in state and _ends_unlisted(key, state)):
            ended[key] = line
        elif key not in state and key.startswith(GONE_WITH_IT):
            dropped.append(key)
    return Changes(tuple(alarm for key, alarm in rings.items() if key not in told), ended, tuple(dropped))


def _ends_unlisted(key: str, state: Mapping[str, str]) -> bool:
    """Whether a part that is not listed any more is well; a source only where sources can be seen at all."""
    if key.startswith(LISTED_WHILE_BAD):
        return state.get("sources", "unknown") != "unknown"
    return not key.startswith(GONE_WITH_IT)


def after(told: Mapping[str, str], change: Changes) -> dict[str, str]:
    """What an address was told once it took the message."""
    over = {*(change.ended or {}), *change.dropped}
    return {key: line for key, line in told.items() if key not in over} | {one.key: one.line for one in change.raised}


def compose(change: Changes, place: str, now: datetime) -> Message:
    """One message of what is new, as Markdown that hostile titles cannot break out of. `place` says which house speaks."""
    counts = [(len(change.raised), "alarm"), (len(change.ended or {}), "recovery")]
    said = " and ".join(f"{n} {_plural(noun, n)}" for n, noun in counts if n)
    raised = [_line(one, now) for one in change.raised]
    ended = [f"- {as_markdown(line)}" for line in (change.ended or {}).values()]
    parts = [f"{as_markdown(place)}, {now:%Y-%m-%d %H:%M} UTC."]
    for heading, lines in (("Needs somebody", raised), ("Is well again", ended)):
        parts += ["", f"**{heading}**", "", *_cut(lines)] if lines else []
    keys = (*(one.key for one in change.raised), *(change.ended or {}))
    return Message(f"Lifeline, {place}: {said}", "\n".join(parts) + "\n", keys)


def _plural(noun: str, n: int) -> str:
    return noun if n == 1 else {"alarm": "alarms", "recovery": "recoveries"}[noun]


def _line(one: Alarm, now: datetime) -> str:
    since = f" Since {one.since_at:%Y-%m-%d %H:%M} UTC." if one.since_at and one.since_at <= now else ""
    remedy = f" {as_markdown(one.remedy[0].upper() + one.remedy[1:])}." if one.remedy else ""
    return f"- {as_markdown(one.line)}.{since}{remedy}"


def _cut(lines: Sequence[str]) -> list[str]:
    left = len(lines) - N_SHOWN
    return [*lines[:N_SHOWN], *([f"- and {left} more; `lifeline status` lists them"] if left > 0 else [])]
