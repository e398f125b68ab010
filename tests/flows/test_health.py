"""What a poll makes of a source: health, next poll, what is remembered. Pure functions, no clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from flows.health import FLOOR, Outcome, State, cache_lifetime, is_due, retry_after_s, settle, status_words
from flows.parse.types import Parsed
from models.documents import Entry
from tests.flows.site import NOW, source

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FRESH = Parsed("feed", entries=(Entry("a", published_at=NOW - DAY),))


def fetched(parsed=FRESH, **more):
    return Outcome("s", "new", 200, more.pop("headers", {}), parsed=parsed, **more)


def failed(status=500, **more):
    health, words = status_words(status)
    return Outcome("s", "failed", status, {}, error=words, health=health, **more)


@pytest.fixture
def state():
    return State(source("https://example.org/feed", every_hours=6.0))


def test_a_good_poll_is_fine_and_keeps_its_validators(state):
    """After a good poll the source is fine since now, with nothing to complain of."""
    after = settle(state, fetched(headers={"etag": '"1"', "last-modified": "yesterday"}), NOW, n_new=1)
    assert (after.health, after.health_since_at, after.last_error, after.n_failures) == ("fine", NOW, None, 0)
    assert after.conditions == {"If-None-Match": '"1"', "If-Modified-Since": "yesterday"}
    later = settle(after, fetched(), NOW + DAY)
    assert later.health_since_at == NOW


@pytest.mark.parametrize(
    ("outcome", "health"),
    [
        (fetched(Parsed("feed")), "empty"),
        (fetched(Parsed("registry", models={"a": {}})), "fine"),
        (fetched(Parsed("feed", entries=(Entry("a", published_at=NOW - 300 * DAY),))), "stale"),
        (fetched(moved_to="https://example.org/new"), "moved"),
        (failed(500), "failing"),
        (failed(403), "blocked"),
        (failed(429), "blocked"),
        (failed(404), "failing"),
        (failed(410), "gone"),
        (Outcome("s", "failed", 200, error="a web page came", health="not_a_feed"), "not_a_feed"),
    ],
)
def test_health_names_what_happened(state, outcome, health):
    """Each outcome has its health, and each failure its words."""
    after = settle(state, outcome, NOW)
    assert after.health == health
    assert (after.last_error is None) == (outcome.kind == "new")


def test_not_found_three_times_in_a_row_is_gone(state):
    """One 404 is a failure, three are an address that is gone; it is still asked."""
    for expected in ("failing", "failing", "gone"):
        state = settle(state, failed(404), NOW)
        assert state.health == expected
    assert is_due(state, NOW + 30 * DAY, only_due=True)


def test_410_retires(state):
    """Gone for good is not asked again, not even when forced."""
    after = settle(state, failed(410), NOW)
    assert not is_due(after, NOW + 400 * DAY, only_due=False)


def test_after_a_failure_the_next_poll_is_unconditional(state):
    """A 304 after a failure would prove nothing, so none is asked for."""
    good = settle(state, fetched(headers={"etag": '"1"'}), NOW)
    assert settle(good, failed(), NOW).conditions == {}


def test_304_keeps_an_empty_source_empty(state):
    """Nothing new from an empty feed leaves it empty."""
    empty = settle(state, fetched(Parsed("feed")), NOW)
    assert settle(empty, Outcome("s", "not_modified", 304, {}), NOW + DAY).health == "empty"


def test_a_source_that_says_nothing_new_goes_stale_on_304s(state):
    """Half a year without a new entry is stale, also when every poll is a 304."""
    good = settle(state, fetched(), NOW, n_new=1)
    assert settle(good, Outcome("s", "not_modified", 304, {}), NOW + 190 * DAY).health == "stale"


def test_a_moved_source_is_asked_at_its_new_address_until_that_fails(state):
    """A permanent redirect is remembered; if the new address fails, the old one gets its chance."""
    moved = settle(state, fetched(moved_to="https://example.org/new"), NOW)
    assert moved.url == "https://example.org/new"
    assert settle(moved, Outcome("s", "not_modified", 304, {}), NOW).moved_to == "https://example.org/new"
    assert settle(moved, failed(), NOW).url == "https://example.org/feed"


def test_periods_back_off_after_failures_and_never_fall_below_the_floor(state):
    """Each failure doubles the wait up to a week; no source is asked more often than every quarter of an hour."""
    waits = []
    for _ in range(10):
        state = settle(state, failed(), NOW)
        waits.append(state.next_fetch_at - NOW)
    assert 6 * HOUR <= waits[0] <= 6.6 * HOUR
    assert waits[1] >= 12 * HOUR
    assert waits == sorted(waits) or max(waits) <= 7.7 * DAY
    eager = State(source("https://example.org/feed", every_hours=0.0))
    assert settle(eager, fetched(), NOW).next_fetch_at - NOW >= FLOOR


def test_cache_headers_lengthen_the_period_up_to_a_day(state):
    """max-age and Expires are heeded, not below our own period and not above a day."""
    for headers, low, high in [
        ({"cache-control": "max-age=60"}, 6, 6.6),
        ({"cache-control": "public, max-age=36000"}, 10, 11),
        ({"cache-control": "max-age=99999999"}, 24, 26.4),
        ({"date": "Sat, 22 Aug 2026 12:00:00 GMT", "expires": "Sat, 22 Aug 2026 20:00:00 GMT"}, 8, 8.8),
        ({"cache-control": "no-cache, max-age=36000"}, 6, 6.6),
    ]:
        wait = settle(state, fetched(headers=headers), NOW).next_fetch_at - NOW
        assert low * HOUR <= wait <= high * HOUR, headers
    assert cache_lifetime({"expires": "0"}) is None


def test_retry_after_is_read_in_both_forms_and_holds_even_a_forced_poll(state):
    """Seconds and dates; until then nobody asks."""
    assert retry_after_s({"retry-after": "120"}, NOW) == 120
    date = {"retry-after": "Sat, 22 Aug 2026 13:00:00 GMT", "date": "Sat, 22 Aug 2026 12:00:00 GMT"}
    assert retry_after_s(date, NOW + DAY) == 3600
    assert retry_after_s({"retry-after": "soon"}, NOW) is None
    held = settle(state, failed(429, hold_s=7200.0), NOW)
    assert not is_due(held, NOW + HOUR, only_due=False)
    assert is_due(held, NOW + 3 * HOUR, only_due=False)


def test_jitter_spreads_sources_and_is_reproducible(state):
    """Two sources polled at one moment come due at different ones; the same poll at the same one."""
    other = replace(state, source=replace(state.source, source_id="other"))
    assert settle(state, fetched(), NOW).next_fetch_at != settle(other, fetched(), NOW).next_fetch_at
    assert settle(state, fetched(), NOW) == settle(state, fetched(), NOW)


def test_only_due_sources_are_polled_unless_forced(state):
    """Before its time a source is polled only by force; switched off, never."""
    polled = settle(state, fetched(), NOW)
    assert not is_due(polled, NOW + HOUR, only_due=True)
    assert is_due(polled, NOW + HOUR, only_due=False)
    assert is_due(polled, NOW + 7 * HOUR, only_due=True)
    off = replace(polled, source=replace(polled.source, is_active=False))
    assert not is_due(off, NOW + 7 * HOUR, only_due=False)


def test_validators_that_could_split_a_request_are_dropped(state):
    """An ETag with line breaks or of absurd length is not sent back."""
    after = settle(state, fetched(headers={"etag": "a\r\nX: y", "last-modified": "x" * 600}), NOW)
    assert after.conditions == {}
