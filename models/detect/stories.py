"""Documents that tell one story: the same names and numbers and, within one language, the same words, within a few days.

English and Chinese meet in what both write alike: releases, companies, products, numbers. A title alone never joins two documents:
a story needs two kinds of evidence (names or numbers, and words, site or day).
"""

from __future__ import annotations

import hashlib
import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from models.detect import wording
from models.detect.providers import Providers
from models.detect.releases import is_versioned, plain, releases_in

WINDOW = timedelta(days=6)
WINDOW_OF_WORDS = timedelta(days=3)
TEXT_BEYOND_TITLE = 60
READ_CHARACTERS = 400
SAME_STORY = 0.47
SAME_STORY_ON_ONE_SITE = 0.85
SAME_STORY_ACROSS = 0.5
SAME_WORDS = 0.3
ENOUGH_SHARED = 9.0
SHARED_SITES = re.compile(r"(?:^|\.)(?:x|twitter|reddit|github|huggingface|arxiv|youtube|medium|substack|weixin|smol)\.")
N_LEADERS = 2
N_RARE = 6
MAX_CANDIDATES = 40

_NAME = re.compile(r"(?<![A-Za-z0-9@/])@?[A-Z][A-Za-z0-9]*(?:[.+-][A-Za-z0-9]+)*")
_LATIN_IN_CHINESE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[.+-][A-Za-z0-9]+)*")
_DATED = re.compile(r"^[A-Z][a-z]{2} \d{1,2}, 20\d\d\s*")
_NUMBER = re.compile(r"(?<![A-Za-z0-9.])\$?\d+(?:[.,]\d+)*(?:[BMKTbmkt%](?![A-Za-z]))?")
_WORD = re.compile(r"[a-z][a-z'-]{3,}")
_DATE_WORDS = frozenset(
    "january february march april june july august september october november december jan feb mar apr jun jul aug sep oct nov dec".split()
)
_YEAR = re.compile(r"#(?:19|20)\d\d$")
_CJK = re.compile(r"[\u4e00-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Text:
    """A document as far as its story goes."""

    document_id: str
    url: str
    title: str
    text: str
    lang: str
    dated_on: date


@dataclass(frozen=True, slots=True)
class Signature:
    """Names and numbers of a text, which every language shares, and its words."""

    document_id: str
    dated_on: date
    is_chinese: bool
    site: str
    title: str
    title_releases: frozenset[str]
    title_numbers: frozenset[str]
    has_text: bool
    is_round_up: bool
    names: Mapping[str, float] = field(default_factory=dict)
    words: Mapping[str, float] = field(default_factory=dict)


def stories(texts: Iterable[Text], providers: Providers) -> dict[str, str]:
    """Story of each document; a story is named after its first document. Does not depend on the order of `texts`."""
    drafts = sorted(
        (_draft(text, providers) for text in _without_boilerplate(texts)),
        key=lambda draft: (draft.bare.dated_on, draft.bare.document_id),
    )
    weight = _weights(drafts)
    common = _common_words(drafts)
    leaders: dict[str, list[list[Signature]]] = defaultdict(list)
    found: dict[str, str] = {}
    for draft in drafts:
        signature = _signature(draft, weight, common)
        home = _home(signature, leaders)
        if home is None:
            home = [signature]
            for token in _rare(signature):
                leaders[token].append(home)
        elif len(home) < N_LEADERS:
            home.append(signature)
        found[signature.document_id] = _story_id(home[0].document_id)
    return found


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


@dataclass(frozen=True, slots=True)
class Draft:
    """A text taken apart, before anything is known of the others: a signature without weights, and the tokens to be weighed."""

    bare: Signature
    names: frozenset[str]
    words: frozenset[str]
    small_words: frozenset[str]


def _without_boilerplate(texts: Iterable[Text]) -> list[Text]:
    """Texts, less those bodies that a site repeats under many titles."""
    texts = list(texts)
    bodies = {
        (text.text, text.title) for text in texts if text.text and text.text != text.title and len(text.text) < READ_CHARACTERS
    }
    repeated = Counter(body for body, _ in bodies)
    return [replace(text, text="") if repeated[text.text] >= 3 else text for text in texts]


def _common_words(drafts: Sequence[Draft]) -> frozenset[str]:
    """Words that are written small in several documents: with a capital they are no names."""
    seen = Counter(word for draft in drafts for word in draft.small_words)
    return frozenset(word for word, count in seen.items() if count >= 2) | _DATE_WORDS


def _draft(text: Text, providers: Providers) -> Draft:
    title = _DATED.sub("", plain(text.title))
    read = plain(f"{title} {text.text[:READ_CHARACTERS]}")
    chinese = sum(len(run) for run in _CJK.findall(read[:200])) > 20
    words = _bigrams(read) if chinese else set(_WORD.findall(read.lower()))
    host = re.sub(r"^https?://(?:www\.)?", "", text.url).split("/")[0].lower()
    bare = Signature(
        document_id=text.document_id,
        dated_on=text.dated_on,
        is_chinese=chinese,
        site="" if SHARED_SITES.search(host) else host,
        title=re.sub(r"\W+", " ", title).strip().lower(),
        title_releases=frozenset("-".join(one.key) for one in releases_in(title) if is_versioned(one.key)),
        title_numbers=frozenset(re.findall(r"\d+(?:\.\d+)?", title)),
        has_text=len(text.text) > len(text.title) + TEXT_BEYOND_TITLE,
        is_round_up=wording.ROUND_UP.search(title),
    )
    small_words = _interned(set() if chinese else _WORD.findall(read))
    return Draft(bare, _interned(_names(read, text.url, providers, chinese=chinese)), _interned(words), small_words)


def _names(read: str, url: str, providers: Providers, *, chinese: bool) -> set[str]:
    """Releases, companies (the site's owner too), names and numbers: what English and Chinese write alike."""
    names = {f"={'-'.join(one.key)}" for one in releases_in(read) if is_versioned(one.key)}
    names |= {f"@{name}" for _, name in providers.named_in(read)}
    names |= {f"@{owner}" for owner in [providers.of_url(url)] if owner}
    names |= {word.lower().lstrip("@") for word in (_LATIN_IN_CHINESE if chinese else _NAME).findall(read) if len(word) > 2}
    return names | {f"#{number.strip('$').lower()}" for number in _NUMBER.findall(read) if len(number) > 1}


def _bigrams(text: str) -> set[str]:
    return {run[at : at + 2] for run in _CJK.findall(text) for at in range(len(run) - 1)}


def _interned(words: Iterable[str]) -> frozenset[str]:
    return frozenset(sys.intern(word) for word in words)


def _weights(drafts: Sequence[Draft]) -> dict[str, float]:
    """Weight of each token: the rarer, the heavier; rounded so that a few more documents change nothing."""
    seen = Counter(token for draft in drafts for token in (*draft.names, *draft.words))
    n = max(len(drafts), 1000)
    return {token: max(0.25, round(math.log(n / count) * 4) / 4) for token, count in seen.items()}


def _signature(draft: Draft, weight: Mapping[str, float], common: frozenset[str]) -> Signature:
    return replace(
        draft.bare,
        names={token: weight[token] for token in draft.names if token not in common and not _YEAR.match(token)},
        words={token: weight[token] for token in draft.words if weight[token] >= 2.0},
    )


def _rare(signature: Signature) -> list[str]:
    """The heaviest names and words, by which a story is looked up."""
    names = sorted(signature.names, key=lambda token: (-signature.names[token], token))[:N_RARE]
    words = sorted(signature.words, key=lambda token: (-signature.words[token], token))[:N_RARE]
    return [*names, *words, f"title:{signature.title}"]


def _home(signature: Signature, leaders: Mapping[str, list[list[Signature]]]) -> list[Signature] | None:
    """The most alike story that the text belongs to; among those that share most of its rare tokens."""
    votes: Counter[int] = Counter()
    by_id: dict[int, list[Signature]] = {}
    for token in _rare(signature):
        for home in reversed(leaders.get(token, ())):
            if signature.dated_on - home[0].dated_on > WINDOW:
                break
            votes[id(home)] += 1
            by_id[id(home)] = home
    ranked = sorted(votes, key=lambda key: (-votes[key], by_id[key][0].document_id))[:MAX_CANDIDATES]
    best, best_score = None, 0.0
    for key in ranked:
        scores = [likeness(leader, signature) for leader in by_id[key] if is_same(leader, signature)]
        if scores and max(scores) > best_score:
            best, best_score = by_id[key], max(scores)
    return best


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    if not one or not other:
        return 0.0
    shared = sum(one[token] ** 2 for token in one.keys() & other.keys())
    return shared / math.sqrt(sum(value**2 for value in one.values()) * sum(value**2 for value in other.values()))


def _story_id(document_id: str) -> str:
    return "s-" + hashlib.sha256(document_id.encode()).hexdigest()[:16]
