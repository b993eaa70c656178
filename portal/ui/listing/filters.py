"""The kinds of a list's filters (REF-20): what each reads from an address, which rows it finds, and its summary.

A filter's state is what the address holds of it, cleaned: `{"status": "Won,Lost"}`. Invalid values are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext, pgettext

from portal.accounts.rules import Actor
from portal.customers.rules import country_choices, fold
from portal.money.forms import AmountField
from portal.workflow import text

#: What an address holds: every name with all its values.
Values = Mapping[str, Sequence[str]]
#: Filters' cleaned states, together.
State = Mapping[str, str]

#: F6.1; more than that is no selection any more.
MAX_CHOSEN = 50
LONGEST_TEXT = 100
#: Days beyond these are slips of the finger, and not every time zone reaches them.
FIRST_YEAR, LAST_YEAR = 1990, 2100
_TYPED = AmountField(required=False)
AMOUNT = re.compile(r"\d{1,15}(\.\d{1,2})?")
Options = Callable[[], Mapping[str, str]]
Finder = Callable[[Actor, Any], Q]


@dataclass(frozen=True)
class Choices:
    """A filter by one or several of the given values."""

    name: str
    label: str
    options: Options
    find: Finder
    for_vendor: bool = True
    for_partner: bool = True
    #: Too many to list them all: those that are near and those chosen are, the others can be typed by name.
    is_long: bool = False
    kind = "choices"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def clean(self, values: Values) -> dict[str, str]:
        known = self.options()
        asked = [code.strip() for value in values.get(self.name, ()) for code in value.split(",")]
        if self.is_long and any(code not in known for code in asked):
            typed = {fold(label): code for code, label in known.items()}
            asked = [code if code in known else typed.get(fold(code), "") for code in asked]
        chosen = [code for code in dict.fromkeys(asked) if code in known][:MAX_CHOSEN]
        return {self.name: ",".join(chosen)} if chosen else {}

    def chosen(self, state: State) -> list[str]:
        return state[self.name].split(",") if state.get(self.name) else []

    def q(self, actor: Actor, state: State) -> Q:
        return self.find(actor, self.chosen(state))

    def summary(self, state: State) -> str:
        known = self.options()
        labels = [text.phrase(known[code]) for code in self.chosen(state)]
        shown, more = labels[:2], len(labels) - 2
        if more > 0:
            shown.append(ngettext("%(count)d more", "%(count)d more", more) % {"count": more})
        return ", ".join(shown)

    def choices(self, state: State, near: Collection[str] = ()) -> list[tuple[str, str, bool]]:
        """Each value with its label and whether it is chosen."""
        known, chosen = self.options(), set(self.chosen(state))
        listed = [code for code in known if not self.is_long or code in chosen or code in near]
        return [(code, text.phrase(known[code]), code in chosen) for code in listed]


@dataclass(frozen=True)
class Range:
    """A filter by a first value, a last value, or both."""

    name: str
    label: str
    find: Finder
    parse: Callable[[str], Any]
    show: Callable[[Any], str]
    kind: str
    for_vendor: bool = True
    for_partner: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        return (f"{self.name}_from", f"{self.name}_to")

    def clean(self, values: Values) -> dict[str, str]:
        asked = {name: (values.get(name) or [""])[-1].strip() for name in self.names}
        found = {name: self.parse(value) for name, value in asked.items()}
        return {name: _written(value) for name, value in found.items() if value is not None}

    def ends(self, state: State) -> tuple[Any, Any]:
        first, last = (self.parse(state.get(name, "")) for name in self.names)
        return first, last

    def q(self, actor: Actor, state: State) -> Q:
        return self.find(actor, self.ends(state))

    def summary(self, state: State) -> str:
        first, last = self.ends(state)
        if last is None:
            return gettext("from %(first)s") % {"first": self.show(first)}
        if first is None:
            return gettext("up to %(last)s") % {"last": self.show(last)}
        return f"{self.show(first)} – {self.show(last)}"

    def fields(self, state: State) -> list[tuple[str, str, str]]:
        """Name, label and value of the two fields."""
        labels = (pgettext("range", "From"), pgettext("range", "To"))
        return [(name, label, state.get(name, "")) for name, label in zip(self.names, labels, strict=True)]


@dataclass(frozen=True)
class Text:
    """A filter by typed text. `is_exact`: every character of it counts."""

    name: str
    label: str
    find: Finder
    hint: str = ""
    for_vendor: bool = True
    for_partner: bool = True
    is_exact: bool = False
    kind = "text"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def clean(self, values: Values) -> dict[str, str]:
        raw = (values.get(self.name) or [""])[-1].replace("\0", "")[:LONGEST_TEXT]
        if self.is_exact:
            return {self.name: raw} if raw else {}
        typed = "".join(c if c.isprintable() else " " for c in raw)
        typed = " ".join(typed.split())
        return {self.name: typed} if typed else {}

    def value(self, state: State) -> str:
        return state.get(self.name, "")

    def q(self, actor: Actor, state: State) -> Q:
        return self.find(actor, self.value(state))

    def summary(self, state: State) -> str:
        return f"“{self.value(state)}”"


Filter = Choices | Range | Text


# What they take


def day(value: str) -> date | None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def amount(value: str) -> Decimal | None:
    """As an address writes it, or as people type it into any form: 40k, 40.000, 1,2 m."""
    if AMOUNT.fullmatch(value) and value.isascii():
        return Decimal(value)
    try:
        found = _TYPED.clean(value)
    except ValidationError:
        return None
    return found if found is not None and AMOUNT.fullmatch(f"{found:f}") else None


def _written(value: Any) -> str:
    """The same in every language."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


@cache
def _countries_in(language: str) -> Mapping[str, str]:
    return dict(country_choices(language))


def countries() -> Mapping[str, str]:
    """Every country's code and name in the reader's language, by name."""
    return _countries_in(get_language() or "en")


def country_name(code: str) -> str:
    return countries().get(code, code)


# What they find


def within(column: str) -> Finder:
    """Rows whose day or amount lies between the ends, which are included."""

    def find(_actor: Actor, ends: tuple[Any, Any]) -> Q:
        first, last = ends
        found = Q() if first is None else Q(**{f"{column}__gte": first})
        return found if last is None else found & Q(**{f"{column}__lte": last})

    return find


def moments(column: str) -> Finder:
    """Rows by the day of an instant in the reader's time zone; both days are included."""

    def find(_actor: Actor, ends: tuple[date | None, date | None]) -> Q:
        first, last = ends
        found = Q(**{f"{column}__gte": _local(first, time.min)}) if first else Q()
        return found & Q(**{f"{column}__lte": _local(last, time.max)}) if last else found

    return find


def _local(day: date, at: time) -> datetime:
    return timezone.make_aware(datetime.combine(day, at))


def one_of(column: str) -> Finder:
    """Rows that have one of the chosen values in the column."""
    return lambda _actor, chosen: Q(**{f"{column}__in": chosen})


# All of a list's


def clean(filters: Iterable[Filter], values: Values) -> dict[str, str]:
    """The state of all filters, from the address."""
    return {name: value for item in filters for name, value in item.clean(values).items()}


def is_active(item: Filter, state: State) -> bool:
    return any(name in state for name in item.names)


def q(filters: Iterable[Filter], actor: Actor, state: State) -> Q:
    """The condition for rows that match all active filters."""
    found = Q()
    for item in filters:
        if is_active(item, state):
            found &= item.q(actor, state)
    return found
