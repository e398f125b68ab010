"""Fourteen months of real feeds, every other month: what the whole way from a feed to a lifeline promises on real input."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import unquote

import pytest

from benchmarks.replay import LAST, Archive, archive, month_ends, run_on
from models import settings
from models.store import open_published, open_work

# publishing every day would double the time of the test
STAGES = ("ingest", "tag", "detect", "derive")
DAYS = month_ends()[::2]
FIGURES = """select (select count(*) from jump), (select count(*) from jump where origin <> 'catalogue'),
    (select count(*) from exposure), (select count(*) from lifeline), (select round(sum(s12), 9) from lifeline), (select max(as_of) from lifeline)"""


@dataclass
class Story:
    """What the replay left: the links that each feed listed, the figures of each day, the last day's two runs."""

    listed: dict[str, set[str]] = field(default_factory=dict)
    figures: dict[date, tuple] = field(default_factory=dict)
    asked: list[tuple[int, int]] = field(default_factory=list)
    news: list[int] = field(default_factory=list)


def bare(link: str) -> str:
    """An address without scheme, www, query of trackers, escapes and index page: our own idea of what one page is."""
    link = re.sub(r"[?&](utm_\w+|ref)=[^&#]*", "", unquote(link).strip().split("#")[0])
    return re.sub(r"^https?://(www\.)?", "", link).removesuffix("index.html").rstrip("/").lower()


def links(web: Archive, path: str) -> set[str]:
    """The links that a feed lists now and that no two entries with different titles share."""
    import feedparser

    try:
        body = urllib.request.urlopen(web.base + path).read()
    except urllib.error.HTTPError:
        return set()
    titles: dict[str, set[str]] = {}
    for entry in feedparser.parse(body).entries:
        if entry.get("link"):
            titles.setdefault(bare(entry.link), set()).add(entry.get("title", ""))
    return {link for link, found in titles.items() if len(found) == 1}


@pytest.fixture(scope="module")
def story(shared, tmp_path_factory):
    """The replay, run once: every other month's end, then the last day again."""
    home = tmp_path_factory.mktemp("replay")
    told = Story()
    with pytest.MonkeyPatch.context() as env, archive(shared) as web:
        for name, value in {
            "HOME": str(home / "home"),
            "ALLOW_PRIVATE": "1",
            "TAGGER": "keyword",
            "FULLTEXT_PER_RUN": "0",
        }.items():
            env.setenv(f"LIFELINE_{name}", value)
        sources = web.write_sources(home / "sources.csv")
        for day in [*DAYS, LAST]:
            web.move(day)
            before = counted(web)
            outcome = run_on(day, sources, () if day == LAST else STAGES)
            told.asked.append(tuple(after - earlier for after, earlier in zip(counted(web), before, strict=True)))
            told.news.append(outcome.counts["ingest"]["new"] + outcome.counts["ingest"]["changed"])
            with open_work(settings.load().home) as con:
                told.figures[day] = con.execute(FIGURES).fetchone()
            for row in web.rows():
                if row["path"].endswith(".xml"):
                    told.listed.setdefault(row["path"], set()).update(links(web, row["path"]))
        yield told


def counted(web: Archive) -> tuple[int, int]:
    """Requests and 304s so far."""
    stats = web.stats()
    return sum(row["requests"] for row in stats.values()), sum(row["not_modified"] for row in stats.values())


@pytest.mark.slow
def test_every_listed_entry_is_stored_exactly_once(story):
    """Each link that any feed ever listed is one document, whatever the number of feeds and polls that brought it."""
    with open_work(settings.load().home) as con:
        stored = Counter(bare(url) for (url,) in con.execute("select url from document where url <> ''").fetchall())
        known = {
            bare(identity.removeprefix("url:"))
            for (identity,) in con.execute("select identity from document_identity").fetchall()
        }
    listed = set().union(*story.listed.values())
    assert len(listed) > 1000
    assert listed - known == set()
    assert {link: n for link, n in stored.items() if n > 1 and link in listed} == {}


@pytest.mark.slow
def test_a_second_run_on_the_same_day_gets_304s_and_adds_nothing(story):
    """Everything is asked again, everything that answers says "not modified", and nothing is new."""
    requests, not_modified = story.asked[-1]
    assert story.news[-1] == 0
    assert requests > 40
    assert not_modified == requests
    assert all(new > 0 for new in story.news[:-1])


@pytest.mark.slow
def test_what_is_published_is_what_the_last_day_says(story):
    """The published file stands on the last day and holds its figures."""
    with open_published(settings.load().published) as con:
        assert con.execute(FIGURES).fetchone() == story.figures[LAST]


@pytest.mark.slow
def test_jumps_exposures_and_lifelines_move_with_the_days(story):
    """Each day stands on itself: it knows at least the jumps of the day before, and its lifelines are its own."""
    figures = [story.figures[day] for day in DAYS]
    jumps, found, exposures, _, sums, days = zip(*figures, strict=True)
    assert list(days) == DAYS
    assert DAYS[-1] == LAST
    assert list(jumps) == sorted(jumps)
    assert jumps[-1] > jumps[0]
    assert list(exposures) == sorted(exposures)
    assert found[-1] > found[0]
    assert len(set(sums)) == len(sums)


def test_the_days_of_the_replay_are_month_ends():
    """Month by month from the first day to the last."""
    assert month_ends(date(2025, 11, 30), date(2026, 2, 10)) == [
        date(2025, 11, 30),
        date(2025, 12, 31),
        date(2026, 1, 31),
        date(2026, 2, 10),
    ]
    assert len(month_ends()) == 15
