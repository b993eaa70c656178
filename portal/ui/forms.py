"""What forms of every app share: what the rules say against a form stands at its fields, and some kinds of fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date
from functools import cache
from typing import Any

from babel.dates import get_day_names, get_month_names
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from portal.accounts.services import vendor_name
from portal.customers.rules import country_choices
from portal.folding import fold
from portal.workflow import text
from portal.workflow.blockers import Blocker, RuleViolation


def add_blockers(form: forms.BaseForm, blockers: Iterable[Blocker]) -> None:
    """Add each blocker as an error: at its field, at the form's rows of that name, or above the form."""
    rows = {part.prefix: part for part in vars(form).values() if isinstance(part, forms.BaseFormSet)}
    for blocker in blockers:
        error = ValidationError(text.text(blocker), code=blocker.code)
        form.add_error(blocker.field if blocker.field in form.fields else None, error)
        if blocker.field in rows:
            rows[blocker.field].non_form_errors().append(error)


def without_errors(form: forms.BaseForm) -> None:
    """Drop the errors of the form and its rows but keep what was typed, because the person is still writing."""
    form.errors.clear()
    for rows in (part for part in vars(form).values() if isinstance(part, forms.BaseFormSet)):
        rows.non_form_errors().clear()
        for errors in rows.errors:
            errors.clear()


def saved(form: forms.BaseForm, save: Callable[[], object]) -> bool:
    """Save what a form says, and return True. A form that was not sent, is not valid or is refused says why itself."""
    if not form.is_valid():
        return False
    try:
        save()
    except RuleViolation as violation:
        add_blockers(form, violation.blockers)
        return False
    return True


def as_if_sent(form: forms.BaseForm) -> dict[str, Any]:
    """The form's initial values as if they were sent, so that it can be checked before anything is typed."""
    shown = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in shown.items() if value not in (None, "", False)}


def saved_meanwhile(by: object) -> str:
    """Why a draft is not saved: somebody saved another one since the page was opened; None: there is none any more."""
    if by is None:
        return gettext("The draft was sent or dropped meanwhile. Save again to keep what stands here.")
    return gettext("%(person)s saved this draft meanwhile. Save again to put yours in its place.") % {"person": by}


def conflicts(record: models.Model, changed: Iterable[str], questions: Iterable[str]) -> list[Blocker]:
    """At each of these columns that is a question, what its answer is now (REF-21)."""
    asked = set(questions)
    names = [name.removesuffix("_id") for name in changed]
    message = gettext_noop(
        "Somebody changed this meanwhile; it is now “%(now)s”. Send again to put yours in its place."
    )
    return [Blocker("conflict", message, "REF-21", n, {"now": _shown(record, n)}) for n in names if n in asked]


def _shown(record: models.Model, name: str) -> str:
    """An answer as people read it."""
    value: Any = getattr(record, name)
    choices = getattr(record._meta.get_field(name), "flatchoices", None)
    if choices:
        return str(dict(choices).get(value, "–"))
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if value in (None, ""):
        return "–"
    return text.show(value) if not isinstance(value, models.Model) else str(value)


def named(message: Any) -> Any:
    """A lazily translated label that contains the vendor's name."""
    return lazy(lambda: str(message) % {"vendor": vendor_name()}, str)()


#: What lies before is mistyped.
FIRST_YEAR = 1900
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_FIGURES = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_DAY_FIRST = re.compile(r"(\d{1,2})\.? ([a-z]+)\.?,? (\d{4})")
_MONTH_FIRST = re.compile(r"([a-z]+)\.? (\d{1,2}),? (\d{4})")


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


class DateInput(forms.DateInput):
    """A day as text, and a button that opens a month to choose from (days.js). A browser's own date field would follow
    the browser's language instead of the person's."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(attrs={"autocomplete": "off", "data-day": "", **attrs})

    def format_value(self, value: Any) -> str | None:
        day = read_day(value) if isinstance(value, str) else value
        return text.day(day) if isinstance(day, date) else value

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """The day as the field reads it, or what was typed, if that is no day."""
        typed = super().value_from_datadict(data, files, name)
        day = read_day(typed) if isinstance(typed, str) else None
        return day.isoformat() if day else typed

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        example = gettext("e.g. %(day)s") % {"day": text.day(timezone.localdate())}
        shown = {"placeholder": example, **(attrs or {})}
        language = get_language() or "en"
        months, days = get_month_names("abbreviated", locale=language), get_day_names("abbreviated", locale=language)
        context = {
            "control": super().render(name, value, shown, renderer),
            "months": " ".join(months[n] for n in range(1, 13)),
            "days": " ".join(days[n] for n in range(7)),
        }
        return render_to_string("components/day.html", context)


class DayField(forms.DateField):
    """A day as `read_day` reads it and in no other way: 11/20/2026 is no day, where 11/05/2026 is one in May."""

    widget = DateInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"input_formats": ["%Y-%m-%d"], **kwargs})


def _countries() -> list[tuple[str, str]]:
    return [("", gettext("Choose a country")), *country_choices(get_language() or "en")]


class CountryField(forms.ChoiceField):
    """Every country by its name in the reader's language."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"label": _("Country"), "choices": _countries, **kwargs})


class TextArea(forms.CharField):
    """A text of several lines, which may be left out."""

    def __init__(self, *, rows: int = 3, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows})
        super().__init__(**{"label": _("Notes"), "required": False, "widget": widget, **kwargs})
