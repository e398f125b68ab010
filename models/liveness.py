"""Whether a product's page still shows life: evidence from one look, and proposed ends from several. Pure functions.

A wall (403, 429, a time-out) is no death: such pages answer to patient people. A verdict takes two looks that agree, at least
six days apart, and any later answer takes it back.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile
from urllib.parse import urlsplit

from models.types import Proposal

AGREE_AFTER = timedelta(days=6)
ALIVE = "answers"
# classes that speak of death, with their words; `redirect_other` of a purchase
DEATHLIKE = {
    "no_host": "its host name does not exist any more",
    "parked": "its domain is parked or for sale",
    "host_not_found_page": "its host says that there is no such site",
    "gone": "its page is gone (404 or 410)",
    "redirect_other": "its page leads to another company's",
    "frozen_repository": "its repository is archived",
    "says_closing": "it says itself that it closes or has closed",
}
# classes that say nothing for or against
NEUTRAL = ("resolves", "wall", "unknown")

PARKED = re.compile(
    r"domain (?:name )?(?:is|may be) (?:for sale|parked)|buy this domain|this domain is parked|parked free|sedoparking|hugedomains|"
    r"afternic|dan\.com/buy|domain has expired|renew this domain|related searches.{0,80}privacy policy|域名(?:出售|转让|已过期)",
    re.I | re.S,
)
HOST_SAYS_NO = re.compile(
    r"there isn'?t a github pages site here|deployment_not_found|no such app|nosuchbucket|site not found|project not found|"
    r"application not found|this shop is (?:currently )?unavailable|this store is unavailable|account (?:has been )?suspended|"
    r"the specified bucket does not exist|website is no longer available|do you want to register|404: not_found|app not found|"
    r"page not found \| netlify|domain is not (?:connected|configured)|网站(?:已关闭|不存在)",
    re.I,
)
CLOSING = re.compile(
    r"(?:is|are|has been|have been|was|were|will be|we'?re|it'?s) (?:now )?(?:officially )?"
    r"(?:shutting down|shut down|sunset(?:ting|ted)?|discontinued|closing down|winding down|retired|no longer available|permanently closed)|"
    r"(?:has|have) (?:now )?(?:shut down|closed its doors|ceased operations)|no longer accepting new (?:users|sign-?ups)|"
    r"we(?:'ve| have) (?:made the (?:difficult )?decision|decided) to (?:shut|close|sunset|wind)|end of life notice|"
    r"(?:停止运营|停止服务|已经?下线|关停|终止服务|永久关闭)",
    re.I,
)
ARCHIVED = re.compile(r"this repository (?:has been|was) archived by the owner|this project is archived", re.I)
SECOND_LEVEL = frozenset("co com org net ac gov edu".split())


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a page found. `dns` is ok, no_host or unknown; `status` is None where no answer came."""

    url: str
    dns: str
    status: int | None = None
    final_url: str = ""
    title: str = ""
    text: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """One stored look: evidence class, and a few words."""

    product_id: str
    probed_at: datetime
    url: str
    evidence: str
    http_status: int | None = None
    detail: str = ""


def evidence(look: Look, product: str = "") -> tuple[str, str]:
    """Evidence class and a few words for one look at the page of `product` (its name tells a move from a sale)."""
    if look.dns == "no_host":
        return "no_host", "the host name does not exist (NXDOMAIN)"
    if look.dns == "unknown":
        return "unknown", "the name server did not answer"
    if look.status is None:
        return ("wall" if "time-out" in look.error else "resolves"), look.error[:200]
    head = f"{look.title}\n{look.text[:4000]}"
    if look.status in (404, 410):
        return ("host_not_found_page" if HOST_SAYS_NO.search(head) else "gone"), f"status {look.status}"
    if look.status in (401, 403, 405, 406, 429, 451, 503):
        return "wall", f"status {look.status}"
    if look.status >= 500:
        return "resolves", f"status {look.status}"
    return _of_page(look, head, product)


def _of_page(look: Look, head: str, product: str) -> tuple[str, str]:
    for name, pattern, sample in (
        ("frozen_repository", ARCHIVED, look.text[:40_000]),
        ("parked", PARKED, head if len(look.text) < 6000 else look.title),
        ("host_not_found_page", HOST_SAYS_NO, head if len(look.text) < 2000 else look.title),
        ("says_closing", CLOSING, head[:2500]),
    ):
        found = pattern.search(sample)
        if found:
            return name, " ".join(found[0].split())[:200]
    if _owner(look.url) != _owner(look.final_url or look.url) and not _is_same_brand(look, product):
        return "redirect_other", f"leads to {look.final_url[:150]}"
    return ALIVE, f"status {look.status}"


def _owner(url: str) -> str:
    """The registered part of a host name, roughly: two labels, three under co.uk and its like."""
    labels = (urlsplit(url).hostname or "").lower().split(".")
    n = 3 if len(labels) > 2 and labels[-2] in SECOND_LEVEL and len(labels[-1]) == 2 else 2
    return ".".join(labels[-n:])


def _is_same_brand(look: Look, product: str) -> bool:
    """Whether the page that we were led to still is the product's: its name stands in the title or the host."""
    name = re.sub(r"[^\w]", "", product.split("(")[0].lower())
    old = _owner(look.url).split(".")[0]
    place = re.sub(r"[^\w]", "", f"{urlsplit(look.final_url).hostname or ''}{look.title}".lower())
    return any(len(word) >= 4 and word in place for word in (name, old))


def proposed_ends(probes: Iterable[Probe], last_alive: Mapping[str, date] | None = None) -> list[Proposal]:
    """Ends that two agreeing probes propose, one a product at most, each with its interval [last seen alive, first seen gone].

    `last_alive` is the catalogue's own last day alive by product. A product whose newest telling look answered has no proposal.
    """
    by_page: dict[tuple[str, str], list[Probe]] = {}
    for probe in sorted(probes, key=lambda probe: probe.probed_at):
        by_page.setdefault((probe.product_id, probe.url), []).append(probe)
    found: dict[str, list[Proposal | None]] = {}
    for (product_id, _), looks in by_page.items():
        proposal = _end_of_page(looks, (last_alive or {}).get(product_id))
        is_alive = _telling(looks)[-1:] and _telling(looks)[-1].evidence == ALIVE
        if proposal or is_alive:
            found.setdefault(product_id, []).append(proposal)
    # one page that answers outweighs all that do not
    return [proposals[0] for _, proposals in sorted(found.items()) if proposals[0] is not None and None not in proposals]


def _telling(looks: Sequence[Probe]) -> list[Probe]:
    return [look for look in looks if look.evidence == ALIVE or look.evidence in DEATHLIKE]


def _verdict(look: Probe) -> str:
    """What a look says happened: looks agree when these do (a 404 and a vanished host tell of the same end)."""
    return look.evidence if look.evidence in (ALIVE, "redirect_other", "frozen_repository") else "ended"


def _end_of_page(looks: Sequence[Probe], last_alive: date | None) -> Proposal | None:
    """The end that the newest unbroken row of agreeing looks at one page proposes, or None."""
    told = _telling(looks)
    if not told or told[-1].evidence == ALIVE:
        return None
    newest = told[-1]
    row = list(takewhile(lambda look: _verdict(look) == _verdict(newest), reversed(told)))
    first = row[-1]
    if newest.probed_at - first.probed_at < AGREE_AFTER:
        return None
    alive = [look.probed_at.date() for look in told if look.evidence == ALIVE]
    seen_alive = max([*alive, *filter(None, [last_alive])], default=None)
    # gone means gone: the interval ends with the first look since the last answer that found no life
    after = [look for look in told if not alive or look.probed_at.date() > max(alive)]
    return _proposal(newest, after[0] if after else first, seen_alive, n_looks=len(row))


def _proposal(newest: Probe, first: Probe, last_alive_on: date | None, n_looks: int) -> Proposal:
    is_sale = newest.evidence == "redirect_other"
    gone_by = first.probed_at.date()
    if last_alive_on and last_alive_on > gone_by:
        last_alive_on = None
    key = f"{newest.product_id}|end|{newest.url}|{gone_by}"
    return Proposal(
        proposal_id="p" + hashlib.sha256(key.encode()).hexdigest()[:15],
        kind="acquisition" if is_sale else "end",
        subject=newest.product_id,
        fields={
            "outcome": "acquired" if is_sale else "shut_down",
            "last_alive_on": last_alive_on.isoformat() if last_alive_on else None,
            "gone_by": gone_by.isoformat(),
            "source_url_status": newest.url,
        },
        document_ids=(),
        proposed_on=newest.probed_at.date(),
        reason=f"{n_looks} looks from {gone_by} to {newest.probed_at.date()} agree: {DEATHLIKE[newest.evidence]} ({newest.detail})",
    )
