"""Changelog pages, Markdown and HTML: one entry for each dated or versioned section or table row.

page -> blocks (heading, row, line) -> sections of the level that carries dates or versions -> entries
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from flows.parse.dates import at_midnight, find_day, find_month, without_day
from flows.parse.text import Block, decode, html_blocks, html_to_line, html_to_text
from flows.parse.types import MAX_ENTRIES, Parsed
from models.documents import Entry
from models.errors import ParseError
from models.identity import canonical_url, one_line

VERSION = re.compile(r"(?<![\w.])v?(\d+\.\d+(?:\.\d+)*(?:[-+.]?(?:alpha|beta|rc|dev|pre|post|preview)[\w.-]*)?)(?![\w.])", re.I)
PENDING = re.compile(r"^\W*(unreleased|upcoming|next|未发布)\W*$", re.I)
TO_COME = re.compile(r"shut ?down|retire|deprecat|sunset|end.of.life|eol|removal|下线|停用|弃用", re.I)


@dataclass(slots=True)
class Section:
    """A heading with what stands under it."""

    heading: Block
    lines: list[str] = field(default_factory=list)


def parse_changelog(body: bytes, url: str = "", content_type: str = "", title: str = "") -> Parsed:
    """Entries of a changelog page, newest first as the page has them.

    Raises
    ------
    ParseError
        when no heading and no table row carries a date or a version: the layout is not one we can read.

    """
    if not body.strip():
        raise ParseError("the answer was empty (0 bytes)", health="empty")
    page_title, lang, blocks = _blocks(body, content_type)
    sections = list(_sections(blocks))
    entries = _from_sections(sections, url, title or page_title) or _from_rows(blocks, url, title or page_title)
    if not entries:
        raise ParseError(
            f"no dated or versioned heading or table row found among {len(blocks)} blocks; the page's layout may have changed"
        )
    return Parsed("changelog", page_title or title, url, lang, tuple(entries[:MAX_ENTRIES]), max(0, len(entries) - MAX_ENTRIES))


def _blocks(body: bytes, content_type: str) -> tuple[str, str, list[Block]]:
    head = body[:2000].lstrip().lower()
    if head.startswith(b"<") or "html" in content_type:
        return html_blocks(body, content_type)
    blocks = list(markdown_blocks(decode(body, content_type)))
    return next((block.text for block in blocks if block.level == 1), ""), "", blocks


def markdown_blocks(text: str) -> Iterator[Block]:
    """Blocks of a Markdown file; what stands in code fences is text."""
    in_fence, previous = False, ""
    for raw in text.splitlines():
        line = raw.rstrip()
        if re.match(r"\s*(```|~~~)", line):
            in_fence = not in_fence
        head = None if in_fence else re.match(r"\s{0,3}(#{1,6})\s+(.*?)\s*#*$", line)
        under = None if in_fence else re.fullmatch(r"(=+|-{3,})", line)
        cells = [] if in_fence else _cells(line)
        if head:
            yield Block(len(head[1]), inline(head[2]))
        elif under and previous and not previous.startswith(("#", "|", "-", "*")):
            yield Block(1 if line[0] == "=" else 2, inline(previous))
        elif cells:
            if not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
                yield Block(0, " | ".join(cells), "", tuple(inline(cell) for cell in cells))
        elif line.strip() and not under:
            yield Block(0, line if in_fence else inline(line))
        previous = line.strip()


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")] if re.match(r"\s*\|.*\|\s*$", line) else []


def inline(text: str) -> str:
    """Markdown of one line as plain text."""
    text = re.sub(r"!\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\[([^\]]*)\](?:\([^)\s]*(?:\s+\"[^\"]*\")?\)|\[[^\]]*\])", r"\1", text)
    text = re.sub(r"(\*\*|__)(.+?)\1", r"\2", text)
    text = re.sub(r"(?<![\w`])`([^`]+)`", r"\1", text)
    text = re.sub(r"^(\s*)[*+-]\s+", r"\1- ", text)
    return html_to_text(text) if "<" in text or "&" in text else text.strip()


def _sections(blocks: Sequence[Block]) -> Iterator[Section]:
    """Sections of the outermost level whose headings carry dates or versions; deeper headings are text of their section."""
    level = _telling_level(blocks)
    if not level:
        return
    current: Section | None = None
    before: Block | None = None
    for block in blocks:
        if block.level and block.level <= level:
            if current:
                yield current
            current = Section(block) if block.level == level else None
            if current and before and not before.level and _is_only_date(before.text):
                current.lines.append(before.text)
        elif current:
            current.lines.append(block.text)
        before = block
    if current:
        yield current


def _telling_level(blocks: Sequence[Block]) -> int:
    """The heading level with the most dates or versions, the outer one of two alike; 0 if there is none."""
    tally: Counter[int] = Counter()
    for block, after, before in zip(blocks, [*blocks[1:], Block(0, "")], [Block(0, ""), *blocks[:-1]], strict=True):
        if block.level and (
            is_telling(block.text) or any(not near.level and _is_only_date(near.text) for near in (after, before))
        ):
            tally[block.level] += 1
    return max(tally, key=lambda level: (tally[level], -level)) if tally else 0


def is_telling(heading: str) -> bool:
    """Whether a heading carries a date, a month or a version."""
    return bool(find_day(heading) or find_month(heading) or (len(heading) < 80 and VERSION.search(heading)))


def _is_only_date(text: str) -> bool:
    """Whether a line is a date and next to nothing else."""
    return len(text) < 60 and find_day(text) is not None and len(without_day(text)) <= 12


def _from_sections(sections: Sequence[Section], url: str, title: str) -> list[Entry]:
    found = [(section, *_name(section)) for section in sections if not PENDING.match(section.heading.text)]
    found = [(section, name, day) for section, name, day in found if name]
    names = Counter(name for _, name, _ in found)
    page = page_key(url)
    entries, seen = [], Counter(names)
    for section, name, day in found:
        # of headings that are alike the lower one is the older: it keeps its number when a new one comes on top
        number = seen[name]
        seen[name] -= 1
        key = f"section:{page}|{name}" + (f"|{number}" if number > 1 else "")
        anchor = section.heading.anchor or slug(section.heading.text)
        text = html_to_text("\n".join(section.lines)) if any("<" in line for line in section.lines) else "\n".join(section.lines)
        heading = html_to_line(section.heading.text)
        entries.append(
            Entry(
                f"{title}: {heading}" if title else heading, text, f"{url}#{anchor}" if url else "", "", at_midnight(day), key=key
            )
        )
    return entries


def _name(section: Section) -> tuple[str, date | None]:
    """What tells a section from its neighbours (version, else date with the rest of the heading) and its day."""
    heading = section.heading.text
    day = (
        find_day(heading)
        or find_month(heading)
        or next((find_day(line) for line in section.lines[:2] if _is_only_date(line)), None)
    )
    rest = without_day(heading)
    version = VERSION.search(rest) if len(heading) < 80 else None
    if version:
        other = slug(rest.replace(version[0], ""))
        return f"{version[1].lower()}" + (f"-{other}" if other and not other.isdigit() else ""), day
    if day:
        return f"{day.isoformat()}-{slug(rest)}".rstrip("-"), day
    return "", None


def _from_rows(blocks: Sequence[Block], url: str, title: str) -> list[Entry]:
    """Entries from tables with a date in each row; a day on which something will end is no day of publication."""
    entries: dict[str, Entry] = {}
    header: tuple[str, ...] = ()
    for block in blocks:
        if len(block.cells) < 2:
            header = () if block.level else header
            continue
        dated = [(i, day) for i, cell in enumerate(block.cells) if (day := find_day(cell))]
        if block.is_header or (not dated and not header):
            header = block.cells
            continue
        if not dated:
            continue
        column, day = dated[0]
        words = [cell for i, cell in enumerate(block.cells) if i != column and cell]
        label = header[column] if column < len(header) else ""
        is_end = bool(TO_COME.search(label) or TO_COME.search(title))
        lines = [
            f"{name}: {cell}" if name else cell
            for name, cell in zip([*header, *[""] * len(block.cells)], block.cells, strict=False)
            if cell
        ]
        key = f"row:{page_key(url)}|{slug(words[0] if words else block.text)}|{'' if is_end else day.isoformat()}"
        name = " ".join(filter(None, [words[0] if words else "", f"({label} {day.isoformat()})" if is_end else ""]))
        entries.setdefault(
            key, Entry(f"{title}: {one_line(name)}", "\n".join(lines), url, "", None if is_end else at_midnight(day), key=key)
        )
    return list(entries.values())


def page_key(url: str) -> str:
    """The page whatever form it was fetched in: its address without .md, .html, .txt or a fragment."""
    return re.sub(r"\.(md|markdown|html?|txt)$", "", canonical_url(url).split("#")[0])


def slug(text: str) -> str:
    """A heading as an anchor, as GitHub makes it."""
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", text.lower()).strip())[:120]
