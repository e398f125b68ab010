"""Send the digests: what changed for each watchlist, to every Apprise address, once per milestone.

    published file -> facts -> alerts of a watchlist -> less what this address was told -> one digest -> sent -> noted

An address is noted by its form without secrets, and only after it took the digest: one that was down gets it with the next run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from models import digest, watchlists
from models.errors import LifelineError, SettingsError
from models.report import say as say_to_stderr
from models.settings import Settings
from models.store import insert_rows, open_published

if TYPE_CHECKING:
    import duckdb

Send = Callable[[str, str, str], bool]
BLOCK = "block:"


def notify(
    con: duckdb.DuckDBPyConnection,
    published_path: Path,
    settings: Settings,
    now: datetime,
    *,
    send: Send | None = None,
    say: Callable[[str], None] = say_to_stderr,
) -> dict[str, int]:
    """Send what is due and note it; returns counts. `failed` counts addresses that did not take a digest.

    Nothing is sent in quiet hours, and nothing is lost: the first run after them sends it. No address is ever shown or stored.
    """
    lists = watchlists.read_all(settings.watchlists)
    addresses = read_addresses(str(settings["notify_urls"]))
    counts = {"watchlists": len(lists), "addresses": len(addresses), "digests": 0, "alerts": 0, "held": 0, "failed": 0}
    if not lists or not addresses:
        return counts
    with open_published(published_path) as published:
        facts = digest.read_facts(published, include_private=bool(settings["notify_private"]))
    if facts is None:
        return counts
    is_quiet = digest.is_quiet(now, str(settings["quiet_hours"]))
    for watchlist in lists:
        found = digest.alerts(facts, watchlist.product_ids)

        def due(address: str, found: Sequence[digest.Alert] = found, name: str = watchlist.name) -> digest.Digest | None:
            fresh = digest.fresh(found, told(con, name, address))
            return digest.compose(name, fresh, facts.as_of) if fresh else None

        def took(address: str, message: digest.Digest, name: str = watchlist.name) -> None:
            note(con, name, address, message.alerts, now)

        done = deliver(addresses, due, took, is_quiet=is_quiet, send=send or send_by_apprise, say=say, what="digest")
        counts = {name: n + done.get(name, 0) for name, n in counts.items()}
    return counts


class Message(Protocol):
    """What can be sent; `alerts` are the things that it tells."""

    @property
    def title(self) -> str:
        """One line."""

    @property
    def body(self) -> str:
        """Markdown."""

    @property
    def alerts(self) -> Sequence[Any]:
        """What it tells, one by one."""


M = TypeVar("M", bound=Message)


def deliver(
    addresses: Sequence[str],
    due: Callable[[str], M | None],
    took: Callable[[str, M], None],
    *,
    is_quiet: bool,
    send: Send,
    say: Callable[[str], None],
    what: str,
) -> dict[str, int]:
    """Send each address what is due to it, and note it once it took it; counts digests, alerts, held and failed."""
    counts = {"digests": 0, "alerts": 0, "held": 0, "failed": 0}
    for number, address in enumerate(addresses, start=1):
        message = due(address)
        if message is None:
            continue
        if is_quiet:
            counts["held"] += len(message.alerts)
        elif _sent(address, message, send):
            took(address, message)
            counts["digests"] += 1
            counts["alerts"] += len(message.alerts)
        else:
            counts["failed"] += 1
            say(
                f"address {number} of {len(addresses)} ({scheme(address)}) did not take the {what}; it is tried again with the next run"
            )
    return counts


def _sent(address: str, message: Message, send: Send) -> bool:
    """Whether the address took it; what went wrong is not passed on, because it may hold the address."""
    try:
        return send(address, message.title, message.body)
    except LifelineError:
        raise
    except Exception:
        return False


def read_addresses(setting: str) -> list[str]:
    """The addresses of a setting, each once; `block:NAME` stands for what Prefect's Secret block of that name holds."""
    words = [inner for word in setting.split() for inner in (_from_block(word) if word.startswith(BLOCK) else [word])]
    return list(dict.fromkeys(words))


def _from_block(word: str) -> list[str]:
    from prefect.blocks.system import Secret

    name = word.removeprefix(BLOCK)
    try:
        return str(Secret.load(name, _sync=True).get()).split()
    except ValueError as error:
        raise SettingsError(
            f"notify_urls names the Prefect block {name!r}, which there is not; create it or give the address"
        ) from error


def told(con: duckdb.DuckDBPyConnection, watchlist: str, address: str) -> set[str]:
    """Milestones that this address was told for this watchlist."""
    suffix = f"@{fingerprint(address)}"
    rows = con.execute(
        "select milestone from notice where watchlist = ? and ends_with(milestone, ?)", [watchlist, suffix]
    ).fetchall()
    return {milestone.removesuffix(suffix) for (milestone,) in rows}


def note(con: duckdb.DuckDBPyConnection, watchlist: str, address: str, alerts: Sequence[digest.Alert], now: datetime) -> None:
    """Remember what an address was told."""
    suffix = f"@{fingerprint(address)}"
    rows: list[dict[str, Any]] = [
        {"watchlist": watchlist, "milestone": one.milestone + suffix, "noticed_at": now} for one in alerts
    ]
    insert_rows(con, "notice", rows, conflict="or ignore")


def fingerprint(address: str) -> str:
    """A short name of an address that holds no secret: it is made from the form in which Apprise masks passwords and tokens."""
    import apprise

    plugin = apprise.Apprise.instantiate(address, suppress_exceptions=True)
    masked = plugin.url(privacy=True) if plugin else f"{scheme(address)}:not understood"
    return sha256(masked.encode()).hexdigest()[:12]


def scheme(address: str) -> str:
    """What kind of address it is: the part before ://, which holds no secret."""
    return address.split("://")[0][:20] if "://" in address else "no scheme"


def send_by_apprise(address: str, title: str, body: str) -> bool:
    """Send one message; False when the address is not understood or did not take it."""
    import apprise

    with _silenced("apprise"):
        carrier = apprise.Apprise()
        return bool(carrier.add(address)) and bool(
            carrier.notify(title=title, body=body, body_format=apprise.NotifyFormat.MARKDOWN)
        )


@contextmanager
def _silenced(name: str) -> Iterator[None]:
    """Keep a library's log quiet: it may print addresses with their secrets."""
    logger = logging.getLogger(name)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
