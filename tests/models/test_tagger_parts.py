"""The parts of the learnt tagger: features, stack, scores, twins, review order, and taggers on checkpoints made up here."""

from __future__ import annotations

import json

import numpy as np
import pytest

from models import taxonomy
from models.errors import TaggerError
from models.tagging import scores as judge
from models.tagging.features import hashed, marked
from models.tagging.fit_stack import fit_stack, folds
from models.tagging.keyword import keyword_signs
from models.tagging.labels import Example, Labels, read_examples
from models.tagging.names import load_names
from models.tagging.reading import read
from models.tagging.review import review_order, uncertainty, worth
from models.tagging.stack import load_stack
from models.tagging.surface import surface_rows, surface_terms
from models.tagging.twins import near_copies, translations

BOOK = load_names()


def an_example(
    identity: str, title: str, text: str = "", lang: str = "en", url: str = "", kind: str = "commentary", **more
) -> Example:
    """A labelled document with the usual gaps."""
    labels = tuple(more.get("capabilities", ()))
    return Example(identity, title, text, lang, url, "", kind, labels, "", 0, "", more.get("story", identity))


def test_names_become_roles():
    """N-grams see roles, so that a new app looks like any app."""
    reading = read("Cursor ships Claude support", "", BOOK)
    assert marked(reading.title, reading.title_mentions).split() == ["§app", "ships", "§provider_release", "support"]


def test_features_do_not_depend_on_company():
    """A row of features is the same alone and among others."""
    readings = [read(title, "body text", BOOK) for title in ("one launch", "二 发布", "three")]
    together, alone = hashed(readings), hashed(readings[1:2])
    assert (together[1] != alone[0]).nnz == 0


def test_the_bare_text_is_read_in_both_languages():
    """Words, pairs and characters of a text are features, inside Chinese runs, too; a row is the same alone and among others."""
    reading = read("GPT 上线", "now here", BOOK)
    found = surface_terms(reading)
    assert {"wgpt", "w上线", "wgpt 上线", "wnow here", "c上线", "c gpt"} <= set(found)
    together, alone = surface_rows([read("a b", "", BOOK), reading]), surface_rows([reading])
    assert (together[1] != alone[0]).nnz == 0


def test_signs_of_rare_kinds_are_seen_at_the_start_only():
    """A rename gives itself away in the title or the first lines, and nowhere else."""
    kinds = ("commentary", "product_pivot")
    readings = [
        read(title, text, BOOK)
        for title, text in (("X renamed to Y", ""), ("News", "z " * 300 + "X 更名"), ("News", "X 更名为 Y"))
    ]
    assert keyword_signs(readings, kinds).tolist() == [[0, 1], [0, 0], [0, 1]]


def test_the_stack_learns_which_component_to_trust(tmp_path):
    """Given one informative and one random component it leans on the first, and survives a round trip to disk."""
    dice = np.random.default_rng(0)
    kinds = dice.integers(0, 3, 400)
    names = ("capability_jump", "product_shutdown", "commentary")
    truth = (dice.random((400, 2)) < 0.3) & (kinds == 0)[:, None]
    good = {
        "kind": 3 * np.eye(3)[kinds] + dice.normal(0, 1, (400, 3)),
        "capabilities": 4 * truth - 2 + dice.normal(0, 1, (400, 2)),
    }
    noise = {"kind": dice.normal(0, 1, (400, 3)), "capabilities": dice.normal(0, 1, (400, 2))}
    labels = Labels(kinds, truth.astype(np.float32), np.zeros(400), np.ones(400), names, ("vision_input", "api_deprecation"))
    stack = fit_stack("t-1", {"ngram": good, "encoder": noise}, labels)
    assert stack.kind_scale["ngram"] > 5 * abs(stack.kind_scale["encoder"])
    assert stack.label_scale["ngram"] > 5 * abs(stack.label_scale["encoder"])
    stack.save(tmp_path)
    again = load_stack(tmp_path)
    parts = {"ngram": good, "encoder": noise}
    assert np.allclose(again.kind_probabilities(parts), stack.kind_probabilities(parts))


def test_decisions_agree_with_the_kind():
    """A shutdown carries at most the deprecation, commentary carries nothing."""
    kinds = np.array([[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]])
    labels = Labels(
        np.array([0, 1, 2]),
        np.zeros((3, 2), np.float32),
        np.zeros(3),
        np.ones(3),
        ("capability_jump", "product_shutdown", "commentary"),
        ("vision_input", "api_deprecation"),
    )
    stack = fit_stack("t-2", {"ngram": {"kind": kinds, "capabilities": np.zeros((3, 2))}}, labels)
    decided = stack.decide(kinds, np.full((3, 2), 0.9))
    assert decided == [
        ("product_shutdown", ("api_deprecation",)),
        ("commentary", ()),
        ("capability_jump", ("vision_input", "api_deprecation")),
    ]


def test_scores_by_hand():
    """Micro, macro and calibration on a case that fits on a napkin."""
    judged = judge.Judged(
        kinds=("capability_jump", "commentary"),
        labels=("a", "b"),
        said_kinds=["capability_jump", "commentary", "capability_jump"],
        said_labels=[["a"], [], ["a", "b"]],
        scores=np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]]),
        true_kinds=["capability_jump", "commentary", "commentary"],
        true_labels=[["a"], [], ["b"]],
        langs=["en", "en", "zh"],
    )
    figures = judge.overall(judged)
    assert figures["micro_f1"] == pytest.approx(4 / 5)
    assert figures["macro_f1"] == pytest.approx((2 / 3 + 1) / 2, abs=1e-4)
    assert figures["kind_accuracy"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["calibration_error"] == pytest.approx(1 / 3, abs=1e-4)
    assert judge.confusion(judged)["commentary"]["capability_jump"] == 1


def test_only_better_figures_are_adopted():
    """The same figures are no reason to change the tagger."""
    old = {"micro_f1": 0.6, "macro_f1": 0.5, "kind_accuracy": 0.8, "jump_f1": 0.9}
    assert not judge.is_better(old, old)
    assert judge.is_better({**old, "macro_f1": 0.52}, old)


def test_folds_never_split_a_story():
    """Documents of one story fall into one fold, the same on every machine."""
    stories = ["a", "b", "a", "c", "b"]
    fold = folds(stories)
    assert fold[0] == fold[2]
    assert fold[1] == fold[4]
    assert folds(["a"])[0] == fold[0]


def test_translations_and_copies_are_found():
    """An item and its translation link to one page; both, and near copies, are kept from teaching."""
    english = an_example(
        "e", "Qwen3 released", "Qwen3-32B and Qwen3-235B are on HuggingFace under Apache-2.0.", url="https://x/1"
    )
    chinese = an_example("z", "Qwen3 发布", "Qwen3-32B 与 Qwen3-235B 已在 HuggingFace 以 Apache-2.0 发布。", "zh", "https://x/1")
    other = an_example("o", "A quite different story", "About robots in a warehouse.", url="https://x/1")
    copy = an_example("c", "Qwen3 released", "Qwen3-32B and Qwen3-235B are on HuggingFace under Apache-2.0 now.")
    pairs = translations([english, chinese, other])
    assert [(z.id, e.id) for z, e in pairs] == [("z", "e")]
    assert near_copies([chinese, other, copy], [english], pairs) == {"z", "c"}


def test_wrong_labels_are_named(tmp_path):
    """A kind outside the taxonomy stops training with file and line."""
    file = tmp_path / "labels.jsonl"
    file.write_text(json.dumps({"id": "1", "event_kind": "party", "capabilities": []}), encoding="utf-8")
    with pytest.raises(TaggerError, match=r"labels\.jsonl:1.*party"):
        read_examples([file], taxonomy.load().event_kinds)


def test_review_shows_first_what_teaches_most():
    """An unsure thing with many lifelines comes before a sure one, and before one that nothing hangs on."""
    bits = uncertainty([0.999, 0.5, 0.5, float("nan")], [0.999, 0.55, 0.55, 1.0])
    worths = worth(bits, [9, 9, 0, 9])
    order = review_order(worths, ["2026-01-01"] * 4, ["sure", "unsure", "idle", "unasked"])
    assert [["sure", "unsure", "idle", "unasked"][i] for i in order] == ["unsure", "unasked", "idle", "sure"]
    assert bits[3] == pytest.approx(1.0, abs=1e-6)
    assert worths[1] > 2 * worths[0]


def test_of_equal_worth_the_latest_is_reviewed_first():
    """Days break ties, then keys; things without a day come last, whatever the order they came in."""
    days, keys = ["2026-01-01", None, "2026-02-01", "2026-02-01"], ["a", "b", "d", "c"]
    assert [keys[i] for i in review_order([1, 1, 1, 1], days, keys)] == ["c", "d", "a", "b"]
