"""Link names in a text to products of the catalogue."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from models.tagging.names import TECH_CUE
from models.tagging.reading import Reading

PRODUCTS_FILE = Path(__file__).parent.parent / "catalogue" / "products.csv"
#: products whose name is an everyday word; they count only in their own spelling, in a technical text, beside another cue
_ASIDE = re.compile(r"\s*\([^)]*\)")
_LATIN = re.compile(r"[A-Za-z0-9]")


@dataclass(frozen=True)
class ProductBook:
    """Spellings by their first word; each leads to a product id. `plain` spellings are everyday words."""

    by_start: dict[str, tuple[tuple[str, str], ...]]
    plain: frozenset[str]

    def linked(self, reading: Reading) -> tuple[str, ...]:
        """Ids of the products that the text names, sorted."""
        text = reading.text
        has_cue = bool(TECH_CUE.search(text))
        found = set()
        for hit in _STARTS.finditer(text):
            for spelling, product_id in self.by_start.get(hit.group(0), ()):
                if text.startswith(spelling, hit.start()) and _stops(text, hit.start() + len(spelling)):
                    if spelling not in self.plain or (has_cue and _stands_alone(text, hit.start(), spelling)):
                        found.add(product_id)
                    break
        return tuple(sorted(found))


_STARTS = re.compile(r"[A-Za-z0-9]+|[^\x00-\u2e80]")


def _stops(text: str, end: int) -> bool:
    after = text[end : end + 1]
    return not _LATIN.match(text[end - 1]) or not _LATIN.match(after or " ")


def _stands_alone(text: str, start: int, spelling: str) -> bool:
    """Whether an everyday word is used as a name: not opening a sentence, or followed by a verb of action or a version."""
    after = text[start + len(spelling) : start + len(spelling) + 24]
    is_name = re.match(
        r"(['’]s)?\s*(\d|AI\b|app\b|launch|releas|announc|introduc|add|ship|is (shutting|joining|now)|发布|推出|上线|宣布|支持)",
        after,
    )
    opens = start == 0 or text[max(0, start - 2) : start] in (". ", "\n", "! ", "? ") or text[start - 1] == "\n"
    return bool(is_name) or not opens


@lru_cache(maxsize=2)
def load_products(path: Path = PRODUCTS_FILE) -> ProductBook:
    """Products of the catalogue by every spelling of their name: `文心一言 ERNIE Bot` has two, `Bard (Gemini app)` the one outside."""
    spelled: dict[str, str] = {}
    if path.exists():
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                for spelling in _spellings(row["name"]):
                    spelled.setdefault(spelling, row["product_id"])
    by_start: dict[str, list[tuple[str, str]]] = {}
    for spelling in sorted(spelled, key=lambda s: (-len(s), s)):
        hit = _STARTS.search(spelling)
        if hit and hit.start() == 0:
            by_start.setdefault(hit.group(0), []).append((spelling, spelled[spelling]))
    plain = frozenset(s for s in spelled if s.isascii() and s.isalpha() and s[1:].islower() and len(s) <= 10)
    return ProductBook({key: tuple(group) for key, group in by_start.items()}, plain)


def _spellings(name: str) -> list[str]:
    whole = _ASIDE.sub("", name).strip()
    wide = re.match(r"^([^\x00-\x7f]+)\s+([A-Za-z].*)$", whole)
    return [part for part in ((wide[1], wide[2]) if wide else tuple(whole.split(" / "))) if len(part) >= 2]
