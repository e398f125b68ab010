"""Texts that say the same: near copies, and a newsletter item beside its translation. Folds must not be crossed by either."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy import sparse

from models.tagging.features import N_BUCKETS
from models.tagging.labels import Example

LEAST_OVERLAP = 0.3
NEAR_COPY = 0.5
_LATIN = re.compile(r"[A-Za-z0-9@][A-Za-z0-9_.\-]+")


def latin_words(example: Example) -> set[str]:
    """Names, numbers and handles: what a translation leaves as it was."""
    return {word.lower() for word in _LATIN.findall(f"{example.title} {example.text}")}


def translations(examples: Iterable[Example]) -> list[tuple[Example, Example]]:
    """Pairs (Chinese, English) that link to the same page and share their Latin words."""
    english: dict[str, list[Example]] = defaultdict(list)
    chinese: list[Example] = []
    for example in examples:
        if example.lang == "zh":
            chinese.append(example)
        elif example.url:
            english[example.url].append(example)
    pairs = []
    for example in chinese:
        words = latin_words(example)
        ranked = [(len(words & latin_words(other)) / (len(words) + 1), other.id, other) for other in english.get(example.url, ())]
        if ranked and max(ranked)[0] > LEAST_OVERLAP:
            pairs.append((example, max(ranked)[2]))
    return pairs


def with_translations(labelled: Sequence[Example], pairs: Sequence[tuple[Example, Example]], taken: set[str]) -> list[Example]:
    """Labels carried over to the other language where only one of a pair has been read; `taken` ids are left alone."""
    known = {example.id: example for example in labelled}
    added = []
    for pair in pairs:
        for one, other in (pair, pair[::-1]):
            if one.id in known and other.id not in known and other.id not in taken:
                text = {key: getattr(other, key) for key in ("id", "title", "text", "lang", "url", "source")}
                added.append(replace(known[one.id], **text))
    return added


def near_copies(
    candidates: Sequence[Example], references: Sequence[Example], pairs: Sequence[tuple[Example, Example]]
) -> set[str]:
    """Ids of candidates that nearly equal, or translate, a reference text: they must not teach a model judged on it."""
    reference_ids = {example.id for example in references}
    found = {one.id for pair in pairs for one, other in (pair, pair[::-1]) if other.id in reference_ids} - reference_ids
    overlap = _shingles(candidates) @ _shingles(references).T
    closest = np.asarray(overlap.max(1).todense()).ravel()
    return found | {example.id for example, value in zip(candidates, closest, strict=True) if value > NEAR_COPY}


def _shingles(examples: Sequence[Example], size: int = 5) -> sparse.csr_matrix:
    """Rows of unit length over hashed character shingles."""
    from zlib import crc32

    columns: list[int] = []
    ends = [0]
    for example in examples:
        text = re.sub(
            r"\s+",
            " ",
            (example.text if example.text.startswith(example.title[:20]) else f"{example.title} {example.text}").lower(),
        )[:700]
        columns += sorted(
            {crc32(text[i : i + size].encode("utf-8", "replace")) & (N_BUCKETS - 1) for i in range(max(1, len(text) - size + 1))}
        )
        ends.append(len(columns))
    values = np.concatenate([np.full(b - a, 1 / np.sqrt(max(1, b - a)), np.float32) for a, b in pairwise(ends)])
    return sparse.csr_matrix((values, np.array(columns, np.int32), np.array(ends)), shape=(len(examples), N_BUCKETS))
