"""Lists of feeds and archives of documents, in and out."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

import pytest

from models.archive import read_archive, store_archive
from models.errors import CatalogueError
from models.opml import read_opml, write_opml

NOW = datetime(2026, 8, 1, tzinfo=UTC)


def test_opml_comes_back_as_it_went_out(tmp_path):
    """Every source survives the way out and in, with its id, kind and awkward characters."""
    rows = [
        {
            "source_id": "a",
            "title": 'Tom & "Jerry" <x>',
            "kind": "feed",
            "url": "https://example.org/f?a=1&b=2",
            "site": "https://example.org",
        },
        {
            "source_id": "b",
            "title": "日志",
            "kind": "changelog",
            "url": "https://example.com/c.md",
            "lang": "zh",
            "provider": "Zhipu",
        },
    ]
    file = tmp_path / "x.opml"
    file.write_text(write_opml(rows), encoding="utf-8")
    back = read_opml(file)
    assert [{key: row.get(key) for key in given} for row, given in zip(back, rows, strict=True)] == rows


def test_other_readers_opml_is_read(tmp_path):
    """Nested folders are flattened, repeated addresses dropped, ids made from addresses."""
    file = tmp_path / "x.opml"
    file.write_text(
        "<opml version='1.0'><body><outline text='AI'><outline text='A' xmlUrl='https://example.org/feed'/>"
        "<outline title='A again' XMLURL='http://www.example.org/feed/'/></outline></body></opml>"
    )
    assert [(row["source_id"], row["title"]) for row in read_opml(file)] == [("example-org-feed", "A")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<opml><body>", "line 1"),
        ("<opml><body><outline xmlUrl='file:///etc/passwd'/></body></opml>", "no http"),
        ("<!DOCTYPE o [<!ENTITY x 'y'>]><opml><body><outline xmlUrl='https://a.b/&x;'/></body></opml>", "entities"),
        ("<opml><body/></opml>", "no feed"),
    ],
)
def test_wrong_opml_is_refused_in_one_line(tmp_path, text, words):
    """Broken XML, other schemes, entities and empty lists are each named."""
    file = tmp_path / "x.opml"
    file.write_text(text)
    with pytest.raises(CatalogueError, match=words):
        read_opml(file)


ROWS = [
    {
        "id": "1",
        "title": "One",
        "text": "First",
        "url": "https://example.org/1",
        "published": "2024-05-01",
        "first_seen": "2024-05-02",
        "source": "s",
        "lang": "en",
    },
    {"id": "2", "title": "News A", "text": "", "url": "https://example.org/digest", "source": "d"},
    {"id": "3", "title": "News B", "text": "", "url": "https://example.org/digest", "source": "d"},
]


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet"])
def test_archives_of_every_form_are_stored_once(tmp_path, store, ending):
    """Each form gives the same documents; a second import adds none; news of a digest stay apart though their link is one."""
    file = tmp_path / f"x{ending}"
    body = "\n".join(map(json.dumps, ROWS)).encode()
    if ending == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(ROWS), file)
    elif ending == ".jsonl.zst":
        import pyarrow as pa

        with pa.output_stream(str(file), compression="zstd") as stream:
            stream.write(body)
    else:
        file.write_bytes(gzip.compress(body) if ending.endswith("gz") else body)
    documents = read_archive(file)
    assert store_archive(store, documents, NOW).n_new == 3
    assert store_archive(store, documents, NOW).n_new == 0
    first = store.execute("select first_seen_at, published_at, source_id from document where title = 'One'").fetchall()
    assert first == [(datetime(2024, 5, 2, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC), "s")]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"title": ""}, "row 1, column title"),
        ({"title": "x", "published": "soon"}, "row 1, column published: 'soon'"),
        ({"title": "x", "url": "javascript:x"}, "row 1, column url"),
        ({"title": ["x"]}, "row 1, column title"),
        ("no object", "row 1"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, row, words):
    """File, row, column, value and remedy stand in one line."""
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps(row))
    with pytest.raises(CatalogueError, match=words):
        read_archive(file)
