"""What a stranger reads: both languages, one thing and several, no number that contradicts another."""

from __future__ import annotations

import re
from datetime import date

import duckdb
import pandas as pd

from app import present, sentences, tables, text, words
from models import store, taxonomy


def test_one_thing_is_said_to_be_one():
    """A count of one reads as one, in both languages and wherever the words differ."""
    assert words.say("jumps.found", "en", n=1).startswith("1 jump.")
    assert words.say("jumps.found", "en", n=2).startswith("2 jumps.")
    assert words.say("reaches", "zh", n=1) == "触及 1 个产品"
    ones = [key for key in words.table() if key.endswith("#1")]
    assert [key for key in ones if key.removesuffix("#1") not in words.table()] == []


def test_definitions_of_labels_are_said_in_chinese(monkeypatch):
    """Each label of the set says what it is and is not in Chinese too."""
    monkeypatch.setattr(words, "language", lambda: "zh")
    said = [said for term in taxonomy.load().terms for said in (term.definition, term.excludes) if said]
    assert len(said) > 80
    assert [one for one in said if not re.search("[一-鿿]", words.comment(one))] == []
    assert words.comment("What nobody has put into Chinese") == "What nobody has put into Chinese"


def test_comments_of_every_published_column_are_said_in_chinese(published):
    """The dictionary on a Chinese page is Chinese: a new or changed comment needs its line in app/comments.yaml."""
    with store.open_published(published / "lifeline.duckdb") as con:
        known = con.execute(
            "select comment from duckdb_columns() where not internal and comment is not null "
            "union select comment from duckdb_tables() where comment is not null"
        ).fetchall()
    assert len(known) > 150
    assert sorted(one for (one,) in known if one not in words.table("comments.yaml")) == []


def test_a_detected_jump_says_in_chinese_what_it_was(monkeypatch):
    """Made from its fields; what people wrote into the catalogue stays as it is."""
    monkeypatch.setattr(words, "language", lambda: "zh")
    jump = {
        "summary": "Anthropic made available Tag in its apps: agents.", "origin": "detected", "provider": "Anthropic", "release": "Tag",
        "stage": "ga", "reach": "consumer", "capabilities": ["agents"],
    }  # fmt: skip
    assert sentences.summary(jump) == "Anthropic 提供 Tag（面向消费者）：智能体。"
    assert sentences.summary({**jump, "origin": "catalogue"}) == jump["summary"]


def test_a_release_that_begins_with_its_provider_is_not_named_twice():
    """GitHub GitHub Models reads badly."""
    assert text.by("GitHub", "GitHub Models") == "GitHub Models"
    assert text.by("OpenAI", "GPT-6") == "OpenAI GPT-6"
    assert text.by(None, "Sora") == "Sora"


def test_a_table_has_no_column_without_a_value():
    """Columns of chances go when no product of the table has one; what names a product stays."""
    frame = pd.DataFrame({"name": ["a"], "p_overtaken_12": [None], "overtaken_on": [date(2025, 1, 1)], "s12": [float("nan")]})
    told = [name for name in ("name", "p_overtaken", "overtaken", "s12", "survival_curve") if tables._is_told(frame, name)]
    assert told == ["name", "overtaken"]


def test_the_findings_of_a_run_read_in_chinese(estimated, visit):
    """No name of a number stays English on a Chinese page."""
    desk = visit("method", view="findings", lang="zh")
    assert not desk.exception
    said = "\n".join(str(element.value) for kind in ("markdown", "caption") for element in getattr(desk.main, kind))
    assert not re.search(r"[A-Za-z]{3,}", said), re.findall(r".*[A-Za-z]{3,}.*", said)
    names = [name for frame in desk.dataframe for name in frame.value.columns]
    assert names
    assert [name for name in names if re.search(r"[A-Za-z]{3,}", name)] == []


def test_the_overview_counts_as_it_rounds(estimated, visit):
    """A product that is shown at 50 % is among those counted at 50 % or above; sources that nobody polled are said to be so."""
    desk = visit()
    assert not desk.exception
    with store.open_published(estimated / "lifeline.duckdb") as con:
        chances = [
            row[0] for row in con.execute("select p_overtaken_12 from lifeline where p_overtaken_12 is not null").fetchall()
        ]
    at_half = sum(text.chance(p) not in ("<5 %", *(f"{step} %" for step in range(5, 50, 5))) for p in chances)
    said = "\n".join(str(element.value) for kind in ("markdown", "caption") for element in getattr(desk, kind))
    assert f"**{at_half}** more stand" in said
    assert "no source has been polled yet" in said
    assert "0 of" not in said.split("ends known")[1][:60]


def test_only_decisive_jumps_are_those_that_decided_somewhere(estimated, visit):
    """The filter agrees with the column beside it, although a later stage weighs less than what it adds to."""
    desk = visit("jumps", heavy="1", since="2015-01-01", view="table")
    rows = desk.dataframe[0].value
    assert len(rows) > 10
    assert ((rows["n_decisive"] > 0) | (rows["weight"] >= 0.9)).all()
    assert ((rows["n_decisive"] > 0) & (rows["weight"] < 0.9)).any()


def test_a_retirement_ahead_is_never_said_to_reach_nobody(estimated, visit):
    """Nothing is reached before its day: the pages say who sells or needs what it serves, and that use is not known."""
    with duckdb.connect(str(estimated / "lifeline.duckdb")) as con:
        con.execute("update jump set happened_on = (select max(as_of) from run) + 10 where jump_id = 'openai-assistants-retired'")
        con.execute("delete from exposure where jump_id = 'openai-assistants-retired'")
    overview = said_on(visit())
    assert re.search(r"\d+ living products sell or need what it serves; which of them use it is not known", overview)
    desk = visit("jumps", jump="openai-assistants-retired")
    assert not desk.exception
    assert "Its day has not come." in said_on(desk)
    assert len(desk.dataframe[0].value) > 5


def test_what_is_only_needed_overtakes_nobody(estimated, visit):
    """Jumps named under the overtaken clock are jumps in what the product sells."""
    links = str(visit("product", id="jasper").main)
    assert "GPT Store" in links
    assert "GPT-4 in ChatGPT" not in links.split("Still there")[0]


def said_on(desk):
    """What the page says in sentences."""
    return "\n".join(
        str(element.value) for kind in ("markdown", "caption", "subheader", "info") for element in getattr(desk.main, kind)
    )


def test_every_mark_of_the_timeline_has_its_colour(published, visit, monkeypatch):
    """The words of the rows are those of the legend, in both languages."""
    drawn = []
    monkeypatch.setattr(present, "draw", lambda chart, alt: drawn.append(chart))
    for lang in ("en", "zh"):
        assert not visit("jumps", lang=lang, since="2015-01-01").exception
    assert len(drawn) == 2
    for chart in drawn:
        assert set(chart.rows["segment_word"]) <= set(chart.spec["encoding"]["color"]["scale"]["domain"])


def test_what_was_wrong_is_said_in_chinese(estimated, visit):
    """One line that says what was wrong and what to do, in the reader's language; the database's own words stay."""
    desk = visit("what-if", lang="zh", on="2020-01-01", capability="coding", platform="OpenAI", id=["jasper"])
    assert desk.error[0].value.startswith("2020\\-01\\-01 已过去")
    desk = visit("sql", lang="zh", q="drop table product")
    assert "此处不允许 DROP" in desk.error[0].value


def test_an_end_on_record_is_said_beside_an_estimate_that_does_not_use_it(estimated, visit):
    """A product whose end is announced is not offered as the next to be overtaken, and its page says what is recorded."""
    with duckdb.connect(str(estimated / "lifeline.duckdb")) as con:
        con.execute(
            "update product set outcome = 'shut_down', ended_on = (select max(as_of) from run) + 8, ended_precision = 'day' "
            "where product_id = 'shortwave'"
        )
    assert "Shortwave" not in str(visit().main)
    desk = visit("product", id="shortwave")
    assert not desk.exception
    assert desk.warning[0].value.startswith("The catalogue records its end: shut down")
    assert "Shortwave" not in set(visit("products", fate="ended").dataframe[0].value["name"])
