"""The annual contract value (REG-5) and amounts in USD (FX), in exact fractions until the very end."""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from portal.policy.rules import Policy
from portal.workflow.blockers import Money

USD = "USD"
PERPETUAL, FINITE = "perpetual", "finite"

_DAY = timedelta(days=1)
_CENTS = 100


@dataclass(frozen=True)
class UsdRate:
    """What one unit of a currency is worth in USD, and the first day of the month the rate is of (FX-1)."""

    usd_per_unit: Decimal
    month: date


def acv(tcv: Decimal, term: str, start: date | None, end: date | None, policy: Policy) -> Fraction:
    """The annual contract value in the currency of `tcv`, exact (REG-5).

    Perpetual: spread over the policy's years, dates unused. Finite: over the contract's years, a term under one
    year counting as one. Raises ValueError when a finite term lacks a date or ends before it starts.
    """
    if term == PERPETUAL:
        return Fraction(tcv) / policy.perpetual_years
    if start is None or end is None:
        raise ValueError("a finite term needs its start and end")
    return Fraction(tcv) / max(Fraction(1), contract_years(start, end))


def contract_years(start: date, end: date) -> Fraction:
    """How many years the contract runs, both days included (REG-5).

    Whole calendar years up to the day after `end`, plus each leftover day over the days of the calendar year that
    very day lies in. Raises ValueError when `end` is before `start`.
    """
    if end < start:
        raise ValueError("the contract ends before it starts")
    after = end + _DAY if end < date.max else end  # the calendar has no day after its last one
    whole = after.year - start.year
    if add_years(start, whole) > after:
        whole -= 1
    return whole + _part_of_year(add_years(start, whole), after)


def _part_of_year(first: date, after: date) -> Fraction:
    """The days from `first` until before `after`, at most one year, each as a fraction of its own calendar year."""
    if first.year == after.year:
        return Fraction((after - first).days, _days_in(first.year))
    before_new_year = (date(first.year, 12, 31) - first).days + 1
    since_new_year = (after - date(after.year, 1, 1)).days
    return Fraction(before_new_year, _days_in(first.year)) + Fraction(since_new_year, _days_in(after.year))


def _days_in(year: int) -> int:
    return 366 if isleap(year) else 365


def add_years(day: date, years: int) -> date:
    """The same day `years` later; 29 February becomes 28 February in a common year (REG-5)."""
    return add_months(day, 12 * years)


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or the month's last day where it has no such day (REG-1)."""
    year, index = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, index + 1, min(day.day, monthrange(year, index + 1)[1]))


def usd_per_unit(currency: str, rates: Mapping[str, UsdRate]) -> Fraction | None:
    """What one unit is worth in USD, exact; None when there is no rate (FX-2). USD needs none."""
    if currency == USD:
        return Fraction(1)
    rate = rates.get(currency)
    return None if rate is None else Fraction(rate.usd_per_unit)


def to_usd(money: Money, rates: Mapping[str, UsdRate]) -> Fraction | None:
    """The amount in USD, exact; None when there is no rate for its currency (FX-2)."""
    rate = usd_per_unit(money.currency, rates)
    return None if rate is None else Fraction(money.amount) * rate


def round_cents(amount: Fraction) -> Decimal:
    """The amount to the cent, half a cent away from zero (REG-5)."""
    cents = int(abs(amount) * _CENTS + Fraction(1, 2))
    return _from_cents(cents if amount >= 0 else -cents)


def _from_cents(cents: int) -> Decimal:
    """A Decimal from cents; exact for any size, because no decimal context rounds it."""
    return Decimal(f"{'-' if cents < 0 else ''}{abs(cents) // _CENTS}.{abs(cents) % _CENTS:02d}")
