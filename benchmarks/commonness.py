"""Counts in how many documents each name and word stands, which stories are weighed by; writes what ships as models/detect/commonness.csv.

    python benchmarks/commonness.py DOCUMENTS.jsonl[.zst] models/detect/commonness.csv

A document is a line with `title`, `text` and `url`. Tokens of fewer than `LEAST` documents are left out: they weigh as the rarest do.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

LEAST = 6


def main(documents: Path, target: Path) -> None:
    from models.detect import providers
    from models.detect.commonness import ALL
    from models.detect.tokens import beginning, names_in, small_words_in, words_in

    known, seen, small, n = providers.load(), Counter[str](), Counter[str](), 0
    for row in lines(documents):
        read = beginning(row.get("title") or "", row.get("text") or "")
        seen.update(names_in(read, row.get("url") or "", known) | words_in(read))
        small.update(small_words_in(read))
        n += 1
    kept = sorted((-count, token) for token, count in seen.items() if count >= LEAST)
    with target.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerows([("token", "n_documents", "n_small"), (ALL, n, 0)])
        writer.writerows((token, -count, small[token]) for count, token in kept)
    print(f"{len(kept)} tokens of {n} documents, {target.stat().st_size / 1e3:.0f} kB")


def lines(file: Path) -> Iterator[dict[str, str]]:
    raw = (
        subprocess.run(["zstd", "-dcq", str(file)], check=True, capture_output=True).stdout
        if file.suffix == ".zst"
        else file.read_bytes()
    )
    yield from map(json.loads, raw.splitlines())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    main(Path(sys.argv[1]), Path(sys.argv[2]))
