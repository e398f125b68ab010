"""Rulings: append-only files, taken in by the next run, the later one winning."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime, timedelta

import pytest

from models import rulings
from models.catalogue import Catalogue
from models.detect.stage import detect
from models.errors import UsageError
from tests.models.detecting import a_document, put

NOW = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)
AS_OF = date(2026, 3, 31)
NOTHING = Catalogue([], [], [], "")


def decide(folder, verdict, relation, key, hours=0, by="ann", **fields):
    return rulings.rule(
        folder, verdict, relation, key, why="seen on the page", by=by, now=NOW + timedelta(hours=hours), fields=fields
    )


def test_a_ruling_survives_its_file(tmp_path):
    """What was decided comes back whole: who, when, why and the values."""
    ruling = decide(tmp_path, "correct", "jump", "openai-gpt-9", stage="preview", happened_on="2026-03-01")
    found, problems = rulings.read(tmp_path)
    assert found == [ruling]
    assert problems == []
    assert found[0].fields == {"stage": "preview", "happened_on": "2026-03-01"}


def test_two_analysts_at_once_lose_nothing(tmp_path):
    """Forty decisions by eight writers at the same moment are forty rulings."""
    threads = [
        threading.Thread(
            target=lambda n=n: [decide(tmp_path, "confirm", "jump", f"jump-{n}-{i}", by=f"analyst {n}") for i in range(5)]
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found, problems = rulings.read(tmp_path)
    assert (len(found), problems) == (40, [])
    assert not list(tmp_path.glob("*.tmp"))


def test_a_broken_file_is_named_and_left(tmp_path):
    """A file that is no ruling is reported and kept, and harms no other."""
    decide(tmp_path, "confirm", "jump", "a")
    (tmp_path / "20260101.json").write_text('{"verdict": "con', encoding="utf-8")
    (tmp_path / "20260102.json").write_text(json.dumps({"verdict": "hang"}), encoding="utf-8")
    found, problems = rulings.read(tmp_path)
    assert len(found) == 1
    assert len(problems) == 2
    assert "20260101.json" in problems[0]


def test_the_later_ruling_wins_and_undo_takes_back(tmp_path):
    """A later verdict replaces the earlier, an undo takes back the latest, all stay readable."""
    decide(tmp_path, "confirm", "jump", "a", hours=0)
    decide(tmp_path, "reject", "jump", "a", hours=1, by="bo")
    found, _ = rulings.read(tmp_path)
    assert [one.verdict for one in rulings.in_force(found)] == ["reject"]
    rulings.rule(tmp_path, "undo", "jump", "a", why="was right after all", by="ann", now=NOW + timedelta(hours=2))
    found, _ = rulings.read(tmp_path)
    assert rulings.in_force(found) == []
    assert [row["is_in_force"] for row in rulings.table_rows(found)] == [False, False, False]


def test_corrections_of_different_fields_add_up(tmp_path):
    """A correction stays in force while it gives a field that no later one gives."""
    decide(tmp_path, "correct", "jump", "a", hours=0, stage="preview", magnitude=3)
    decide(tmp_path, "correct", "jump", "a", hours=1, stage="ga")
    found, _ = rulings.read(tmp_path)
    assert len(rulings.in_force(found)) == 2


@pytest.mark.parametrize(
    ("verdict", "relation", "fields", "word"),
    [
        ("hang", "jump", {}, "hang"),
        ("confirm", "weather", {}, "weather"),
        ("correct", "jump", {"stage": "never"}, "never"),
        ("correct", "jump", {"colour": "red"}, "colour"),
        ("correct", "jump", {}, "field"),
        ("merge", "jump", {}, "into"),
        ("split", "product", {"document_ids": "a"}, "jumps"),
        ("correct", "product", {"ended_on": "soon"}, "soon"),
    ],
)
def test_what_no_run_could_apply_is_refused(tmp_path, verdict, relation, fields, word):
    """A wrong verdict, relation, field or value is refused with the word that was wrong, and nothing is written."""
    with pytest.raises(UsageError, match=word):
        rulings.rule(tmp_path, verdict, relation, "key", why="because", by="ann", now=NOW, fields=fields)
    assert list(tmp_path.glob("*")) == []


@pytest.fixture
def two_jumps(store):
    """Two launches, the first told by two documents."""
    put(store, a_document("a", "Introducing GPT-9", on="2026-03-02", url="https://openai.com/index/gpt-9"))
    put(store, a_document("b", "OpenAI launches GPT-9", on="2026-03-03", url="https://theverge.com/1", source="theverge"))
    put(
        store,
        a_document(
            "c", "Introducing Claude Opus 9", on="2026-03-04", url="https://www.anthropic.com/news/opus-9", provider="Anthropic"
        ),
    )
    return store


def jumps(store, folder):
    detect(store, NOTHING, AS_OF, folder)
    rows = store.execute("select jump_id, stage, is_confirmed, n_documents from pub.jump").fetchall()
    return {key: (stage, confirmed, n) for key, stage, confirmed, n in rows}


def test_rulings_on_jumps_hold_in_the_next_run(two_jumps, tmp_path):
    """Correct, reject, add and undo do what they say, and the ruling stands in its table."""
    assert jumps(two_jumps, tmp_path) == {"openai-gpt-9": ("ga", False, 2), "anthropic-opus-9": ("ga", False, 1)}
    decide(tmp_path, "correct", "jump", "openai-gpt-9", stage="preview")
    decide(tmp_path, "reject", "jump", "anthropic-opus-9")
    decide(tmp_path, "add", "jump", "apple-siri-9", provider="Apple", happened_on="2026-03-07", capabilities="agents")
    assert jumps(two_jumps, tmp_path) == {"openai-gpt-9": ("preview", True, 2), "apple-siri-9": ("ga", True, 0)}
    assert two_jumps.execute("select count(*) from pub.ruling where is_in_force").fetchone() == (3,)
    rulings.rule(tmp_path, "undo", "jump", "anthropic-opus-9", why="real", by="bo", now=NOW + timedelta(days=1))
    assert "anthropic-opus-9" in jumps(two_jumps, tmp_path)


def test_merge_and_split(two_jumps, tmp_path):
    """A split gives documents a jump of their own; a merge gives them back."""
    jumps(two_jumps, tmp_path)
    decide(tmp_path, "split", "jump", "openai-gpt-9", document_ids="b")
    apart = jumps(two_jumps, tmp_path)
    new = next(key for key in apart if key.startswith("openai-gpt-9-"))
    assert (apart["openai-gpt-9"][2], apart[new][2]) == (1, 1)
    decide(tmp_path, "merge", "jump", new, hours=1, into="openai-gpt-9")
    assert jumps(two_jumps, tmp_path)["openai-gpt-9"][2] == 2


def test_a_ruled_tag_changes_what_is_detected(two_jumps, tmp_path):
    """Rejecting every label and correcting the kind of a document takes its jump away; both are labels for training."""
    jumps(two_jumps, tmp_path)
    decide(tmp_path, "correct", "tag", "c", event_kind="commentary")
    assert "anthropic-opus-9" not in jumps(two_jumps, tmp_path)


def test_changes_are_told_once(two_jumps, tmp_path):
    """A ruling's effect is one line in `change`; running again adds none."""
    jumps(two_jumps, tmp_path)
    decide(tmp_path, "correct", "jump", "openai-gpt-9", stage="preview")
    for _ in range(3):
        jumps(two_jumps, tmp_path)
    rows = two_jumps.execute("select field, before, after from change where key = 'openai-gpt-9' and field = 'stage'").fetchall()
    assert rows == [("stage", "ga", "preview")]


def test_an_end_is_ruled_and_undone(store, tmp_path):
    """A ruled end changes the product and says so in `change`; undo gives the product back."""
    product = {"product_id": "foo", "name": "Foo", "outcome": "alive", "is_private": False}

    def run():
        store.execute("delete from product")
        from models.store import insert_rows

        insert_rows(store, "product", [product])
        detect(store, NOTHING, AS_OF, tmp_path)
        return store.execute("select outcome, ended_on, ended_known_on from product").fetchone()

    decide(tmp_path, "confirm", "end", "foo", outcome="shut_down", ended_on="2026-03-01", source_url="https://foo.example/bye")
    assert run() == ("shut_down", date(2026, 3, 1), date(2026, 3, 1))
    assert store.execute("select count(*) from change where relation = 'product' and field = 'outcome'").fetchone() == (1,)
    run()
    assert store.execute("select count(*) from change where relation = 'product' and field = 'outcome'").fetchone() == (1,)
    rulings.rule(tmp_path, "undo", "end", "foo", why="a mistake", by="bo", now=NOW + timedelta(days=1))
    assert run() == ("alive", None, None)
