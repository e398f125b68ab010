"""Products in the news: what documents report about products becomes a proposal that an analyst decides, never a silent edit."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from models.detect import days, wording
from models.rulings import Ruling, about
from models.types import Proposal

KINDS = {"product_shutdown": "end", "product_acquired": "acquisition", "product_pivot": "pivot", "product_launch": "new_product"}
MIN_SCORE = 0.5
TOGETHER_DAYS = 120
ENDED = ("shut_down", "acquired", "pivoted")
_ENDS = re.compile(
    r"shut(?:s|ting)? ?down|wind(?:s|ing)? down|sunset|discontinu|clos(?:e|es|ing) down|停服|关停|下线", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class News:
    """A document that reports what happened to a product. `product` is what the tagger took for the product's or maker's name."""

    document_id: str
    url: str
    title: str
    text: str
    source_id: str
    tier: str
    dated_on: date
    event_kind: str
    score: float
    product: str


@dataclass(frozen=True, slots=True)
class Known:
    """A product of the catalogue as far as its news are concerned."""

    product_id: str
    name: str
    homepage: str
    outcome: str | None
    ended_on: date | None
    last_alive_on: date | None


_STATUS = {"confirm": "accepted", "correct": "accepted", "reject": "rejected"}


def proposals(
    news: Iterable[News], products: Sequence[Known], rulings: Sequence[Ruling], platforms: Iterable[str]
) -> list[Proposal]:
    """Every proposal that the documents carry, with its status by the rulings in force."""
    finder = _Finder(products)
    taken = {name.casefold() for name in platforms} | finder.names
    grouped: dict[tuple[str, str], list[News]] = defaultdict(list)
    for one in news:
        kind = KINDS.get(one.event_kind)
        if kind is None or one.score < MIN_SCORE or wording.RUMOUR.search(one.title):
            continue
        known = finder.named_in(one.title)
        if kind == "new_product":
            name = " ".join(one.product.split())
            if known is None and len(name) > 2 and name.casefold() not in taken:
                grouped[kind, name].append(one)
        elif known is not None:
            grouped[kind, known.product_id].append(one)
    by_id = {product.product_id: product for product in products}
    ruled = {ruling.key: ruling.verdict for ruling in about(rulings, "proposal")}
    found = [_proposal(kind, subject, group, by_id.get(subject), ruled) for (kind, subject), group in sorted(grouped.items())]
    return [proposal for proposal in found if proposal is not None]


def decided_status(proposal_id: str, rulings: Sequence[Ruling]) -> str:
    """What the newest ruling in force makes of a proposal; open without one."""
    ruled = {ruling.key: ruling.verdict for ruling in about(rulings, "proposal")}
    return _STATUS.get(ruled.get(proposal_id, ""), "open")


def _proposal(kind: str, subject: str, group: Sequence[News], known: Known | None, ruled: Mapping[str, str]) -> Proposal | None:
    """One proposal from all that was said about one product, or None while the evidence is too thin or the catalogue knows already."""
    group = sorted(group, key=lambda one: (one.tier != "official", one.dated_on, one.document_id))
    first = group[0]
    group = [one for one in group if abs(one.dated_on - first.dated_on) <= timedelta(days=TOGETHER_DAYS)]
    proposal_id = f"{kind}-{_slug(subject)}-{first.dated_on.year}"
    status = _STATUS.get(ruled.get(proposal_id, ""), "open")
    if status == "open" and (_is_thin(group, known) or (known is not None and _is_known(kind, known, first))):
        return None
    fields = _fields(kind, subject, first, known)
    return Proposal(
        proposal_id=proposal_id,
        kind=kind,
        subject=subject if known else _slug(subject),
        fields=fields,
        document_ids=tuple(one.document_id for one in group),
        proposed_on=max(one.dated_on for one in group),
        reason=_reason(kind, group, known),
        status=status,
    )


def _is_thin(group: Sequence[News], known: Known | None) -> bool:
    """One official page is enough; else two sources on two sites."""
    return not any(_is_own_page(one, known) for one in group) and len({(one.source_id, _host(one.url)) for one in group}) < 2


def _is_own_page(one: News, known: Known | None) -> bool:
    own = _host(known.homepage) if known else ""
    return bool(own) and (_host(one.url) == own or _host(one.url).endswith(f".{own}"))


def _is_known(kind: str, known: Known, first: News) -> bool:
    """Whether the catalogue says so already, or saw the product alive after the news."""
    if kind == "acquisition":
        return known.outcome in (*ENDED, "acquired_running")
    return (
        known.outcome in ENDED
        or known.ended_on is not None
        or (known.last_alive_on or date.min) > first.dated_on + timedelta(days=90)
    )


def _fields(kind: str, subject: str, first: News, known: Known | None) -> dict[str, Any]:
    if kind == "new_product":
        return {"name": subject, "launched_on": first.dated_on.isoformat(), "outcome": "alive", "source_url_launch": first.url}
    text = f"{first.title}. {first.text}"
    ends = kind == "end" or bool(_ENDS.search(text))
    outcome = {"end": "shut_down", "pivot": "pivoted", "acquisition": "acquired" if ends else "acquired_running"}[kind]
    fields: dict[str, Any] = {"outcome": outcome, "source_url": first.url}
    if outcome != "acquired_running":
        fields["ended_on"] = (days.shutdown_day(text, first.dated_on) or first.dated_on).isoformat()
        fields["ended_known_on"] = first.dated_on.isoformat()
    return fields


def _reason(kind: str, group: Sequence[News], known: Known | None) -> str:
    what = {"end": "its end", "acquisition": "its purchase", "pivot": "a change of its job", "new_product": "its launch"}[kind]
    n_sources = len({one.source_id for one in group})
    own = " with its own page among them" if any(_is_own_page(one, known) for one in group) else ""
    return f"{len(group)} document(s) of {n_sources} source(s) report {what}{own}"


class _Finder:
    """Products by their names as whole words of a title; a name of one short word must keep its capitals."""

    def __init__(self, products: Sequence[Known]) -> None:
        self._by_name: dict[str, Known] = {}
        for product in products:
            for name in {product.name, re.sub(r"\s*\(.*?\)", "", product.name)}:
                if len(name) >= 3:
                    self._by_name.setdefault(name, product)
        by_first: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self._by_name, key=lambda name: (-len(name), name)):
            by_first[_FIRST.match(name).group()].append(re.escape(name))  # type: ignore[union-attr]
        self._by_first = {first: re.compile(rf"(?:{'|'.join(names)})(?![\w-])") for first, names in by_first.items()}
        self.names = {name.casefold() for name in self._by_name}

    def named_in(self, title: str) -> Known | None:
        """The first product that a title names; names are tried only at words that begin one."""
        for word in _FIRST.finditer(title):
            if title[: word.start()].endswith("-"):
                continue
            pattern = self._by_first.get(word.group())
            found = pattern.match(title, word.start()) if pattern else None
            if found:
                return self._by_name[found.group()]
        return None


_FIRST = re.compile(r"\w+|[^\w\s]")


def _host(url: str) -> str:
    return (urlsplit(url or "").hostname or "").removeprefix("www.")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9\u4e00-\u9fff]+", "-", text.lower()).strip("-")
