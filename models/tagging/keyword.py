"""The keyword tagger: a rule per label and role of the parties. A baseline, and the double that tests use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import yaml

from models import taxonomy
from models.tagging.names import PLATFORM_ROLES, NameBook, load_names
from models.tagging.reading import Reading, read, sentences
from models.types import Tags, TextIn

KEYWORDS_FILE = Path(__file__).with_name("keywords.yaml")
#: how many labels one document may carry by rules alone
MOST_LABELS = 3


@lru_cache(maxsize=2)
def load_keywords(path: Path = KEYWORDS_FILE) -> dict[str, dict[str, re.Pattern[str]]]:
    """Patterns by part: `capabilities`, `kinds`, and the `signs` of kinds that are rare."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        part: {name: re.compile(pattern, re.IGNORECASE) for name, pattern in raw[part].items()}
        for part in ("capabilities", "kinds", "signs")
    }


def keyword_counts(readings: Sequence[Reading], labels: Sequence[str]) -> np.ndarray:
    """Evidence by rules, (documents, labels): 2 for a hit in the title, plus 1 to 2 for hits in the body."""
    patterns = load_keywords()["capabilities"]
    out = np.zeros((len(readings), len(labels)), dtype=np.float32)
    for row, reading in enumerate(readings):
        for column, label in enumerate(labels):
            if label in patterns:
                in_title = 2.0 if patterns[label].search(reading.title) else 0.0
                out[row, column] = in_title + min(2, len(patterns[label].findall(reading.body[:700])))
    return out


def keyword_signs(readings: Sequence[Reading], kinds: Sequence[str]) -> np.ndarray:
    """Which kinds a title or the start of a body gives itself away as, (documents, kinds) in {0, 1}."""
    patterns = load_keywords()["signs"]
    out = np.zeros((len(readings), len(kinds)), dtype=np.float32)
    for row, reading in enumerate(readings):
        for column, kind in enumerate(kinds):
            if kind in patterns:
                out[row, column] = bool(patterns[kind].search(reading.title) or patterns[kind].search(reading.body[:400]))
    return out


def keyword_voice(readings: Sequence[Reading], labels: Sequence[str], kinds: Sequence[str]) -> dict[str, np.ndarray]:
    """What the rules say to the stack: tempered counts for capabilities, signs for kinds."""
    return {"capabilities": np.log1p(keyword_counts(readings, labels)), "kind": keyword_signs(readings, kinds)}


def provider_of(reading: Reading) -> str | None:
    """Who acts: the publisher where it speaks of itself or names nobody, else the first party of the title, else of the body.

    Labs and leaderboards report on others, so they come last.
    """
    in_title = {mention.name for mention in reading.title_mentions}
    if reading.publisher and (not in_title or reading.publisher in in_title):
        return reading.publisher.name
    for mentions in (reading.title_mentions, reading.body_mentions):
        acting = [m for m in mentions if m.name.role != "lab"] or list(mentions)
        if acting:
            return acting[0].name.name
    return None


def sentence_with(reading: Reading, label: str) -> str:
    """The first sentence that a label's rule matches, the title when none does."""
    pattern = load_keywords()["capabilities"].get(label)
    for sentence in [reading.title, *sentences(reading.body)]:
        if pattern and pattern.search(sentence):
            return sentence
    return reading.title


class KeywordTagger:
    """Rules only; needs neither weights nor torch. Scores are the share of a full hit, not probabilities."""

    name = "keyword-1"

    def __init__(self, book: NameBook | None = None) -> None:
        self._book = book or load_names()
        self._labels = taxonomy.load().capabilities
        self._kinds = taxonomy.load().event_kinds

    def tag(self, texts: Sequence[TextIn]) -> list[Tags]:
        """Tags of each text, in order."""
        readings = [read(t.title, t.text, self._book, lang=t.lang, url=t.url, source=t.source) for t in texts]
        counts = keyword_counts(readings, self._labels)
        return [self._tags(t.id, r, row) for t, r, row in zip(texts, readings, counts, strict=True)]

    def _tags(self, document_id: str, reading: Reading, counts: np.ndarray) -> Tags:
        scores = {label: round(float(min(1.0, n / 4)), 4) for label, n in zip(self._labels, counts, strict=True)}
        kind = self._kind(reading, scores)
        ranked = sorted((label for label in scores if scores[label] >= 0.5), key=lambda label: (-scores[label], label))
        chosen = tuple(sorted(ranked[:MOST_LABELS])) if kind in ("capability_jump", "product_shutdown") else ()
        if kind == "product_shutdown":
            chosen = tuple(label for label in chosen if label == "api_deprecation")
        return Tags(
            document_id=document_id,
            event_kind=kind,
            kind_scores={k: (0.9 if k == kind else round(0.1 / max(1, len(self._kinds) - 1), 4)) for k in self._kinds},
            capabilities=chosen,
            scores=scores,
            provider=provider_of(reading),
            magnitude=2 if kind == "capability_jump" else None,
            tagger=self.name,
            evidence={label: sentence_with(reading, label) for label in chosen},
        )

    def _kind(self, reading: Reading, scores: Mapping[str, float]) -> str:
        kinds, head = load_keywords()["kinds"], reading.text[:300]
        for kind in ("product_acquired", "product_shutdown", "policy", "funding"):
            if kinds[kind].search(reading.title):
                return kind
        roles = {m.name.role for m in reading.mentions} | ({reading.publisher.role} if reading.publisher else set())
        first = reading.title_mentions[0].name.role if reading.title_mentions else None
        if kinds["launch"].search(head):
            if roles & PLATFORM_ROLES and first not in ("app", "framework") and max(scores.values(), default=0) >= 0.5:
                return "capability_jump"
            return "product_launch" if roles else "commentary"
        return "research" if kinds["research"].search(head) else "commentary"
