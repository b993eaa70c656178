"""Days as people type them and as pages show them, and the field for one: a notation for all pages (decision 0046).

It stands below all floors, because the administration of the lowest asks for days, too.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any

from babel.dates import format_date, get_day_names, get_month_names
from django import forms
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from portal.folding import fold

#: What lies before is mistyped.
FIRST_YEAR = 1900
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_FIGURES = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_DAY_FIRST = re.compile(r"(\d{1,2})\.? ([a-z]+)\.?,? (\d{4})")
_MONTH_FIRST = re.compile(r"([a-z]+)\.? (\d{1,2}),? (\d{4})")


def shown(value: date, *, year: bool = True) -> str:
    """A calendar day: 20 Nov 2026."""
    return format_date(value, "d MMM y" if year else "d MMM", locale=get_language() or "en")


def last_second(day: date) -> datetime:
    """The end of a day in UTC, of what may be done until then."""
    return datetime.combine(day, time(23, 59, 59), UTC)


def read_day(typed: str) -> date | None:
    """The day that was typed in either language: 20 Nov 2026, 20 Kasım 2026, Nov 20, 2026, 20.11.2026, 2026-11-20.

    In figures the day comes first, as it does wherever the portal shows one. None if it is no day, or of a century in
    which nobody here sold anything.
    """
    day = _day(fold(typed))
    return day if day and day.year >= FIRST_YEAR else None


def _day(folded: str) -> date | None:
    with suppress(ValueError):
        if found := _ISO.fullmatch(folded):
            return date(*map(int, found.groups()))
        if found := _FIGURES.fullmatch(folded):
            return date(int(found[3]), int(found[2]), int(found[1]))
        if found := _DAY_FIRST.fullmatch(folded):
            return date(int(found[3]), _months().get(found[2], 0), int(found[1]))
        if found := _MONTH_FIRST.fullmatch(folded):
            return date(int(found[3]), _months().get(found[1], 0), int(found[2]))
    return None


@cache
def _months() -> dict[str, int]:
    """The months by their long and short names, folded, in all languages of the portal."""
    return {
        fold(name).strip("."): number
        for language, _name in settings.LANGUAGES
        for width in ("wide", "abbreviated")
        for number, name in get_month_names(width, locale=language).items()
    }


#: A day of which no figure can be taken for another.
EXAMPLE = date(2026, 1, 31)


class DateInput(forms.DateInput):
    """A day as text, and a button that opens a month to choose from (days.js). A browser's own date field would follow
    the browser's language instead of the person's."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(attrs={"autocomplete": "off", "data-day": "", **attrs})

    def format_value(self, value: Any) -> str | None:
        day = read_day(value) if isinstance(value, str) else value
        return shown(day) if isinstance(day, date) else value

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        hinted = {"placeholder": gettext("e.g. %(day)s") % {"day": shown(EXAMPLE)}, **self.attrs, **(attrs or {})}
        return render_to_string("components/day.html", {"control": super().render(name, value, hinted, renderer)})


def names() -> dict[str, str]:
    """The short names of the months and of the week's days in the page's language, for days.js."""
    language = get_language() or "en"
    months, days = get_month_names("abbreviated", locale=language), get_day_names("abbreviated", locale=language)
    return {"months": " ".join(months[n] for n in range(1, 13)), "days": " ".join(days[n] for n in range(7))}


class DayField(forms.DateField):
    """A day as `read_day` reads it and in no other way: 11/20/2026 is no day, where 11/05/2026 is one in May."""

    widget = DateInput

    def to_python(self, value: Any) -> date | None:
        if not isinstance(value, str) or not value.strip():
            return super().to_python(value)
        if day := read_day(value):
            return day
        raise forms.ValidationError(self.error_messages["invalid"], code="invalid")

    def kept(self, typed: str) -> str:
        """What a draft keeps: the day in figures, the year first; what is none as it was typed."""
        day = read_day(typed)
        return day.isoformat() if day else typed
