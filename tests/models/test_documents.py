"""Storing listings: once per identity, a version when the text really changes, dates that never lie."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from models.documents import Entry, store_documents, store_listings
from models.types import Source

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
ONE = Source("one", "One", "feed", "https://example.org/feed")
OTHER = Source("other", "Other", "feed", "https://scraper.example/feed")
ENTRY = Entry("Launch", "We launch a thing today.", "https://example.org/launch", published_at=NOW - timedelta(days=1))


def put(store, *entries, source=ONE, days=0):
    return store_documents(store, entries, source, NOW + timedelta(days=days))


def row(store, columns="*"):
    found = store.execute(f"select {columns} from document").fetchall()
    assert len(found) == 1
    return found[0]


def test_a_second_poll_adds_nothing(store):
    """The same listing twice is one document in one version."""
    assert put(store, ENTRY).n_new == 1
    again = put(store, ENTRY, days=1)
    assert (again.n_new, again.n_changed) == (0, 0)
    assert row(store, "n_versions, first_seen_at, updated_at") == (1, NOW, None)


def test_two_feeds_of_one_site_share_a_document(store):
    """A second source that lists the same page is noted; it adds no document and, told in other words, no version."""
    put(store, ENTRY)
    other = replace(ENTRY, url="http://www.example.org/launch/?utm_source=x", text="Cut.", guid="g")
    assert put(store, other, source=OTHER, days=1).n_new == 0
    assert row(store, "n_versions, text, source_id") == (1, ENTRY.text, "one")
    assert store.execute("select source_id from document_source order by 1").fetchall() == [("one",), ("other",)]
    for day in (2, 3):
        put(store, ENTRY, days=day)
        put(store, other, source=OTHER, days=day)
    assert row(store, "n_versions") == (1,)


def test_two_sources_in_one_batch_share_a_document(store):
    """Identity holds within a batch as it does across batches."""
    counts = store_listings(store, [(ONE, [ENTRY]), (OTHER, [ENTRY])], NOW)
    assert (counts["one"].n_new, counts["other"].n_new) == (1, 0)


def test_changed_text_makes_a_version_and_keeps_the_old_one(store):
    """The newest text stands in the document, each older one in its versions with the day it was seen."""
    put(store, ENTRY)
    assert put(store, replace(ENTRY, text="We launch two things today."), days=2).n_changed == 1
    put(store, replace(ENTRY, text="We launch three things today."), days=5)
    assert row(store, "n_versions, text, updated_at") == (3, "We launch three things today.", NOW + timedelta(days=5))
    old = store.execute("select version, text, seen_at from document_version order by 1").fetchall()
    assert old == [(1, ENTRY.text, NOW), (2, "We launch two things today.", NOW + timedelta(days=2))]


@pytest.mark.parametrize("text", ["", "We launch a thing …", "WE LAUNCH  a thing today.", "We launch a thing [...]"])
def test_less_text_is_no_new_text(store, text):
    """An emptied, cut or merely re-spaced text is no version."""
    put(store, ENTRY)
    assert put(store, replace(ENTRY, text=text), days=1).n_changed == 0
    assert row(store, "n_versions, text") == (1, ENTRY.text)


def test_a_much_fuller_text_takes_over(store):
    """Where one feed gives a title and another the article, the article stands, and the title does not come back."""
    put(store, replace(ENTRY, text=""))
    full = replace(ENTRY, text="The whole story. " * 30)
    assert put(store, full, source=OTHER, days=1).n_changed == 1
    put(store, replace(ENTRY, text="", title="Launch!"), days=2)
    assert row(store, "text, text_source_id") == (full.text.strip(), "other")


def test_an_unknown_date_stays_unknown(store):
    """No date is null, not the day of the poll; a date that turns up later is taken."""
    put(store, replace(ENTRY, published_at=None))
    assert row(store, "published_at, is_date_suspect") == (None, False)
    put(store, ENTRY, days=1)
    assert row(store, "published_at, n_versions") == (ENTRY.published_at, 1)


def test_a_date_after_the_first_sight_is_marked(store):
    """A document from the future is stored as it says, with the mark."""
    put(store, replace(ENTRY, published_at=NOW + timedelta(days=900)))
    assert row(store, "is_date_suspect") == (True,)


def test_a_bumped_date_is_not_believed_and_a_corrected_one_is(store):
    """A date moved past our first sight is kept out; an earlier, corrected one is taken without a version."""
    put(store, ENTRY)
    put(store, replace(ENTRY, published_at=NOW + timedelta(days=3)), days=3)
    assert row(store, "published_at") == (ENTRY.published_at,)
    better = NOW - timedelta(days=300)
    put(store, replace(ENTRY, published_at=better), days=4)
    assert row(store, "published_at, n_versions, is_date_suspect") == (better, 1, False)


def test_an_entry_listed_twice_in_one_feed_is_one_document(store):
    """The first of two listings counts, at every poll anew, so they do not take turns."""
    twin = replace(ENTRY, text="Another text under the same address.")
    for day in range(3):
        assert put(store, ENTRY, twin, days=day).n_changed == 0
    assert row(store, "n_versions, text") == (1, ENTRY.text)


def test_a_page_that_changes_at_every_poll_stops_making_versions(store):
    """Fifty versions are enough of a page that prints the hour."""
    for day in range(60):
        put(store, replace(ENTRY, text=f"It is day {day} of many."), days=day)
    assert row(store, "n_versions") == (50,)


def test_an_archive_may_say_when_it_saw_a_document(store):
    """`seen_at` of an entry is its first sight."""
    put(store, replace(ENTRY, seen_at=NOW - timedelta(days=400)))
    assert row(store, "first_seen_at, is_date_suspect") == (NOW - timedelta(days=400), True)
