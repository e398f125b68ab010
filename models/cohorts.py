"""A dated public list as a cohort: products proposed with labels from the list's own words, before any outcome is looked up.

The protocol is in docs/cohorts.md. A list is Markdown (an awesome-list: headings and bullet links) or CSV (name, url,
description). Labels come from keyword rules below, which anybody can read and check; what no rule names stays unknown, and is
never guessed from what became of it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from models import taxonomy
from models.errors import UsageError

Row = dict[str, Any]
BULLET = re.compile(
    r"^\s*(?:[-*+]|\d+\.)\s+(?:\[[ xX]\]\s+)?(?:[*_~]*)\[(?P<name>[^\]]+)\]\((?P<url>https?://[^)\s]+)[^)]*\)(?P<rest>.*)$"
)
CELL = re.compile(r"^\s*\|\s*\[(?P<name>[^\]]+)\]\((?P<url>https?://[^)\s]+)[^)]*\)\s*\|(?P<rest>.*)$")
HEADING = re.compile(r"^#{1,6}\s+(?P<title>.+?)\s*#*\s*$")
SKIPPED = re.compile(
    r"\b(contents|table of contents|contribut|license|papers?|tutorials?|courses?|articles?|books?|newsletters?|related lists?|star history|datasets?|benchmarks?)\b",
    re.I,
)
CSV_NAMES = {
    "name": ("name", "title", "product", "tool"),
    "url": ("url", "link", "homepage", "website"),
    "description": ("description", "desc", "summary", "about", "tagline"),
}

# capability -> words of the list that carry it; matched whole, in English or Chinese
SELLS: Mapping[str, str] = {
    "image_generation": r"image generat\w*|text[- ]to[- ]image|ai art|generate images?|avatars?|stable diffusion|midjourney|photo edit\w*|图像生成|绘画|文生图",
    "video_generation": r"video generat\w*|text[- ]to[- ]video|video edit\w*|generate videos?|视频生成",
    "speech_generation": r"text[- ]to[- ]speech|voice clon\w*|tts|voice generat\w*|voiceovers?|语音合成|配音",
    "music_generation": r"music|songs?|sound effects?|音乐",
    "audio_input": r"transcri\w+|speech[- ]to[- ]text|meeting notes?|podcast summar\w*|asr|语音识别|会议",
    "realtime_voice": r"voice agents?|phone calls?|voice assistants?|voice chat|语音助手",
    "coding_agent": r"coding agents?|software engineer agent|pull requests?|ai developer|自动编程",
    "coding": r"code|coding|copilot for developers|programming|ide|sql generat\w*|编程|代码",
    "document_generation": r"copywriting|writing|slides?|presentations?|website builder|documents?|emails?|blog posts?|seo|写作|文案|幻灯片|ppt",
    "file_input": r"pdfs?|spreadsheets?|chat with (?:your )?(?:documents?|files?)|文档问答",
    "retrieval": r"vector (?:store|database|db)|rag|retrieval|embeddings?|knowledge base|semantic search|知识库|向量",
    "web_search": r"search engine|web search|answer engine|browsing|搜索",
    "agents": r"agents?|autonomous|automat\w+|workflows?|智能体",
    "computer_use": r"browser automation|rpa|controls? (?:your|the) (?:browser|computer)",
    "translation": r"translat\w+|翻译",
    "customization": r"fine[- ]tun\w*|custom chatbots?|build your own|personas?|characters?|微调|角色",
    "memory": r"second brain|long[- ]term memory|personal ai|记忆",
    "structured_output": r"guardrails?|json|structured output|parsing",
    "function_calling": r"tool use|plugins? for|function calling|orchestrat\w+|sdk|framework|框架",
    "app_platform": r"prompt (?:store|market\w*|library)|marketplace|directory|提示词",
    "connectors": r"integrations?|connectors?|zapier|slack bot|connects? (?:to )?your",
    "vision_input": r"image recognition|screenshots?|ocr|vision|看图",
    "frontier_quality": r"chatbots?|chatgpt (?:client|clone|ui)|assistant|chat interface|聊天|对话",
}  # fmt: skip
DEPENDS: Mapping[str, str] = {
    "frontier_quality": r"gpt-?[34]\w*|chatgpt|openai|claude|gemini|llms?|language models?|大模型",
    "open_weights": r"llama|mistral|ollama|local(?:ly)?|self[- ]hosted|open[- ]source models?|本地",
    "image_generation": r"stable diffusion|dall[-·]?e",
    "audio_input": r"whisper",
}
COUPLING = (
    (3, r"chatgpt|openai|gpt-?[34]\w*"),
    (1, r"any model|multiple (?:models|llms|providers)|model[- ]agnostic"),
    (0, r"own models?|proprietary model|自研"),
)
TIER = (
    (5, r"own models?|foundation model|trained? (?:its|our|their) own|自研"),
    (4, r"fine[- ]tun\w*"),
    (3, r"your (?:own )?(?:data|documents?|files?|knowledge)|knowledge base|vector|rag|知识库"),
    (2, r"workflows?|templates?|agents?|automat\w+|editor|platform|模板"),
    (1, r"chatgpt (?:client|clone|ui|wrapper)|chat interface|desktop app for|extension|client|客户端"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list: its own words, and the headings it stood under."""

    name: str
    url: str
    description: str
    headings: tuple[str, ...]

    @property
    def words(self) -> str:
        """Everything that labels may be taken from."""
        return " . ".join((self.name, self.description, *self.headings)).lower()


def read_cohort(path: Path, name: str, listed_on: date) -> list[Row]:
    """Rows in the form of products.csv (typed values) for every product of a dated list.

    Each row has product_id, name, homepage, launched_on (None: unknown), outcome alive with
    last_alive_on the list's day (being listed is all that is known), cohort, cohort_seen_on, category,
    sells, depends_on, segment, wrapper_tier, coupling, and a note with the words that gave the labels.

    Raises
    ------
    UsageError
        when the file cannot be read or holds no linked entry.

    """
    text = _text(path)
    entries = list(csv_entries(path, text) if path.suffix.lower() == ".csv" else markdown_entries(text))
    seen: dict[str, Row] = {}
    for entry in entries:
        row = labelled(entry, name, listed_on)
        key = row["product_id"]
        if key in seen and seen[key]["homepage"] != row["homepage"]:
            key = row["product_id"] = f"{key}-{slug(entry.url.split('//')[-1].split('/')[0])}"
        seen.setdefault(key, row)
    if not seen:
        raise UsageError(
            f"{path} holds no entry with a link; give a Markdown list of `- [name](https://...) description` or a CSV with name and url"
        )
    return list(seen.values())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig").replace("\0", "")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as UTF-8 text ({error}); save the list as it stood on its day") from error


def markdown_entries(text: str) -> Iterator[Entry]:
    """Linked bullets and table rows under their headings; sections that list no products are passed over."""
    trail: list[tuple[int, str]] = []
    for line in text.splitlines():
        if found := HEADING.match(line):
            depth = len(line) - len(line.lstrip("#"))
            trail = [item for item in trail if item[0] < depth] + [(depth, _plain(found["title"]))]
            continue
        found = BULLET.match(line) or CELL.match(line)
        titles = tuple(title for _, title in trail)
        if found and not any(SKIPPED.search(title) for title in titles):
            yield Entry(_plain(found["name"]), found["url"], _plain(found["rest"]).strip(" -–—:|·"), titles[1:] or titles)


def _plain(text: str) -> str:
    """Text without links' targets, images, HTML and emphasis."""
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)|<[^>]+>|:[a-z_]+:", " ", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"\s+", " ", re.sub(r"[*_`~#]+", "", text)).strip()


def csv_entries(path: Path, text: str) -> Iterator[Entry]:
    """Rows of a CSV with a name and a link; a description and a category help."""
    reader = csv.DictReader(text.splitlines())
    header = {(column or "").strip().lower(): column for column in reader.fieldnames or []}
    where = {kind: next((header[word] for word in words if word in header), None) for kind, words in CSV_NAMES.items()}
    if where["name"] is None or where["url"] is None:
        raise UsageError(f"{path}, row 1: a cohort needs the columns name and url; found {', '.join(header) or 'none'}")
    category = header.get("category")
    for row in reader:
        name, url = (row.get(where["name"]) or "").strip(), (row.get(where["url"]) or "").strip()
        if name and url.startswith(("http://", "https://")):
            about = (row.get(where["description"]) or "").strip() if where["description"] else ""
            yield Entry(name, url, about, ((row.get(category) or "").strip(),) if category else ())


def labelled(entry: Entry, cohort: str, listed_on: date) -> Row:
    """A proposed product: every label with the words of the list that gave it."""
    words = entry.words
    sells, why = _matches(SELLS, words)
    depends, why_depends = _matches(DEPENDS, words)
    sells = sells[:2]
    tier, why_tier = _first(TIER, words)
    coupling, why_coupling = _first(COUPLING, words)
    reasons = {**{label: why[label] for label in sells}, **{f"needs {label}": why_depends[label] for label in depends}}
    reasons |= {f"tier {tier}": why_tier} if tier else {}
    reasons |= {f"coupling {coupling}": why_coupling} if coupling is not None else {}
    return {
        "product_id": slug(entry.name) or slug(entry.url),
        "name": entry.name,
        "homepage": entry.url,
        "category": entry.headings[-1] if entry.headings else None,
        "launched_on": None,
        "outcome": "alive",
        "last_alive_on": listed_on,
        "cohort": cohort,
        "cohort_seen_on": listed_on,
        "sells": tuple(sells),
        "depends_on": tuple(label for label in depends if label not in sells),
        "segment": taxonomy.load().segment_of[sells[0]] if sells else None,
        "wrapper_tier": tier,
        "coupling": coupling,
        "moats": (),
        "source_url_launch": None,
        "note": "labels from the list's words: " + "; ".join(f"{label} ({word})" for label, word in reasons.items())
        if reasons
        else "the list's words give no label",
    }


def _matches(rules: Mapping[str, str], words: str) -> tuple[list[str], dict[str, str]]:
    """Labels whose words occur, the earliest in the text first, with the words found."""
    found = {label: hit for label, pattern in rules.items() if (hit := _search(pattern, words))}
    order: Sequence[str] = sorted(found, key=lambda label: found[label].start())
    return list(order), {label: found[label].group(0) for label in order}


def _first(rules: Sequence[tuple[int, str]], words: str) -> tuple[int | None, str]:
    for value, pattern in rules:
        if hit := _search(pattern, words):
            return value, hit.group(0)
    return None, ""


def _search(pattern: str, words: str) -> re.Match[str] | None:
    return re.search(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])", words)


def slug(text: str) -> str:
    """An id from a name: lower case, letters and digits of any script, joined by hyphens."""
    return re.sub(r"[^\w]+|_+", "-", text.lower()).strip("-")[:60]
