"""Training anew from rulings: when, from what, and what is adopted."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from models import settings
from models.errors import TaggerError
from models.store import insert_rows, make_home, open_work, publish
from models.tagger import in_force, load_tagger
from models.tagging.adopted import adopt, adopted
from models.tagging.embedded import WEIGHTS
from models.tagging.retrain import retrain

TODAY = date(2026, 11, 2)


def example(i, **more):
    """A labelled document: every other one a jump."""
    jump = i % 2
    return {
        "id": f"r{i}",
        "title": f"OpenAI launches vision {i}" if jump else f"notes on cooking {i}",
        "text": "images are understood by the model now" if jump else "a long talk about nothing",
        "lang": "en",
        "event_kind": "capability_jump" if jump else "commentary",
        "capabilities": ["vision_input"] * jump,
        "magnitude": 2 * jump,
        **more,
    }


@pytest.fixture
def config(home):
    """A home in which an analyst ruled on a tag of one document."""
    make_home(home)
    rule(home, "d1", 1)
    return settings.load()


def rule(home, document_id, day):
    """Publish one more document with a ruling on its tags."""
    at = datetime(2026, 10, day, tzinfo=UTC)
    with open_work(home) as con:
        insert_rows(
            con, "source", [{"source_id": "s", "title": "S", "url": "https://s.example", "kind": "feed"}], conflict="or ignore"
        )
        insert_rows(
            con,
            "document",
            [
                {
                    "document_id": document_id,
                    "source_id": "s",
                    "title": "OpenAI launches vision",
                    "text": "images are understood",
                    "first_seen_at": at,
                    "content_hash": "h",
                }
            ],
        )
        con.execute("insert or replace into meta values ('tagger', 't')")
        insert_rows(
            con,
            "tagging",
            [{"document_id": document_id, "tagger": "t", "content_hash": "h", "tagged_at": at, "event_kind": "capability_jump"}],
        )
        ruling = {
            "ruling_id": f"ruling-{document_id}",
            "ruled_at": at,
            "ruled_by": "ann",
            "verdict": "correct",
            "relation": "tag",
        }
        insert_rows(con, "ruling", [{**ruling, "key": document_id, "fields": "{}", "why": "seen", "is_in_force": True}])
        publish(con, home / "lifeline.duckdb")


def references(home, *rows):
    """Reference labels in the home."""
    (home / "labels").mkdir(exist_ok=True)
    lines = rows or [example(i, story=f"s{i}") for i in range(40)]
    (home / "labels" / "references.jsonl").write_text("\n".join(map(json.dumps, lines)))


def learn(config, **more):
    """One monthly training."""
    with open_work(config.home) as con:
        return retrain(con, config, TODAY, lambda line: None, **more)


def judged(is_better):
    """A training that ends as told, and notes what it was given."""

    def train(files, output, name, **asked):
        train.files = {file.name: [json.loads(line) for line in file.read_text().splitlines()] for file in files}
        (output / "tagger.json").write_text("{}")
        figures = dict.fromkeys(("micro_f1", "macro_f1", "kind_accuracy", "jump_f1"), 0.5)
        return {"before": figures, "figures": figures, "is_better": is_better}

    return train


@pytest.fixture
def comparable(config, monkeypatch):
    """A home whose tagger in force was judged on the references that lie there."""
    references(config.home)
    monkeypatch.setattr("models.tagging.memory.in_common", lambda ids, memory: len(ids))
    return config


def test_without_references_nothing_is_adopted_and_the_outcome_says_why(config):
    """A fair comparison needs the labels that the tagger in force was judged on; until they lie there the rulings stay new."""
    for _ in range(2):
        found = learn(config)
        assert found["new_ruling"] == 1
        assert "no reference labels" in found["outcome"]
    references(config.home)
    assert "was not judged on the references" in learn(config)["outcome"]
    assert adopted(config.taggers) is None


def test_the_adopted_tagger_is_what_every_reader_of_the_settings_takes(config):
    """A home goes by the folder that it adopted; by the shipped tagger before, and by another kind where the setting names one."""
    assert in_force(config) == "embedded"
    (config.taggers / "mine").mkdir(parents=True)
    adopt(config.taggers, "mine", date(2026, 11, 2))
    assert in_force(config) == str(config.taggers / "mine")
    keyword = settings.load({"LIFELINE_HOME": str(config.home), "LIFELINE_TAGGER": "keyword"})
    assert in_force(keyword) == "keyword"


def test_a_better_tagger_is_adopted_and_is_what_comes_next(comparable):
    """It goes to the home's models/ under a name of its own; the rulings teach without being judged on; then they are not new."""
    train = judged(is_better=True)
    found = learn(comparable, train=train)
    assert (found["adopted"], found["new_ruling"]) == (1, 1)
    assert adopted(comparable.taggers) == comparable.taggers / "lifeline-2026.11.02"
    assert [(row["id"], "story" in row) for row in train.files["ruled.jsonl"]] == [("d1", False)]
    assert learn(comparable, train=train)["outcome"] == "no ruling on a tag since the last training"
    rule(comparable.home, "d2", 9)
    assert learn(comparable, train=train)["outcome"].startswith("lifeline-2026.11.02-2 adopted")


def test_a_tagger_that_is_not_better_leaves_no_trace(comparable):
    """The tagger in force stays, nothing lies about, and the same rulings are not tried again."""
    assert learn(comparable, train=judged(is_better=False))["outcome"].startswith("not better, not adopted")
    assert list(comparable.taggers.iterdir()) == []
    assert learn(comparable)["new_ruling"] == 0


def test_a_real_training_starts_from_the_tagger_in_force(config):
    """With a tagger that was judged on the home's references, the next one is judged on the same, and the better one tags."""
    from models.tagging.training import train

    references(config.home)
    train([config.home / "labels" / "references.jsonl"], config.taggers / "mine", "mine", epochs=0)
    adopt(config.taggers, "mine", TODAY)
    found = learn(config)
    assert found["trained"] == 1
    assert "on the same references" in found["outcome"]
    assert load_tagger(config).name == adopted(config.taggers).name


def test_another_kind_of_tagger_is_not_trained(config, monkeypatch):
    """Where the setting names a tagger of its own, none is adopted in its place."""
    monkeypatch.setenv("LIFELINE_TAGGER", "keyword")
    references(config.home)
    assert "the setting `tagger` is 'keyword'" in learn(settings.load())["outcome"]


@pytest.mark.parametrize("note", ["{", "[]", '{"tagger": "gone"}', '{"tagger": "../weights"}'])
def test_a_note_that_names_no_tagger_is_an_error_in_words(config, note):
    """A note by hand that is wrong says so instead of falling back silently."""
    (config.taggers / "adopted.json").write_text(note)
    with pytest.raises(TaggerError, match=r"adopted\.json"):
        load_tagger(config)


def test_the_shipped_tagger_is_in_force_until_one_is_adopted(config):
    """A home without a tagger of its own goes by the shipped one."""
    assert load_tagger(config).folder == WEIGHTS
