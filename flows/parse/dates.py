"""Dates as people and programs write them, English and Chinese. Unknown is None: never now."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

MONTHS = {name: i for i, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)}
_MONTH = r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
PATTERNS = [
    re.compile(rf"(?<![\d.]){_YEAR}[-/.](?P<n>[01]?\d)[-/.](?P<day>[0-3]?\d)(?![\d.])"),
    re.compile(rf"{_YEAR}\s*年\s*(?P<n>[01]?\d)\s*月\s*(?P<day>[0-3]?\d)\s*[日号]"),
    re.compile(rf"\b{_MONTH}\s+{_DAY}(?:,\s*|\s+){_YEAR}\b", re.I),
    re.compile(rf"\b{_DAY}\s+{_MONTH},?\s+{_YEAR}\b", re.I),
]
MONTH_PATTERNS = [
    re.compile(rf"^\W*{_MONTH},?\s+{_YEAR}\W*$", re.I),
    re.compile(rf"^\W*{_YEAR}\s*年\s*(?P<n>[01]?\d)\s*月\W*$"),
    re.compile(rf"^\W*{_YEAR}-(?P<n>[01]\d)\W*$"),
]


def find_day(text: str) -> date | None:
    """The first full date in a short text, or None."""
    for pattern in PATTERNS:
        for match in pattern.finditer(text):
            found = _day_of(match)
            if found:
                return found
    return None


def find_month(text: str) -> date | None:
    """The first day of a month that the whole text names ("March 2026"), or None."""
    return next((found for pattern in MONTH_PATTERNS if (match := pattern.match(text)) and (found := _day_of(match))), None)


def without_day(text: str) -> str:
    """The text with its first full date and the brackets around it removed."""
    for pattern in PATTERNS:
        match = pattern.search(text)
        if match:
            return re.sub(r"[(\[{]\s*[)\]}]", "", text[: match.start()] + text[match.end() :]).strip(" \t-–—:·|,")
    return text


def _day_of(match: re.Match[str]) -> date | None:
    groups = match.groupdict()
    month = int(groups["n"]) if groups.get("n") else MONTHS[groups["month"].lower()[:3]]
    try:
        return date(int(groups["year"]), month, int(groups.get("day") or 1))
    except ValueError:
        return None


def at_midnight(day: date | None) -> datetime | None:
    """The first instant of a day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None


def parse_moment(text: str) -> datetime | None:
    """An instant in ISO 8601 or RFC 822 form, else the day that the text holds; UTC where no zone is given."""
    text = text.strip()
    if not text:
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return in_range(read(text))
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return at_midnight(find_day(text))


def in_range(moment: datetime) -> datetime | None:
    """The instant in UTC, or None where it lies before 1970 or past 2200 (and so cannot be meant)."""
    try:
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None
    return moment if 1970 <= moment.year < 2200 else None


def from_struct(parts: tuple[int, ...] | None) -> datetime | None:
    """An instant from the nine numbers that feedparser gives (UTC), or None."""
    if not parts:
        return None
    try:
        year, month, day, hour, minute, second = parts[:6]
        return in_range(datetime(year, month, day, hour, minute, tzinfo=UTC) + timedelta(seconds=min(second, 60)))
    except (ValueError, OverflowError, TypeError):
        return None
