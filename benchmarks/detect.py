"""How well and how fast detection works; prints the figures of the decision log.

    python benchmarks/detect.py replay [--tags TAGS.jsonl]     recall, doubles and judged precision on the replayed feeds
    python benchmarks/detect.py load [--documents 200000]      time and memory on a corpus repeated with noise
    python benchmarks/detect.py again                          a first pass over the corpus, and one to which nothing came

All need the folder `shared` beside the checkout. `replay` tags with the tagger in use unless tags are given.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import resource
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
FIRST, LAST = "2025-06-01", "2026-08-31"
WITHIN = timedelta(days=7)
sys.path.insert(0, str(ROOT))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("replay", "load", "again"))
    parser.add_argument("--tags", type=Path)
    parser.add_argument("--documents", type=int, default=200_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        {"replay": lambda: replay(home, args.tags), "load": lambda: load(home, args.documents), "again": lambda: again(home)}[
            args.what
        ]()


def replay(folder: Path, tags: Path | None) -> None:
    from tests.models.replayed import documents, link_hash

    rows = documents(SHARED)
    write(folder / "in.jsonl", rows)
    if tags is None:
        tags = folder / "tags.jsonl"
        run("classify", folder / "in.jsonl", tags)
    run("detect", folder / "in.jsonl", folder / "out.csv", "--catalogue", "none", "--tags", tags)
    found = read_csv(folder / "out.csv")
    known = [row for row in read_csv(SHARED / "catalogue" / "jumps.csv") if FIRST <= row["date"] <= LAST]
    in_feeds = [
        (row, link)
        for row in known
        for link in [next((h for h in map(link_hash, row["source_url"].split()) if h in {r["id"] for r in rows}), None)]
        if link
    ]
    hits = [row for row, _ in in_feeds if any(matches(row, jump) for jump in found)]
    bare = sum(len(r["text"]) < len(r["title"]) + 20 for r in rows)
    print(
        f"documents {len(rows)}, of which bare titles {bare / len(rows):.0%}; jumps {len(found)}, in the window {sum(FIRST <= j['happened_on'] <= LAST for j in found)}"
    )
    print(f"recall within 7 days: {len(hits)}/{len(in_feeds)} = {len(hits) / len(in_feeds):.3f}")
    print(f"doubled: {doubled(in_feeds, found)} of {len(in_feeds)}")
    for row, _ in in_feeds:
        if row not in hits:
            print(f"  missed {row['jump_id']} ({row['capabilities']})")
    print_precision(found)


def matches(row: dict, jump: dict) -> bool:
    near = abs(date.fromisoformat(row["date"]) - date.fromisoformat(jump["happened_on"])) <= WITHIN
    return (
        near
        and row["provider"] == jump["provider"]
        and bool(set(row["capabilities"].split(";")) & set(jump["capabilities"].split(";")))
    )


def doubled(in_feeds: list, found: list) -> int:
    """Known jumps whose own announcement, or a release of the same name and stage within a week, stands in two detected jumps."""
    count = 0
    for row, link in in_feeds:
        own = [jump for jump in found if link in jump["document_ids"].split(";")]
        twins = [jump for jump in found if own and jump is not own[0] and matches(row, jump) and same_thing(jump, own[0])]
        count += len(own) > 1 or bool(twins)
    return count


def same_thing(one: dict, other: dict) -> bool:
    return (one["release"].lower(), one["stage"]) == (other["release"].lower(), other["stage"])


def print_precision(found: list) -> None:
    judged = {row["link"]: row for row in read_csv(ROOT / "tests" / "data" / "judged_jumps.csv")}
    verdicts = [
        verdict(judged[links[0]], jump) for jump in found if (links := jump["document_ids"].split(";")) and links[0] in judged
    ]
    counts = {name: verdicts.count(name) for name in ("right", "not real", "wrong day", "wrong stage")}
    print(f"hand-read jumps found {len(verdicts)}: {counts}; right {counts['right'] / len(verdicts):.3f}")


def verdict(judged: dict, jump: dict) -> str:
    if judged["is_real"] != "true":
        return "not real"
    if abs(date.fromisoformat(judged["happened_on"]) - date.fromisoformat(jump["happened_on"])) > timedelta(days=3):
        return "wrong day"
    return "right" if judged["stage"] == jump["stage"] else "wrong stage"


def load(folder: Path, n_documents: int) -> None:
    make_load(folder, n_documents)
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    run("detect", folder / "in.jsonl", folder / "out.csv", "--catalogue", "none", "--tags", folder / "tags.jsonl")
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"{n_documents} documents: {time.perf_counter() - start:.1f} s by the clock, {cpu:.1f} s of CPU, peak {after.ru_maxrss / 1024:.0f} MB"
    )


def again(home: Path) -> None:
    from datetime import UTC, datetime

    from models import catalogue
    from models.detect.inputs import document_rows
    from models.detect.stage import detect
    from models.store import insert_rows, open_work, set_as_of
    from models.tagger import load_tagger
    from models.tags import pending_batches, store_tags

    tagger, as_of, shipped = load_tagger("keyword"), date(2026, 11, 1), catalogue.load()
    with open_work(home) as con:
        for table, rows in document_rows([row | {"first_seen": row["first_seen"] or str(as_of)} for row in corpus()]).items():
            insert_rows(con, table, rows)
        con.execute("insert or replace into meta values ('tagger', ?)", [tagger.name])
        for batch in pending_batches(con, tagger.name, 256):
            store_tags(con, tagger.name, tagger.tag(batch), datetime(2026, 11, 1, tzinfo=UTC))
        set_as_of(con, as_of)
        for name in ("first", "again"):
            began = time.process_time()
            counts = detect(con, shipped, as_of)
            print(f"{name}: {time.process_time() - began:.1f} s of processor time, {counts}")


def corpus() -> list[dict]:
    import subprocess

    raw = subprocess.run(["zstd", "-dcq", str(SHARED / "corpus" / "items_dev.jsonl.zst")], check=True, capture_output=True).stdout
    return [json.loads(line) for line in raw.splitlines()]


def make_load(folder: Path, n_documents: int) -> None:
    """The corpus, repeated with exchanged words, shifted days and shaken scores of the keyword tagger."""
    from models.tagger import load_tagger  # noqa: F401 - fails early where the tagger's packages are missing

    rows = corpus()
    write(folder / "corpus.jsonl", rows)
    run("classify", folder / "corpus.jsonl", folder / "corpus_tags.jsonl", "--tagger", "keyword")
    tags = [json.loads(line) for line in (folder / "corpus_tags.jsonl").read_text(encoding="utf-8").splitlines()]
    chance = random.Random(5)
    with (
        (folder / "in.jsonl").open("w", encoding="utf-8") as documents,
        (folder / "tags.jsonl").open("w", encoding="utf-8") as out,
    ):
        for n in range(n_documents):
            row, tag, turn = rows[n % len(rows)], tags[n % len(rows)], n // len(rows)
            words = row["text"].split(" ")
            for _ in range(len(words) // 20 if turn else 0):
                words[chance.randrange(len(words))] = chance.choice(words)
            day = (
                date.fromisoformat((row["published"] or row["first_seen"])[:10])
                + timedelta(days=chance.randint(0, 3) if turn else 0)
            ).isoformat()
            new = {
                "id": f"{row['id']}-{turn}",
                "text": " ".join(words),
                "published": day,
                "first_seen": day,
                "source": f"{row['source']}-{turn}",
            }
            documents.write(json.dumps(row | new, ensure_ascii=False) + "\n")
            out.write(json.dumps(tag | {"id": new["id"]}) + "\n")


def run(command: str, *words: object) -> None:
    from app.cli import main as lifeline

    code = lifeline([command, *map(str, words)])
    if code:
        raise SystemExit(f"lifeline {command} ended with {code}")


def write(file: Path, rows: list) -> None:
    with file.open("w", encoding="utf-8") as handle:
        handle.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read_csv(file: Path) -> list[dict]:
    with file.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


if __name__ == "__main__":
    main()
