"""Parsers: every dialect, hostile input, and the processes that keep them apart."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, date, datetime

import pytest

from flows.parse import parse
from flows.parse.dates import find_day, find_month, parse_moment
from flows.parse.pool import ParsePool
from flows.parse.sniff import sniff
from flows.parse.text import html_to_line, html_to_text
from models.errors import ParseError
from tests.flows.site import item, rss

ATOM = b"""<?xml version='1.0' encoding='utf-8'?><feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://example.org/'>
<title>Releases</title><entry><id>tag:example.org,2026:1</id><title type='html'>v1 &lt;b&gt;bold&lt;/b&gt;</title>
<link rel='alternate' href='/v1'/><updated>2026-08-01T10:00:00+02:00</updated><content type='html'>&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two&lt;/p&gt;</content></entry></feed>"""
RDF = b"""<?xml version='1.0'?><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'>
<channel rdf:about='https://example.org'><title>Old</title></channel><item rdf:about='https://example.org/1'><title>One</title><link>https://example.org/1</link><dc:date>2026-08-01</dc:date></item></rdf:RDF>"""
JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "J",
        "home_page_url": "https://example.org",
        "items": [
            {
                "id": "1",
                "url": "https://example.org/1",
                "title": "One",
                "content_html": "<p>Hi</p>",
                "date_published": "2026-08-01T00:00:00Z",
            },
            {"id": "2"},
        ],
    }
).encode()


def test_rss_entries_come_in_order_with_their_own_dates():
    """Title, text, link, guid and date of each item, an undated one without a date although the feed has one."""
    body = rss(
        item("a", text="&lt;p&gt;Hello&lt;/p&gt;", guid="g1"),
        item("b", date=""),
        extra="<pubDate>Mon, 03 Aug 2026 00:00:00 GMT</pubDate>",
    )
    first, second = parse("feed", body, url="https://example.org/feed").entries
    assert (first.title, first.text, first.url, first.guid) == ("a", "Hello", "https://example.org/a", "g1")
    assert first.published_at == datetime(2026, 8, 1, 10, tzinfo=UTC)
    assert second.published_at is None


def test_atom_rdf_and_json_feed():
    """The other dialects give the same fields; an Atom entry without `published` was published when it was updated."""
    (entry,) = parse("feed", ATOM, url="https://example.org/feed").entries
    assert (entry.title, entry.text, entry.url) == ("v1 bold", "One\nTwo", "https://example.org/v1")
    assert entry.published_at == datetime(2026, 8, 1, 8, tzinfo=UTC)
    (entry,) = parse("feed", RDF).entries
    assert (entry.title, entry.url, entry.published_at) == ("One", "https://example.org/1", datetime(2026, 8, 1, tzinfo=UTC))
    parsed = parse("feed", JSON_FEED)
    assert [(entry.title, entry.text) for entry in parsed.entries] == [("One", "Hi")]
    assert parsed.n_skipped == 1


@pytest.mark.parametrize(
    ("body", "health", "words"),
    [
        (b"", "empty", "0 bytes"),
        (b"<!doctype html><title>Sign in</title><form>", "not_a_feed", "Sign in"),
        (bytes(range(256)) * 20, "not_a_feed", "no feed"),
        (b'{"error": "no"}', "not_a_feed", "JSON"),
        (b"just words", "not_a_feed", "no feed"),
    ],
)
def test_what_is_no_feed_is_named(body, health, words):
    """An empty answer, a login page, noise and other JSON are each told apart in words."""
    with pytest.raises(ParseError, match=words) as caught:
        parse("feed", body)
    assert caught.value.health == health


def test_an_empty_feed_is_a_feed():
    """A valid feed without entries is no error."""
    assert parse("feed", rss()).entries == ()


def test_a_feed_given_as_a_path_or_address_opens_nothing(tmp_path):
    """Bytes that spell a path or an address are parsed as what they are, never opened."""
    file = tmp_path / "secret.xml"
    file.write_bytes(rss(item("secret")))
    for body in (str(file).encode(), b"http://127.0.0.1:9/feed"):
        with pytest.raises(ParseError):
            parse("feed", body)


def test_external_entities_bring_nothing_in():
    """An entity that names a file stays empty."""
    body = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + rss(item("&x;", text="&x;"))[21:]
    assert "root:" not in repr(parse("feed", body))


def test_entity_expansion_costs_nothing():
    """A billion laughs is parsed at once, and nobody laughs."""
    entities = "".join(f'<!ENTITY l{i} "{(f"&l{i - 1};") * 10}">' for i in range(1, 10))
    body = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "lol">{entities}]>'.encode() + rss(item("&l9;"))[21:]
    start = time.process_time()
    assert len(repr(parse("feed", body))) < 10_000
    assert time.process_time() - start < 2


HOSTILE = [
    "<script>alert(1)</script>hi",
    "&lt;script&gt;alert(1)&lt;/script&gt;hi",
    "&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;hi",
    "<img src=x onerror=alert(1)>hi",
    "&lt;img src=x onerror=alert(1)&gt;hi",
    "<svg/onload=alert(1)>hi",
    "<iframe src=javascript:alert(1)>hi</iframe>",
    "<a href='javascript:alert(1)' onclick='x()'>hi</a>",
    "<<script>script>alert(1)<</script>/script>hi",
    "<scr\0ipt>alert(1)</scr\0ipt>hi",
    "<style>body{background:url(javascript:x)}</style>hi",
    "<![CDATA[<script>x</script>]]>hi",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_a_browser_would_run_is_left_in_text(text):
    """Scripts, handlers and embedded pages are gone whatever number of times they were escaped."""
    for plain in (html_to_text(text), html_to_line(text)):
        assert not re.search(r"<\s*(script|img|svg|iframe|style|a)\b|<[^>]*\bon\w+\s*=", plain, re.I), plain


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "vbscript:x", "https://exa mple.org", "http://", "//"],
)
def test_only_web_links_are_kept(link):
    """A link that is no http(s) address is dropped; the entry stays."""
    (entry,) = parse("feed", rss(item("a", link=link))).entries
    assert entry.url == ""


def test_nul_surrogates_and_direction_marks_are_cleaned():
    """What databases and eyes stumble over does not get in."""
    assert html_to_text("a\0b\ud800c\u202ed") == "abcd"


def test_deep_nesting_is_read_without_recursion():
    """Ten thousand nested elements are no reason to fall over."""
    assert "deep" in html_to_text("<div>" * 10_000 + "deep" + "</div>" * 10_000)


MARKDOWN = b"""# Changelog

## [1.2.0](https://example.org/c) (2026-08-19)

### Features

* **api:** add a thing ([abc](https://example.org/abc))

## 1.1.0 - July 3, 2026
- Fixed `x`

```
## 0.0.1 (2001-01-01) inside code
```

## Unreleased
"""


def test_a_markdown_changelog_gives_one_entry_a_section():
    """Dated and versioned headings become entries; subheadings and code stay inside; what is unreleased is left out."""
    first, second = parse("changelog", MARKDOWN, url="https://example.org/CHANGELOG.md", title="Lib").entries
    assert (first.title, first.published_at) == ("Lib: 1.2.0 (2026-08-19)", datetime(2026, 8, 19, tzinfo=UTC))
    assert first.text == "Features\n- api: add a thing (abc)"
    assert second.published_at == datetime(2026, 7, 3, tzinfo=UTC)
    assert "inside code" in second.text


HTML_CHANGELOG = b"""<!doctype html><html lang=en><title>Notes</title><body><nav><h2>January 1, 2020</h2></nav><main>
<h1>Release notes</h1><h2 id=aug>August 19, 2026</h2><h3>Voice</h3><p>Voice is <b>here</b>.</p><ul><li>One</li><li>Two</li></ul>
<h2>August 3, 2026</h2><p>Older.</p></main><footer><h2>May 1, 2021</h2></footer></body></html>"""


def test_an_html_changelog_is_read_from_its_main_part():
    """Navigation and footer are no sections; anchors make links; lists keep their items."""
    parsed = parse("changelog", HTML_CHANGELOG, url="https://example.org/notes", title="App")
    assert [(entry.title, entry.url) for entry in parsed.entries] == [
        ("App: August 19, 2026", "https://example.org/notes#aug"),
        ("App: August 3, 2026", "https://example.org/notes#august-3-2026"),
    ]
    assert parsed.entries[0].text == "Voice\nVoice is here.\n- One\n- Two"


def test_markdown_and_html_of_one_changelog_have_the_same_keys():
    """A changelog fetched as .md and as .html is the same set of documents."""
    page = b"<html><body><main><h1>Changelog</h1><h2>1.2.0 (2026-08-19)</h2><p>x</p><h2>1.1.0 - July 3, 2026</h2></main></body></html>"
    one = parse("changelog", MARKDOWN, url="https://example.org/c.md").entries
    other = parse("changelog", page, url="https://example.org/c.html").entries
    assert [entry.key for entry in one] == [entry.key for entry in other]


def test_dates_beside_headings_count():
    """A heading whose date stands in the line below or above it is a dated section."""
    page = b"<main><h2>Faster search</h2><time>March 4, 2026</time><p>Text.</p><h2>New editor</h2><time>2026-02-01</time><p>More.</p></main>"
    entries = parse("changelog", page, url="https://example.org/n").entries
    assert [entry.published_at.date() for entry in entries] == [date(2026, 3, 4), date(2026, 2, 1)]


def test_a_table_of_retirements_gives_a_row_each_and_no_false_date():
    """Rows with a date become entries; a day on which something will be shut down is no day of publication."""
    page = b"<main><h1>Deprecations</h1><table><tr><th>Shutdown date</th><th>Model</th></tr><tr><td>2026-10-01</td><td>old-1</td></tr></table></main>"
    (entry,) = parse("changelog", page, url="https://example.org/d", title="API deprecations").entries
    assert "old-1" in entry.title
    assert "2026-10-01" in entry.text
    assert entry.published_at is None


def test_a_page_that_changed_its_layout_is_reported():
    """No dated heading and no dated row is an error in words, not an empty success."""
    with pytest.raises(ParseError, match="layout"):
        parse("changelog", b"<main><h2>Welcome</h2><p>hello</p></main>")


def test_equal_headings_keep_their_number_when_a_new_one_comes_on_top():
    """Of sections with one heading the older keeps its key."""
    old = b"## 2026-01-01\nfirst\n"
    new = b"## 2026-01-01\nsecond\n" + old
    (before,) = parse("changelog", old, url="https://example.org/c").entries
    after = parse("changelog", new, url="https://example.org/c").entries
    assert after[-1].key == before.key
    assert len({entry.key for entry in after}) == 2


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-08-19", date(2026, 8, 19)),
        ("v1 (2026/8/9)", date(2026, 8, 9)),
        ("August 19th, 2026", date(2026, 8, 19)),
        ("19 Aug 2026", date(2026, 8, 19)),
        ("2026年8月19日", date(2026, 8, 19)),
        ("Sept. 3, 2026", date(2026, 9, 3)),
        ("2026-13-40", None),
        ("version 2024.1.2.3", None),
        ("may we 2026", None),
    ],
)
def test_days_in_text(text, day):
    """Dates in English and Chinese are found; what only looks like one is not."""
    assert find_day(text) == day


def test_months_and_moments():
    """A month stands for its first day only where it is all there is; impossible moments are unknown."""
    assert find_month("March 2026") == date(2026, 3, 1)
    assert find_month("in March 2026 we") is None
    assert parse_moment("2026-08-19T10:00:00+08:00") == datetime(2026, 8, 19, 2, tzinfo=UTC)
    assert parse_moment("0001-01-01T00:00:00Z") is None
    assert parse_moment("soon") is None


def test_registries_of_both_shapes():
    """models.dev and LiteLLM become one plain form with the taxonomy's labels."""
    dev = {
        "openai": {
            "name": "OpenAI",
            "doc": "https://example.org/d",
            "models": {
                "o9": {
                    "name": "o9",
                    "reasoning": True,
                    "tool_call": True,
                    "modalities": {"input": ["text", "image"]},
                    "cost": {"input": 1.5, "output": 6},
                    "limit": {"context": 1000},
                    "release_date": "2026-08-01",
                }
            },
        }
    }
    lite = {
        "sample_spec": {"litellm_provider": "x"},
        "o9": {"litellm_provider": "openai", "max_input_tokens": 1000, "input_cost_per_token": 1.5e-06, "supports_vision": True},
    }
    (model,) = parse("registry", json.dumps(dev).encode()).models.items()
    assert model[0] == "openai/o9"
    assert model[1]["capabilities"] == ["function_calling", "reasoning", "vision_input"]
    (model,) = parse("registry", json.dumps(lite).encode()).models.items()
    assert (model[0], model[1]["input"], model[1]["capabilities"]) == ("openai/o9", 1.5, ["vision_input"])
    with pytest.raises(ParseError):
        parse("registry", b'{"a": 1}')


def test_sitemap_hackernews_and_npm():
    """The other kinds, each with what it can know: a sitemap's lastmod is no date of publication."""
    sitemap = b"<urlset xmlns='x'><url><loc>https://e.org/news/big-launch</loc><lastmod>2026-08-01</lastmod></url><url><loc>https://e.org/about</loc></url></urlset>"
    (entry,) = parse("sitemap", sitemap).entries
    assert (entry.title, entry.published_at) == ("Big launch", None)
    hits = {
        "hits": [
            {"objectID": "7", "title": "Show HN", "url": "https://e.org/x", "created_at": "2026-08-01T00:00:00Z", "points": 9},
            {"objectID": "bad"},
        ]
    }
    (entry,) = parse("hackernews", json.dumps(hits).encode()).entries
    assert (entry.url, entry.text) == ("https://news.ycombinator.com/item?id=7", "https://e.org/x")
    npm = {"time": {"created": "2020-01-01T00:00:00Z", "1.0.0": "2026-08-01T00:00:00Z"}}
    (entry,) = parse("npm", json.dumps(npm).encode()).entries
    assert entry.guid == "1.0.0"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (rss(), "feed"),
        (ATOM, "feed"),
        (RDF, "feed"),
        (JSON_FEED, "feed"),
        (MARKDOWN, "changelog"),
        (HTML_CHANGELOG, "page"),
        (b'{"a": {"models": {}}}', "registry"),
        (b'{"hits": []}', "hackernews"),
        (b"<?xml version='1.0'?><urlset>", "sitemap"),
        (b"", "feed"),
    ],
)
def test_the_kind_is_seen_from_the_answer(body, kind):
    """A source whose file does not say what it is shows it."""
    assert sniff(body) == kind


def test_a_job_past_its_time_costs_only_itself():
    """A feed that takes too much processor time or too long is stopped, and the next one is parsed."""
    heavy = rss(*[item("a", text="&lt;b&gt;x&lt;/b&gt; " * 200)] * 4000)
    with ParsePool(1, cpu_s=0.0, wall_s=60.0) as small:
        with pytest.raises(ParseError, match="went past a limit"):
            small.parse("feed", heavy)
        small.wall_s = 0.001
        with pytest.raises(ParseError, match="went past a limit"):
            small.parse("feed", rss(item("slow")))
        small.wall_s = 60.0
        assert small.parse("feed", rss(item("fine"))).entries[0].title == "fine"


def test_a_job_past_its_memory_costs_only_itself():
    """A parser that asks for more memory than a feed may have is refused it, and the next feed is parsed."""
    with ParsePool(1, memory_mb=120, cpu_s=20, wall_s=60) as small:
        with pytest.raises(ParseError) as caught:
            small.parse("feed", b"<rss><channel>" + b"<item><title>x</title></item>" * 10 + b"x" * 30_000_000)
        assert caught.value.health == "failing"
        assert small.parse("feed", rss(item("fine"))).entries[0].title == "fine"


def test_answers_cross_the_pipe_whole(pool):
    """What the parsing process found is what we get, dates and Chinese included."""
    body = rss(item("发布", text="中文", guid="1"))
    assert pool.parse("feed", body) == parse("feed", body)


def test_a_great_many_entries_are_capped():
    """A feed of 20,000 items costs no more than one of 5,000, and says so."""
    parsed = parse("feed", rss(*["<item><title>t</title></item>"] * 5100))
    assert len(parsed.entries) == 5000
    assert parsed.n_skipped == 100
    assert "left out" in parsed.note
