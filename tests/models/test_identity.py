"""What makes two listings one document."""

from __future__ import annotations

import pytest

from models.identity import (
    canonical_url,
    clean,
    content_hash,
    display_url,
    guess_lang,
    identity_keys,
    safe_link,
    shared_keys,
    site_of,
)

SAME = [
    "https://example.org/a",
    "http://example.org/a",
    "https://www.example.org/a/",
    "https://EXAMPLE.org:443/a",
    "https://example.org/a?utm_source=rss&utm_medium=feed",
    "https://example.org/a?fbclid=x",
    "https://example.org/a#atom-everything",
    "https://example.org/a/index.html",
    "https://example.org/%61",
]
DIFFERENT = [
    "https://example.org/A",
    "https://example.org/a?id=1",
    "https://example.org/a?id=2",
    "https://example.org/a#1.12.3",
    "https://example.org:8443/a",
    "https://blog.example.org/a",
    "https://example.org/a/b",
]


@pytest.mark.parametrize("url", SAME)
def test_spellings_of_one_address_are_one(url):
    """Scheme, www, case of the host, default port, last slash, tracking and feed fragments do not tell pages apart."""
    assert canonical_url(url) == "example.org/a"


def test_addresses_of_different_pages_stay_apart():
    """Path, its case, real parameters, real fragments, ports and other hosts do."""
    assert len({canonical_url(url) for url in [*SAME, *DIFFERENT]}) == 1 + len(DIFFERENT)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://x/y",
        "https://",
        "https://a b/c",
        "https://x:99999/",
        "http://[bad",
        "",
        None,
        "https://x/\nfoo",
    ],
)
def test_what_is_no_web_link_is_none(url):
    """Only plausible http(s) addresses count."""
    assert safe_link(url) == ""


def test_links_for_people_lose_only_their_tracking():
    """The shown address is the given one without tracking parameters."""
    assert display_url("https://example.org/a?utm_source=x&b=1#c") == "https://example.org/a?b=1#c"
    assert display_url("https://example.org/a?b=%20x") == "https://example.org/a?b=%20x"


def test_shared_hosts_are_told_apart_by_owner():
    """Two repositories on one host are two sites."""
    assert site_of("https://github.com/A/b/releases") == "github.com/a/b"
    assert site_of("https://www.example.org/x") == "example.org"


def keys(url="", guid="", title="t", text="", source="s", **more):
    return identity_keys(url=url, guid=guid, title=title, text=text, source_id=source, **more)


def test_a_guid_counts_everywhere_only_if_it_could():
    """An address or URN as guid is the same for all sources, a bare number only within one."""
    assert keys(guid="https://example.org/a") == keys(guid="http://example.org/a/", source="other")
    assert keys(guid="tag:example.org,2026:1") == keys(guid="tag:example.org,2026:1", source="other")
    assert keys(guid="17") != keys(guid="17", source="other")


def test_content_names_what_has_no_other_name():
    """Without link and guid the text is the identity; a title alone only together with its date."""
    assert keys(text="same") == keys(text="Same ")
    assert keys(text="same") != keys(text="other")
    assert keys(dated="2026-01-01") != keys(dated="2026-01-02")


def test_a_long_text_under_two_addresses_of_a_site_is_one_document():
    """A long text moved to a new address meets its old key; a short one does not; nor does the same text on another site."""
    long = "word " * 400
    assert set(keys("https://example.org/a", text=long)) & set(keys("https://example.org/b", text=long))
    assert not set(keys("https://example.org/a", text="short")) & set(keys("https://example.org/b", text="short"))
    assert not set(keys("https://example.org/a", text=long)) & set(keys("https://example.com/a", text=long))


def test_a_link_that_all_entries_share_names_none_of_them():
    """A feed whose entries all link to the front page tells them apart by guid or text."""
    listing = [("https://example.org", "1", "One"), ("https://example.org", "2", "Two")]
    shared = shared_keys(listing, "s")
    assert shared == {"url:example.org"}
    assert keys("https://example.org", "1", shared=shared) == ["guid:s|1"]
    assert shared_keys([("https://example.org/a", "1", "One"), ("https://example.org/a", "1", " one")], "s") == frozenset()


def test_the_hash_sees_words_only():
    """Blanks, case and invisible characters are no change; words are."""
    assert content_hash("A title", "x  y\n z") == content_hash("a Title", "x y\u200b z")
    assert content_hash("A title", "x") != content_hash("A title", "y")
    assert content_hash("a", "b") != content_hash("", "a b")


def test_clean_text_has_no_traps():
    """NUL, lone surrogates and direction marks go; line breaks and Chinese stay."""
    assert clean("a\0\ud800\u202eb\n中") == "ab\n中"


@pytest.mark.parametrize(
    ("text", "hint", "lang"),
    [
        ("OpenAI 发布 GPT-5，支持视频输入", "", "zh"),
        ("OpenAI released the new model for all of you", "", "en"),
        ("Der Podcast ist nicht für die Katze und das Haus", "en", "de"),
        ("ChatGPT の新しい機能について", "", "ja"),
        ("Windsurf 1.2", "zh-CN", "zh"),
        ("Windsurf 1.2 for x o1 as per os", "", "en"),
        ("12345", "", ""),
    ],
)
def test_languages(text, hint, lang):
    """The text decides where it can, the feed's word where it cannot."""
    assert guess_lang(text, hint) == lang
