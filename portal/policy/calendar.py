"""Business days: Monday to Friday, without the holidays of the policy's calendar (EXC-7, EXC-11, FLOW-12)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from functools import lru_cache

import holidays

from portal.policy.rules import Policy

DAY = timedelta(days=1)
SATURDAY = 5
#: Business days that every year has, whatever its holidays: so far ahead the holidays are looked up.
_OF_A_YEAR = 200


def is_business_day(day: date, free: Collection[date]) -> bool:
    return day.weekday() < SATURDAY and day not in free


def add_business_days(day: date, count: int, free: Collection[date]) -> date:
    """The day that is so many business days after this one, which itself doesn't count."""
    while count > 0:
        day += DAY
        count -= is_business_day(day, free)
    return day


def business_days_left(today: date, last: date, free: Collection[date]) -> int:
    """The business days after today until the last one, that included; 0 on the last day and afterwards."""
    return sum(is_business_day(today + n * DAY, free) for n in range(1, (last - today).days + 1))


@lru_cache(maxsize=64)
def holidays_of(country: str, first_year: int, last_year: int) -> frozenset[date]:
    """The public holidays of these years; none without a country."""
    if not country:
        return frozenset()
    return frozenset(holidays.country_holidays(country, years=range(first_year, last_year + 1)))


def due_day(day: date, count: int, policy: Policy) -> date:
    """The day that is so many business days after this one."""
    last_year = min(day.year + count // _OF_A_YEAR + 1, date.max.year)
    return add_business_days(day, count, holidays_of(policy.holiday_calendar, day.year, last_year))


def days_left(today: date, last: date, policy: Policy) -> int:
    """The business days from tomorrow to the last one; 0 once it has come."""
    return business_days_left(today, last, holidays_of(policy.holiday_calendar, today.year, max(today, last).year))
