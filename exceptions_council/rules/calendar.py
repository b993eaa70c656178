"""Business days: Monday to Friday, without the holidays that the caller passes in (EXC-7, EXC-11)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

DAY = timedelta(days=1)
SATURDAY = 5


def is_business_day(day: date, holidays: Collection[date]) -> bool:
    return day.weekday() < SATURDAY and day not in holidays


def add_business_days(day: date, count: int, holidays: Collection[date]) -> date:
    """The day that is so many business days after this one, which itself doesn't count."""
    while count > 0:
        day += DAY
        count -= is_business_day(day, holidays)
    return day


def business_days_left(today: date, last: date, holidays: Collection[date]) -> int:
    """The business days after today until the last one, that included; 0 on the last day and afterwards."""
    return sum(is_business_day(today + n * DAY, holidays) for n in range(1, (last - today).days + 1))
