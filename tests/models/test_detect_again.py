"""A run reads and tells only what changed since the last one, and its rows are those of doing everything."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from models.catalogue import Catalogue
from models.detect import providers, readings, telling
from models.detect.stage import detect
from models.detect.stories import WINDOW
from models.detect.telling import tell_stories
from models.store import open_memory
from tests.models.detecting import a_document, put

AS_OF = date(2026, 6, 30)
NOTHING = Catalogue([], [], [], "")
FIRST = date(2026, 3, 1)
SITES = ("openai.com", "theverge.com", "techcrunch.com", "www.qbitai.com")


def news(n=60, seed=1):
    """Launches, each told by up to four sites within a week in much the same words, some of them twice."""
    chance = random.Random(seed)
    found = []
    for i in range(n):
        on = FIRST + timedelta(days=chance.randrange(90))
        what = f"Operator {i % 20}.{chance.randrange(3)}"
        body = (
            f"OpenAI ships {what}, an agent that scores {50 + i}.{i % 10}% on OSWorld-Pro in {i + 3} countries, says Mira Tan{i}."
        )
        for number, site in enumerate(chance.sample(SITES, chance.randint(1, 4))):
            day = on + timedelta(days=chance.choice([0, 0, 1, 2, 5]))
            title = f"OpenAI launches {what}" if chance.random() < 0.5 else f"{what} is out: an agent for {i + 3} countries"
            found.append(a_document(f"d{i:03}-{number}", title, on=day.isoformat(), text=body, url=f"https://{site}/{i}"))
    return found


TABLES = {
    "story": "document_id, story_id, dated_on, leads",
    "story_day": "day",
    "reading": "* exclude (made_from)",
    "jump": "* exclude (weight)",
    "jump_document": "*",
}


def rows(con):
    """What detection made."""
    return {table: con.execute(f"select {columns} from {table} order by all").fetchall() for table, columns in TABLES.items()}


@pytest.mark.parametrize("seed", range(3))
def test_going_on_gives_the_rows_of_beginning_anew(store, seed):
    """Documents that come in any order, a few at each run, are told and read as all of them at once are."""
    documents = news(seed=seed)
    whole = open_memory()
    put(whole, *documents)
    detect(whole, NOTHING, AS_OF)
    wanted = rows(whole)
    assert 20 < len({story for _, story, *_ in wanted["story"]}) < len(documents)
    random.Random(seed + 9).shuffle(documents)
    for at in range(0, len(documents), 29):
        put(store, *documents[at : at + 29])
        detect(store, NOTHING, AS_OF)
    assert rows(store) == wanted


def test_a_new_document_costs_the_days_it_can_reach(store):
    """The day itself and the days on which a story of it could go on, but no later one: its story changes nothing there."""
    put(store, *news())
    tell_stories(store, AS_OF, providers.load())
    assert tell_stories(store, AS_OF, providers.load()) == []
    day = FIRST + timedelta(days=30)
    put(
        store,
        a_document(
            "late", "A quiet note on nothing", on=day.isoformat(), text="Nobody else tells of it.", url="https://a.example/1"
        ),
    )
    told = tell_stories(store, AS_OF, providers.load())
    assert told[0] == day
    assert told[-1] <= day + WINDOW


def test_a_story_that_gets_an_earlier_beginning_is_renamed_as_far_as_it_goes(store):
    """An older first document renames the story of those that follow, on days that nothing else touched."""
    text = "OpenAI ships Operator 7.5, an agent that scores 61.4% on OSWorld-Pro in 12 countries, says Mira Tan."
    days = [FIRST + timedelta(days=shift) for shift in (2, 5, 7)]
    told = [
        a_document(f"m{i}", "OpenAI launches Operator 7.5", on=day.isoformat(), text=text, url=f"https://{SITES[i]}/1")
        for i, day in enumerate(days)
    ]
    put(store, *told)
    tell_stories(store, AS_OF, providers.load())
    first = a_document("a-first", "OpenAI launches Operator 7.5", on=FIRST.isoformat(), text=text, url="https://press.example/1")
    put(store, first)
    tell_stories(store, AS_OF, providers.load())
    stories = dict(store.execute("select document_id, story_id from story").fetchall())
    assert stories["a-first"] == stories["m0"] == stories["m1"]
    assert stories["m2"] != stories["m0"]  # six days and more after the beginning


def test_a_document_that_moves_leaves_its_old_day(store):
    """A corrected date takes the document out of one day and into another; it has one story."""
    put(store, *news(10))
    tell_stories(store, AS_OF, providers.load())
    store.execute("update document set published_at = published_at - interval 40 day where document_id = 'd003-0'")
    tell_stories(store, AS_OF, providers.load())
    assert store.execute("select count(*), count(distinct document_id) from story").fetchone() == (
        (n := store.execute("select count(*) from document").fetchone()[0]),
        n,
    )


def test_a_body_under_many_titles_tells_no_story(store):
    """What a site puts under every page is not what the page tells; two such pages are two stories."""
    same = "Our mission is to build safe and useful agents with OSWorld-Pro, says Mira Tan of OpenAI in 12 countries."
    pages = [
        a_document(f"p{i}", f"{name} notes", on="2026-03-02", text=same, url=f"https://a{i}.example/{i}")
        for i, name in enumerate(("Blue", "Green", "Red"))
    ]
    put(store, *pages[:2])
    tell_stories(store, AS_OF, providers.load())
    assert store.execute("select count(distinct story_id) from story").fetchone() == (1,)
    put(store, pages[2])
    tell_stories(store, AS_OF, providers.load())
    assert store.execute("select count(distinct story_id) from story").fetchone() == (3,)


def test_an_earlier_day_shows_what_was_known_then(store):
    """Looking back and coming again gives each day's own rows."""
    put(store, *news())
    detect(store, NOTHING, AS_OF)
    last = rows(store)
    detect(store, NOTHING, FIRST + timedelta(days=40))
    early = rows(store)
    fresh = open_memory()
    put(fresh, *news())
    detect(fresh, NOTHING, FIRST + timedelta(days=40))
    assert early == rows(fresh)
    assert len(early["story"]) < len(last["story"])
    detect(store, NOTHING, AS_OF)
    assert rows(store) == last


@pytest.fixture
def read(monkeypatch):
    """Documents that are really read, in order."""
    seen, really = [], readings.reports.read
    monkeypatch.setattr(
        readings.reports, "read", lambda document, known: seen.append(document.document_id) or really(document, known)
    )
    return seen


CHANGES = {
    "text": "update document set title = title || ' today' where document_id = 'd003-0'",
    "tags": "update tagging set magnitude = 3 where document_id = 'd003-0'",
    "source": "insert into document_source (document_id, source_id, first_seen_at) select 'd003-0', 'registry-of-all', first_seen_at "
    "from document where document_id = 'd003-0'; insert into source (source_id, tier) values ('registry-of-all', 'official')",
    "ruling": "insert into ruling (ruling_id, ruled_at, relation, key, verdict, is_in_force) "
    "values ('r', now(), 'tag', 'd003-0:agents', 'add', true)",
}


def reports_of(con):
    """What the documents report once they are read, by document."""
    readings.read_documents(con, AS_OF, providers.load())
    return sorted((report for of_one in readings.by_provider(con) for report in of_one), key=lambda one: one.document_id)


@pytest.mark.parametrize("what", CHANGES)
def test_only_what_changed_is_read_again(store, read, what):
    """A document is read once, and again when its text, tags, sources or rulings are others."""
    put(store, *news())
    once = reports_of(store)
    assert len(read) == len(set(read)) >= len(once) > 50
    assert reports_of(store) == once
    read.clear()
    store.execute(CHANGES[what])
    again = reports_of(store)
    assert read == ["d003-0"]
    assert [one for one in again if one.document_id != "d003-0"] == [one for one in once if one.document_id != "d003-0"]


def test_other_rules_read_and_tell_everything_anew(store, read, monkeypatch):
    """A release that reads or tells otherwise does not keep what an older one made."""
    put(store, *news())
    detect(store, NOTHING, AS_OF)
    n, days = len(read), store.execute("select count(*) from story_day").fetchone()[0]
    for module in (readings, telling):
        monkeypatch.setattr(module, "rules", lambda: "other")
    assert len(tell_stories(store, AS_OF, providers.load())) == days
    reports_of(store)
    assert len(read) == 2 * n


def test_a_report_survives_its_row(store):
    """Every field comes back as it was, to the last digit."""
    put(store, *news(12))
    known = providers.load()
    store.execute(
        f"create temp table to_read as select one.*, '' as made_from from ({readings.inputs.TAGGED}) as one", {"as_of": AS_OF}
    )
    fresh = [
        readings.reports.read(readings.inputs.document_of(row, {}), known)
        for row in readings._rows(store, "from to_read order by document_id")
    ]
    assert reports_of(store) == [one for one in fresh if one]
