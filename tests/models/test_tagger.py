"""The tagger as the rest of the house sees it."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pytest

from models import taxonomy
from models.errors import TaggerError, UsageError
from models.tagger import load_tagger
from models.tagging.files import classify_file
from models.types import TextIn

LABELS = set(taxonomy.load().capabilities)
STORIES = {
    "vision for everybody": TextIn(
        "v",
        "OpenAI brings vision to ChatGPT",
        "ChatGPT can now see images. The feature is rolling out to all Plus users.",
        source="openai",
    ),
    "an app's feature": TextIn("a", "Cursor adds a new chat panel", "The Cursor editor now has a chat panel for teams."),
    "talk": TextIn("t", "How I learned to write prompts", "A tutorial with many examples and opinions about prompting."),
    "a retirement": TextIn(
        "r",
        "OpenAI: deprecation of text-davinci-003",
        "The model will be shut down on 2024-01-04. Recommended replacement: gpt-3.5-turbo-instruct.",
    ),
    "Chinese music": TextIn(
        "z", "MiniMax 发布音乐模型 Music 2.0", "MiniMax 发布新一代音乐生成模型，可生成带人声的完整歌曲，接口已开放。", lang="zh"
    ),
}
HOSTILE = [
    TextIn("empty", "", ""),
    TextIn("huge", "A title", "lorem ipsum dolor " * 60_000),
    TextIn("one word", "", "a" * 1_000_000),
    TextIn("emoji", "🚀🚀🚀", "😀" * 400),
    TextIn("rtl", "إطلاق نموذج جديد", "\u202eمرحبا\u202c بالعالم"),
    TextIn("mojibake", "ChatGPT â€” now with visÃ­on", "Ã¤Ã¶Ã¼ ä½ å¥½"),
    TextIn("markup", "<script>alert(1)</script>", "'; drop table document; -- {{7*7}} ${x} [CLS] [SEP] [MASK]"),
    TextIn("nul", "a\x00b", "c\ud800d"),
    TextIn("names", "OpenAI " * 50, "§provider_release " * 100),
]


@pytest.fixture(scope="module")
def embedded():
    """The shipped tagger, loaded once."""
    pytest.importorskip("torch")
    return load_tagger("embedded", "cpu")


@pytest.mark.parametrize("name", ["keyword", "embedded"])
def test_every_tag_keeps_the_contract(name, request):
    """All labels are scored, probabilities are probabilities, and only jumps and shutdowns carry labels."""
    tagger = request.getfixturevalue("embedded") if name == "embedded" else load_tagger("keyword")
    for text, tags in zip(STORIES.values(), tagger.tag(list(STORIES.values())), strict=True):
        assert tags.document_id == text.id
        assert set(tags.scores) == LABELS
        assert all(0 <= p <= 1 for p in (*tags.scores.values(), *tags.kind_scores.values()))
        assert sum(tags.kind_scores.values()) == pytest.approx(1, abs=1e-3)
        assert set(tags.capabilities) <= LABELS
        assert set(tags.evidence) == set(tags.capabilities)
        if tags.event_kind not in ("capability_jump", "product_shutdown"):
            assert tags.capabilities == ()


def test_it_tells_platforms_from_apps_and_news_from_talk(embedded):
    """The main cuts of the label set, on plain examples in two languages."""
    found = {name: embedded.tag([text])[0] for name, text in STORIES.items()}
    assert found["vision for everybody"].event_kind == "capability_jump"
    assert "vision_input" in found["vision for everybody"].capabilities
    assert found["vision for everybody"].provider == "OpenAI"
    assert found["an app's feature"].event_kind == "product_launch"
    assert found["talk"].event_kind == "commentary"
    assert found["a retirement"].capabilities == ("api_deprecation",)
    assert "music_generation" in found["Chinese music"].capabilities
    assert found["Chinese music"].provider == "MiniMax"


def test_evidence_is_a_sentence_of_the_text(embedded):
    """An explanation quotes; it never makes anything up."""
    text = STORIES["vision for everybody"]
    tags = embedded.tag([text])[0]
    assert all(sentence in f"{text.title} {text.text}" for sentence in tags.evidence.values())


def test_order_company_and_threads_change_nothing(embedded):
    """A document's tags are the same alone, in any order, and on one thread or two."""
    import torch

    texts = [TextIn(f"{k}{i}", t.title + " !" * i, t.text * (1 + i)) for i in range(8) for k, t in STORIES.items()]
    shuffled = random.Random(5).sample(texts, len(texts))
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = {t.document_id: t for t in embedded.tag(texts)}
        torch.set_num_threads(2)
        two = {t.document_id: t for t in embedded.tag(shuffled)}
    finally:
        torch.set_num_threads(threads)
    alone = embedded.tag([texts[7]])[0]
    assert one == two
    assert alone == one[texts[7].id]


@pytest.mark.parametrize("name", ["keyword", "embedded"])
def test_hostile_texts_pass(name, request):
    """Empty, huge, right-to-left, broken and hostile texts get tags like any other."""
    tagger = request.getfixturevalue("embedded") if name == "embedded" else load_tagger("keyword")
    assert [tags.document_id for tags in tagger.tag(HOSTILE)] == [text.id for text in HOSTILE]


def test_nothing_in_nothing_out(embedded):
    """No text, no tags."""
    assert embedded.tag([]) == []


def test_a_label_that_was_not_learnt_is_named(embedded, monkeypatch):
    """A new line in the taxonomy scores 0 and the tagger says that it has not learnt it."""
    from models.tagging.embedded import EmbeddedTagger

    terms = taxonomy.load()
    added = terms.terms[0].__class__("telepathy", "capability", "telepathy", "", "reads minds", "", "eye")
    bigger = terms.__class__(terms.version, (*terms.terms, added))
    monkeypatch.setattr(taxonomy, "load", lambda: bigger)
    tagger = EmbeddedTagger(device="cpu")
    assert tagger.not_learnt == ("telepathy",)
    assert tagger.tag([STORIES["talk"]])[0].scores["telepathy"] == 0.0


def test_a_file_is_tagged_in_order_and_the_same_twice(tmp_path):
    """`classify_file` keeps the order and writes the same bytes again."""
    lines = [json.dumps({"id": t.id, "title": t.title, "text": t.text}, ensure_ascii=False) for t in STORIES.values()]
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for out in ("one.jsonl", "two.jsonl"):
        classify_file(tmp_path / "in.jsonl", tmp_path / out, load_tagger("keyword"))
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    assert [json.loads(line)["id"] for line in (tmp_path / "one.jsonl").open(encoding="utf-8")] == [
        t.id for t in STORIES.values()
    ]


def test_a_broken_line_is_named(tmp_path):
    """A line that is no document stops the work with its number, and nothing is written."""
    (tmp_path / "in.jsonl").write_text('{"id": "1", "title": "a", "text": "b"}\n{"title": "no id"}\n', encoding="utf-8")
    with pytest.raises(UsageError, match=r"in\.jsonl:2"):
        classify_file(tmp_path / "in.jsonl", tmp_path / "out.jsonl", load_tagger("keyword"))
    assert not (tmp_path / "out.jsonl").exists()


def test_an_unknown_tagger_says_what_there_is():
    """A name that is none gets one line with the names there are."""
    with pytest.raises(TaggerError, match="embedded, keyword, zero-shot, instruct"):
        load_tagger("no-such-tagger")


def test_the_door_is_light():
    """Importing the protocol loads neither numpy nor torch."""
    code = "import sys, models.tagger; print([m for m in ('torch', 'numpy', 'transformers', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
