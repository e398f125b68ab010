"""The counts of the ledger add up, and where they do not, one line says which."""

from __future__ import annotations

import pytest

from models.ledger import Row, wrong_published, wrong_steps, wrong_sums, wrong_tables

RIGHT = {
    "ingest": {
        "polled": 5,
        "fetched": 2,
        "not_modified": 1,
        "failed": 1,
        "held": 1,
        "documents_before": 3,
        "new": 4,
        "documents": 7,
    },
    "tag": {"pending": 9, "tagged": 4, "left": 5},
    "detect": {"jump": 6, "origin_catalogue": 4, "origin_detected": 2, "jump_document": 3},
    "publish": {"row": 30},
}


def changed(stage, **counts):
    """A run in which some counts are others."""
    return Row("r1", "ok", {**RIGHT, stage: {**RIGHT[stage], **counts}})


def test_counts_that_add_up_say_nothing():
    """Sums, steps and tables as they should be."""
    row = Row("r1", "ok", RIGHT)
    assert wrong_sums(row) == wrong_steps([row]) == wrong_published([row], {"a": 10, "b": 20}) == []
    assert wrong_tables([row], {"jump": 6, "jump_document": 3}) == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (changed("ingest", polled=6), "counts 6 polled"),
        (changed("ingest", documents=8), "counts 8 documents"),
        (changed("tag", left=4), "counts 9 pending"),
        (changed("detect", origin_detected=1), "counts 6 jump"),
    ],
)
def test_a_total_that_is_not_the_sum_of_its_parts_is_named(row, said):
    """The line names run, stage, total and parts."""
    (line,) = wrong_sums(row)
    assert line.startswith("run r1: ")
    assert said in line


def test_a_stage_that_failed_is_not_held_to_its_sums():
    """What it could not count is not wrong."""
    assert wrong_sums(Row("r1", "partial", {"tag": {"failed": 1, "error": "no tagger"}})) == []


def test_documents_that_went_are_named():
    """A run that finds fewer documents than an earlier one left is a loss; more may have been imported."""
    later = Row("r2", "ok", {"ingest": {"documents_before": 6, "documents": 6}})
    more = Row("r3", "ok", {"ingest": {"documents_before": 9, "documents": 9}})
    assert wrong_steps([Row("r1", "ok", RIGHT), later]) == ["run r2 found 6 documents, run r1 had left 7"]
    assert wrong_steps([Row("r1", "ok", RIGHT), more]) == []


def test_tables_and_published_rows_are_those_that_were_counted():
    """A table with another number of rows is named, unless a later run was killed, which may have begun to fill it anew."""
    row, killed = Row("r1", "ok", RIGHT), Row("r2", "interrupted")
    assert wrong_tables([row], {"jump": 5, "jump_document": 3}) == ["run r1: detect counts 6 rows of jump, the store holds 5"]
    assert wrong_tables([row, killed], {"jump": 5, "jump_document": 3}) == []
    assert wrong_published([row], {"a": 29}) == ["run r1: publish counts 30 rows, the published file holds 29"]
