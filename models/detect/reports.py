"""From one tagged document to the report of an event, or to nothing. Pure: the same document gives the same report on every run."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from datetime import timedelta

from models.detect import days, wording
from models.detect.confidence import MIN_CONFIDENCE, confidence_of, is_hopeless
from models.detect.providers import Providers
from models.detect.releases import Release, is_versioned, plain, releases_in
from models.detect.rules import capability_hints
from models.detect.staging import stage_of
from models.detect.types import Report, TaggedDocument

READ_CHARACTERS = 700
LEAD_CHARACTERS = 240
MIN_SHARE = 0.35
LONGEST_NAME = 60
LONGEST_NOTICE = timedelta(days=800)
_WORD = re.compile(r"[a-z][a-z0-9+.'-]{2,}|[\u4e00-\u9fff]{2}")


def read(document: TaggedDocument, providers: Providers) -> Report | None:
    """What the document reports; None when it is no report of a jump: a rumour, a reaction, a benchmark, a round-up, a story."""
    title = plain(document.title).strip()
    body = plain(document.text[:READ_CHARACTERS])
    if document.tier == "registry" or not title or is_hopeless(document):
        return None
    lead = body[:LEAD_CHARACTERS] if body.startswith(title[:40]) else f"{title}. {body[:LEAD_CHARACTERS]}"
    site = providers.of_url(document.url)
    named = releases_in(lead)
    provider = who(document, title, lead, site, providers)
    if not provider or not providers.is_platform(provider):
        return None
    is_official = bool(site) and site == provider
    stage = stage_of(title, lead, document, provider)
    confidence = confidence_of(document, title, lead, stage, is_official=is_official)
    if confidence < MIN_CONFIDENCE:
        return None
    in_title = releases_in(title) or named[:1]
    about = named if not is_official or stage == "retired" or is_about(title, in_title) else ()
    capabilities = capabilities_of(document, title, stage, about if is_official else ())
    if not capabilities:
        return None
    happened_on, is_dated = happened(document, f"{title}. {body}", stage)
    return Report(
        document_id=document.document_id,
        url=document.url,
        title=title,
        tier="official" if is_official else document.tier if document.tier != "official" else "press",
        source_id=document.source_id,
        dated_on=document.dated_on,
        known_on=document.first_seen_on,
        happened_on=happened_on,
        is_dated_by_text=is_dated,
        provider=provider,
        keys=tuple(one.key for one in in_title if is_versioned(one.key)) if about else (),
        release=release_name(title, in_title if about else ()),
        words=words_of(f"{title} {lead}"),
        stage=stage,
        reach=reach_of(lead, capabilities),
        magnitude=magnitude_of(document, capabilities),
        capabilities=capabilities,
        confidence=confidence,
        is_day_known=document.is_day_known,
    )


def is_about(title: str, named: tuple[Release, ...]) -> bool:
    """Whether the title is about the release that it names first: only launch words stand before the name."""
    if not named:
        return False
    before = re.findall(r"[a-z]+", plain(title)[: named[0].at].lower())
    return all(word in _BEFORE_A_RELEASE for word in before)


_BEFORE_A_RELEASE = frozenset(
    "introducing announcing announces launches launch releases release releasing releasing meet the new our a open openai anthropic google deepmind meta "
    "mistral ai xai cohere microsoft claude gemini chatgpt preview expanding upgrading update updated powered by next generation faster of and to with "
    "is here today now bringing say hello".split()
)


def who(document: TaggedDocument, title: str, lead: str, site: str, providers: Providers) -> str:
    """The provider that acts: the owner of the site, else the first one that the title names, the tagger's, the first in the lead."""
    if site:
        return site
    told = providers.canonical(document.provider)
    for text in (title, lead):
        named = list(providers.named_in(text))
        subjects = [name for at, name in named if not _CONTEXT.search(text[:at])]
        if subjects:
            return subjects[0]
        if any(name == told for _, name in named):
            return ""
        if told and text is title:
            return told
    return providers.canonical(document.source_provider) if document.tier == "official" else ""


# a name after such a word is where something happens, not who acts
_CONTEXT = re.compile(
    r"\b(?:in|for|with|on|to|from|using|via|into|inside|against|vs\.?|like|than|at|per|through|and)\s+(?:the\s+)?$|[在与和对用]\s*$",
    re.IGNORECASE,
)


def capabilities_of(document: TaggedDocument, title: str, stage: str, about: tuple[Release, ...]) -> dict[str, float]:
    """Labels with their probability; a retirement carries api_deprecation only."""
    if stage == "retired":
        return {"api_deprecation": max(document.scores.get("api_deprecation", 0.0), 0.6)}
    scores = dict(document.scores)
    for label, share in capability_hints(title, about).items():
        scores[label] = max(scores.get(label, 0.0), share)
    scores.pop("api_deprecation", None)
    for label, is_kept in document.ruled.items():
        scores[label] = 1.0 if is_kept else 0.0
    return strongest(scores)


def strongest(scores: Mapping[str, float]) -> dict[str, float]:
    """Labels past the share that counts, else the best one if it is not hopeless; at most five."""
    kept = sorted(((value, label) for label, value in scores.items() if value >= MIN_SHARE), reverse=True)[:5]
    if not kept:
        best = max(((value, label) for label, value in scores.items()), default=(0.0, ""))
        kept = [best] if best[0] >= 0.12 else []
    return {label: round(value, 3) for value, label in kept}


def happened(document: TaggedDocument, text: str, stage: str):  # type: ignore[no-untyped-def]
    """The day it took effect and whether the text named it; an end takes effect on its shutdown day, apart from its notice."""
    if stage == "retired":
        day = days.shutdown_day(text, document.dated_on)
        if day is not None and abs(day - document.dated_on) <= LONGEST_NOTICE:
            return day, True
    return document.dated_on, False


_REACH_WORDS = (
    ("open_weights", re.compile(r"\b(?:open[- ]?weights?|open[- ]?sourc\w+|weights|hugging ?face|apache 2\.0|mit licen[sc]e)\b|开源|权重", re.IGNORECASE)),
    ("suite", re.compile(r"\b(?:microsoft 365|excel|word|powerpoint|outlook|teams|workspace|gmail|google docs|sheets|slack|notion|photoshop|windows|office)\b|飞书|钉钉|企业微信", re.IGNORECASE)),
    ("device", re.compile(r"\b(?:on[- ]device|iphone|android|ios|mac|pc|laptop|phone|local(?:ly)?|edge)\b|端侧|手机|本地", re.IGNORECASE)),
    ("api", re.compile(r"\b(?:api|apis|developers?|sdk|endpoint|cli|platform|vertex|bedrock|ai studio)\b|开发者|接口|平台", re.IGNORECASE)),
    ("enterprise", re.compile(r"\b(?:enterprise|business|organi[sz]ations?|admin|teams? plans?)\b|企业", re.IGNORECASE)),
)  # fmt: skip
_REACH_OF_LABEL = {"open_weights": "open_weights", "suite_integration": "suite", "on_device": "device"}
_API_LABELS = {"function_calling", "structured_output", "retrieval", "customization", "api_deprecation", "price_cut", "speed"}


def reach_of(lead: str, capabilities: Mapping[str, float]) -> str:
    """Who can use it, by label where a label says it, else by the words, else consumers."""
    for label, reach in _REACH_OF_LABEL.items():
        if capabilities.get(label, 0.0) >= 0.5:
            return reach
    for reach, pattern in _REACH_WORDS:
        if reach in ("api", "enterprise") and pattern.search(lead):
            return reach
    return "api" if capabilities.keys() <= _API_LABELS else "consumer"


# labels whose steps are mostly increments: a tool, a connector, a search feature more
_SMALL_LABELS = {
    "api_deprecation",
    "coding_agent",
    "connectors",
    "function_calling",
    "on_device",
    "retrieval",
    "web_search",
    "speed",
    "customization",
}


def magnitude_of(document: TaggedDocument, capabilities: Mapping[str, float]) -> int:
    """1 to 3: the tagger's where it says 1 or 3; else 1 where all labels are of the kind that grows in small steps, 2 otherwise."""
    if document.magnitude in (1, 3):
        return int(document.magnitude)
    return 1 if capabilities.keys() <= _SMALL_LABELS else 2


def release_name(title: str, named: tuple[Release, ...]) -> str:
    """What was released, in few words: the release's name where there is one, else the title without launch words."""
    if named:
        return named[0].name
    text = re.sub(r"^(?:introducing|announcing|new in|meet|update:)\s*:?\s*", "", title, flags=re.IGNORECASE)
    text = re.split(r"\s+(?:is|are) (?:now|here)\b|[|–—]|: | - ", text)[0].strip(" .:")
    return _shortened(text)


def _shortened(text: str) -> str:
    """As many whole words as a name may have letters; Chinese, which has no spaces, by the letter."""
    if len(text) <= LONGEST_NAME:
        return text.strip()
    whole = text[: LONGEST_NAME + 1].rpartition(" ")[0]
    return (whole if len(whole) > LONGEST_NAME // 2 else text[:LONGEST_NAME]).strip(" ,;-")


def words_of(text: str) -> frozenset[str]:
    """The telling words of a title and lead, without launch words; Chinese as pairs of characters."""
    return frozenset(sys.intern(word.strip("'.-")) for word in _WORD.findall(text.lower()) if word not in wording.STOP_WORDS)
