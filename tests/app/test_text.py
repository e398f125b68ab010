"""Text on pages: escaped, linked only where safe, estimates with their doubt."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app import text
from tests.app.made_up import HOSTILE


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_escaped_text_is_nothing_but_text_to_a_markdown_reader(value):
    """Whatever the text, Markdown finds no link, image, emphasis, code, heading, list or HTML in it."""
    tokens = MarkdownIt("commonmark", {"html": True}).parse("a " + text.escape(value))
    inline = [child for token in tokens for child in token.children or []]
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    assert {child.type for child in inline} <= {"text", "text_special"}


def test_hostile_text_reads_as_it_was_written():
    """Escaping loses nothing that a reader would see."""
    tokens = MarkdownIt("commonmark", {"html": True}).parse(text.escape(HOSTILE))
    seen = "".join(child.content for token in tokens for child in token.children or [])
    assert seen.replace("\u2060", "") == HOSTILE


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,<script>",
        "file:///etc/passwd",
        "//evil.example",
        "http://",
        "https://user:secret@example.org/",
        "https://exa mple.org",
        "https://example.org\u202e",
        "http://[::1",
        "",
        None,
        float("nan"),
    ],
)
def test_only_plain_web_addresses_become_links(url):
    """Scripts, files, credentials and broken addresses are shown as no link at all."""
    assert text.safe_link(url) is None
    assert text.linked("title", url) == "title"


def test_an_address_cannot_break_out_of_its_link():
    """Brackets, quotes and blanks in an address stay inside the address."""
    shown = text.linked("a]b", 'https://example.org/x)[y](z"<b>')
    tokens = MarkdownIt().parse(shown)
    links = [child for token in tokens for child in token.children or [] if child.type == "link_open"]
    assert len(links) == 1
    assert links[0].attrs["href"].startswith("https://example.org/x")


@pytest.mark.parametrize(
    ("p", "shown"), [(0.0, "<5 %"), (0.02, "<5 %"), (0.05, "5 %"), (0.62, "60 %"), (0.975, ">95 %"), (1.0, ">95 %"), (None, "–")]
)
def test_chances_stand_in_steps_of_five_and_promise_nothing(p, shown):
    """Neither certain nor impossible is ever said."""
    assert text.chance(p) == shown


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_intervals_are_rounded_outward(a, b):
    """The interval on the page holds the interval that was estimated."""
    low, high = sorted((a, b))
    bottom, top = text.interval(low, high).removesuffix(" %").split("–")
    assert int(bottom) <= 100 * low + 1e-3
    assert int(top) >= 100 * high - 1e-3
    assert int(bottom) % 5 == int(top) % 5 == 0


def test_dates_show_no_more_than_is_known():
    """A year is not a first of January."""
    found = date(2021, 1, 1)
    assert [text.day(found, precision) for precision in ("day", "month", "year")] == ["2021-01-01", "2021-01", "2021"]
    assert text.day(None) == "–"
