"""From a raw document to what the tagger reads: cleaned title and body, cut to a reader's length."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from models.tagging.names import Mention, Name, NameBook

TITLE_CHARS = 240
BODY_CHARS = 1200
_WIDE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_SPACE = re.compile(r"\s+")
_URL = re.compile(r"https?://\S+")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"'(\[A-Z0-9@*\u2e80-\uffff-])|(?<=[。！？；])|\n+")


@dataclass(frozen=True, slots=True)
class Reading:
    """A document as the tagger sees it; `mentions` are offsets into title and body."""

    title: str
    body: str
    lang: str
    source: str
    host: str
    publisher: Name | None
    title_mentions: tuple[Mention, ...]
    body_mentions: tuple[Mention, ...]

    @property
    def text(self) -> str:
        """Title and body as one string."""
        return f"{self.title}\n{self.body}"

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """All mentions, the title's first."""
        return self.title_mentions + self.body_mentions


def clean(text: str | None, limit: int) -> str:
    """Readable text of at most `limit` characters: no controls, no lone surrogates, links shortened, spaces folded."""
    raw = (text or "")[: limit * 4]
    folded = unicodedata.normalize("NFKC", _UNSEEN.sub(" ", raw))
    return _SPACE.sub(" ", _URL.sub(" ", folded)).strip()[:limit]


def language(text: str, said: str | None) -> str:
    """`zh` when a fifth of the letters are Chinese or the source says so, otherwise `en`."""
    head = text[:600]
    wide = len(_WIDE.findall(head))
    if wide * 5 >= len(head.replace(" ", "")) > 0:
        return "zh"
    return "en" if wide == 0 or not (said or "").startswith("zh") else "zh"


def read(title: str | None, text: str | None, book: NameBook, *, lang: str = "", url: str = "", source: str = "") -> Reading:
    """Clean a document, drop the title where the body repeats it, and mark the names."""
    head, body = clean(title, TITLE_CHARS), clean(text, BODY_CHARS)
    stem = head.rstrip(" .。…")
    if stem and body.startswith(stem):
        body = body[len(stem) :].lstrip(" .:。：…-–—")
    if not head:
        head, body = body[:TITLE_CHARS], body[TITLE_CHARS:]
    found = language(head + body, lang)
    site = re.match(r"https?://([^/]+)", url or "")
    host = site[1].lower().removeprefix("www.") if site else ""
    origin = source_words(source) or host.replace(".", " ")
    return Reading(
        head, body, found, source or "", host, book.named(origin), tuple(book.mentions(head)), tuple(book.mentions(body))
    )


def source_words(source: str) -> str:
    """The words of a source's identifier: `owner/anthropic_changelog` reads as `anthropic changelog`."""
    last = (source or "").rsplit("/", 1)[-1]
    return re.sub(r"[^0-9A-Za-z\u2e80-\uffff]+", " ", last).strip().lower()[:60]


def sentences(text: str) -> list[str]:
    """Sentences of a cleaned text, English or Chinese, in order."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part and part.strip()]
