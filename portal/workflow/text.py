"""Blockers as sentences, in the reader's language, zone and number format."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency, format_decimal
from django.utils import formats, timezone
from django.utils.translation import get_language, gettext

from portal.accounts.services import vendor_name
from portal.workflow.blockers import Blocker, Money, Param, Term


def text(blocker: Blocker) -> str:
    """The sentence a person reads."""
    params = {name: show(value) for name, value in blocker.params.items()}
    return gettext(blocker.message) % {"vendor": vendor_name(), **params}


def show(value: Param) -> str:
    """One value as the reader writes it; instants carry their zone."""
    match value:
        case Money():
            return money(value.amount, value.currency)
        case datetime():
            local = timezone.localtime(value)
            return f"{formats.date_format(local, 'DATETIME_FORMAT')} {local.tzname()}"
        case date():
            return formats.date_format(value, "DATE_FORMAT")
        case Decimal():
            return format_decimal(value, locale=get_language() or "en")
        case Term():
            return gettext(str(value)) if value else ""
    return str(value)


def money(amount: Decimal | None, currency: str) -> str:
    """An amount with its ISO code: 40,000.00 EUR; cents only where there are some."""
    if amount is None:
        return "–"
    pattern = "#,##0 ¤¤" if amount == amount.to_integral_value() else "#,##0.00 ¤¤"
    return format_currency(amount, currency, pattern, locale=get_language() or "en", currency_digits=False)


def as_dict(blocker: Blocker) -> dict[str, Any]:
    """The blocker as an edge sends it."""
    return {
        "code": blocker.code,
        "rule": blocker.rule,
        "field": blocker.field,
        "message": text(blocker),
        "details": [as_dict(detail) for detail in blocker.details],
    }
