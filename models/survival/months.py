"""Calendar months as integers: m = 12 (year - 2021) + month - 1."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

DAYS_A_MONTH = 30.4375


def index(day: date) -> int:
    """The month a day lies in; January 2021 is 0, earlier months are negative."""
    return 12 * (day.year - 2021) + day.month - 1


def first_day(m: int) -> date:
    """The first day of month `m`."""
    return date(2021 + m // 12, m % 12 + 1, 1)


def last_day(m: int) -> date:
    """The last day of month `m`."""
    first = first_day(m)
    return first.replace(day=monthrange(first.year, first.month)[1])


def add(day: date, months: int) -> date:
    """The same day `months` later, or the last day of that month where it has no such day."""
    last = last_day(index(day) + months)
    return last.replace(day=min(day.day, last.day))
