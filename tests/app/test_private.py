"""Private products: entered in a form or a CSV, kept in the home, checked like any catalogue row."""

from __future__ import annotations

from datetime import date

import pytest

from app import private
from models import catalogue
from models.errors import CatalogueError, UsageError

ROW = {
    "product_id": "own-notes",
    "name": "=Notes",
    "launched_on": date(2025, 3, 1),
    "sells": ("audio_input", "memory"),
    "depends_on": ("frontier_quality",),
    "segment": "eye",
    "wrapper_tier": 2,
    "coupling": 1,
    "moats": ("users",),
}


def test_a_kept_product_enters_the_catalogue_marked_private(tmp_path):
    """The next run finds it beside the shipped products."""
    private.save(tmp_path, ROW)
    found = {row["product_id"]: row for row in catalogue.load(tmp_path).products}["own-notes"]
    assert found["is_private"] is True
    assert found["sells"] == ("audio_input", "memory")
    assert found["launched_on"] == date(2025, 3, 1)


@pytest.mark.parametrize("name", ["=Notes", "'=Notes", "+1 Notes", "-Notes", "@notes", 'Notes, "the" 笔记', "No\ntes", "'Notes"])
def test_a_name_stands_as_it_was_given_and_every_export_neutralises_it(tmp_path, name):
    """Kept and read back it is the same; written for others it is no formula to a spreadsheet."""
    from models.exports.csv import csv_text

    private.save(tmp_path, {**ROW, "name": name})
    assert private.read(tmp_path)[0]["name"] == name
    private.save(tmp_path, {**ROW, "name": name, "product_id": "own-second"})
    kept = private.read(tmp_path)
    assert [row["name"] for row in kept] == [name, name]
    cell = csv_text(["name"], [[name]]).splitlines()[1].lstrip('"')
    assert not cell.startswith(("=", "+", "-", "@"))


def test_saving_twice_keeps_one_row_and_removing_leaves_the_others(tmp_path):
    """An id stands for one product; a private product is taken out without touching the rest."""
    private.save(tmp_path, ROW)
    private.save(tmp_path, {**ROW, "wrapper_tier": 3})
    private.save(tmp_path, {**ROW, "product_id": "own-other"})
    assert [(row["product_id"], row["wrapper_tier"]) for row in private.read(tmp_path)] == [("own-notes", 3), ("own-other", 2)]
    private.remove(tmp_path, "own-notes")
    assert [row["product_id"] for row in private.read(tmp_path)] == ["own-other"]
    with pytest.raises(UsageError, match="no private product"):
        private.remove(tmp_path, "own-notes")


def test_a_wrong_value_changes_nothing(tmp_path):
    """The file on disk stays as it was, and no temporary file is left."""
    private.save(tmp_path, ROW)
    before = (tmp_path / private.FILE).read_bytes()
    with pytest.raises(CatalogueError, match="teleportation"):
        private.save(tmp_path, {**ROW, "sells": ("teleportation",)})
    assert (tmp_path / private.FILE).read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [private.FILE]


def test_an_upload_is_checked_row_by_row():
    """A good CSV gives typed rows; a bad one names row and column."""
    head = b"product_id,launched_on,outcome,ended_on,sells,depends_on,segment,wrapper_tier,coupling,moats\n"
    rows = private.read_upload(head + b"mine,2025-01-01,alive,,coding,,brain,2,1,\n")
    assert rows[0]["sells"] == ("coding",)
    with pytest.raises(CatalogueError, match="row 2, column launched_on"):
        private.read_upload(head + b"mine,soon,alive,,coding,,brain,2,1,\n")


def test_ids_are_new_and_plain():
    """Made from the name, in letters that any address carries."""
    assert private.new_id("Mein Produkt!", {}) == "own-mein-produkt"
    assert private.new_id("我的产品", {"own-product"}) == "own-product-2"


def test_an_upload_that_is_wrong_names_no_file_of_ours():
    """Row, column, value and remedy, but not where the server laid the file down."""
    with pytest.raises(CatalogueError, match="row 2, column launched_on") as refused:
        private.read_upload(b"product_id,launched_on,outcome\nx,soon,alive\n")
    assert str(refused.value).startswith("the uploaded file, row 2")
