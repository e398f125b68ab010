"""`lifeline detect` and `lifeline rule` as a person meets them."""

from __future__ import annotations

import csv
import json
from datetime import date

import pytest

from app.cli import main
from tests.app import made_up


def lines(file, *rows):
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


DOCUMENTS = [
    {"id": "a", "title": "Introducing GPT-9", "text": "", "url": "https://openai.com/index/gpt-9", "source": "openai", "published": "2026-03-02", "first_seen": "2026-03-02"},
    {"id": "b", "title": "OpenAI launches GPT-9", "text": "", "url": "https://theverge.com/1", "source": "verge", "published": "2026-03-03", "first_seen": "2026-03-03"},
]  # fmt: skip
TAGS = [
    {"id": key, "event_kind": "capability_jump", "kind_scores": {"capability_jump": 0.95}, "capabilities": ["coding"], "scores": {"coding": 0.9}, "provider": "OpenAI", "magnitude": 2, "tagger": "x"}
    for key in "ab"
]  # fmt: skip


def test_documents_and_tags_become_a_csv_of_jumps(tmp_path, capsys):
    """Two reports of one launch are one row, with the columns of the contract."""
    out = tmp_path / "out.csv"
    words = [
        "detect",
        lines(tmp_path / "in.jsonl", *DOCUMENTS),
        str(out),
        "--catalogue",
        "none",
        "--tags",
        lines(tmp_path / "tags.jsonl", *TAGS),
    ]
    assert main(words) == 0
    assert "2 documents, 1 jumps" in capsys.readouterr().out
    with out.open(encoding="utf-8") as handle:
        (row,) = csv.DictReader(handle)
    assert (row["jump_id"], row["provider"], row["happened_on"], row["capabilities"], row["document_ids"]) == (
        "openai-gpt-9",
        "OpenAI",
        "2026-03-02",
        "coding;frontier_quality",
        "a;b",
    )
    needed = "jump_id happened_on known_on platform provider release stage reach magnitude weight summary confidence origin n_documents is_confirmed"
    assert set(needed.split()) <= set(row)
    assert 0 < float(row["weight"]) <= 1


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ('{"id": "a"', "line 1"),
        ('{"title": "x"}', "no id"),
        ('{"id": "a", "published": "soon"}', "soon"),
        ('{"id": "a"}', "neither published"),
        ("", "no document"),
        ("[1]", "list"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path, capsys, content, word):
    """What cannot be read is named with its line, and the exit code says wrong use."""
    file = tmp_path / "in.jsonl"
    file.write_text(content, encoding="utf-8")
    assert main(["detect", str(file), str(tmp_path / "out.csv"), "--tags", lines(tmp_path / "tags.jsonl", *TAGS)]) == 2
    error = capsys.readouterr().err
    assert word in error
    assert error.count("\n") == 1


@pytest.fixture
def published(home):
    """A published file with two products of a dated list, one of which ended."""
    from models.store import insert_rows, open_work, publish

    with open_work(home) as con:
        rows = [
            {
                "product_id": "foo",
                "name": "Foo",
                "outcome": "shut_down",
                "ended_on": date(2025, 1, 1),
                "cohort": "S23",
                "note": "died of GPTs",
            },
            {"product_id": "bar", "name": "Bar", "outcome": "alive", "cohort": "S23"},
        ]
        insert_rows(con, "product", rows)
        publish(con, home / "lifeline.duckdb")
    return home


def test_moats_are_labelled_without_the_fate(published, capsys):
    """What is shown says nothing of how it went; a labelled product is not offered again."""
    for product in ("foo", "bar"):
        assert main(["rule", "show", product]) == 0
    shown = capsys.readouterr().out
    assert not any(word in shown for word in ("shut_down", "2025-01-01", "died", "alive"))
    capsys.readouterr()
    for product in ("foo", "bar"):
        assert main(["rule", "label", "moats", product, "--moats", "data;workflow", "--by", "ann"]) == 0
    assert main(["rule", "next"]) == 2
    assert "every product" in capsys.readouterr().err


def test_rulings_from_the_command_line(published, capsys):
    """A decision is one file; the list says who, what and whether it stands; wrong use is one line."""
    assert (
        main(["rule", "correct", "jump", "openai-gpt-9", "--set", "stage=preview", "--why", "the page says so", "--by", "ann"])
        == 0
    )
    assert main(["rule", "undo", "jump", "openai-gpt-9", "--why", "misread", "--by", "bo"]) == 0
    capsys.readouterr()
    assert main(["rule", "list"]) == 0
    listed = capsys.readouterr().out
    assert "ann" in listed
    assert "misread" in listed
    assert len(list((published / "rulings").glob("*.json"))) == 2
    assert main(["rule", "correct", "jump", "x", "--set", "stage", "--why", "y", "--by", "z"]) == 2
    assert "FIELD=VALUE" in capsys.readouterr().err


def test_rulings_on_tags_become_labels_that_training_reads(published, tmp_path):
    """What analysts decided comes out of `rule export` as `train --labels` takes it: teaching documents, with the decided labels."""
    from datetime import UTC, datetime

    from models import catalogue, rulings, store, taxonomy
    from models.detect.stage import detect
    from models.tagging.labels import read_examples

    decided = [
        ("reject", "d0:coding", {}),
        ("add", "d1:web_search", {}),
        ("correct", "d2", {"event_kind": "product_launch"}),
    ]
    for verdict, key, fields in decided:
        now = datetime(2026, 8, 23, tzinfo=UTC)
        rulings.rule(published / "rulings", verdict, "tag", key, why="read it", by="ann", now=now, fields=fields)
    with store.open_work(published) as con:
        made_up.fill(con, catalogue.load(), hostile=False)
        detect(con, catalogue.load(), made_up.AS_OF, published / "rulings")
        store.publish(con, published / "lifeline.duckdb")
    assert main(["rule", "export", str(tmp_path / "ruled.jsonl")]) == 0
    found = {e.id: e for e in read_examples([tmp_path / "ruled.jsonl"], taxonomy.load().event_kinds)}
    assert found["d0"].capabilities == ("vision_input",)
    assert found["d1"].capabilities == ("coding", "vision_input", "web_search")
    assert found["d2"].event_kind == "product_launch"
    assert {(e.labeller, e.is_reference) for e in found.values()} == {("ann", False)}
