"""Renders blockers as sentences in the reader's language, zone and number format."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, parse_pattern
from django.utils import timezone
from django.utils.translation import get_language, gettext

from portal import days
from portal.accounts.selectors import vendor_name
from portal.money.rules import cents
from portal.workflow.blockers import Blocker, Money, Param, Term


def text(blocker: Blocker) -> str:
    """A blocker as a sentence."""
    message = gettext(blocker.message)
    params = {name: show(value) for name, value in blocker.params.items()}
    if "%(vendor)" in message:  # a page says hundreds of things without the vendor's name, which the cache holds
        params.setdefault("vendor", vendor_name())
    return message % params


def phrase(msgid: str) -> str:
    """A label translated into the reader's language, with the vendor's name filled in."""
    return text(Blocker("", msgid))


def show(value: Param) -> str:
    """One value in the reader's format; instants name their zone."""
    match value:
        case Blocker():
            return text(value)
        case Money():
            return money(value.amount, value.currency)
        case datetime():
            local = timezone.localtime(value)
            return f"{clock(local)} {_zone(local)}"
        case date():
            return day(value)
        case Decimal():
            return format_decimal(value, locale=_locale())
        case Term():
            return gettext(str(value)) if value else ""
    return str(value)


def money(value: Decimal | None, currency: str) -> str:
    """An amount with its ISO code: 40,000.50 EUR; to the cent, half-up, and without cents where there are none.

    Every page, file for people and mail shows amounts this way, so that a figure is the same wherever it stands and
    never contradicts the verdict on it (REG-6).
    """
    if value is None:
        return "–"
    return format_currency(cents(value), currency, f"{_pattern(value)} ¤¤", locale=_locale(), currency_digits=False)


def amount(value: Decimal | None) -> str:
    """As money(), without the currency, where the column's head names it."""
    return "–" if value is None else format_decimal(cents(value), _parsed(_pattern(value)), locale=_locale())


#: A list has hundreds of amounts, and to read a pattern takes longer than to fill it.
_parsed = cache(parse_pattern)


def _pattern(value: Decimal) -> str:
    return "#,##0" if cents(value) == cents(value).to_integral_value() else "#,##0.00"


def percent(number: int | Decimal) -> str:
    """A percentage with the sign where the reader's language puts it: 10%, %10."""
    return gettext("%(number)s%%") % {"number": show(number)}


def rate(currency: str, usd_per_unit: Decimal, month: str) -> str:
    """A rate with its month (2026-11), as it was used (FX-2): 1 EUR = 1.08 USD (2026-11)."""
    line = gettext("1 %(currency)s = %(rate)s USD (%(month)s)")
    return line % {"currency": currency, "rate": show(usd_per_unit), "month": month}


def clock(moment: datetime, *, year: bool = True) -> str:
    """A moment in the zone it carries: 20 Nov 2026, 13:00."""
    return format_datetime(moment, "d MMM y, HH:mm" if year else "d MMM, HH:mm", locale=_locale())


def day(value: date, *, year: bool = True) -> str:
    """A calendar day: 20 Nov 2026."""
    return days.shown(value, year=year)


def weekday(value: date) -> str:
    """A calendar day with the day of its week: Monday, 23 Nov."""
    return format_date(value, "EEEE, d MMM" if _locale() == "en" else "d MMM EEEE", locale=_locale())


def _zone(local: datetime) -> str:
    """The name of the zone: UTC, or the offset, because many zones have no familiar abbreviation."""
    offset = local.strftime("%z")
    return "UTC" if offset == "+0000" else f"UTC{offset[:3]}{':' + offset[3:] if offset[3:] != '00' else ''}"


def _locale() -> str:
    return get_language() or "en"


def as_dict(blocker: Blocker) -> dict[str, Any]:
    """The blocker as a dict for JSON responses."""
    return {
        "code": blocker.code,
        "rule": blocker.rule,
        "field": blocker.field,
        "message": text(blocker),
        "details": [as_dict(detail) for detail in blocker.details],
    }
