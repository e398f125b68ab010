"""Stories: several documents of one event share a story, whatever the language and the order."""

from __future__ import annotations

import csv
import random
from datetime import date
from pathlib import Path

from models.detect import inputs, providers
from models.detect.stories import Text, stories
from models.detect.telling import tell_stories
from models.store import insert_rows
from tests.models import replayed

PAIRS = Path(__file__).parent.parent / "data" / "judged_pairs.csv"

LAUNCH = Text(
    "a", "https://openai.com/index/operator-2", "Introducing Operator 2",
    "Operator 2 drives a browser for you and passes OSWorld-Pro with 61.4%. It is open to Pro users in 12 countries, says Mira Tan.", date(2026, 3, 2),
)  # fmt: skip
PRESS = Text(
    "b", "https://theverge.com/ai/1", "OpenAI lets its agent loose on your browser",
    "OpenAI has launched Operator 2, an agent that drives a browser and reaches 61.4% on OSWorld-Pro. Pro users in 12 countries get it first, says Mira Tan.", date(2026, 3, 3),
)  # fmt: skip
CHINESE = Text(
    "c", "https://www.qbitai.com/2026/03/9.html", "OpenAI 发布 Operator 2",
    "OpenAI 正式推出 Operator 2，可直接操作浏览器，OSWorld-Pro 成绩达 61.4%，首批面向 12 个国家的 Pro 用户，负责人 Mira Tan 表示。", date(2026, 3, 3),
)  # fmt: skip
OTHER = Text(
    "d",
    "https://theverge.com/ai/2",
    "Anthropic opens an office in Zurich",
    "Anthropic will hire 40 researchers in Zurich, says Lea Moser.",
    date(2026, 3, 3),
)


def test_one_story_in_two_languages():
    """An official page, the press and a Chinese site share a story; another piece of news does not."""
    found = stories([LAUNCH, PRESS, CHINESE, OTHER], providers.load())
    assert found["a"] == found["b"] == found["c"]
    assert found["d"] != found["a"]


def test_a_title_alone_is_no_story():
    """The same words as a title of two unrelated sites do not join two documents that have nothing else."""
    one = Text("a", "https://a.example/1", "This week in models", "", date(2026, 3, 2))
    other = Text("b", "https://b.example/1", "This week in models", "", date(2026, 3, 2))
    found = stories([one, other], providers.load())
    assert found["a"] != found["b"]


def test_parts_and_versions_of_one_series_are_apart():
    """Pages of one site that differ in a number or a release are different stories."""
    texts = [
        Text(
            str(n),
            f"https://openai.com/index/{n}",
            title,
            "GPT-9 guides by the research team of OpenAI, with code and data.",
            date(2026, 3, 2),
        )
        for n, title in enumerate(["GPT-9 field notes, part 1", "GPT-9 field notes, part 2"])
    ]
    assert len(set(stories(texts, providers.load()).values())) == 2


def test_order_does_not_matter():
    """Any order of the documents gives the same stories under the same names."""
    texts = [LAUNCH, PRESS, CHINESE, OTHER]
    expected = stories(texts, providers.load())
    for seed in range(5):
        random.Random(seed).shuffle(texts)
        assert stories(texts, providers.load()) == expected


def test_judged_pairs(shared, store):
    """On the replayed feeds, pairs judged by hand: precision at least .95, recall at least .85."""
    for table, rows in inputs.document_rows(replayed.documents(shared, every=12)).items():
        insert_rows(store, table, rows)
    tell_stories(store, date(2026, 12, 31), providers.load())
    found = dict(store.execute("select document_id, story_id from story").fetchall())
    with PAIRS.open(encoding="utf-8") as handle:
        pairs = [row for row in csv.DictReader(handle) if row["one"] in found and row["other"] in found]
    told = [(row["is_one_story"] == "true", found[row["one"]] == found[row["other"]]) for row in pairs]
    right = sum(same and joined for same, joined in told)
    assert len(pairs) >= 150
    assert right / sum(joined for _, joined in told) >= 0.95
    assert right / sum(same for same, _ in told) >= 0.85
