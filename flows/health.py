"""What a poll says about its source: health, when to ask again, what to remember. Pure functions; the clock is passed in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from flows.parse.types import Parsed
from models.types import Source

FLOOR = timedelta(minutes=15)
LONGEST_BACKOFF = timedelta(days=7)
LONGEST_CACHE = timedelta(days=1)
LONGEST_HOLD = timedelta(days=7)
STALE_AFTER = timedelta(days=180)
# an address that is not found so many times in a row is gone; it is still asked, but rarely
NOT_FOUND_IS_GONE = 3


@dataclass(frozen=True, slots=True)
class State:
    """What is kept of a source between polls; instants are UTC."""

    source: Source
    health: str | None = None
    health_since_at: datetime | None = None
    last_fetch_at: datetime | None = None
    last_success_at: datetime | None = None
    last_new_at: datetime | None = None
    newest_at: datetime | None = None
    next_fetch_at: datetime | None = None
    hold_until_at: datetime | None = None
    retired_at: datetime | None = None
    etag: str | None = None
    last_modified: str | None = None
    moved_to: str | None = None
    body_hash: str | None = None
    n_failures: int = 0
    last_error: str | None = None

    @property
    def url(self) -> str:
        """Where to ask: the address that a permanent redirect gave, unless the last poll failed there."""
        return self.moved_to if self.moved_to and not self.n_failures else self.source.url

    @property
    def conditions(self) -> dict[str, str]:
        """Headers of a conditional request; none after a failure, since a 304 would not prove that the source is well again."""
        if self.n_failures:
            return {}
        pairs = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in pairs.items() if value}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one poll brought: a parsed answer, nothing new (304), or an error with the health that it means."""

    source_id: str
    kind: str
    status: int | None = None
    headers: Mapping[str, str] | None = None
    n_bytes: int = 0
    seconds: float = 0.0
    moved_to: str = ""
    body_hash: str = ""
    parsed: Parsed | None = None
    error: str = ""
    health: str = ""
    hold_s: float | None = None


# a parser that reads more from the same bytes gets to read them again
PARSER_VERSION = b"1"
BUILT_AT = re.compile(rb"<lastBuildDate>[^<]*</lastBuildDate>")


def fingerprint(body: bytes) -> str:
    """A hash of an answer that only changes when it says something else than that it was built anew."""
    return hashlib.sha256(PARSER_VERSION + BUILT_AT.sub(b"", body)).hexdigest()[:32]


def says_the_same(state: State, body_hash: str) -> bool:
    """Whether an answer repeats the last good one, so that parsing it again would find nothing; not after a failure."""
    return not state.n_failures and state.health is not None and state.body_hash == body_hash


def is_due(state: State, now: datetime, *, only_due: bool) -> bool:
    """Whether to poll: never what is off, retired or asked us to wait; otherwise when its time has come, or at once if forced."""
    if not state.source.is_active or state.retired_at or (state.hold_until_at and state.hold_until_at > now):
        return False
    return not only_due or state.next_fetch_at is None or state.next_fetch_at <= now


def settle(state: State, outcome: Outcome, now: datetime, n_new: int = 0) -> State:
    """The state after a poll."""
    is_failure = outcome.kind in ("failed", "held")
    after = _after_failure(state, outcome, now) if is_failure else _after_success(state, outcome, now, n_new)
    since = state.health_since_at if after.health == state.health else now
    return replace(after, last_fetch_at=now, health_since_at=since or now, next_fetch_at=next_poll(after, outcome, now))


def _after_success(state: State, outcome: Outcome, now: datetime, n_new: int) -> State:
    headers, parsed = outcome.headers or {}, outcome.parsed
    moved_to = outcome.moved_to or (state.moved_to if state.url != state.source.url else None)
    fresh = replace(
        state,
        last_success_at=now,
        n_failures=0,
        hold_until_at=None,
        moved_to=moved_to or None,
        last_new_at=now if n_new else state.last_new_at,
        last_error=(parsed.note or None) if parsed else None,
    )
    if outcome.status == 200:
        fresh = replace(
            fresh,
            etag=_short(headers.get("etag")),
            last_modified=_short(headers.get("last-modified")),
            body_hash=outcome.body_hash or state.body_hash,
        )
    if parsed:
        dated = [entry.published_at for entry in parsed.entries if entry.published_at and entry.published_at <= now]
        fresh = replace(fresh, newest_at=max([*dated, *filter(None, [state.newest_at])], default=None))
    return replace(fresh, health=_health_of(state, fresh, outcome, now))


def _health_of(before: State, after: State, outcome: Outcome, now: datetime) -> str:
    if outcome.parsed is None and before.health == "empty":
        return "empty"
    if outcome.parsed is not None and not outcome.parsed.entries and outcome.parsed.models is None and not outcome.parsed.links:
        return "empty"
    if after.moved_to:
        return "moved"
    newest = max(filter(None, [after.newest_at, after.last_new_at if after.newest_at is None else None]), default=None)
    patience = max(STALE_AFTER, timedelta(hours=20 * after.source.every_hours))
    is_stale = newest is not None and now - newest > patience and after.source.kind != "registry"
    return "stale" if is_stale else "fine"


def _after_failure(state: State, outcome: Outcome, now: datetime) -> State:
    failures = state.n_failures + 1
    health = outcome.health or "failing"
    if outcome.status == 404 and failures >= NOT_FOUND_IS_GONE:
        health = "gone"
    hold = min(timedelta(seconds=outcome.hold_s), LONGEST_HOLD) if outcome.hold_s else None
    return replace(
        state,
        health=health,
        n_failures=failures,
        last_error=outcome.error[:500],
        hold_until_at=now + hold if hold else None,
        retired_at=now if outcome.status == 410 else None,
    )


def next_poll(state: State, outcome: Outcome, now: datetime) -> datetime:
    """When to ask again: after the source's period or its cache lifetime, later after failures, never within a quarter of an hour."""
    period = max(FLOOR, timedelta(hours=state.source.every_hours))
    if state.n_failures:
        period = min(max(LONGEST_BACKOFF, period), period * 2 ** min(state.n_failures - 1, 12))
    elif (fresh := cache_lifetime(outcome.headers or {})) is not None:
        period = max(period, min(fresh, LONGEST_CACHE))
    at = now + period * (1 + 0.1 * _jitter(state.source.source_id, now))
    return max(at, state.hold_until_at) if state.hold_until_at else at


def _jitter(source_id: str, now: datetime) -> float:
    """Between 0 and 1, and the same for the same poll, so that sources do not all come due at one moment."""
    return int.from_bytes(hashlib.sha256(f"{source_id}{now.isoformat()}".encode()).digest()[:2], "big") / 65536


def cache_lifetime(headers: Mapping[str, str]) -> timedelta | None:
    """How long the answer says it stays fresh (Cache-Control max-age before Expires), or None."""
    control = headers.get("cache-control", "").lower()
    if "no-cache" in control or "no-store" in control:
        return None
    match = re.search(r"max-age\s*=\s*\"?(\d{1,9})", control)
    if match:
        return timedelta(seconds=int(match[1]))
    expires, served = _http_date(headers.get("expires")), _http_date(headers.get("date"))
    return max(timedelta(0), expires - served) if expires and served else None


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that Retry-After asks for, in either of its forms; a date counts from the answer's own Date."""
    value = (headers.get("retry-after") or "").strip()
    if re.fullmatch(r"\d{1,9}", value):
        return float(value)
    moment = _http_date(value)
    return max(0.0, (moment - (_http_date(headers.get("date")) or now)).total_seconds()) if moment else None


def _http_date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text) if text else None
        return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return None


def _short(value: str | None) -> str | None:
    """A validator that is too long or no plain text is not sent back."""
    return value if value and len(value) <= 500 and value.isprintable() and value.isascii() else None


# health that a status means, and its words
STATUS_WORDS = {
    401: ("blocked", "asks for a login (401)"),
    402: ("blocked", "asks for payment (402)"),
    403: ("blocked", "refuses us (403 forbidden)"),
    404: ("failing", "not found (404)"),
    410: ("gone", "gone for good (410); it is not asked again"),
    429: ("blocked", "asks us to slow down (429 too many requests)"),
    451: ("blocked", "withheld for legal reasons (451)"),
}


def status_words(status: int) -> tuple[str, str]:
    """Health and words for a status that is neither 200 nor 304."""
    if status in STATUS_WORDS:
        return STATUS_WORDS[status]
    return "failing", f"the server fails ({status})" if status >= 500 else f"answers with status {status}"
