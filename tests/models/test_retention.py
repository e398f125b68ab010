"""What goes with age, and that what a run computes from does not."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta

import pytest

from models import catalogue
from models.detect.stage import detect
from models.retention import Ages, n_characters_read, prune, prune_exports
from models.store import insert_rows, open_work
from models.tagging.keyword import KeywordTagger
from models.tags import n_pending, pending_batches, store_tags

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TAIL = " Anthropic launches computer use. Sora is retired on 2026-12-01. 谷歌发布 Gemini 9。 https://example.org/x" * 300
STORIES = [
    (
        "OpenAI launches image generation in ChatGPT for everyone",
        "ChatGPT now generates images from text, today, for all users.",
        "en",
    ),
    (
        "Google announces Gemini 4 with a context of ten million tokens",
        "The model is generally available in the API today.",
        "en",
    ),
    ("OpenAI 发布图像生成功能", "ChatGPT 今天起可以根据文字生成图像，面向所有用户开放。", "zh"),
    ("Anthropic retires Claude 2", "Claude 2 will be shut down on 2026-09-01; move to Claude 5.", "en"),
    ("Our office moves", "We have a new office.", "en"),
]


@pytest.fixture
def filled(store):
    """Documents that are short, long, and long with links and padding in front."""
    rows = []
    for i, (title, text, lang) in enumerate(STORIES):
        for j, body in enumerate((text, text + TAIL, " \u200b" * 900 + text + TAIL)):
            seen = datetime(2026, 8, 1 + i, tzinfo=UTC)
            rows.append(
                {"document_id": f"d{i}{j}", "source_id": f"s{j}", "url": f"https://site{j}.org/{i}", "title": title, "text": body}
                | {"lang": lang, "published_at": seen, "first_seen_at": seen, "content_hash": f"{i}{j}"}
            )
    insert_rows(store, "document", rows)
    insert_rows(store, "document_source", [{k: row[k] for k in ("document_id", "source_id", "first_seen_at")} for row in rows])
    insert_rows(store, "source", [{"source_id": f"s{j}", "tier": "press", "kind": "feed"} for j in range(3)])
    return store


def computed(con):
    """What tagger and detection make of the documents, everything from nothing."""
    for table in ("tagging", "tagging_label"):
        con.execute(f"delete from {table}")
    tagger = KeywordTagger()
    con.execute("insert or replace into meta values ('tagger', ?)", [tagger.name])
    assert n_pending(con, tagger.name)
    for batch in pending_batches(con, tagger.name, 100):
        store_tags(con, tagger.name, tagger.tag(batch), NOW)
    detect(con, catalogue.load(), date(2026, 11, 22))
    tables = ("tagging", "tagging_label", "jump", "jump_capability", "jump_document", "story", "proposal")
    return {table: con.execute(f"from {table} order by all").fetchall() for table in tables}


def test_cut_texts_give_the_same_tags_and_jumps(filled):
    """Everything that tagger and detection make of old documents is the same after their texts were cut."""
    before = computed(filled)
    assert len(before["jump_document"]) > 3
    assert prune(filled, Ages(texts=30), NOW)["texts"] == 10
    assert filled.execute("select max(length(text)) from document").fetchone() == (n_characters_read(),)
    assert computed(filled) == before
    assert prune(filled, Ages(texts=30), NOW)["texts"] == 0


def test_real_documents_give_the_same_tags_and_jumps(store, shared):
    """The same for real announcements, in English and Chinese, with other texts behind each."""
    import pyarrow as pa

    with pa.input_stream(str(shared / "corpus" / "items_dev.jsonl.zst"), compression="zstd") as raw:
        items = [json.loads(line) for line in raw.read().splitlines()]
    chosen = items[:: len(items) // 60]
    filler = " ".join(item["text"] or "" for item in items[7:500])
    names = {"id": "document_id", "source": "source_id", "url": "url", "title": "title", "text": "text", "lang": "lang"}
    rows = [{new: item[old] for old, new in names.items()} for item in chosen]
    stamps = [
        {"published_at": item["published"], "first_seen_at": item["first_seen"], "content_hash": item["id"]} for item in chosen
    ]
    insert_rows(store, "document", [row | stamp for row, stamp in zip(rows, stamps, strict=True)])
    store.execute("update document set text = coalesce(text, '') || ' ' || ?", [filler])
    before = computed(store)
    assert prune(store, Ages(texts=1), NOW)["texts"] == len(chosen)
    assert computed(store) == before


def test_young_texts_stay_whole(filled):
    """Age counts from the day we first saw a document; 0 days keeps everything."""
    assert prune(filled, Ages(texts=114), NOW)["texts"] == 0
    assert prune(filled, Ages(), NOW) == {"texts": 0, "versions": 0, "fetches": 0, "looks": 0}
    assert prune(filled, Ages(texts=112), NOW)["texts"] == 4


def test_older_versions_lose_their_text_and_keep_their_place(store):
    """That there was another version, when, and its hash stay."""
    rows = [
        {"document_id": "d", "version": n, "seen_at": NOW - timedelta(days=90 - n), "text": "old", "content_hash": f"h{n}"}
        for n in (1, 2, 80)
    ]
    insert_rows(store, "document_version", rows)
    assert prune(store, Ages(versions=60), NOW)["versions"] == 2
    found = store.execute("select version, text, content_hash from document_version order by 1").fetchall()
    assert found == [(1, None, "h1"), (2, None, "h2"), (80, "old", "h80")]


def test_the_log_of_fetches_keeps_what_first_brought_something(store):
    """The day of a source's first poll decides how its undated documents are counted, so that row stays."""
    rows = [
        {"source_id": source, "fetched_at": NOW - timedelta(days=days), "outcome": outcome}
        for source, days, outcome in [
            ("a", 900, "failed"),
            ("a", 800, "new"),
            ("a", 700, "new"),
            ("a", 5, "new"),
            ("b", 900, "failed"),
        ]
    ]
    insert_rows(store, "fetch_log", rows)
    assert prune(store, Ages(fetches=400), NOW)["fetches"] == 3
    assert [
        (source, (NOW - at).days)
        for source, at in store.execute("select source_id, fetched_at from fetch_log order by 2").fetchall()
    ] == [("a", 800), ("a", 5)]


def test_of_equal_looks_the_first_and_the_last_stay(store):
    """When a page began and ceased to answer can be told as before."""
    said = ["answers", "answers", "answers", "gone", "gone", "gone", "gone", "answers"]
    rows = [
        {"product_id": "p", "url": "u", "probed_at": NOW - timedelta(days=800 - 7 * n), "evidence": one, "http_status": 1}
        for n, one in enumerate(said)
    ]
    insert_rows(store, "probe", rows)
    assert prune(store, Ages(looks=400), NOW)["looks"] == 3
    left = store.execute("select evidence from probe order by probed_at").fetchall()
    assert [evidence for (evidence,) in left] == ["answers", "answers", "gone", "gone", "answers"]


def test_exports_that_are_written_no_more_go(tmp_path):
    """A file that the publishes of a month did not touch is of a relation that is no more; other endings are somebody's own."""
    for name, days in {"jump.csv": 0, "index.json": 0, "gone.csv": 60, "mine.xlsx": 60}.items():
        (tmp_path / name).write_text("x")
        at = NOW.timestamp() - days * 86400
        os.utime(tmp_path / name, (at, at))
    assert [file.name for file in prune_exports(tmp_path, NOW)] == ["gone.csv"]
    assert prune_exports(tmp_path, NOW + timedelta(days=60)) == []
    assert sorted(file.name for file in tmp_path.iterdir()) == ["index.json", "jump.csv", "mine.xlsx"]


def test_the_file_stops_growing(home):
    """Blocks of what was cut are used again: a home that gets as much as it drops keeps its size."""
    words = [f"{i * 2654435761 % 2**32:x}" for i in range(40_000)]
    sizes = []
    for day in range(12):
        now = NOW + timedelta(days=day)
        with open_work(home) as con:
            rows = [
                {
                    "document_id": f"d{day}-{i}",
                    "source_id": "s",
                    "first_seen_at": now,
                    "text": " ".join(words[(day * 97 + i * 31) % 30_000 :][:3000]),
                }
                for i in range(60)
            ]
            insert_rows(con, "document", rows)
            insert_rows(
                con,
                "document_version",
                [{"document_id": row["document_id"], "version": 1, "seen_at": now, "text": row["text"]} for row in rows],
            )
            con.execute("delete from document where first_seen_at < $1", [now - timedelta(days=20)])
            prune(con, Ages(texts=2, versions=2), now)
        sizes.append((home / "work.duckdb").stat().st_size)
    grown, whole = sizes[-1] - sizes[5], 6 * 60 * 2 * 27_000
    assert grown < whole / 4
