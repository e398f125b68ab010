"""Which documents a tagger has still to read, and how its words are kept."""

from datetime import UTC, datetime

import pytest

from models.store import insert_rows
from models.tags import n_pending, pending_batches, store_tags
from models.types import Tags

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)


@pytest.fixture
def documents(store):
    """Five documents, read by nobody."""
    insert_rows(
        store,
        "document",
        [
            {"document_id": f"d{i}", "title": f"title {i}", "text": "text", "first_seen_at": NOW, "content_hash": "v1"}
            for i in range(5)
        ],
    )
    return store


def said(document_id, *labels, tagger="t-1"):
    """What a tagger might say of a document."""
    scores = dict.fromkeys(labels, 0.9)
    return Tags(document_id, "capability_jump", {"capability_jump": 0.8}, labels, scores, "OpenAI", 2, tagger, {}, ())


def test_every_document_is_offered_once_whether_or_not_it_gets_tagged(documents):
    """Batches cover what is pending and come to an end even if nothing is stored."""
    batches = [[text.id for text in batch] for batch in pending_batches(documents, "t-1", 2)]
    assert batches == [["d0", "d1"], ["d2", "d3"], ["d4"]]


def test_what_is_tagged_is_pending_no_more_until_its_text_changes(documents):
    """A new version of a document is read again, and what was said of the old one goes."""
    store_tags(documents, "t-1", [said(f"d{i}", "image_generation") for i in range(5)], NOW)
    assert n_pending(documents, "t-1") == 0
    documents.execute("update document set content_hash = 'v2' where document_id = 'd3'")
    assert [[text.id for text in batch] for batch in pending_batches(documents, "t-1", 2)] == [["d3"]]
    store_tags(documents, "t-1", [said("d3", "video_generation")], NOW)
    assert n_pending(documents, "t-1") == 0
    assert documents.execute("select capability from tagging_label where document_id = 'd3'").fetchall() == [
        ("video_generation",)
    ]


def test_another_tagger_reads_everything_and_leaves_the_first_ones_words(documents):
    """Tags are kept by tagger; a new one adds its own."""
    store_tags(documents, "t-1", [said(f"d{i}") for i in range(5)], NOW)
    assert n_pending(documents, "t-2") == 5
    store_tags(documents, "t-2", [said("d0", tagger="t-2")], NOW)
    assert documents.execute("select tagger, count(*) from tagging group by all order by 1").fetchall() == [
        ("t-1", 5),
        ("t-2", 1),
    ]


def test_a_batch_is_kept_whole_or_not_at_all(documents):
    """One document that cannot be stored leaves nothing of its batch behind."""
    with pytest.raises(KeyError):
        store_tags(documents, "t-1", [said("d0", "image_generation"), said("nowhere")], NOW)
    assert n_pending(documents, "t-1") == 5
    assert documents.execute("select count(*) from tagging_label").fetchone() == (0,)
