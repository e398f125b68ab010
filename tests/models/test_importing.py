"""An import takes a whole file or nothing of it."""

from __future__ import annotations

import csv
import json
from datetime import date

import pytest

from app.cli import main
from models import catalogue, watchlists
from models.catalogue import SHIPPED, read_products
from models.errors import CatalogueError, UsageError
from models.importing import catalogue_csv, import_catalogue
from models.store import open_work
from tests.app import published

HEADER = "product_id,name,launched_on,outcome,ended_on,sells,depends_on,segment,wrapper_tier,coupling,moats\n"
GOOD = "noteshell,NoteShell,2023-03-01,alive,,audio_input,frontier_quality,eye,2,3,data\n"


def file_of(tmp_path, text, name="products.csv"):
    """A file with this text."""
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_products_are_laid_over_the_shipped_ones(home, tmp_path, capsys):
    """An imported product is in the catalogue in force, a second import of the same file changes nothing."""
    file = file_of(tmp_path, HEADER + GOOD)
    assert main(["import", "products", str(file), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["n_rows"], said["n_new"], said["n_changed"]) == (1, 1, 0)
    rows = {row["product_id"]: row for row in catalogue.load(home / "catalogue").products}
    assert rows["noteshell"]["sells"] == ("audio_input",)
    assert len(rows) == len(read_products(SHIPPED / "products.csv")) + 1
    before = (home / "catalogue" / "products.csv").stat().st_mtime_ns
    assert main(["import", "products", str(file)]) == 0
    assert "1 rows read, 0 new, 0 changed, 1 as before" in capsys.readouterr().out
    assert (home / "catalogue" / "products.csv").stat().st_mtime_ns == before


WRONG = {
    "unknown label": ("x,X,2023-03-01,alive,,no_such_job,,,,,\n", "row 3, column sells", "no_such_job"),
    "a date that is none": ("x,X,2023-02-30,alive,,,,,,,\n", "row 3, column launched_on", "2023-02-30"),
    "end before launch": ("x,X,2023-03-01,shut_down,2022-01-01,,,,,,\n", "row 3, column ended_on", "2022-01-01"),
    "an id used twice": (GOOD, "row 3, column product_id", "noteshell"),
    "a tier out of range": ("x,X,2023-03-01,alive,,,,,9,,\n", "row 3, column wrapper_tier", "'9'"),
    "too many values": ("x,X,2023-03-01,alive,,,,,1,1,data,extra\n", "row 3", "12 values for 11 columns"),
    "no id": (",X,2023-03-01,alive,,,,,,,\n", "row 3, column product_id", "empty"),
}


@pytest.mark.parametrize(("row", "where", "value"), WRONG.values(), ids=WRONG.keys())
def test_one_wrong_row_changes_nothing(home, tmp_path, capsys, row, where, value):
    """A wrong row is named with file, row, column and value, the exit code is 2, and the good row before it is not taken."""
    file = file_of(tmp_path, HEADER + GOOD + row)
    assert main(["import", "products", str(file)]) == 2
    line = capsys.readouterr().err
    assert where in line
    assert value in line
    assert "products.csv" in line
    assert line.count("\n") == 1
    assert not (home / "catalogue" / "products.csv").exists()


def test_a_wrong_file_keeps_what_was_imported_before(home, tmp_path, capsys):
    """After a refused import the overlay holds what it held."""
    main(["import", "products", str(file_of(tmp_path, HEADER + GOOD))])
    before = (home / "catalogue" / "products.csv").read_bytes()
    assert main(["import", "products", str(file_of(tmp_path, HEADER + GOOD.replace("alive", "asleep")))]) == 2
    assert (home / "catalogue" / "products.csv").read_bytes() == before
    assert [file.name for file in (home / "catalogue").iterdir()] == ["products.csv"]


def test_other_formats_pass_the_same_door(home, tmp_path, capsys):
    """JSON Lines and Parquet give the same rows as CSV, and their wrong rows are named as well."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = {"product_id": "a", "launched_on": "2023-03-01", "outcome": "alive", "sells": ["agents"], "wrapper_tier": 2}
    lines = file_of(tmp_path, json.dumps(row) + "\n", "products.jsonl")
    pq.write_table(
        pa.Table.from_pylist([row | {"product_id": "b", "launched_on": date(2023, 3, 1)}]), tmp_path / "products.parquet"
    )
    assert main(["import", "products", str(lines)]) == 0
    assert main(["import", "products", str(tmp_path / "products.parquet")]) == 0
    found = {row["product_id"]: row for row in read_products(home / "catalogue" / "products.csv")}
    assert found["a"] | {"product_id": ""} == found["b"] | {"product_id": ""}
    assert found["a"]["sells"] == ("agents",)
    assert found["a"]["wrapper_tier"] == 2
    lines.write_text(json.dumps(row) + "\n\n{'not': json}\n")
    assert main(["import", "products", str(lines)]) == 2
    assert "line 3" in capsys.readouterr().err


def test_opml_becomes_sources(home, tmp_path, capsys):
    """Feeds of an OPML file, nested in folders, become sources; entities are refused."""
    text = '<opml version="2.0"><body><outline text="AI"><outline text="Lab" xmlUrl="https://lab.example/rss"/></outline></body></opml>'
    assert main(["import", "sources", str(file_of(tmp_path, text, "feeds.opml"))]) == 0
    row = catalogue.load(home / "catalogue", shipped=None).sources[0]
    assert (row["title"], row["kind"], row["url"]) == ("Lab", "feed", "https://lab.example/rss")
    bomb = '<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + text
    assert main(["import", "sources", str(file_of(tmp_path, bomb, "bomb.opml"))]) == 2
    assert main(["import", "sources", str(file_of(tmp_path, "<opml/>", "none.opml"))]) == 2


def test_private_products_stay_private(home, tmp_path, capsys):
    """A private product is marked so, and a public import of the same id is refused rather than publishing it."""
    file = file_of(tmp_path, HEADER + GOOD)
    assert main(["import", "products", "--private", str(file)]) == 0
    rows = {row["product_id"]: row for row in catalogue.load(home / "catalogue").products}
    assert rows["noteshell"]["is_private"] is True
    assert main(["import", "products", str(file)]) == 2
    assert "--private" in capsys.readouterr().err


def test_a_cohort_is_under_observation_from_the_day_of_its_list(home, tmp_path, capsys):
    """--cohort and --listed-on mark rows that have none of their own, and go together."""
    file = file_of(tmp_path, HEADER + GOOD)
    assert main(["import", "products", str(file), "--cohort", "L24"]) == 2
    assert main(["import", "products", str(file), "--cohort", "L24", "--listed-on", "2024-02-01"]) == 0
    row = read_products(home / "catalogue" / "products.csv")[0]
    assert (row["cohort"], row["cohort_seen_on"]) == ("L24", date(2024, 2, 1))


def test_documents_go_into_the_store_once(home, tmp_path, capsys):
    """Documents keep their day of first sight, and a second import stores nothing anew."""
    row = {
        "id": "1",
        "title": "Agents are here",
        "text": "Text",
        "url": "https://lab.example/a",
        "published": "2026-01-01",
        "source": "lab",
    }
    file = file_of(tmp_path, json.dumps(row | {"first_seen": "2026-01-02"}) + "\n", "documents.jsonl")
    for n_new in (1, 0):
        assert main(["import", "documents", str(file), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["n_new"] == n_new
    with open_work(home) as con:
        assert con.execute("select title, first_seen_at::date from document").fetchall() == [
            ("Agents are here", date(2026, 1, 2))
        ]
    wrong = file_of(tmp_path, json.dumps(row | {"published": "soon"}) + "\n", "wrong.jsonl")
    assert main(["import", "documents", str(wrong)]) == 2
    assert "row 1, column published" in capsys.readouterr().err


def test_activity_goes_into_the_store(home, tmp_path, capsys):
    """Counts by month are kept under their kind; a later import of a month replaces it; an unknown product stops the file."""
    main(["import", "products", str(file_of(tmp_path, HEADER + GOOD))])
    file = file_of(tmp_path, "product_id,month,n\nnoteshell,2024-01,3\nnoteshell,2024-02-01,0\n", "activity.csv")
    assert main(["import", "activity", str(file)]) == 0
    file.write_text("product_id,month,n,kind\nnoteshell,2024-01,5,releases\nnoteshell,2024-01,7,commits\n")
    assert main(["import", "activity", str(file)]) == 0
    with open_work(home) as con:
        kept = con.execute("select month, kind, n from activity_count order by all").fetchall()
    assert kept == [(date(2024, 1, 1), "commits", 7), (date(2024, 1, 1), "releases", 5), (date(2024, 2, 1), "releases", 0)]
    capsys.readouterr()
    for text, says in [
        ("product_id,month,n\nnobody,2024-01,3\n", "row 2, column product_id"),
        ("product_id,month,n\nnoteshell,2024-13,3\n", "row 2, column month"),
        ("product_id,month,n\nnoteshell,2024-01,-3\n", "row 2, column n"),
        ("product_id,month,n\nnoteshell,2024-01,1\nnoteshell,2024-01,2\n", "row 3, column month"),
    ]:
        file.write_text(text)
        assert main(["import", "activity", str(file)]) == 2
        assert says in capsys.readouterr().err


def test_unknown_columns_are_said(home, tmp_path, capsys):
    """A column that has no meaning is not taken silently: it may be a slip of the pen."""
    file = file_of(tmp_path, "product_id,launched_on,outcome,lauched_by\na,2023-01-01,alive,me\n")
    assert main(["import", "products", str(file)]) == 0
    assert "lauched_by" in capsys.readouterr().out


def test_an_exported_name_comes_back_as_it_was(home, tmp_path):
    """What an export made harmless for spreadsheets is restored on the way in."""
    file = file_of(tmp_path, "product_id,name,launched_on,outcome\na,'=Sum,2023-01-01,alive\n")
    import_catalogue("products", file, tmp_path / "overlay")
    assert read_products(tmp_path / "overlay" / "products.csv")[0]["name"] == "=Sum"


def test_what_is_written_reads_back_the_same(tmp_path):
    """Every shipped product survives being written and read."""
    rows = read_products(SHIPPED / "products.csv")
    file = tmp_path / "products.csv"
    file.write_text(catalogue_csv(rows), encoding="utf-8")
    assert read_products(file) == rows


def test_export_and_import_round_trip(home, tmp_path, capsys):
    """Lists of the published file can be imported again, in every format; private products stay out unless asked for."""
    published.write(home / "lifeline.duckdb")
    assert (
        main(
            [
                "export",
                "all",
                str(tmp_path / "out"),
                "--format",
                "csv",
                "--format",
                "jsonl",
                "--format",
                "parquet",
                "--format",
                "opml",
            ]
        )
        == 0
    )
    ids = {row["product_id"] for row in read_products(tmp_path / "out" / "products.csv")}
    assert ids == {"noteshell", "agentco", "goneco"}
    for name in ("products.csv", "products.jsonl", "products.parquet"):
        assert main(["import", "products", str(tmp_path / "out" / name)]) == (2 if name == "none" else 0)
    assert main(["import", "sources", str(tmp_path / "out" / "sources.opml")]) == 0
    assert main(["import", "jumps", str(tmp_path / "out" / "jumps.csv")]) == 0
    assert main(["export", "products", str(tmp_path / "all.csv"), "--include-private"]) == 0
    with (tmp_path / "all.csv").open(newline="") as handle:
        assert "secretco" in {row["product_id"] for row in csv.DictReader(handle)}
    assert main(["export", "products", str(tmp_path / "x.opml")]) == 2
    assert main(["export", "all", str(tmp_path / "x.csv")]) == 2


def test_watchlists_hold_known_products_in_order(tmp_path):
    """Adding twice keeps one, an unknown product or name changes nothing, removal is exact."""
    known = ["a", "b", "noteshell"]
    assert watchlists.add(tmp_path, "mine", ["b", "a", "b"], known).product_ids == ("b", "a")
    with pytest.raises(UsageError, match="did you mean noteshell"):
        watchlists.add(tmp_path, "mine", ["a", "noteshel"], known)
    for name in ("../evil", "", "a/b", ".hidden", "x" * 65, "-"):
        with pytest.raises(UsageError, match="cannot name"):
            watchlists.add(tmp_path, name, ["a"], known)
    with pytest.raises(UsageError, match="not on watchlist"):
        watchlists.remove(tmp_path, "mine", ["b", "noteshell"])
    assert watchlists.remove(tmp_path, "mine", ["b"]).product_ids == ("a",)
    assert watchlists.add(tmp_path, "我的 清单", ["a"], known).name == "我的 清单"
    assert [one.name for one in watchlists.read_all(tmp_path)] == ["mine", "我的 清单"]
    assert watchlists.drop(tmp_path, "mine").product_ids == ("a",)
    with pytest.raises(UsageError, match="no watchlist 'mine'"):
        watchlists.read(tmp_path, "mine")


def test_the_watch_command(home, tmp_path, capsys):
    """add, list and remove from the command line, products also from a CSV."""
    file = file_of(tmp_path, "name,product_id\nJasper,jasper\n", "mine.csv")
    assert main(["watch", "add", "mine", "abridge", "--file", str(file)]) == 0
    assert main(["watch", "list", "mine", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.split("products\n", 1)[1])["products"] == ["abridge", "jasper"]
    assert main(["watch", "remove", "mine"]) == 2
    assert main(["watch", "remove", "mine", "--all"]) == 0


def test_rows_without_anything_are_refused(tmp_path):
    """A file with a header alone is a slip, not an empty catalogue."""
    with pytest.raises(CatalogueError, match="no row"):
        import_catalogue("products", file_of(tmp_path, HEADER), tmp_path / "overlay")
