"""Features that need no training: words, Chinese characters, names by role, and what is known of the source; all hashed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from zlib import crc32

import numpy as np
from scipy import sparse

from models.tagging.names import PLATFORM_ROLES, Mention
from models.tagging.reading import Reading, source_words

N_BUCKETS = 1 << 18
_TOKEN = re.compile(
    r"§[a-z_]+|[a-z][a-z0-9+#]*(?:[-'.][a-z0-9]+)*|\d+(?:\.\d+)*[a-z%]{0,3}|[\u3040-\u30ff\u4e00-\u9fff]+|[$%!?→]"
)
_DIGITS = re.compile(r"\d+(?:\.\d+)*")
_RUN = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]+")


def marked(text: str, mentions: Sequence[Mention]) -> str:
    """The text in lower case with every name replaced by its role: `§provider_release ships vision`."""
    parts, at = [], 0
    for mention in mentions:
        parts += [text[at : mention.start].lower(), f" §{mention.name.role}{'_release' if mention.is_release else ''} "]
        at = mention.end
    return "".join([*parts, text[at:].lower()])


def _words(text: str) -> list[str]:
    """Latin words and single signs; a run of Chinese characters is one token here."""
    return _TOKEN.findall(text)


def _grams(tokens: Sequence[str], tag: str) -> Iterator[str]:
    """Word 1- to 3-grams and, inside Chinese runs, character 1- to 4-grams."""
    flat: list[str] = []
    for token in tokens:
        if _RUN.fullmatch(token):
            for size in (1, 2, 3, 4):
                for i in range(len(token) - size + 1):
                    yield f"{tag}c{token[i : i + size]}"
            flat.append("\u4e00")
            continue
        flat.append(_DIGITS.sub("0", token) if token[0].isdigit() else token)
        yield f"{tag}1{flat[-1]}"
    for left, right in pairwise(flat):
        yield f"{tag}2{left} {right}"
    for one, two, three in zip(flat, flat[1:], flat[2:], strict=False):
        yield f"{tag}3{one} {two} {three}"


def _party(mentions: Sequence[Mention], tag: str) -> Iterator[str]:
    """Who is named first and what roles are present; platform against app layer is the main cut of the label set."""
    if not mentions:
        yield f"{tag}none"
        return
    first = mentions[0]
    yield f"{tag}first={first.name.role}{first.is_release}"
    yield f"{tag}at={min(first.start // 30, 4)}"
    roles = {m.name.role for m in mentions}
    yield from (f"{tag}role={role}" for role in sorted(roles))
    yield f"{tag}platform={bool(roles & PLATFORM_ROLES)}app={'app' in roles}framework={'framework' in roles}"
    yield from (f"{tag}name={name}" for name in sorted({m.name.name for m in mentions}))


def knowledge(reading: Reading, *, with_source: bool = True) -> list[str]:
    """Facts about the parties, the shape and (unless hidden) the source of a text."""
    out = [*_party(reading.title_mentions, "kt"), *_party(reading.mentions, "kb")]
    out.append(f"klang={reading.lang}")
    out.append(f"ksize={min(len(reading.body) // 100, 7)}")
    out.append(f"ktitle={min(len(reading.title) // 25, 6)}")
    out.append(f"kbullets={min(reading.body.count(' - '), 4)}")
    if re.search(r"\bv?\d+\.\d+\.\d+", reading.title):
        out.append("kversion")
    if with_source:
        words = source_words(reading.source)
        out += [f"ksource={words}", f"khost={reading.host}"] + [f"kword={w}" for w in words.split()]
        if reading.publisher:
            out += [f"kpublisher={reading.publisher.role}", f"kpublisher={reading.publisher.name}"]
    return out


def terms(reading: Reading, *, with_source: bool = True) -> dict[str, float]:
    """Weight of every feature of one reading: tempered counts."""
    counts: dict[str, float] = {}
    title, body = marked(reading.title, reading.title_mentions), marked(reading.body, reading.body_mentions)
    raw_title, raw_body = _words(reading.title.lower()), _words(reading.body.lower())
    for gram in _grams(_words(title), "t"):
        counts[gram] = counts.get(gram, 0) + 1
    for gram in (*_grams(_words(title), "b"), *_grams(_words(body), "b")):
        counts[gram] = counts.get(gram, 0) + 1
    for token in (*raw_title, *raw_body):
        if not _RUN.fullmatch(token):
            counts[f"r{token}"] = counts.get(f"r{token}", 0) + 1
    weighted = {gram: 1.0 + np.log(n) if n > 1 else 1.0 for gram, n in counts.items()}
    weighted.update(dict.fromkeys(knowledge(reading, with_source=with_source), 1.0))
    return weighted


def hashed(readings: Sequence[Reading], *, with_source: bool = True) -> sparse.csr_matrix:
    """Rows of hashed features, (documents, N_BUCKETS), float32."""
    return as_rows(
        [terms(reading, with_source=with_source) for reading in readings], lambda term: crc(term, N_BUCKETS), N_BUCKETS
    )


def crc(term: str, n_buckets: int) -> int:
    """Bucket of a term; `n_buckets` is a power of two."""
    return crc32(term.encode("utf-8", "replace")) & (n_buckets - 1)


def as_rows(documents: Iterable[Mapping[str, float]], bucket: Callable[[str], int], n_buckets: int) -> sparse.csr_matrix:
    """Terms and their weights as rows over the buckets that they fall into; colliding terms are added up."""
    columns: list[int] = []
    values: list[float] = []
    ends = [0]
    for document in documents:
        columns += map(bucket, document)
        values += document.values()
        ends.append(len(columns))
    matrix = sparse.csr_matrix(
        (np.array(values, np.float32), np.array(columns, np.int32), np.array(ends)), shape=(len(ends) - 1, n_buckets)
    )
    matrix.sum_duplicates()
    return matrix
