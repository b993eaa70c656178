"""The business days of the council, by the policy's calendar of holidays (EXC-7, EXC-11)."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import holidays

from exceptions_council.rules import add_business_days, business_days_left
from portal.policy.rules import Policy

#: Business days that every year has, whatever its holidays: so far ahead the holidays are looked up.
_OF_A_YEAR = 200


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
