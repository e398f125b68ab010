"""The door through which catalogue files enter."""

from __future__ import annotations

from datetime import date

import pytest

from models import catalogue
from models.catalogue.load import end_known_on, job_rows
from models.errors import CatalogueError

PRODUCTS = "product_id,launched_on,outcome,ended_on,sells,depends_on,segment,wrapper_tier,coupling,moats\n"
JUMPS = "jump_id,date,capabilities,stage,reach,magnitude\n"


@pytest.fixture
def products(tmp_path):
    """Write a products file of the shortest header that readers must accept."""

    def write(*rows: str):
        file = tmp_path / "products.csv"
        file.write_text(PRODUCTS + "\n".join(rows) + "\n", encoding="utf-8")
        return file

    return write


def test_the_shortest_products_file_is_enough(products):
    """Ten columns are enough; what is empty is unknown."""
    (row,) = catalogue.read_products(products("chat,2023-01-05,,,file_input;retrieval,,eye,2,,"))
    assert row["launched_on"] == date(2023, 1, 5)
    assert row["sells"] == ("file_input", "retrieval")
    assert row["depends_on"] == ()
    assert (row["wrapper_tier"], row["coupling"], row["outcome"]) == (2, None, None)


WRONG = {
    "unknown label": ("a,2023-01-05,alive,,flying,,eye,2,1,", r"row 2, column sells: 'flying' holds the unknown label 'flying'"),
    "no date": ("a,soon,alive,,,,eye,2,1,", r"row 2, column launched_on: 'soon' is not a date; write YYYY-MM-DD"),
    "impossible date": ("a,2023-02-30,alive,,,,eye,2,1,", r"column launched_on: '2023-02-30' is not a date"),
    "end before launch": (
        "a,2023-01-05,shut_down,2022-01-01,,,eye,2,1,",
        r"column ended_on: 2022-01-01 lies before the launch 2023-01-05",
    ),
    "alive and ended": (
        "a,2023-01-05,alive,2024-01-01,,,eye,2,1,",
        r"column ended_on: 2024-01-01 is given although the outcome is alive",
    ),
    "tier out of range": ("a,2023-01-05,alive,,,,eye,9,1,", r"column wrapper_tier: '9' is out of range; use 1 to 5"),
    "unknown outcome": ("a,2023-01-05,dead,,,,eye,2,1,", r"column outcome: 'dead' is not known; use one of alive"),
    "too many values": ("a,2023-01-05,alive,,,,eye,2,1,,,", r"row 2: 12 values for 10 columns"),
    "no id": (",2023-01-05,alive,,,,eye,2,1,", r"row 2, column product_id: empty"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_value_is_named_with_its_place_and_remedy(products, wrong):
    """File, row, column, value and what to do stand in one line."""
    row, message = WRONG[wrong]
    with pytest.raises(CatalogueError, match=message) as caught:
        catalogue.read_products(products(row))
    assert "\n" not in str(caught.value)
    assert "products.csv" in str(caught.value)


def test_an_id_used_twice_is_refused(products):
    """The second use of an id names the first."""
    with pytest.raises(CatalogueError, match="row 3, column product_id: 'a' stands in row 2 already"):
        catalogue.read_products(products("a,2023-01-05,alive,,,,eye,2,1,", "a,2023-01-06,alive,,,,eye,2,1,"))


def test_a_file_that_is_no_text_is_refused(tmp_path):
    """Bytes that are no UTF-8 give one line with the remedy."""
    (tmp_path / "jumps.csv").write_bytes(b"\xff\xfe\x00j")
    with pytest.raises(CatalogueError, match="save it as CSV"):
        catalogue.read_jumps(tmp_path / "jumps.csv")


def test_a_column_that_is_missing_is_named(tmp_path):
    """The header must name what every row needs."""
    (tmp_path / "jumps.csv").write_text("jump_id,date\nx,2024-01-01\n")
    with pytest.raises(CatalogueError, match="column 'capabilities' is missing"):
        catalogue.read_jumps(tmp_path / "jumps.csv")


def test_a_year_precision_launch_may_end_in_its_own_year(tmp_path):
    """1 January stands for the whole year, so an end in that year is no contradiction, nor is one seen before."""
    (tmp_path / "products.csv").write_text(
        "product_id,launched_on,launched_precision,outcome,ended_on\na,2023-06-01,month,shut_down,2023-06-01\nb,2023-12-31,year,shut_down,2023-05-01\n"
    )
    assert len(catalogue.read_products(tmp_path / "products.csv")) == 2


def test_a_home_lays_its_rows_over_the_shipped_ones(tmp_path):
    """A row of the home replaces the shipped row of the same id; private products are marked."""
    shipped, home = tmp_path / "shipped", tmp_path / "home"
    for folder in (shipped, home):
        folder.mkdir()
    (shipped / "jumps.csv").write_text(JUMPS + "a,2024-01-01,memory,ga,api,1\nb,2024-01-02,memory,ga,api,1\n")
    (home / "jumps.csv").write_text(JUMPS + "b,2024-02-02,memory,ga,consumer,3\n")
    (home / "private_products.csv").write_text(PRODUCTS + "mine,2026-01-01,alive,,memory,,brain,2,1,\n")
    found = catalogue.load(home, shipped=shipped)
    assert [(row["jump_id"], row["magnitude"]) for row in found.jumps] == [("a", 1), ("b", 3)]
    assert [(row["product_id"], row["is_private"]) for row in found.products] == [("mine", True)]


ENDS = {
    "a day": ({"outcome": "shut_down", "ended_on": date(2024, 2, 3), "ended_precision": "day"}, date(2024, 2, 3)),
    "a month": ({"outcome": "shut_down", "ended_on": date(2024, 2, 1), "ended_precision": "month"}, date(2024, 2, 29)),
    "a year": ({"outcome": "acquired", "ended_on": date(2024, 1, 1), "ended_precision": "year"}, date(2024, 12, 31)),
    "seen gone": ({"outcome": "shut_down", "ended_on": None, "gone_by": date(2025, 3, 1)}, date(2025, 3, 1)),
    "not an end": ({"outcome": "acquired_running", "ended_on": None, "gone_by": None}, None),
}


@pytest.mark.parametrize("end", ENDS)
def test_an_end_is_known_when_its_period_is_over(end):
    """A back-test may use an end from the last day it could have happened on, never earlier."""
    row, known_on = ENDS[end]
    assert end_known_on(row) == known_on


def test_shares_of_a_role_sum_to_one():
    """What a product sells is split evenly."""
    jobs = job_rows({"product_id": "a", "sells": ("memory", "coding", "agents"), "depends_on": ("reasoning",)})
    assert sum(job["share"] for job in jobs if job["role"] == "sells") == pytest.approx(1)
    assert [job["share"] for job in jobs if job["role"] == "depends_on"] == [1]


def test_the_real_catalogue_enters(shared, store):
    """The collected catalogue passes the door and fills its tables."""
    counts = catalogue.write_tables(store, catalogue.load(shared / "catalogue", shipped=None))
    assert counts["product"] == 466
    assert store.execute("select count(*) from product_job where share is null").fetchone() == (0,)
