"""Pages without a browser: what they say, for data that are whole, empty, hostile and many."""

from __future__ import annotations

import json
import re
import time
from datetime import date
from pathlib import Path

import pytest

from models import rulings, store, watchlists
from tests.app import made_up

APP = Path(__file__).resolve().parents[2] / "app"
PAGES = [
    "overview",
    "jumps",
    "products",
    "product",
    "capability",
    "portfolio",
    "what-if",
    "your-product",
    "review",
    "sources",
    "accuracy",
    "method",
    "sql",
]
DEEP = [
    ("jumps", {"view": "first"}),
    ("jumps", {"view": "table", "capability": ["coding", "agents"], "provider": ["OpenAI"], "heavy": "1"}),
    ("products", {"fate": "ended", "segment": ["eye"], "tier": ["1", "2"], "sort": "ended"}),
    ("product", {"id": "chatpdf"}),
    ("product", {"id": "jasper"}),
    ("capability", {"id": "file_input"}),
    ("method", {"view": "dictionary", "relation": "lifeline"}),
    ("method", {"view": "findings"}),
    ("method", {"view": "taxonomy"}),
    ("method", {"view": "runs"}),
    ("accuracy", {"h": "12"}),
    ("sql", {"q": "from product select count(*) as n"}),
]


def said(desk):
    """Everything that the page says, as one text."""
    kinds = ("title", "subheader", "markdown", "caption", "info", "error", "warning")
    return "\n".join(str(element.value) for kind in kinds for element in getattr(desk, kind))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_in_both_languages(published, visit, page):
    """English, then Chinese in the same session, with no exception, and a title."""
    desk = visit(page)
    assert not desk.exception
    english = desk.title[0].value
    desk.query_params["lang"] = "zh"
    desk.run()
    assert not desk.exception
    assert desk.title[0].value != english or page == "sql"


@pytest.mark.parametrize(("page", "query"), DEEP)
def test_an_address_with_filters_shows_its_page(published, visit, page, query):
    """What the query string asks for is shown, and nothing breaks."""
    assert not visit(page, **query).exception


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_database_is_said_to_be_empty(empty, visit, page):
    """No row anywhere: every page says so in words."""
    desk = visit(page)
    assert not desk.exception
    assert said(desk)


def test_before_the_first_run_the_page_says_what_to_do(home, visit):
    """One line with the remedy instead of a traceback."""
    desk = visit()
    assert not desk.exception
    assert "lifeline up" in desk.code[0].value
    assert "does not exist yet" in said(desk)


def test_a_false_address_is_no_error(published, visit):
    """Ids, filters, days and page numbers that cannot be are said to be unknown, or left aside."""
    for page, query in [
        ("product", {"id": "<script>"}),
        ("jumps", {"jump": "nope"}),
        ("jumps", {"since": "tomorrow", "view": "x"}),
        ("products", {"p": "99999", "fate": "?"}),
    ]:
        assert not visit(page, **query).exception


def test_the_overtaken_clock_stands_first_beside_survival_and_silence(published, visit):
    """Three clocks on a living product's page, in that order, each with what it rests on."""
    desk = visit("product", id="jasper")
    text = said(desk)
    clocks = [text.index(word) for word in ("**Overtaken**", "**Still there, doing the same job**", "**Silent**")]
    assert clocks == sorted(clocks)
    assert re.search(r"within 12 months: \*\*.*%\*\* &nbsp;\(\d+–\d+ %\)", text)
    assert "180 products at risk, 96 ends, as of 2026-08-22" in text


def test_months_lost_come_with_their_interval(published, visit):
    """And where it covers none, the page says that the loss is not told apart from none."""
    import duckdb

    clear = said(visit("product", id="jasper"))
    assert re.search(r"of the next 24 months go with its exposures \([\d.]+ to [\d.]+\)\.(?! That)", clear)
    copy = published / "next.duckdb"
    copy.write_bytes((published / "lifeline.duckdb").read_bytes())
    with duckdb.connect(str(copy)) as con:
        con.execute("update lifeline set lost_months_low = -0.3 where product_id = 'jasper'")
    copy.replace(published / "lifeline.duckdb")
    assert "(-0.3 to" in (unsure := said(visit("product", id="jasper")))
    assert "not told apart from none" in unsure


def test_an_ended_product_gets_no_estimate(published, visit):
    """The page says when and how it ended instead."""
    text = said(visit("product", id="artifact-news")) + said(visit("product", id="adept"))
    assert "within 12 months" not in text


def test_a_product_that_ended_first_is_not_said_to_have_been_overtaken():
    """Jumps go on to cover the jobs of a product that is gone; that is told in its own words."""
    from app import dossier

    early, late = date(2024, 1, 1), date(2024, 5, 1)
    assert dossier.was_overtaken_first({"overtaken_before": early, "ended_on": late})
    assert dossier.was_overtaken_first({"overtaken_before": early, "ended_on": None})
    assert not dossier.was_overtaken_first({"overtaken_before": late, "ended_on": early})
    assert not dossier.was_overtaken_first({"overtaken_before": None, "ended_on": early})


@pytest.mark.parametrize("page", PAGES)
def test_hostile_text_stays_text(hostile, visit, page):
    """Scripts, Markdown and addresses in names, titles, summaries and errors reach no page as such."""
    for query in (
        {},
        {"id": _first_product(hostile)} if page == "product" else {},
        {"jump": _newest_jump(hostile)} if page == "jumps" else {},
    ):
        desk = visit(page, **query)
        assert not desk.exception
        shown = "\n".join(
            str(element.value) for kind in ("title", "subheader", "markdown", "caption") for element in getattr(desk, kind)
        )
        assert "](javascript" not in shown
        assert not re.search(r"(?<!\\)<script", shown)
        assert not re.search(r"(?<!\\)!\[", shown)


def _deep(page, home):
    """The plain address of a page, and the one that shows the hostile row itself."""
    deep = {"product": lambda: {"id": _first_product(home)}, "jumps": lambda: {"jump": _newest_jump(home)}}
    return [{}, deep[page]()] if page in deep else [{}]


def _first_product(home):
    with store.open_published(home / "lifeline.duckdb") as con:
        return con.execute("select product_id from product where contains(name, 'script')").fetchone()[0]


def _newest_jump(home):
    with store.open_published(home / "lifeline.duckdb") as con:
        return con.execute("select jump_id from jump where contains(summary, 'script')").fetchone()[0]


def test_a_new_published_file_is_seen_at_once(published, visit):
    """The page follows the file: inode and time make the cache key."""
    import duckdb

    before = visit("product", id="jasper")
    copy = published / "next.duckdb"
    copy.write_bytes((published / "lifeline.duckdb").read_bytes())
    con = duckdb.connect(str(copy))
    con.execute("update product set name = 'Jasper the Second' where product_id = 'jasper'")
    con.close()
    copy.replace(published / "lifeline.duckdb")
    assert before.title[0].value == "Jasper"
    assert visit("product", id="jasper").title[0].value == "Jasper the Second"


def test_a_file_of_an_older_version_is_said_to_be_one(published, visit):
    """A relation or column that the pages ask for and the file lacks is one line with the remedy."""
    import duckdb

    copy = published / "next.duckdb"
    copy.write_bytes((published / "lifeline.duckdb").read_bytes())
    con = duckdb.connect(str(copy))
    con.execute("drop table hindcast; alter table lifeline drop column p_overtaken_12_low")
    con.execute("alter table lifeline drop column lost_months_low")
    con.close()
    copy.replace(published / "lifeline.duckdb")
    for page, query in (("overview", {}), ("accuracy", {}), ("products", {}), ("product", {"id": "jasper"})):
        desk = visit(page, **query)
        assert not desk.exception
        assert "was published by another version" in said(desk)
        assert "lifeline run" in said(desk)


@pytest.mark.parametrize(("page", "query", "seconds"), [("overview", {}, 2.0), ("product", {"id": "product-00017"}, 1.0)])
def test_ten_thousand_products_are_quick(large, visit, page, query, seconds):
    """On a warm server; processor seconds, the best of three, so that a busy machine does not decide."""
    took = []
    for _ in range(4):
        start = time.process_time()
        assert not visit(page, **query).exception
        took.append(time.process_time() - start)
    assert min(took[1:]) < seconds


def test_one_key_decides_and_undo_takes_back(published, visit):
    """A decision is a ruling in the home under the reader's name; the thing leaves the queue; undo brings it back."""
    desk = visit("review")
    first = desk.subheader[1].value if desk.subheader[0].value.startswith("Decisions") else desk.subheader[0].value
    desk.button(key="confirm").click().run()
    assert not desk.exception
    found, problems = rulings.read(published / "rulings")
    assert [(one.verdict, one.ruled_by) for one in found] == [("confirm", "local")]
    assert problems == []
    assert first not in [element.value for element in desk.subheader]
    desk.button(key="undo").click().run()
    found, _ = rulings.read(published / "rulings")
    assert rulings.in_force(found) == []
    assert first in [element.value for element in desk.subheader]


def test_a_wrong_correction_is_refused_in_words(published, visit):
    """A value that cannot be leaves no file behind."""
    desk = visit("review", kind=["jump"])
    desk.selectbox[-1].set_value("happened_on")
    desk.text_input[-1].set_value("soon")
    next(button for button in desk.button if button.label == "Write the correction").click()
    desk.run()
    assert "is not a date" in said(desk)
    assert rulings.read(published / "rulings")[0] == []


def test_the_watchlist_comes_first_on_the_overview(published, visit):
    """Watched products stand before the jumps."""
    watchlists.add(published / "watchlists", "mine", ["jasper", "chatpdf"], ["jasper", "chatpdf"])
    headings = [element.value for element in visit().subheader]
    assert headings[0] == "Watched products"
    assert not visit("portfolio", list="mine").exception


def test_a_query_in_the_address_is_run_in_the_sandbox(published, visit):
    """A SELECT answers; anything else is refused in one line."""
    good = visit("sql", q="from product select count(*) as n where wrapper_tier = $tier", **{"p.tier": "1"})
    bad = visit("sql", q="drop table product")
    assert good.dataframe[0].value["n"].iloc[0] > 10
    assert len(bad.error) == 1
    assert not bad.exception


def test_downloads_carry_sources_and_no_formula(published):
    """CSV and Parquet hold the source column; a cell that begins like a formula is neutralised."""
    import pandas as pd

    from app import present

    frame = pd.DataFrame(
        {"name": ["=1+1", "-5", "plain"], "jobs": [["a", "b"], [], None], "source_url": ["https://example.org"] * 3}
    )
    csv = present.to_csv(frame).decode("utf-8-sig")
    assert csv.splitlines()[:2] == ["name,jobs,source_url", "'=1+1,a;b,https://example.org"]
    assert present.to_parquet(frame, "2026-08-22")[:4] == b"PAR1"


def test_every_word_is_said_in_both_languages():
    """Every key that a page asks for is in the table, in English and Chinese, and is filled with the same fields."""
    from app import words

    table = words.table()
    asked = {key for file in APP.rglob("*.py") for key in re.findall(r'\bt\(\s*"([^"{]+)"', file.read_text(encoding="utf-8"))}
    assert sorted(asked - set(table)) == []
    for key, both in table.items():
        assert set(both) == {"en", "zh"}, key
        assert set(re.findall(r"{(\w+)}", both["en"])) == set(re.findall(r"{(\w+)}", both["zh"])), key


def test_every_query_states_its_grain():
    """The first line of each query is a comment that says what a row is."""
    wrong = [file.name for file in (APP / "sql").glob("*.sql") if not re.match(r"-- One row", file.read_text(encoding="utf-8"))]
    assert wrong == []


@pytest.mark.parametrize(
    "key",
    [
        "what_jumped",
        "whom_it_hits",
        "how_long",
        "shortest",
        "overtaken_next",
        "first",
        "hit_by",
        "by_quarter",
        "tiers",
        "after_overtaken",
        "health",
    ],
)
def test_example_questions_answer(published, key):
    """Each question on the SQL page runs as it stands."""
    from app import sandbox, words
    from app.views.sql import names_in

    query = words.table("questions.yaml")[key]["sql"]
    given = {"capability": "vision_input", "jump_id": "x"}
    result = sandbox.query(published / "lifeline.duckdb", query, {name: given[name] for name in names_in(query)}, timeout_s=30)
    assert result.columns
    assert result.rows or key in ("hit_by",)


def test_with_sign_in_configured_nothing_is_shown_before_it(published):
    """No number, no name, only the request to sign in."""
    from streamlit.testing.v1 import AppTest

    desk = AppTest.from_file(str(APP / "main.py"), default_timeout=60)
    desk.secrets["auth"] = {"redirect_uri": "http://localhost/oauth2callback", "cookie_secret": "x", "client_id": "y"}
    desk.run()
    assert not desk.exception
    assert [element.value for element in desk.info] == ["This desk asks you to sign in first."]
    assert not desk.metric
    assert not desk.title


def test_a_form_gives_a_private_product_its_clocks(published, visit, monkeypatch):
    """Filled in, shown, kept; the estimate itself is the survival room's."""
    from models.survival import whatif

    seen = {}

    def private(con, row):
        seen.update(row)
        chances = {f"s{months}{end}": 0.9 for months in (3, 6, 12) for end in ("", "_low", "_high")}
        ahead = dict.fromkeys(("p_overtaken_3", "p_overtaken_6", "p_overtaken_12"), 0.2)
        curve = [{"months": months, "survival": 0.99**months, "low": 0.9, "high": 1.0} for months in range(25)]
        exposures = con.execute(
            "select jump_id, capability, 'sells' as role, happened_on as exposed_on, 0.5 as weight, false as is_decisive "
            "from jump join jump_capability using (jump_id) where capability = 'coding' limit 3"
        ).fetchall()
        names = ("jump_id", "capability", "role", "exposed_on", "weight", "is_decisive")
        more = {
            "product_id": "private",
            "as_of": made_up.AS_OF,
            "median_months": None,
            "safe_until_months": 20,
            "overtaken_on": None,
        }
        return {
            **more, **chances, **ahead, "lifeline_class": "long", "lost_months": 0.2, "lost_months_low": -0.1, "lost_months_high": 0.5, "n_at_risk": 180, "n_ended": 90, "evidence": "data",
            "reason": "made up", "curve": curve, "factors": [], "exposures": [dict(zip(names, row, strict=True)) for row in exposures],
        }  # fmt: skip

    monkeypatch.setattr(whatif, "private", private)
    desk = visit("your-product")
    desk.text_input[0].set_value("<b>Mine</b>")
    desk.multiselect[0].set_value(["coding"])
    next(button for button in desk.button if button.label == "Show its lifeline").click()
    desk.run()
    assert not desk.exception
    assert seen["sells"] == ("coding",)
    assert "180 products at risk, 90 ends" in said(desk)
    desk.button(key="keep_own").click().run()
    assert not desk.exception
    assert "own-b-mine-b" in (published / "catalogue" / "private_products.csv").read_text(encoding="utf-8")


def test_sentences_of_the_program_are_shown_in_chinese(estimated):
    """Every reason of a real run reads in Chinese on Chinese pages, with its numbers; what others wrote is left alone."""
    from app import sentences

    with store.open_published(estimated / "lifeline.duckdb") as con:
        reasons = [row[0] for row in con.execute("select distinct reason from lifeline").fetchall()]
    assert reasons
    for reason in reasons:
        shown = sentences.in_chinese(reason)
        assert not re.search("[A-Za-z]{2,}", shown), (reason, shown)
        assert re.findall(r"\d+", shown) == sorted(re.findall(r"\d+", reason), key=re.findall(r"\d+", shown).index)
    gates = [gate.name for gate in __import__("models.survival.judge", fromlist=["GATES"]).GATES]
    assert [name for name in gates if sentences.in_chinese(name) == name] == []
    assert sentences.in_chinese("tier and coupling unknown, drawn from its segment; signs of life known").startswith(
        "层级与耦合不详"
    )
    verdict = next(row["value"] for row in _findings(estimated) if row["key"] == "do_jumps_matter")
    assert not re.search("[A-Za-z]{2,}", sentences.in_chinese(json.loads(verdict)["says"]))
    assert sentences.in_chinese("A sentence that somebody else wrote") == "A sentence that somebody else wrote"


def _findings(home):
    with store.open_published(home / "lifeline.duckdb") as con:
        return [{"key": key, "value": value} for key, value in con.execute("select key, value::varchar from finding").fetchall()]


def test_misses_are_named_from_the_walk_forward(estimated, visit):
    """Products that ended although the method would have given them over 90 % stand on the page with day, chance and what happened."""
    desk = visit("accuracy")
    assert not desk.exception
    missed = next(
        frame.value for frame in desk.dataframe if "would have" in str(frame.proto) or "happened" in frame.value.columns
    )
    assert {"name", "origin_on", "said", "interval", "happened"} <= set(missed.columns)
    assert len(missed) >= 5
    assert all(said in (">95 %", "<5 %", "5 %", "10 %") for said in missed["said"])
    assert missed["happened"].str.contains(r"\d{4}-\d{2}-\d{2}").all()
    for kind in ("ended-spared", "overtaken-missed", "overtaken-spared"):
        assert not visit("accuracy", misses=kind, mh="6").exception
