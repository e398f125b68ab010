"""How far along a reported release is: announced, preview, ga or retired. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from models.detect import wording
from models.detect.releases import is_versioned, releases_in
from models.detect.types import TaggedDocument


def stage_of(title: str, lead: str, document: TaggedDocument, provider: str) -> str:
    """announced, preview, ga or retired, by the words of the title first, then of the lead."""
    if is_retirement(title, lead, document):
        return "retired"
    slug = re.sub(r"[-_/]+", " ", urlsplit(document.url).path)
    for text in (title, lead, slug):
        if wording.GENERAL.search(text):
            return "ga"
        if wording.PREVIEW.search(text):
            return "preview"
        if wording.ANNOUNCED.search(text) and not wording.NOW.search(text):
            return "announced"
    return "preview" if is_preview_by_habit(title, document, provider) else "ga"


# Who often opens new tools for agents as previews and says so only below the title: about half of the catalogue's such launches since
# mid-2025, more where the title is all there is. A habit, not a rule: an analyst's ruling corrects it.
PREVIEW_FIRST = {"Anthropic"}
_AGENT_LABELS = ("coding_agent", "computer_use", "agents")
_SETTLED = wording.Words(
    r"\bnow\b", r"\bavailable\b", r"\bcoming to\b", r"\bsupports?\b", r"\bdefault\b", r"\bsdk\b", r"\benterprise\b", r"\bteams?\b", r"\bplans?\b",
    r"\bfor (?:financial|healthcare|life|small|creative|legal|education|work)", r"\bconnectors?\b", r"\bskills?\b", r"\bredesign", r"\bautomate\b", r"\bmore\b",
)  # fmt: skip


def is_preview_by_habit(title: str, document: TaggedDocument, provider: str) -> bool:
    """Whether a bare title about a new tool for agents comes from a provider that opens such tools as previews."""
    is_bare = len(document.text) < len(title) + 20
    if not is_bare or provider not in PREVIEW_FIRST or _SETTLED.search(title):
        return False
    best = max(document.scores, key=lambda label: document.scores[label], default="")
    return best in _AGENT_LABELS and any(is_versioned(one.key) for one in releases_in(title)) is False


def is_retirement(title: str, lead: str, document: TaggedDocument) -> bool:
    """Whether the document is about an end and not merely mentions one."""
    score = document.scores.get("api_deprecation", 0.0)
    rest = max((value for label, value in document.scores.items() if label != "api_deprecation"), default=0.0)
    if wording.RETIRED.search(title):
        return score >= 0.15 or not wording.LAUNCH.search(title)
    return bool(wording.RETIRED.search(lead)) and score >= 0.4 and score > rest
