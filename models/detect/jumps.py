"""From an event to a jump: its fields, its id and one sentence of our own."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from models import taxonomy
from models.detect import wording
from models.detect.types import Event, Report
from models.types import Jump

PRESS_LEAD_DAYS = 7
MAX_CAPABILITIES = 4
MIN_EVENT_SHARE = 0.35
_WORDS_OF_STAGE = {
    "announced": "announced",
    "preview": "opened a preview of",
    "ga": "made available",
    "retired": "retires",
}
_WORDS_OF_REACH = {
    "api": "through its API",
    "enterprise": "to organisations",
    "suite": "inside its suite",
    "device": "on devices",
    "open_weights": "as open weights",
    "consumer": "in its apps",
}


def jumps_of(events: Sequence[Event]) -> list[Jump]:
    """One jump per event, with ids that do not depend on how the documents arrived."""
    named: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        named[slug(event)].append(event)
    ids = {
        id(event): _numbered(name, number)
        for name, group in named.items()
        for number, event in enumerate(sorted(group, key=_by_day))
    }
    return [jump_of(event, ids[id(event)]) for event in events]


def jump_of(event: Event, jump_id: str) -> Jump:
    """The fields of one event, the best sources first."""
    capabilities = capabilities_of(event)
    stage = stage_of(event)
    lead = event.canonical
    reach = _majority([report.reach for report in event.reports[:5]])
    return Jump(
        jump_id=jump_id,
        happened_on=happened_on(event, stage),
        known_on=min(report.known_on for report in event.reports),
        platform=platform_of(lead, reach),
        provider=lead.provider,
        release=release_of(event),
        stage=stage,
        reach=reach,
        magnitude=magnitude_of(event),
        weight=0.0,
        summary=summary(lead.provider, release_of(event), stage, reach, capabilities),
        confidence=confidence_of(event),
        origin="detected",
        capabilities=capabilities,
        document_ids=tuple(report.document_id for report in event.reports),
    )


def is_believed(event: Event) -> bool:
    """Whether the reports together are enough: one sure report, or two sources that are each likelier right than not."""
    bar = {"official": 0.66, "registry": 0.5}
    if any(report.confidence >= bar.get(report.tier, 0.65) for report in event.reports):
        return True
    return len({report.source_id for report in event.reports if report.confidence >= 0.45}) >= 2


def slug(event: Event) -> str:
    """Provider and release as a key: from the release's name where there is one, else from the words of the best title."""
    lead = event.canonical
    key = first_key(event)
    what = "-".join(key) if key else "-".join(_ascii_words(lead.title)[:6])
    if not what:
        what = hashlib.sha256(lead.document_id.encode()).hexdigest()[:10]
    end = "-retired" if lead.is_retirement else ""
    return re.sub(r"-+", "-", f"{_plain(lead.provider)}-{_plain(what)}{end}").strip("-")


def first_key(event: Event) -> tuple[str, ...]:
    """The release key that most reports put first; ties go to the better source."""
    counts = Counter(report.keys[0] for report in event.reports if report.keys)
    if not counts:
        return ()
    lead = event.canonical
    if lead.tier == "official":
        return lead.keys[0] if lead.keys else ()
    top = max(counts.values())
    return next(report.keys[0] for report in event.reports if report.keys and counts[report.keys[0]] == top)


def capabilities_of(event: Event) -> dict[str, float]:
    """Mean share over the reports, or over the official ones where they are surer; the best label always stays."""
    official = [report for report in event.reports if report.tier == "official"]
    means = _mean_shares(event.reports)
    for label, share in _mean_shares(official).items():
        means[label] = max(means.get(label, 0.0), share)
    shares = sorted(((round(share, 3), label) for label, share in means.items()), key=lambda pair: (-pair[0], pair[1]))
    kept = [pair for pair in shares if pair[0] >= MIN_EVENT_SHARE][:MAX_CAPABILITIES] or shares[:1]
    return {label: min(1.0, share) for share, label in kept}


def _mean_shares(reports: Sequence[Report]) -> dict[str, float]:
    totals: dict[str, float] = defaultdict(float)
    for report in reports:
        for label, share in report.capabilities.items():
            totals[label] += share / len(reports)
    return dict(totals)


def stage_of(event: Event) -> str:
    """The stage of the official page, else what most reports say, the firmer one at a tie."""
    official = [report.stage for report in event.reports if report.tier == "official"]
    return _majority(official or [report.stage for report in event.reports])


def happened_on(event: Event, stage: str) -> date:
    """The official day; an earlier report of the same week wins, because feeds stamp pages with the day they were scraped."""
    if stage == "retired":
        named = [report.happened_on for report in event.reports if report.is_dated_by_text]
        return Counter(sorted(named)).most_common(1)[0][0] if named else event.canonical.happened_on
    lead = event.canonical
    earliest = lead.happened_on - timedelta(days=PRESS_LEAD_DAYS)
    dated = [report for report in event.reports if report.is_day_known] or list(event.reports)
    days = [report.happened_on for report in dated if report.stage == stage and report.happened_on >= earliest]
    return min([*days, lead.happened_on] if lead.is_day_known else days or [lead.happened_on])


def magnitude_of(event: Event) -> int:
    """The middle of what the reports say, the higher of two."""
    marks = sorted(report.magnitude for report in event.reports)
    return marks[len(marks) // 2]


def confidence_of(event: Event) -> float:
    """The surest report's confidence; a second source closes half of the remaining doubt, a third no more than that."""
    best = max(report.confidence for report in event.reports)
    sources = {report.source_id for report in event.reports}
    return round(min(0.99, 1 - (1 - best) * (0.5 if len(sources) > 1 else 1.0)), 3)


def release_of(event: Event) -> str:
    """How the best source writes the release's name."""
    key = first_key(event)
    for report in event.reports:
        if not key or (report.keys and report.keys[0] == key):
            return report.release
    return event.canonical.release


def platform_of(lead: Report, reach: str) -> str:
    """Surface on which it happened, as far as one can tell."""
    return {"api": f"{lead.provider} API", "open_weights": "open weights"}.get(reach, lead.provider)


def summary(provider: str, release: str, stage: str, reach: str, capabilities: Iterable[str]) -> str:
    """One sentence from the fields; no word of any document enters but the release's name."""
    names = {term.id: term.name_en for term in taxonomy.load().terms if term.kind == "capability"}
    labels = [names[label] for label in capabilities if label in names and label != "api_deprecation"]
    where = f" {_WORDS_OF_REACH[reach]}" if reach in _WORDS_OF_REACH and stage != "retired" else ""
    about = f": {', '.join(labels)}" if labels else ""
    return f"{provider} {_WORDS_OF_STAGE[stage]} {release}{where}{about}."


def _majority(values: Sequence[str]) -> str:
    counts = Counter(values)
    return max(values, key=lambda value: (counts[value], -values.index(value)))


def _by_day(event: Event) -> tuple[date, str]:
    return (min(report.dated_on for report in event.reports), event.canonical.document_id)


def _numbered(name: str, number: int) -> str:
    return name if number == 0 else f"{name}-{number + 1}"


def _ascii_words(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in wording.FILLERS]


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
