"""What leaves the tracker as files is whole, harmless and free of private products."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from uuid import UUID
from xml.etree import ElementTree

import duckdb
import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.exports import atom
from models.exports.atom import Entry
from models.exports.csv import csv_text, neutralise, restore, write_csv
from models.exports.files import write_atomically
from models.exports.relations import csv_sql
from models.exports.stage import export
from models.store import SCHEMA_VERSION, insert_rows, open_memory, publish
from tests.app import published

NOW = datetime(2026, 8, 22, 10, tzinfo=UTC)
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The exports of the small published file."""
    home = tmp_path_factory.mktemp("exports")
    path = published.write(home / "lifeline.duckdb")
    export(path, home / "exports", NOW)
    return home / "exports"


FORMULAS = [
    "=1+1",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "\ufeff=1",
    "＝1+1",
    "'=1",
    '"=1',
    "|x",
    "\u200b=1",
]
HARMLESS = ["", "text", "a=b", "3-4", "-1.5", "+3", "1e5", "2024-01-01", "it's", "C++", "飞书"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_gets_an_apostrophe_and_can_be_taken_back(text):
    """Every way in which a spreadsheet would run the cell is closed, and the text can be restored."""
    assert neutralise(text) == "'" + text
    assert restore(neutralise(text)) == text


@pytest.mark.parametrize("value", [*HARMLESS, -1, -1.5, Decimal("-1"), None, True])
def test_harmless_values_stay_as_they_are(value):
    """Numbers, also negative ones, and plain text are not touched."""
    assert neutralise(value) == value
    assert restore(neutralise(value)) == value


@given(st.text(max_size=30))
def test_no_text_survives_as_a_formula(text):
    """Whatever the text, the cell begins with no formula sign unless it is a number, and neutralising can be undone."""
    cell = neutralise(text)
    assert cell[:1] not in ("=", "@", "\t", "\r") or not text
    assert restore(cell) == text or text.startswith("'")


def test_csv_reads_back():
    """Commas, quotes, line breaks, lists, unknown and not-a-number come back as written."""
    out = io.StringIO()
    rows = [{"a": 'x,"y"\nz', "b": ["p", "q"], "c": None, "d": float("nan"), "e": True, "f": NOW, "=g": "\ud800\0"}]
    assert write_csv(rows, out) == 1
    (row,) = csv.DictReader(io.StringIO(out.getvalue()))
    assert row == {"a": 'x,"y"\nz', "b": "p;q", "c": "", "d": "", "e": "true", "f": NOW.isoformat(), "'=g": "?"}
    assert csv_text(["a"], []) == "a\n"


def test_the_database_writes_the_same_csv():
    """The SQL that writes large files neutralises as the Python does."""
    con = duckdb.connect()
    for text in [*FORMULAS, *HARMLESS]:
        cell = con.execute(f"select {csv_sql('x', 'VARCHAR')} from (select ?::varchar as x)", [text]).fetchall()[0][0]
        assert cell == neutralise(text), text


def test_every_relation_is_there_as_parquet_and_csv(folder):
    """Parquet and CSV of each relation have the same rows; hostile names are harmless in the CSV."""
    con = duckdb.connect()
    relations = {file.stem for file in folder.glob("*.parquet")}
    assert {"product", "jump", "lifeline", "document", "exposure", "source", "ruling"} <= relations
    for name in relations:
        n_parquet = con.execute(f"select count(*) from '{folder / name}.parquet'").fetchall()[0][0]
        with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as handle:
            assert len(list(csv.DictReader(handle))) == n_parquet, name
    with (folder / "product.csv").open(newline="", encoding="utf-8") as handle:
        names = {row["product_id"]: row["name"] for row in csv.DictReader(handle)}
    assert names["agentco"] == "'" + published.HOSTILE
    with (folder / "document.csv").open(newline="", encoding="utf-8") as handle:
        assert next(csv.DictReader(handle))["published_at"] == "2026-08-20T09:00:00Z"


def test_json_says_what_it_is(folder):
    """Each JSON file is strict JSON with schema version, time, grain, the meaning of its columns and its rows."""
    for name in ("product", "jump", "lifeline", "exposure", "capability"):
        content = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
        assert content["schema_version"] == SCHEMA_VERSION
        assert content["generated_at"] == "2026-08-22T10:00:00+00:00"
        assert content["grain"].startswith("One row per")
        assert content["n_rows"] == len(content["rows"])
        assert set(content["columns"]) == set(content["rows"][0])
        assert all(content["columns"].values())
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    assert index["as_of"] == "2026-08-22"
    assert {"feed.atom", "brief.md", "brief.html", "product.csv"} <= {file["name"] for file in index["files"]}


def test_private_products_are_nowhere(folder):
    """Not one file, Parquet included, names the private product; with include_private it is there."""
    con = duckdb.connect()
    for file in folder.iterdir():
        content = file.read_bytes() if file.suffix != ".parquet" else str(con.execute(f"from '{file}'").fetchall()).encode()
        assert b"secret" not in content.lower(), file.name


def test_private_products_are_there_when_asked_for(tmp_path):
    """include_private writes them, too."""
    path = published.write(tmp_path / "lifeline.duckdb")
    counts = export(path, tmp_path / "exports", NOW, include_private=True)
    assert counts["product"] == 4
    assert "secretco" in (tmp_path / "exports" / "product.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["feed.atom", "alerts.atom"])
def test_feeds_are_valid_atom(folder, name):
    """A feed parser finds no fault, and what RFC 4287 asks for is there: ids, titles, dates, authors, links or content."""
    raw = (folder / name).read_bytes()
    parsed = feedparser.parse(raw)
    assert parsed.bozo == 0
    assert parsed.version == "atom10"
    assert parsed.entries
    feed = ElementTree.fromstring(raw)
    assert feed.tag == f"{ATOM}feed"
    assert feed.find(f"{ATOM}author/{ATOM}name").text
    ids = [node.text for node in feed.iter(f"{ATOM}id")]
    assert len(ids) == len(set(ids)) == len(parsed.entries) + 1
    assert all(UUID(one) for one in ids)
    for entry in feed.iter(f"{ATOM}entry"):
        assert all(len(entry.findall(f"{ATOM}{tag}")) == 1 for tag in ("id", "title", "updated", "summary"))
        assert entry.findall(f"{ATOM}link[@rel='alternate']") or entry.findall(f"{ATOM}content")
    for node in [*feed.iter(f"{ATOM}updated"), *feed.iter(f"{ATOM}published")]:
        assert datetime.fromisoformat(node.text).tzinfo
        assert node.text.endswith("Z")
    newest = max(node.text for node in feed.iter(f"{ATOM}updated"))
    assert feed.find(f"{ATOM}updated").text == newest


def test_the_jump_feed_tells_newest_first(folder):
    """Jumps come in the order in which they became known, with their capabilities as categories and safe links only."""
    entries = feedparser.parse((folder / "feed.atom").read_bytes()).entries
    assert [entry.published for entry in entries] == sorted((entry.published for entry in entries), reverse=True)
    assert {tag.term for tag in entries[1].tags} == {"agents"}
    assert all(entry.link.startswith("https://") for entry in entries)


def test_an_entry_keeps_its_id(folder, tmp_path):
    """The same jump has the same id in the next run's feed."""
    path = published.write(tmp_path / "lifeline.duckdb")
    export(path, tmp_path, datetime(2026, 9, 1, tzinfo=UTC))
    before, after = (feedparser.parse((place / "feed.atom").read_bytes()) for place in (folder, tmp_path))
    assert [entry.id for entry in before.entries] == [entry.id for entry in after.entries]
    assert before.feed.updated == after.feed.updated


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_breaks_a_feed(title, summary):
    """Whatever a title holds (controls, surrogates, markup), the feed stays well-formed and the text stays text."""
    text = atom.feed("x", title, "", [Entry("k", title, summary, NOW, categories=(summary,))], NOW)
    root = ElementTree.fromstring(text.encode("utf-8"))
    assert len(list(root.iter(f"{ATOM}entry"))) == 1
    assert {node.tag.removeprefix(ATOM) for node in root.iter()} <= {
        "feed", "id", "title", "subtitle", "updated", "author", "name", "generator", "entry", "category", "summary", "content"
    }  # fmt: skip


class Tags(HTMLParser):
    """Collects tags and attributes of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes = [], []

    def handle_starttag(self, tag, attrs):
        """Note one."""
        self.tags.append(tag)
        self.attributes += attrs


def test_the_brief_needs_nothing_and_runs_nothing(folder):
    """The HTML has charts as SVG, no script, no handler, no outside picture, and only web addresses as links."""
    page = (folder / "brief.html").read_text(encoding="utf-8")
    found = Tags()
    found.feed(page)
    assert found.tags.count("svg") == 2
    assert not {"script", "img", "iframe", "object", "link", "base", "form"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert all(value.startswith("https://") for name, value in found.attributes if name == "href")
    assert "&lt;script&gt;" in page
    for svg in page.split("<svg")[1:]:
        ElementTree.fromstring("<svg" + svg.split("</svg>")[0] + "</svg>")


def test_the_brief_says_how_sure_it_is(folder):
    """Every estimate in the Markdown has its interval, the number behind it and its day; hostile names stay text."""
    text = (folder / "brief.md").read_text(encoding="utf-8")
    assert "estimates of 2026-08-22" in text
    assert "98% (93% to 99%)" in text
    assert "120 (data)" in text
    assert "<script" not in text
    assert "Assistants API is switched off. It reached 1 product, none decisively." in text


def test_an_empty_store_has_exports_too(tmp_path):
    """Before the first run everything is written, empty and valid."""
    con = open_memory()
    publish(con, tmp_path / "lifeline.duckdb")
    con.close()
    export(tmp_path / "lifeline.duckdb", tmp_path / "exports", NOW)
    for name in ("feed.atom", "alerts.atom"):
        assert feedparser.parse((tmp_path / "exports" / name).read_bytes()).bozo == 0
    assert "Nothing yet" in (tmp_path / "exports" / "brief.md").read_text(encoding="utf-8")


def test_a_killed_export_leaves_the_old_file(tmp_path, monkeypatch):
    """A file is replaced in one step: when writing fails, the old content stands and nothing half written lies about."""
    file = tmp_path / "x.csv"
    write_atomically(file, b"old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(Exception, match="No space left"):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["x.csv"]


def test_odd_numbers_do_not_break_an_export(tmp_path):
    """Missing intervals and shares, and a jump without provider or capability, are said as unknown."""
    con = open_memory()
    insert_rows(con, "product", [published.product("a"), published.product("b")])
    insert_rows(
        con,
        "lifeline",
        [{"product_id": "a", "as_of": published.AS_OF, "s12": 0.5}, {"product_id": "b", "as_of": published.AS_OF}],
    )
    insert_rows(
        con,
        "jump",
        [{"jump_id": "j", "happened_on": published.AS_OF, "known_on": published.AS_OF, "stage": "ga", "magnitude": 1}],
    )
    publish(con, tmp_path / "lifeline.duckdb")
    con.close()
    export(tmp_path / "lifeline.duckdb", tmp_path / "exports", NOW)
    text = (tmp_path / "exports" / "brief.md").read_text(encoding="utf-8")
    assert "| A | unsure | unknown |" in text
    assert "Unknown platform" in text
    assert feedparser.parse((tmp_path / "exports" / "feed.atom").read_bytes()).bozo == 0
