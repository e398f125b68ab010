"""Documents that tell one story: the same names and numbers and, within one language, the same words, within a few days.

English and Chinese meet in what both write alike: releases, companies, products, numbers. A title alone never joins two documents:
a story needs two kinds of evidence (names or numbers, and words, site or day).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain

from models.detect import commonness, wording
from models.detect.providers import Providers
from models.detect.releases import is_versioned, releases_in
from models.detect.tokens import beginning, names_in, words_in

WINDOW = timedelta(days=6)
WINDOW_OF_WORDS = timedelta(days=3)
TEXT_BEYOND_TITLE = 60
SAME_STORY = 0.47
SAME_STORY_ON_ONE_SITE = 0.85
SAME_STORY_ACROSS = 0.5
SAME_WORDS = 0.3
ENOUGH_SHARED = 9.0
SHARED_SITES = re.compile(r"(?:^|\.)(?:x|twitter|reddit|github|huggingface|arxiv|youtube|medium|substack|weixin|smol)\.")
N_LEADERS = 2
N_RARE = 6
WEIGHT_THAT_TELLS = 2.0
MAX_CANDIDATES = 40

_DATE_WORDS = frozenset(
    "january february march april june july august september october november december jan feb mar apr jun jul aug sep oct nov dec".split()
)
_YEAR = re.compile(r"#(?:19|20)\d\d$")


@dataclass(frozen=True, slots=True)
class Text:
    """A document as far as its story goes."""

    document_id: str
    url: str
    title: str
    text: str
    dated_on: date

    @property
    def order(self) -> tuple[date, str]:
        """Documents are given their stories in this order, however they arrived."""
        return (self.dated_on, self.document_id)


@dataclass(frozen=True, slots=True)
class Signature:
    """Names and numbers of a text, which every language shares, and its words, each with its weight."""

    document_id: str
    dated_on: date
    is_chinese: bool
    site: str
    title: str
    title_releases: frozenset[str]
    title_numbers: frozenset[str]
    has_text: bool
    is_round_up: bool
    names: Mapping[str, float]
    words: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Told:
    """The story of a document. A document that `leads` is one of the two that later ones are compared with."""

    document_id: str
    dated_on: date
    story_id: str
    leads: bool


Home = list[Signature]


class Teller:
    """Gives documents their stories, in their order; remembers no more than what leads the stories of the last days.

    To go on where another one stopped, it is told the documents that led, with their stories and in their order.
    """

    def __init__(self, providers: Providers, leading: Iterable[tuple[Text, str]] = ()) -> None:
        self._providers = providers
        self._commonness = commonness.load()
        self._days: dict[date, dict[str, list[Home]]] = {}
        homes: dict[str, Home] = {}
        for text, story in leading:
            signature = self._signature(text)
            if story in homes:
                homes[story].append(signature)
            elif story == story_id(text.document_id):
                homes[story] = self._open(signature)

    def tell(self, text: Text) -> Told:
        """The story of the next document."""
        signature = self._signature(text)
        self._forget(before=text.dated_on - WINDOW)
        home = self._home(signature)
        if home is None:
            home = self._open(signature)
        elif len(home) < N_LEADERS:
            home.append(signature)
        return Told(text.document_id, text.dated_on, story_id(home[0].document_id), home[-1] is signature)

    def _open(self, signature: Signature) -> Home:
        home = [signature]
        of_day = self._days.setdefault(signature.dated_on, defaultdict(list))
        for token in _rare(signature):
            of_day[token].append(home)
        return home

    def _forget(self, before: date) -> None:
        for day in [day for day in self._days if day < before]:
            del self._days[day]

    def _home(self, signature: Signature) -> Home | None:
        """The most alike story that the text belongs to; among those that share most of its rare tokens."""
        tokens = _rare(signature)
        votes: Counter[int] = Counter()
        by_id: dict[int, Home] = {}
        for of_day in self._days.values():
            for home in chain.from_iterable(of_day[token] for token in tokens if token in of_day):
                votes[id(home)] += 1
                by_id[id(home)] = home
        ranked = sorted(votes, key=lambda key: (-votes[key], by_id[key][0].document_id))[:MAX_CANDIDATES]
        best, best_score = None, 0.0
        for key in ranked:
            scores = [likeness(leader, signature) for leader in by_id[key] if is_same(leader, signature)]
            if scores and max(scores) > best_score:
                best, best_score = by_id[key], max(scores)
        return best

    def _signature(self, text: Text) -> Signature:
        read = beginning(text.title, text.text)
        title = read.title
        names, words = names_in(read, text.url, self._providers), words_in(read)
        host = re.sub(r"^https?://(?:www\.)?", "", text.url).split("/")[0].lower()
        weight = self._commonness.weight
        return Signature(
            document_id=text.document_id,
            dated_on=text.dated_on,
            is_chinese=read.is_chinese,
            site="" if SHARED_SITES.search(host) else host,
            title=re.sub(r"\W+", " ", title).strip().lower(),
            title_releases=frozenset("-".join(one.key) for one in releases_in(title) if is_versioned(one.key)),
            title_numbers=frozenset(re.findall(r"\d+(?:\.\d+)?", title)),
            has_text=len(text.text) > len(text.title) + TEXT_BEYOND_TITLE,
            is_round_up=wording.ROUND_UP.search(title),
            names={token: weight(token) for token in names if not (self._is_common(token) or _YEAR.match(token))},
            words={token: weight(token) for token in words if weight(token) >= WEIGHT_THAT_TELLS},
        )

    def _is_common(self, token: str) -> bool:
        """Words that people write small: with a capital they are no names."""
        return token in self._commonness.small_words or token in _DATE_WORDS


def stories(texts: Iterable[Text], providers: Providers) -> dict[str, str]:
    """Story of each document; a story is named after its first document. Does not depend on the order of `texts`."""
    teller = Teller(providers)
    return {text.document_id: teller.tell(text).story_id for text in sorted(texts, key=lambda text: text.order)}


def story_id(document_id: str) -> str:
    """Name of the story that begins with a document."""
    return "s-" + hashlib.sha256(document_id.encode()).hexdigest()[:16]


def likeness(one: Signature, other: Signature) -> float:
    """How alike two texts are, 0 to 1: names and numbers, and words where the languages allow."""
    names = _cosine(one.names, other.names)
    if one.is_chinese != other.is_chinese:
        return names
    words = _cosine(one.words, other.words)
    return (names + words) / 2 if one.names and other.names else 0.8 * words


def is_same(one: Signature, other: Signature) -> bool:
    """Whether two texts tell one story."""
    apart = abs(one.dated_on - other.dated_on)
    if apart > WINDOW or one.is_round_up or other.is_round_up or _differ_in_release_or_part(one, other):
        return False
    if _is_one_title(one, other) and one.names.keys() & other.names.keys():
        return True
    if apart > WINDOW_OF_WORDS or not (one.has_text or other.has_text):
        return False
    across = one.is_chinese != other.is_chinese
    shared = one.names.keys() & other.names.keys()
    if len(shared) < (2 if across else 1):
        return False
    if across:
        return likeness(one, other) >= SAME_STORY_ACROSS
    mass = sum(one.names[token] for token in shared) + sum(one.words[token] for token in one.words.keys() & other.words.keys())
    if mass < ENOUGH_SHARED or _cosine(one.words, other.words) < SAME_WORDS:
        return False
    return likeness(one, other) >= (SAME_STORY_ON_ONE_SITE if one.site and one.site == other.site else SAME_STORY)


def _is_one_title(one: Signature, other: Signature) -> bool:
    """Whether two titles are the same but for a label in front or a small word."""
    if one.title == other.title or (
        min(len(one.title), len(other.title)) >= 20 and (one.title.endswith(other.title) or other.title.endswith(one.title))
    ):
        return True
    mine, yours = ({word for word in title.split() if len(word) > 3 or word.isdigit()} for title in (one.title, other.title))
    if mine == yours and len(mine) >= 3:
        return True
    return (
        min(len(mine), len(yours)) >= 4
        and len(mine & yours) >= 0.75 * len(mine | yours)
        and one.title_numbers == other.title_numbers
    )


def _differ_in_release_or_part(one: Signature, other: Signature) -> bool:
    """Titles that name other releases, or on one site other numbers (part 1 and part 2), tell of different things."""
    if one.title_releases and other.title_releases and not one.title_releases & other.title_releases:
        return True
    return bool(one.site) and one.site == other.site and one.title_numbers != other.title_numbers


def _rare(signature: Signature) -> list[str]:
    """The heaviest names and words, by which a story is looked up."""
    names = sorted(signature.names, key=lambda token: (-signature.names[token], token))[:N_RARE]
    words = sorted(signature.words, key=lambda token: (-signature.words[token], token))[:N_RARE]
    return [*names, *words, f"title:{signature.title}"]


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    if not one or not other:
        return 0.0
    shared = sum(one[token] ** 2 for token in one.keys() & other.keys())
    return shared / math.sqrt(sum(value**2 for value in one.values()) * sum(value**2 for value in other.values()))
