"""From reports to jumps: one event, one jump, with its fields, whatever came first."""

from __future__ import annotations

import json
import random
from datetime import date

import pytest

from models.catalogue import Catalogue
from models.detect import days, providers, wording
from models.detect.releases import key_of, releases_in
from models.detect.reports import release_name
from models.detect.stage import detect
from tests.models.detecting import a_document, put

AS_OF = date(2026, 6, 30)
NOTHING = Catalogue([], [], [], "")
OFFICIAL = "https://openai.com/index/"


def jumps(store, catalogue=NOTHING, as_of=AS_OF, **kwargs):
    """Jumps by id, as they are published."""
    detect(store, catalogue, as_of, **kwargs)
    result = store.execute("select * from pub.jump order by jump_id")
    names = [column[0] for column in result.description]
    return {row[0]: dict(zip(names, row, strict=True)) for row in result.fetchall()}


# ---- names, days, words ----


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Claude Opus 4.6", "Opus 4.6"),
        ("claude-opus-4-6", "Claude Opus 4.6"),
        ("Claude 3.5 Sonnet", "Claude Sonnet 3.5"),
        ("GPT‑5.1‑Codex‑Max", "gpt-5.1-codex-max"),
        ("Gemini 2.5 Flash (preview)", "Gemini 2.5 Flash"),
        ("Llama 3.1 405B", "Llama 3.1"),
        ("Qwen3-Coder", "Qwen 3 Coder"),
    ],
)
def test_one_release_has_one_key(one, other):
    """However a release is written, its key is the same."""
    assert key_of(releases_in(one)[0].name) == key_of(releases_in(other)[0].name)


@pytest.mark.parametrize(
    ("one", "other"), [("GPT-5.6", "GPT-5.6 Luna"), ("Grok 4", "Grok 4 Fast"), ("Opus 4.5", "Opus 4.6"), ("o3", "o3-mini")]
)
def test_two_releases_have_two_keys(one, other):
    """Versions and variants are told apart."""
    assert releases_in(one)[0].key != releases_in(other)[0].key


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("gemini-1.0-pro: announced 2026-05-01, shutdown 2026-08-18", date(2026, 8, 18)),
        ("The model will be retired on November 12, 2026.", date(2026, 11, 12)),
        ("旧模型将于 2026 年 5 月 29 日下线；停止服务时间：2026年6月1日", date(2026, 6, 1)),
        ("We are shutting down soon.", None),
    ],
)
def test_the_day_of_an_end_is_read_from_the_text(text, day):
    """The effective day of an end is the one that the text names for it, not the day of the notice."""
    assert days.shutdown_day(text, date(2026, 5, 1)) == day


@pytest.mark.parametrize("name", [name for name, value in vars(wording).items() if isinstance(value, wording.Words)])
def test_the_quick_look_misses_nothing(name):
    """The letters that a pattern cannot do without really stand in all that it finds."""
    texts = ["How our 12 teams use it", "GPT-9 is generally available now", "We will be retiring it; a waitlist opens", "即将下线，正式版全面开放", "A CVE-2026-1 fix",
             "Introducing a system card", "users report issues", "Rumoured: it could launch", "weekly round-up", "Foo raises $20M in Series B", "教程与最佳实践"]  # fmt: skip
    words = getattr(wording, name)
    for text in texts:
        assert words.search(text) == any(pattern.search(text) is not None for _, pattern in words._alternatives)


def test_providers_are_named_canonically():
    """Names in both languages, products and sites lead to one spelling; a host for everybody's pages leads to the account's owner."""
    known = providers.load()
    assert {known.canonical(name) for name in ("Google DeepMind", "谷歌", "google", "Google")} == {"Google"}
    assert known.of_url("https://developers.googleblog.com/x") == "Google"
    assert known.of_url("https://huggingface.co/mistralai/X") in ("Mistral", "")
    assert known.of_url("https://github.com/someone/thing") == ""
    assert known.of_url("https://example.com") == ""


# ---- one event, one jump ----


def a_launch():
    """One launch as four sites tell it."""
    return [
        a_document(
            "site",
            "Introducing GPT-9",
            on="2026-03-02",
            url=OFFICIAL + "gpt-9",
            tier="official",
            labels={"frontier_quality": 0.9, "coding": 0.6},
        ),
        a_document("verge", "OpenAI launches GPT-9 for everyone", on="2026-03-03", url="https://theverge.com/1"),
        a_document(
            "zh",
            "OpenAI 正式发布 GPT-9",
            text="GPT-9 今日面向所有用户开放。",
            on="2026-03-03",
            url="https://qbitai.com/1",
            lang="zh",
        ),
        a_document("late", "GPT‑9 is here: what it does", on="2026-03-09", url="https://blog.example/9", score=0.9),
    ]


def test_one_launch_told_four_times_is_one_jump(store):
    """Provider, press and a Chinese site, days apart and in other words: one jump with all documents, the provider's page first."""
    put(store, *a_launch())
    found = jumps(store)
    assert list(found) == ["openai-gpt-9"]
    jump = found["openai-gpt-9"]
    assert (jump["provider"], jump["happened_on"], jump["known_on"], jump["stage"], jump["n_documents"]) == (
        "OpenAI",
        date(2026, 3, 2),
        date(2026, 3, 2),
        "ga",
        4,
    )
    assert store.execute("select document_id from pub.jump_document where is_canonical").fetchall() == [("site",)]
    assert jump["source_url"] == OFFICIAL + "gpt-9"


def test_the_summary_is_our_own(store):
    """One sentence from the fields, with no words of a document but the release's name."""
    put(store, *a_launch())
    assert jumps(store)["openai-gpt-9"]["summary"] == "OpenAI made available GPT-9 in its apps: frontier quality, coding."


def test_order_and_batches_do_not_matter(shared_free_documents):
    """Any order of arrival, and one go instead of day by day, give the same jumps, ids, documents and fields but for known_on."""
    from models.store import open_memory

    def run(documents, batches):
        con = open_memory()
        for batch in batches(documents):
            put(con, *batch)
            detect(con, NOTHING, AS_OF)
        rows = con.execute("select * exclude (known_on, weight) from jump order by jump_id").fetchall()
        links = con.execute("select * from jump_document order by all").fetchall()
        con.close()
        return rows, links

    documents = shared_free_documents
    expected = run(documents, lambda rows: [rows])
    assert len(expected[0]) > 5
    shuffled = random.Random(4).sample(documents, len(documents))
    assert run(shuffled, lambda rows: [rows]) == expected
    assert run(documents, lambda rows: [rows[at : at + 4] for at in range(0, len(rows), 4)]) == expected


@pytest.fixture
def shared_free_documents():
    """A month of made-up news with everything that could make the order matter."""
    labels = [{"frontier_quality": 0.8}, {"coding_agent": 0.7}, {"video_generation": 0.9}, {"price_cut": 0.6, "speed": 0.5}]
    made = a_launch()
    for n in range(24):
        name = ["GPT-9 Mini", "Sora 5", "Codex plugins for teams", "Claude Opus 9"][n % 4]
        provider = "Anthropic" if n % 4 == 3 else "OpenAI"
        words = ["launches", "now available:", "发布", "preview of"][n // 4 % 4]
        made.append(
            a_document(
                f"d{n}",
                f"{provider} {words} {name}",
                on=f"2026-03-{1 + n:02d}",
                url=f"https://site{n % 5}.example/{n}",
                provider=provider,
                labels=labels[n % 4],
                score=0.95,
            )
        )
    return made


def test_running_twice_changes_nothing(store):
    """A second run gives the same rows and no line in `change`."""
    put(store, *a_launch())
    assert jumps(store) == jumps(store)
    assert store.execute("select count(*) from change").fetchone() == (0,)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        (
            "OpenAI opens an agent that fills in the forms of every office in town",
            "OpenAI opens an agent that fills in the forms of every",
        ),
        ("发布智能体" * 20, "发布智能体" * 12),
        ("Connectors for Slack", "Connectors for Slack"),
    ],
)
def test_a_long_title_is_cut_where_a_word_ends(title, name):
    """What has no name of its own goes by its title, in whole words of sixty letters at most."""
    assert release_name(title, ()) == name


def test_stages_are_one_story_and_not_one_jump(store):
    """Preview, general availability and retirement months apart are three jumps that share their story."""
    put(
        store,
        a_document("p", "GPT-9 is in preview", on="2025-10-01", url=OFFICIAL + "p"),
        a_document("g", "GPT-9 is now generally available", on="2026-01-15", url=OFFICIAL + "g"),
        a_document(
            "r",
            "GPT-9 will be retired",
            text="GPT-9 will be shut down on June 1, 2026.",
            on="2026-04-20",
            url=OFFICIAL + "r",
            labels={"api_deprecation": 0.9},
        ),
    )
    found = jumps(store)
    assert sorted(jump["stage"] for jump in found.values()) == ["ga", "preview", "retired"]
    assert len({jump["story_key"] for jump in found.values()}) == 1


def test_a_retirement_takes_effect_on_its_day_and_is_known_from_its_notice(store):
    """happened_on is the shutdown day that the text names, known_on the day of the notice; the label is api_deprecation alone."""
    text = "gpt-9-mini: announced 2026-03-26, shutdown 2026-05-12, replacement gpt-10"
    put(
        store,
        a_document(
            "r",
            "OpenAI: deprecation of gpt-9-mini",
            text=text,
            on="2026-03-26",
            url=OFFICIAL + "r",
            labels={"api_deprecation": 0.9, "coding": 0.6},
        ),
    )
    jump = next(iter(jumps(store).values()))
    assert (jump["happened_on"], jump["known_on"], jump["stage"]) == (date(2026, 5, 12), date(2026, 3, 26), "retired")
    assert store.execute("select capability from jump_capability").fetchall() == [("api_deprecation",)]


@pytest.mark.parametrize(
    ("title", "score"),
    [
        ("OpenAI is rumoured to launch GPT-9, a leak suggests", 0.5),
        ("GPT-9 tops the leaderboard", 0.5),
        ("How Acme uses GPT-9 to answer its customers", 0.6),
        ("This week: GPT-9 🚀, Claude plugins 🔌, Series B 💰", 0.7),
        ("Users complain about GPT-9", 0.5),
    ],
)
def test_talk_is_no_jump(store, title, score):
    """Rumours, benchmarks, customer stories, round-ups and reactions make no jump."""
    put(store, a_document("x", title, on="2026-03-02", url="https://blog.example/x", score=score))
    assert jumps(store) == {}


def test_a_dated_promise_is_announced(store):
    """What will be available later is a jump of stage announced."""
    put(store, a_document("x", "OpenAI: GPT-9 is coming later this month", on="2026-03-02", url=OFFICIAL + "x"))
    assert [jump["stage"] for jump in jumps(store).values()] == ["announced"]


def test_the_app_layer_does_not_jump(store):
    """A product built on platforms launches, it does not jump, however sure the tagger is."""
    put(store, a_document("x", "Cursor launches Composer 9", on="2026-03-02", url="https://cursor.com/blog/9", provider="Cursor"))
    assert jumps(store) == {}


def test_what_was_seen_later_is_not_known_yet(store):
    """Standing on an earlier day, a document first seen later does not exist."""
    put(store, a_document("x", "Introducing GPT-9", on="2026-03-02", seen="2026-03-20", url=OFFICIAL + "x"))
    assert jumps(store, as_of=date(2026, 3, 10)) == {}
    assert [jump["known_on"] for jump in jumps(store, as_of=date(2026, 3, 20)).values()] == [date(2026, 3, 20)]


# ---- meeting what is known ----


def a_catalogue(**fields):
    row = {
        "jump_id": "openai-gpt9-api", "date": date(2026, 3, 2), "date_precision": "day", "provider": "OpenAI", "platform": "OpenAI API",
        "model_or_feature": "GPT-9", "capabilities": ("frontier_quality",), "stage": "ga", "reach": "api", "magnitude": 3,
        "summary": "GPT-9 for callers.", "source_url": OFFICIAL + "gpt-9", "verified": "page", "note": None,
    }  # fmt: skip
    return Catalogue([], [row | fields], [], "")


def test_a_known_jump_keeps_its_fields_and_gains_the_documents(store):
    """The same event is one jump: checked fields stay, documents come on top."""
    put(store, *a_launch())
    found = jumps(store, a_catalogue())
    assert list(found) == ["openai-gpt9-api"]
    jump = found["openai-gpt9-api"]
    assert (jump["origin"], jump["magnitude"], jump["summary"], jump["n_documents"], jump["is_confirmed"]) == (
        "catalogue",
        3,
        "GPT-9 for callers.",
        4,
        True,
    )


def test_a_conflict_with_the_catalogue_stays_visible(store):
    """Documents that tell another day or stage do not change the checked value, and `change` says so once."""
    put(store, *a_launch())
    catalogue = a_catalogue(date=date(2026, 2, 24), stage="preview")
    for _ in range(2):
        found = jumps(store, catalogue)
    assert found["openai-gpt9-api"]["happened_on"] == date(2026, 2, 24)
    rows = store.execute("select field, before, after from pub.change where relation = 'jump' order by field").fetchall()
    assert rows == [("happened_on", "2026-02-24", "2026-03-02"), ("stage", "preview", "ga")]


def test_a_registry_change_is_certain_and_meets_the_announcement(store):
    """A model that disappears from a registry is a certain jump; one that was announced too is the same event."""
    facts = {"change": "retired", "provider": "OpenAI", "model": "gpt-9-mini", "capabilities": [], "happened_on": "2026-05-12"}
    registry = a_document(
        "reg", "gpt-9-mini is gone", on="2026-05-13", url="https://models.dev/x", source="models-dev", tier="registry"
    )
    registry["document"]["facts"] = json.dumps(facts)
    put(store, registry)
    assert [(jump["origin"], jump["confidence"], jump["stage"]) for jump in jumps(store).values()] == [
        ("registry", 1.0, "retired")
    ]
    text = "gpt-9-mini: announced 2026-03-26, shutdown 2026-05-12"
    put(
        store,
        a_document(
            "r",
            "OpenAI: deprecation of gpt-9-mini",
            text=text,
            on="2026-03-26",
            url=OFFICIAL + "r",
            labels={"api_deprecation": 0.9},
        ),
    )
    assert [(jump["origin"], jump["n_documents"]) for jump in jumps(store).values()] == [("detected", 2)]


# ---- products in the news ----


@pytest.fixture
def foo(store):
    """A product called Foobar that is alive."""
    from models.store import insert_rows

    insert_rows(
        store,
        "product",
        [
            {
                "product_id": "foobar",
                "name": "Foobar",
                "homepage": "https://foobar.example",
                "outcome": "alive",
                "is_private": False,
            }
        ],
    )
    return store


def an_end(key, url):
    return a_document(
        key,
        "Foobar is shutting down",
        on="2026-03-02",
        text="It will be discontinued on March 31, 2026.",
        url=url,
        kind="product_shutdown",
        score=0.9,
        provider="Foobar",
    )


def proposals(store, folder=None):
    detect(store, NOTHING, AS_OF, folder)
    return store.execute("select proposal_id, kind, subject, status, fields ->> 'ended_on' from pub.proposal").fetchall()


def test_one_rumour_of_an_end_is_not_enough(foo):
    """One page of the press proposes nothing; two sources, or the product's own page, propose an end with its day."""
    put(foo, an_end("a", "https://theverge.com/1"))
    assert proposals(foo) == []
    put(foo, an_end("b", "https://techcrunch.com/1"))
    assert proposals(foo) == [("end-foobar-2026", "end", "foobar", "open", "2026-03-31")]
    assert foo.execute("select outcome from product").fetchone() == ("alive",)


def test_the_product_s_own_page_is_enough(foo):
    """One official page carries a proposal alone."""
    put(foo, an_end("a", "https://www.foobar.example/bye"))
    assert [row[0] for row in proposals(foo)] == ["end-foobar-2026"]


def test_accepting_a_proposal_is_one_ruling(foo, tmp_path):
    """A confirmed proposal changes the product on the next run; a rejected one stays rejected."""
    from datetime import UTC, datetime

    from models import rulings

    put(foo, an_end("a", "https://www.foobar.example/bye"))
    proposals(foo)
    rulings.rule(
        tmp_path,
        "confirm",
        "proposal",
        "end-foobar-2026",
        why="their page says so",
        by="ann",
        now=datetime(2026, 4, 1, tzinfo=UTC),
    )
    assert proposals(foo, tmp_path)[0][3] == "accepted"
    assert foo.execute("select outcome, ended_on, ended_known_on from product").fetchone() == (
        "shut_down",
        date(2026, 3, 31),
        date(2026, 3, 2),
    )
