"""Months, averages and conversion (FX-1, FX-2), and the two rate files we read. No database, no clock."""

from __future__ import annotations

import csv
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Protocol

from babel.numbers import list_currencies

from portal import sheets
from portal.sheets import LineError
from portal.workflow.blockers import Blocker, Param, _

USD = "USD"
EUR = "EUR"
#: How a rate is stored: USD per unit, 12 digits before and 12 after the point.
RATE_PLACES = Decimal("1e-12")
LARGEST_RATE = Decimal(10) ** 12
CENT = Decimal("0.01")
#: Wide enough that no product or quotient of stored numbers is rounded twice.
EXACT = Context(prec=60, rounding=ROUND_HALF_UP)

#: Shown first where a person picks a currency; the others follow by code.
COMMON_CURRENCIES = (USD, EUR, "GBP", "TRY", "CHF", "JPY", "CAD", "AUD", "SEK", "NOK", "DKK", "PLN")

#: ISO 4217 as Babel lists it, with the currencies of the past that the ECB's history holds; neither the code for none
#: (XXX) nor the one for tests (XTS).
KNOWN_CURRENCIES = frozenset(list_currencies()) - {"XXX", "XTS"}

ECB = "ecb"
UPLOAD = "upload"
CARRIED = "carried"
#: Whose rates a source may replace; one that isn't listed was given by a person and replaces any.
REPLACEABLE: Mapping[str, tuple[str, ...]] = {CARRIED: (CARRIED,), ECB: (CARRIED, ECB)}


class RatePolicy(Protocol):
    """What FX-2 needs of the programme's policy (money may not import it: they are neighbours)."""

    @property
    def rate_max_age_months(self) -> int: ...

    @property
    def rate_jump_percent(self) -> int: ...


@dataclass(frozen=True)
class Rate:
    """USD per one unit of `currency`, and the month (its first day) it was published for."""

    currency: str
    month: date
    usd_per_unit: Decimal


@dataclass(frozen=True)
class UsdValue:
    """An amount in USD, to the cent, with the rate and the rate's month it was judged at (FX-2)."""

    amount: Decimal
    rate: Decimal
    rate_month: date


# Months


def month_start(day: date) -> date:
    """The first day of the month, which is how a month is written everywhere here."""
    return date(day.year, day.month, 1)


def add_months(month: date, count: int) -> date:
    """The month `count` months later (earlier if negative)."""
    years, index = divmod(month.year * 12 + month.month - 1 + count, 12)
    return date(years, index + 1, 1)


def months(first: date, last: date) -> Iterator[date]:
    """Every month from `first` to `last`, both included."""
    month = month_start(first)
    while month <= last:
        yield month
        month = add_months(month, 1)


def ends_month(day: date) -> bool:
    """Whether no weekday of the same month follows: the ECB publishes on none other."""
    following = (day + timedelta(days=count) for count in range(1, 4))
    return all(d.weekday() >= 5 or d.month != day.month for d in following)


# Values


def average(values: Sequence[Decimal]) -> Decimal:
    """The arithmetic mean as a stored rate, half-up at the last place. Raises ValueError for no values."""
    if not values:
        raise ValueError("an average needs at least one value")
    total = Decimal(0)
    for value in values:
        total = EXACT.add(total, value)
    return as_rate(EXACT.divide(total, Decimal(len(values))))


def as_rate(value: Decimal) -> Decimal:
    """Rounded half-up to the places a rate is stored with."""
    return value.quantize(RATE_PLACES, context=EXACT)


def cents(amount: Decimal) -> Decimal:
    """Rounded half-up to the cent, as every amount is shown and compared (REG-6)."""
    return amount.quantize(CENT, context=EXACT)


def convert(amount: Decimal, rate: Rate) -> UsdValue:
    """The amount in USD, rounded half-up to cents (FX-2)."""
    usd = cents(EXACT.multiply(amount, rate.usd_per_unit))
    return UsdValue(amount=usd, rate=rate.usd_per_unit, rate_month=rate.month)


def in_form_order(codes: Iterable[str]) -> list[str]:
    """USD first (it always has a rate), then the common ones, then the rest by code."""
    known = {USD, *codes}
    common = [code for code in COMMON_CURRENCIES if code in known]
    return [*common, *sorted(known.difference(common))]


def rate_blockers(currency: str, month: date | None, *, today: date, ahead: int = 0) -> list[Blocker]:
    """What keeps a currency from having a rate for the month (None: not known); `today` is a day in UTC (FX-1).

    `ahead`: how many months it may lie in the future; only what a person gives may at all, and confirms it.
    """
    blockers = []
    if currency == USD:
        blockers.append(_blocker("currency", _("The US dollar is always 1 and needs no rate.")))
    elif currency not in KNOWN_CURRENCIES:
        blockers.append(_blocker("currency", _("“%(value)s” is not a currency code."), value=currency))
    if month is not None and month > add_months(month_start(today), ahead):
        message = _("%(value)s has not begun yet: a rate is for a month that is over or under way.")
        too_far = _("%(value)s is more than a year away.")
        blockers.append(_blocker("future_month", too_far if ahead else message, value=f"{month:%Y-%m}"))
    return blockers


def questions(
    rates: Iterable[Rate], known: Mapping[tuple[str, date], Decimal], *, today: date, policy: RatePolicy
) -> dict[tuple[str, date], tuple[Blocker, ...]]:
    """What a person has to confirm of the rates given, by currency and month: one that jumps by more than the policy's
    percentage against the month before, or lies in the future (FX-1). `known`: what there is of these currencies.

    Without an earlier month a correction is held against what it replaces.
    """
    rates = list(rates)
    becomes = {**known, **{(rate.currency, rate.month): rate.usd_per_unit for rate in rates}}
    published: dict[str, list[date]] = defaultdict(list)
    for currency, month in sorted(becomes):
        published[currency].append(month)
    asked = {}
    for rate in rates:
        key, months_ = (rate.currency, rate.month), published[rate.currency]
        place = bisect_left(months_, rate.month)
        before = becomes[rate.currency, months_[place - 1]] if place else known.get(key)
        if found := tuple(_questions(rate, before, today=today, percent=policy.rate_jump_percent)):
            asked[key] = found
    return asked


def _questions(rate: Rate, before: Decimal | None, *, today: date, percent: int) -> Iterator[Blocker]:
    what: dict[str, Param] = {"currency": rate.currency, "month": f"{rate.month:%Y-%m}"}
    if before is not None and abs(rate.usd_per_unit - before) * 100 > before * percent:
        message = _(
            "%(currency)s %(month)s: %(rate)s is more than %(percent)s%% away from the rate before, %(before)s."
        )
        figures: dict[str, Param] = {"rate": shown(rate.usd_per_unit), "before": shown(before), "percent": percent}
        yield _blocker("rate_jumps", message, **what, **figures)
    if rate.month > today:
        yield _blocker("rate_ahead", _("%(currency)s %(month)s: this month has not begun yet."), **what)


def shown(value: Decimal) -> str:
    """A rate without the zeros that only its column adds."""
    return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"


def _blocker(code: str, message: str, **params: Param) -> Blocker:
    return Blocker(code, message, rule="FX-1", params=params)


# The ECB's history: one row per day, units of each currency per euro


def ecb_monthly(lines: Iterable[str], *, since: date | None = None) -> tuple[list[Rate], date | None]:
    """Monthly means of the daily USD rates in the ECB's history, and the file's newest day (FX-1).

    A day's rate of a currency is the euro's rate in USD divided by its rate in that currency. A month is averaged
    only once it is over in the file, so that a mean never moves after it was used. `since`: leave out older months.
    """
    days: dict[date, dict[str, Decimal]] = {}
    for row in csv.DictReader(lines):
        day = date.fromisoformat(row["Date"])
        if since is None or day >= month_start(since):
            days[day] = _usd_per_unit(row)
    if not days:
        return [], None
    newest = max(days)
    unfinished = None if ends_month(newest) else month_start(newest)
    daily: dict[tuple[str, date], list[Decimal]] = defaultdict(list)
    for day, rates in days.items():
        month = month_start(day)
        for currency, rate in rates.items():
            if month != unfinished:
                daily[currency, month].append(rate)
    return [Rate(currency, month, average(values)) for (currency, month), values in daily.items()], newest


def _usd_per_unit(row: Mapping[str, str]) -> dict[str, Decimal]:
    """USD per unit of every currency the ECB quoted that day; nothing if it didn't quote the dollar."""
    per_euro = {c: Decimal(v) for c, v in row.items() if c and c != "Date" and v and v != "N/A"}
    dollars = per_euro.pop(USD, None)
    if dollars is None:
        return {}
    return {EUR: dollars, **{c: EXACT.divide(dollars, units) for c, units in per_euro.items()}}


# An uploaded file: currency,month,usd_per_unit

#: So many months ahead a rate may be given, once confirmed: further away the year is mistyped.
MONTHS_AHEAD = 12
UPLOAD_COLUMNS = ("currency", "month", "usd_per_unit")
_MONTH = re.compile(r"(\d{4})-(\d{2})(-01)?")


def read_upload(text: str, *, today: date) -> tuple[list[Rate], list[LineError]]:
    """The rates of an uploaded CSV and everything that is wrong with it, by line (FX-1)."""
    sheet = sheets.read_sheet(text, UPLOAD_COLUMNS, rule="FX-1")
    rates: dict[tuple[str, date], Rate] = {}
    errors = list(sheet.errors)
    for line, cells in sheet.lines:
        found = _read_line(line, cells, sheet.number(cells[-1]), today=today)
        if isinstance(found, Rate) and (found.currency, found.month) not in rates:
            rates[found.currency, found.month] = found
        elif isinstance(found, Rate):
            errors.append(_line_error(line, "repeated", _("This currency and month are on an earlier line, too.")))
        else:
            errors.extend(found)
    if not rates and not errors:
        errors.append(_line_error(1, "empty", _("There are no rates in the file.")))
    return list(rates.values()), sorted(errors, key=lambda error: error.line)


def _line_error(line: int, code: str, message: str, **params: Param) -> LineError:
    return LineError(line, _blocker(code, message, **params))


def _read_line(line: int, cells: Sequence[str], number: str, *, today: date) -> Rate | list[LineError]:
    """One line as a rate, or everything that is wrong with it; `number` is its last cell with a decimal point."""
    currency, month_text, rate_text = cells
    currency, month, rate = currency.upper(), _month(month_text), _positive(number)
    errors = [LineError(line, blocker) for blocker in rate_blockers(currency, month, today=today, ahead=MONTHS_AHEAD)]
    if month is None:
        errors.append(_line_error(line, "month", _("“%(value)s” is not a month (2026-11)."), value=month_text))
    if rate is None:
        errors.append(_line_error(line, "rate", _("“%(value)s” is not a rate above zero."), value=rate_text))
    if errors or month is None or rate is None:
        return errors
    return Rate(currency, month, rate)


def _month(text: str) -> date | None:
    match = _MONTH.fullmatch(text)
    try:
        return date(int(match[1]), int(match[2]), 1) if match else None
    except ValueError:
        return None


def _positive(text: str) -> Decimal | None:
    """A rate that can be stored: above zero after rounding, and not too large."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    if not value.is_finite() or not 0 < value < LARGEST_RATE:
        return None
    return as_rate(value) or None
