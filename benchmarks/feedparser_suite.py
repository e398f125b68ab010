"""The feedparser project's own test feeds through our parse stage.

    python benchmarks/feedparser_suite.py /path/to/feedparser/.git

The argument is a git directory of https://github.com/kurtmckee/feedparser (a bare clone does); nothing of it is kept. For every
feed: it is parsed in the parsing process without an exception other than a refusal in words, and no stored field holds a
script, an event handler, a control character or a link that is no http(s) one. Where the feed's own comment states an
expectation about a field that we store (`entries[0]['title'] == '…'` and its like), it is compared with what we store.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

EXPECT = re.compile(r"Expect:\s*(.*?)\s*-->", re.S)
HEADER = re.compile(r"^Header:\s+Content-type:\s*(.*)$", re.M | re.I)
DANGEROUS = re.compile(
    r"<\s*(script|iframe|object|embed|svg|img|style|link|meta|form)\b|<[^>]*\bon[a-z]+\s*=|[\x00-\x08\x0b\x0c\x0e-\x1f]", re.I
)
STORED = {"title": "title", "link": "url", "id": "guid", "guid": "guid", "summary": "text", "description": "text"}


def main() -> None:
    from flows.parse.pool import ParsePool
    from models.errors import ParseError

    git = sys.argv[1] if len(sys.argv) > 1 else sys.exit(__doc__)
    counts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    broken, unsafe, missed = [], [], []
    with ParsePool() as pool:
        for name, body in feeds(git):
            counts["feeds"] += 1
            text = decoded(body)
            header = HEADER.search(text)
            try:
                parsed = pool.parse(
                    "feed", body, url="http://127.0.0.1:8097/" + name, content_type=header[1].strip() if header else ""
                )
            except ParseError as error:
                counts["refused"] += 1
                refused[re.sub(r"'.*'", "…", str(error))] += 1
                if "cannot be parsed" in str(error) or "past a limit" in str(error):
                    broken.append(f"{name}: {error}")
                continue
            for entry in parsed.entries:
                links_ok = all(not link or link.startswith(("http://", "https://", "HTTP")) for link in [entry.url])
                if not links_ok or any(
                    DANGEROUS.search(field) for field in (entry.title, entry.text, entry.url, entry.guid, parsed.title)
                ):
                    unsafe.append(name)
            for held in judged(text, parsed):
                counts["expectations"] += 1
                counts["held"] += held
                if not held:
                    missed.append(name)
    report = {
        **counts,
        "share_held": round(counts["held"] / max(1, counts["expectations"]), 4),
        "exceptions": broken,
        "unsafe": sorted(set(unsafe)),
        "refused_because": dict(refused.most_common()),
        "missed_by_folder": dict(Counter(name.rsplit("/", 1)[0] for name in missed).most_common()),
        "missed": missed[:40],
    }
    print(json.dumps(report, indent=2, ensure_ascii=False))


def feeds(git: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every test feed in the newest commit."""
    listing = subprocess.run(
        ["git", "--git-dir", git, "ls-tree", "-r", "HEAD", "--", "tests"], capture_output=True, text=True, check=True
    ).stdout
    for line in listing.splitlines():
        meta, name = line.split("\t")
        if name.endswith((".xml", ".json")):
            yield (
                name,
                subprocess.run(
                    ["git", "--git-dir", git, "cat-file", "blob", meta.split()[2]], capture_output=True, check=True
                ).stdout,
            )


def decoded(body: bytes) -> str:
    """The feed as text, for the comment in it."""
    for mark, name in (
        (b"\x00\x00\xfe\xff", "utf-32be"),
        (b"\xff\xfe\x00\x00", "utf-32le"),
        (b"\xfe\xff", "utf-16"),
        (b"\xff\xfe", "utf-16"),
    ):
        if body.startswith(mark):
            return body.decode(name, "ignore")
    for mark, name in (
        (b"\x00\x00\x00<", "utf-32be"),
        (b"<\x00\x00\x00", "utf-32le"),
        (b"\x00<", "utf-16be"),
        (b"<\x00", "utf-16le"),
    ):
        if body.startswith(mark):
            return body.decode(name, "ignore")
    return body.decode("utf-8", "ignore")


def judged(text: str, parsed: object) -> Iterator[bool]:
    """For each equality in the feed's expectation about a field that we store: whether it holds."""
    found = EXPECT.search(text)
    try:
        tree = ast.parse(found[1].strip(), mode="eval") if found else None
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
            sides = (node.left, node.comparators[0])
            for field, value in (sides, sides[::-1]):
                ours = stored_value(field, parsed)
                if ours is not None and isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield same(ours, value.value)


def stored_value(node: ast.AST, parsed: object) -> str | None:
    """What we store for `entries[i]['field']` or `feed['title']`; None for anything that we do not keep."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Constant):
        return None
    field, of = node.slice.value, node.value
    if isinstance(of, ast.Name) and of.id == "feed" and field == "title":
        return parsed.title  # type: ignore[attr-defined]
    is_entry = (
        isinstance(of, ast.Subscript)
        and isinstance(of.value, ast.Name)
        and of.value.id == "entries"
        and isinstance(of.slice, ast.Constant)
    )
    if not is_entry or field not in STORED:
        return None
    entries = parsed.entries  # type: ignore[attr-defined]
    return getattr(entries[of.slice.value], STORED[field]) if len(entries) > of.slice.value else ""  # type: ignore[attr-defined]


def same(ours: str, theirs: str) -> bool:
    """Equal as plain text: markup and blanks are what we take out on purpose, and links that are none."""
    from flows.parse.text import html_to_text
    from models.identity import safe_link

    plain = " ".join(html_to_text(theirs).split())
    return " ".join(ours.split()) == plain or (not safe_link(theirs) and not ours)


if __name__ == "__main__":
    main()
