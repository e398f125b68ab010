"""Dated public lists become cohorts with labels from their own words."""

from __future__ import annotations

from datetime import date

import pytest

from models.cohorts import read_cohort
from models.errors import UsageError

LISTED = date(2023, 6, 19)
LIST = """
# Awesome tools
## Contents
- [Writing](#writing)
## Papers
- [Attention](https://arxiv.org/abs/1706.03762) Not a product.
## Writing
- [Quill Bee](https://quillbee.example/) - Copywriting with GPT-4 templates.
* **[AskDoc](https://askdoc.example)**: Chat with your documents (PDF), ChatGPT based.
## 图像
- [画画](https://huahua.example) 文生图工具
- [Plain](https://plain.example)
"""


def write(tmp_path, text, name="list.md"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_markdown_list_becomes_products_with_labels_from_its_words(tmp_path):
    """Names, links, jobs and coupling come from the line itself; papers and contents are passed over."""
    rows = {row["product_id"]: row for row in read_cohort(write(tmp_path, LIST), "L23", LISTED)}
    assert list(rows) == ["quill-bee", "askdoc", "画画", "plain"]
    bee = rows["quill-bee"]
    assert (bee["sells"], bee["depends_on"], bee["coupling"]) == (("document_generation",), ("frontier_quality",), 3)
    assert "file_input" in rows["askdoc"]["sells"]
    assert rows["askdoc"]["wrapper_tier"] == 3
    assert (rows["画画"]["sells"], rows["画画"]["segment"]) == (("image_generation",), "make")
    assert all(row["cohort"] == "L23" and row["cohort_seen_on"] == LISTED for row in rows.values())


def test_no_outcome_is_looked_up_and_unknown_stays_unknown(tmp_path):
    """A line without telling words gets no label; nobody has a fate beyond having been listed."""
    rows = read_cohort(write(tmp_path, LIST.replace("## 图像", "## Misc")), "L23", LISTED)
    assert {(row["outcome"], row["last_alive_on"]) for row in rows} == {("alive", LISTED)}
    assert rows[-1]["sells"] == ()
    assert rows[-1]["note"] == "the list's words give no label"


def test_a_csv_list_needs_name_and_url(tmp_path):
    """Columns are found by their usual names; a file without them is refused in one line."""
    good = write(tmp_path, "Title,Link,Description\nHum,https://hum.example,AI music songs\n", "a.csv")
    assert read_cohort(good, "C", LISTED)[0]["sells"] == ("music_generation",)
    with pytest.raises(UsageError, match="needs the columns name and url"):
        read_cohort(write(tmp_path, "a,b\n1,2\n", "b.csv"), "C", LISTED)
    with pytest.raises(UsageError, match="no entry with a link"):
        read_cohort(write(tmp_path, "# Nothing\n", "c.md"), "C", LISTED)


def test_the_command_lays_a_list_over_the_catalogue(tmp_path, home):
    """`lifeline import products --cohort` takes the Markdown as it is; a second time there is nothing new."""
    from app.cli import main
    from models import catalogue

    words = ["import", "products", str(write(tmp_path, LIST)), "--cohort", "L23", "--listed-on", "2023-06-19"]
    assert main(words) == 0
    rows = {row["product_id"]: row for row in catalogue.load(home / "catalogue").products}
    assert rows["quill-bee"]["cohort"] == "L23"
    assert rows["quill-bee"]["cohort_seen_on"] == LISTED
    assert main(words) == 2
