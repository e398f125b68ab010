"""How sure one document makes us of a jump: the tagger's probability, moved by what the words say. Pure."""

from __future__ import annotations

import math

from models.detect import wording
from models.detect.releases import is_versioned, releases_in
from models.detect.rules import capability_hints
from models.detect.types import TaggedDocument

MIN_CONFIDENCE = 0.4


def confidence_of(document: TaggedDocument, title: str, lead: str, stage: str, *, is_official: bool) -> float:
    """Probability that the document reports a jump: the tagger's, moved by what the words say, in log odds.

    The weights were fitted on labelled announcements with scores of a tagger that had not read them, then rounded.
    """
    p = document.kind_scores.get("capability_jump", 0.0)
    if stage == "retired":
        p += document.kind_scores.get("product_shutdown", 0.0)
    surest = max((value for label, value in document.scores.items()), default=0.0)
    z = _log_odds(p) + 0.25 * _log_odds(surest) + 0.25
    weights = OFFICIAL_WEIGHTS if is_official else PRESS_WEIGHTS
    signs = signs_of(title, lead)
    z += sum(weights[sign] for sign in signs)
    if stage == "retired":
        z += 1.2
    return 1 / (1 + math.exp(-z))


def is_hopeless(document: TaggedDocument) -> bool:
    """Whether the tagger is so sure of the contrary that no words could carry the document past the bar; saves reading it."""
    kinds = document.kind_scores
    p = kinds.get("capability_jump", 0.0) + kinds.get("product_shutdown", 0.0)
    surest = max(document.scores.values(), default=0.0)
    return not document.ruled and _log_odds(p) + 0.25 * _log_odds(surest) + 0.25 + MOST_THAT_WORDS_ADD < _log_odds(MIN_CONFIDENCE)


def signs_of(title: str, lead: str) -> list[str]:
    """What the words of a title and lead show, as keys of the weights."""
    named = [one for one in releases_in(title) if is_versioned(one.key)]
    found = [
        ("release", bool(named)),
        ("only_release", bool(named) and len(title) <= len(named[0].name) + 12),
        ("label", bool(capability_hints(title))),
        ("launch", bool(wording.LAUNCH.search(lead))),
        ("story", bool(wording.STORY.search(title))),
        ("corporate", bool(wording.CORPORATE.search(title))),
        ("round_up", bool(wording.ROUND_UP.search(title))),
        ("paperwork", bool(wording.PAPERWORK.search(title))),
        ("rumour", bool(wording.RUMOUR.search(lead))),
        ("benchmark", bool(wording.BENCHMARK.search(title))),
        ("reaction", bool(wording.REACTION.search(title))),
    ]
    return [name for name, is_there in found if is_there]


def _log_odds(p: float) -> float:
    return math.log(max(p, 0.01) / max(1 - p, 0.01))


OFFICIAL_WEIGHTS = {
    "release": 0.4, "only_release": 1.2, "label": 0.6, "launch": 0.25, "story": -0.9, "corporate": -0.2, "paperwork": -3.0, "round_up": -3.5, "rumour": -0.5,
    "benchmark": -0.4, "reaction": -0.7,
}  # fmt: skip
MOST_THAT_WORDS_ADD = 2.5
PRESS_WEIGHTS = {
    "release": 0.2, "only_release": 0.0, "label": 0.35, "launch": 0.3, "story": -1.1, "corporate": -0.6, "paperwork": -2.0, "round_up": -3.5, "rumour": -1.2,
    "benchmark": -0.6, "reaction": -0.5,
}  # fmt: skip
