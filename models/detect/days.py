"""Dates that a text names, in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug", "september sep sept",
         "october oct", "november nov", "december dec"),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_NAME = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY = re.compile(
    rf"(?P<iso>\b20\d\d-\d\d-\d\d\b)"
    rf"|\b(?P<m1>{_NAME})\.? (?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,? (?P<y1>20\d\d))?"
    rf"|\b(?P<d2>\d{{1,2}})(?:st|nd|rd|th)? (?P<m2>{_NAME})\.?(?:,? (?P<y2>20\d\d))?\b"
    rf"|(?:(?P<y3>20\d\d) ?年 ?)?(?P<m3>\d{{1,2}}) ?月 ?(?P<d3>\d{{1,2}}) ?[日号]",
    re.IGNORECASE,
)
_SHUTDOWN = re.compile(
    r"shut ?down(?: date)?:?|shutting down|retire[sd]?|retirement|sunset|discontinu\w+|removed?|removal|no longer|end of life|turned off|deprecated|"
    r"until|下线|停服|停止|退役|关停|弃用|关闭",
    re.IGNORECASE,
)


def days_in(text: str, near: date) -> Iterator[tuple[int, date]]:
    """Position and value of each date in `text`; one without a year is the one closest to `near`."""
    for found in _DAY.finditer(text):
        value = _value(found, near)
        if value is not None:
            yield found.start(), value


def _value(found: re.Match[str], near: date) -> date | None:
    part = found.groupdict()
    try:
        if part["iso"]:
            return date.fromisoformat(part["iso"])
        if part["m3"]:
            year, month, day = part["y3"], int(part["m3"]), int(part["d3"])
        else:
            year, month, day = (
                part["y1"] or part["y2"],
                _MONTHS[(part["m1"] or part["m2"]).lower()],
                int(part["d1"] or part["d2"]),
            )
        return date(int(year), month, day) if year else _closest(month, day, near)
    except ValueError:
        return None


def _closest(month: int, day: int, near: date) -> date:
    options = [date(near.year + shift, month, day) for shift in (-1, 0, 1)]
    return min(options, key=lambda one: abs((one - near).days))


def shutdown_day(text: str, near: date) -> date | None:
    """The day an end takes effect, as the text names it: the first date after a word for ending; None where it names none."""
    for word in _SHUTDOWN.finditer(text):
        tail = text[word.end() : word.end() + 70]
        for at, day in days_in(tail, near):
            if at <= 60:
                return day
    return None
