"""Names in texts: who is meant, and who is not."""

from __future__ import annotations

import pytest

from models.tagging.keyword import provider_of
from models.tagging.names import ROLES, load_names
from models.tagging.products import load_products
from models.tagging.reading import read, sentences

BOOK = load_names()


def parties(text: str) -> list[tuple[str, str]]:
    """Name and role of each mention."""
    return [(m.name.name, m.name.role) for m in BOOK.mentions(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Apple pie recipe with cinnamon and cream for the whole family", []),
        ("Apple announces new Siri features for developers", [("Apple", "suite"), ("Apple", "suite")]),
        ("苹果发布新的智能功能", [("Apple", "suite")]),
        ("今天的苹果和梨都很新鲜，果汁也不错", []),
        ("Move the cursor with the mouse before you click, said the API guide", []),
        ("Cursor launches its own coding model", [("Cursor", "app")]),
        ("智谱发布 GLM-5", [("Zhipu", "provider"), ("Zhipu", "provider")]),
        ("LangChain now supports Claude Code", [("LangChain", "framework"), ("Anthropic", "provider")]),
        ("a metadata format", []),
        ("GPT-5.1 is out", [("OpenAI", "provider")]),
    ],
)
def test_names_need_their_context(text, expected):
    """Ambiguous words count only as companies; Chinese and Latin spellings lead to one name."""
    assert parties(text) == expected


def test_offsets_point_at_the_spelling():
    """A mention's offsets cut its own words out of the text."""
    text = "İstanbul: Hugging Face hosts Mistral models"
    assert [text[m.start : m.end] for m in BOOK.mentions(text)] == ["Hugging Face", "Mistral"]


def test_every_role_is_known():
    """The file uses only the roles that the taggers know."""
    assert {entry[0].role for entry in BOOK.spellings.values()} <= set(ROLES)


def test_the_actor_of_the_title_is_the_provider():
    """The party named in the title acts; the publisher speaks for itself; else nobody is guessed."""
    assert provider_of(read("Gemini arrives in Chrome", "", BOOK)) == "Google"
    assert provider_of(read("Our newest model", "It is fast.", BOOK, source="owner/anthropic_news")) == "Anthropic"
    assert provider_of(read("A quiet day", "Nothing happened.", BOOK)) is None


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        ("ChatPDF raises its limits", "", "chatpdf"),
        ("文心一言 is closing its app", "", "ernie-bot"),
        ("Rows of data", "The rows and columns of a table in an API.", None),
    ],
)
def test_products_of_the_catalogue_are_linked(title, text, expected):
    """Names of products lead to their ids, everyday words do not."""
    linked = load_products().linked(read(title, text, BOOK))
    assert linked == () if expected is None else expected in linked


def test_sentences_keep_numbers_whole():
    """A decimal point ends no sentence; Chinese full stops do."""
    assert sentences("GPT-4.5 is out. It costs $2.50 now. 更快了。更便宜。") == [
        "GPT-4.5 is out.",
        "It costs $2.50 now.",
        "更快了。",
        "更便宜。",
    ]
