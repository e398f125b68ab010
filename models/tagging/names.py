"""Who is named in a text, and what they are: provider, suite, infra, app, framework or lab."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

NAMES_FILE = Path(__file__).with_name("names.csv")
ROLES = ("provider", "suite", "infra", "app", "framework", "lab")
PLATFORM_ROLES = frozenset({"provider", "suite", "infra"})
#: words of which one must be near an ambiguous name ("Apple", "Notion") before it counts as a company
TECH_CUE = re.compile(
    r"\b(ai|api|apps?|models?|llms?|agents?|launch\w*|releas\w*|announc\w*|software|update[sd]?|features?|beta|chat\w*|users?|"
    r"developers?|sdk|ios|iphone|siri|open[- ]?sourc\w*|ide|startup|billion|acqui\w*|voice|video|coding|gpt\S*|claude|gemini)\b"
    r"|模型|发布|智能|推出|上线|更新|应用|开源|用户|功能",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Name:
    """One organisation or product: its role and how texts write it."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of text, by character offsets, that names somebody or one of their releases."""

    start: int
    end: int
    name: Name
    is_release: bool


@dataclass(frozen=True)
class NameBook:
    """All known spellings, by their first word; `exact` spellings match by case, `unsure` ones need a technical context."""

    spellings: dict[str, tuple[Name, bool, str]]
    by_start: dict[str, tuple[str, ...]]
    unsure: dict[str, re.Pattern[str] | None]

    def mentions(self, text: str) -> list[Mention]:
        """Longest spellings first, left to right, without overlap."""
        found: list[Mention] = []
        lowered = text.lower()
        if len(lowered) != len(text):
            text = lowered = "".join(c.lower() if len(c.lower()) == 1 else " " for c in text)
        free = 0
        for word in _WORD.finditer(lowered):
            start = word.start()
            if start < free:
                continue
            for spelling in self.by_start.get(_start_of(word.group(0)), ()):
                end = start + len(spelling)
                if lowered.startswith(spelling, start) and _ends_there(lowered, end) and self._counts(text, spelling, start, end):
                    name, is_release, _ = self.spellings[spelling]
                    found.append(Mention(start, end, name, is_release))
                    free = end
                    break
        return found

    def named(self, words: str) -> Name | None:
        """The first name in a few words such as a source's title; context does not matter."""
        lowered = words.lower()
        for word in _WORD.finditer(lowered):
            for spelling in self.by_start.get(_start_of(word.group(0)), ()):
                if lowered.startswith(spelling, word.start()) and _ends_there(lowered, word.start() + len(spelling)):
                    return self.spellings[spelling][0]
        return None

    def _counts(self, text: str, spelling: str, start: int, end: int) -> bool:
        exact = self.spellings[spelling][2]
        if exact and text[start:end] != exact:
            return False
        return spelling not in self.unsure or _is_meant(text, start, end, self.unsure[spelling])


def _is_meant(text: str, start: int, end: int, not_near: re.Pattern[str] | None) -> bool:
    """Whether a word that is also a common noun stands for the company here."""
    around = text[max(0, start - 200) : end + 200]
    if not_near and not_near.search(around):
        return False
    return len(text) < 40 or bool(TECH_CUE.search(around))


#: where a name can start: a Latin word (handles keep their @ outside), or any single wide character
_WORD = re.compile(r"[a-z0-9_][a-z0-9_]*|[^\x00-\u2e80]")


def _start_of(spelling: str) -> str:
    """The key under which a spelling is found: its first word, or its first wide character."""
    hit = _WORD.search(spelling)
    return hit.group(0) if hit else spelling[:1]


def _ends_there(lowered: str, end: int) -> bool:
    """Whether a Latin spelling stops at a word's end (a version number may follow a name only after a space or hyphen)."""
    before, after = lowered[end - 1], lowered[end : end + 1]
    return (
        not after or not before.isascii() or not before.isalnum() or not (after.isascii() and (after.isalnum() or after == "_"))
    )


@lru_cache(maxsize=4)
def load_names(path: Path = NAMES_FILE) -> NameBook:
    """The name book of a CSV file: name, role, aliases, releases, not_near; `=` marks exact case, `~` an ambiguous word."""
    spellings: dict[str, tuple[Name, bool, str]] = {}
    unsure: dict[str, re.Pattern[str] | None] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            name = Name(row["name"].lstrip("="), row["role"])
            not_near = _any_of(row["not_near"] or "")
            for is_release, cell in ((False, row["aliases"]), (True, row["releases"])):
                for raw in filter(None, (part.strip() for part in (cell or "").split(";"))):
                    spelling = raw.lstrip("=~")
                    exact = spelling if raw[0] in "=~" else ""
                    spellings.setdefault(spelling.lower(), (name, is_release, exact))
                    if raw[0] == "~" or (not_near and not is_release):
                        unsure[spelling.lower()] = not_near
    by_start: dict[str, list[str]] = {}
    for spelling in sorted(spellings, key=len, reverse=True):
        by_start.setdefault(_start_of(spelling), []).append(spelling)
    return NameBook(spellings, {key: tuple(group) for key, group in by_start.items()}, unsure)


def _any_of(cell: str) -> re.Pattern[str] | None:
    words = [re.escape(word.strip()) for word in cell.split(";") if word.strip()]
    return re.compile("|".join(words), re.IGNORECASE) if words else None
