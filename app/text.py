"""Text for pages: what others wrote is shown as text, and every estimate with its doubt. Pure functions.

Nothing that came from outside reaches Markdown or HTML unescaped, and only http(s) addresses become links.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlsplit

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&^=\"'@])")
_BLANKS = re.compile(r"\s+")
_SEEN_AS_NOTHING = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_SHORTCODE = re.compile(r":(?=[\w/+-]+:)")


def clean(value: Any) -> str:
    """One line of plain text: blanks joined, control and direction-changing characters gone; unknown is the empty text."""
    if is_unknown(value):
        return ""
    return _BLANKS.sub(" ", _SEEN_AS_NOTHING.sub("", str(value))).strip()


def escape(value: Any, limit: int = 0) -> str:
    """`value` so that Markdown shows it as it stands; cut with an ellipsis past `limit` characters, if one is given."""
    text = clean(value)
    if limit and len(text) > limit:
        text = text[: limit - 1].rstrip() + "…"
    return _SPECIAL.sub(r"\\\1", _SHORTCODE.sub(":\u2060", text))


def safe_link(url: Any) -> str | None:
    """`url` if it is a plain http(s) address, fit for a Markdown link; None for anything else, a script above all."""
    text = "" if is_unknown(url) else str(url).strip()
    if not text or _BLANKS.search(text) or _SEEN_AS_NOTHING.search(text):
        return None
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not host or parts.username or parts.password:
        return None
    return quote(text, safe="%/:?#[]@!$&*+,;=~-._").replace("[", "%5B").replace("]", "%5D")


def links(urls: Any) -> list[str]:
    """The safe addresses of a cell that may hold several, joined by blanks."""
    parts = [] if is_unknown(urls) else str(urls).split()
    return [found for part in parts if (found := safe_link(part))]


def linked(title: Any, url: Any, limit: int = 160) -> str:
    """Markdown for a title that leads to `url`, or the mere title where the address is not fit to be shown."""
    words = escape(title, limit) or escape(host_of(url)) or "…"
    address = safe_link(url)
    return f"[{words}]({address})" if address else words


def host_of(url: Any) -> str:
    """The host of an address, for people; empty for none."""
    address = safe_link(url)
    return (urlsplit(address).hostname or "").removeprefix("www.") if address else ""


def is_unknown(value: Any) -> bool:
    """Whether a cell holds nothing: None, not-a-number or not-a-time."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def chance(p: Any) -> str:
    """A probability in steps of 5 %; the ends are never promised: "under 5 %" reads `<5 %`, "over 95 %" `>95 %`."""
    if is_unknown(p):
        return "–"
    step = round(float(p) * 20) * 5
    return "<5 %" if step < 5 else ">95 %" if step > 95 else f"{step} %"


def interval(low: Any, high: Any) -> str:
    """The interval in steps of 5 %, rounded outward, so that it never looks surer than it is."""
    if is_unknown(low) or is_unknown(high):
        return ""
    bottom = math.floor(round(float(low) * 20, 6)) * 5
    top = math.ceil(round(float(high) * 20, 6)) * 5
    return f"{max(bottom, 0)}–{min(top, 100)} %"


def by(provider: Any, release: Any) -> str:
    """Who shipped what, in few words; a release that begins with its provider's name is not named twice."""
    who, what = clean(provider), clean(release)
    return what if what.lower().startswith(who.lower()) else f"{who} {what}".strip()


def months(value: Any) -> str:
    """A number of months with one decimal place at most."""
    return "–" if is_unknown(value) else f"{float(value):.1f}".removesuffix(".0")


def day(value: Any, precision: Any = "day") -> str:
    """A date as far as it is known: 2023-11-06, 2023-11 or 2023."""
    if is_unknown(value) or not isinstance(value, (date, datetime)):
        return "–"
    cut = {"year": 4, "month": 7}.get(str(precision), 10)
    return value.strftime("%Y-%m-%d")[:cut]


def instant(value: Any) -> str:
    """An instant to the minute, UTC."""
    return "–" if is_unknown(value) else f"{value:%Y-%m-%d %H:%M} UTC"
