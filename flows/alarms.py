"""Send the alarms of the house itself, each once and once more when it has ended, through the addresses of the digests.

What an address was told lies in `alarms.json` in the home, by the address's form without secrets, for the store may be held by the very
run that hangs. Two watchers of one home take turns, so that nobody hears a thing twice.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from flows.notify import Send, deliver, fingerprint, read_addresses, send_by_apprise
from models import alarms, digest, logs
from models.report import say as say_to_stderr
from models.settings import Settings
from models.vitals import Vital

FILE, LOCK = "alarms.json", "alarms.lock"
# the log is told whatever happens; it has no address and no quiet hours
LOG = "log"
Memory = dict[str, dict[str, str]]


def ring(
    vitals: Sequence[Vital],
    settings: Settings,
    now: datetime,
    *,
    send: Send | None = None,
    say: Callable[[str], None] = say_to_stderr,
) -> dict[str, int]:
    """Tell each address what is new; returns counts: firing, addresses, and digests, alerts, held and failed as `flows.notify`.

    Without addresses the alarms go to the log. In quiet hours nothing is sent; what still stands afterwards is.
    """
    addresses = read_addresses(str(settings["alarm_urls"]) or str(settings["notify_urls"]))
    counts = {"firing": len(alarms.firing(vitals, now)), "addresses": len(addresses)}
    with _our_turn(settings.home) as is_ours:
        if not is_ours:
            return counts | {"digests": 0, "alerts": 0, "held": 0, "failed": 0}
        memory = read(settings.home)
        before = json.dumps(memory)
        _log(vitals, memory, now)
        done = _deliver(vitals, addresses, memory, settings, now, send or send_by_apprise, say)
        if json.dumps(memory) != before:
            write(settings.home, memory)
    return counts | done


def _deliver(
    vitals: Sequence[Vital],
    addresses: Sequence[str],
    memory: Memory,
    settings: Settings,
    now: datetime,
    send: Send,
    say: Callable[[str], None],
) -> dict[str, int]:
    """Send what is new to each address, and remember who took it."""
    names = {address: fingerprint(address) for address in addresses}

    def change_for(address: str) -> alarms.Changes:
        return alarms.changes(vitals, memory.get(names[address], {}), now)

    def due(address: str) -> alarms.Message | None:
        change = change_for(address)
        return alarms.compose(change, socket.gethostname(), now) if change.n else None

    def took(address: str, _: alarms.Message) -> None:
        memory[names[address]] = alarms.after(memory.get(names[address], {}), change_for(address))
        write(settings.home, memory)  # at once: the next address may take long

    is_quiet = digest.is_quiet(now, str(settings["quiet_hours"]))
    return deliver(addresses, due, took, is_quiet=is_quiet, send=send, say=say, what="alarm")


def _log(vitals: Sequence[Vital], memory: Memory, now: datetime) -> None:
    """A line for each alarm that began or ended."""
    told = memory.get(LOG, {})
    change = alarms.changes(vitals, told, now)
    for one in change.raised:
        logs.event("alarm.raised", "error", part=one.key, words=one.line, since=one.since_at)
    for key in change.ended or {}:
        logs.event("alarm.ended", part=key)
    if change.n or change.dropped:
        memory[LOG] = alarms.after(told, change)


def read(home: Path) -> Memory:
    """What each address was told; nothing where the file is missing or none of ours."""
    try:
        found = json.loads((home / FILE).read_text(encoding="utf-8"))
        return {str(name): {str(key): str(line) for key, line in told.items()} for name, told in found["told"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write(home: Path, memory: Memory) -> None:
    """Put it in place of what was there, whole or not at all."""
    temporary = home / f".{FILE}.{os.getpid()}.tmp"
    temporary.write_text(json.dumps({"version": 1, "told": memory}, ensure_ascii=True), encoding="utf-8")
    os.replace(temporary, home / FILE)


@contextmanager
def _our_turn(home: Path) -> Iterator[bool]:
    """Whether no other watcher is at it; the kernel frees the lock however we end. A home that cannot be written is never ours."""
    try:
        handle = open(home / LOCK, "a", encoding="utf-8")  # noqa: SIM115
    except OSError:
        yield False
        return
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
