"""The kinds of a list's filters (REF-20): what each reads from an address, which rows it finds, and its summary.

A filter's state is what the address holds of it, cleaned: `{"status": "Won,Lost"}`. Invalid values are dropped; of
what was typed and can't be read its field says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.rules import Actor
from portal.customers.rules import country_choices, fold
from portal.days import DateInput, DayField
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
_DAYS = (
    MinValueValidator(date(FIRST_YEAR, 1, 1), _("There is nothing before 1990.")),
    MaxValueValidator(date(LAST_YEAR, 12, 31), _("Give a day before 2101.")),
)
_AMOUNT = AmountField(required=False, min_value=0, max_value=Decimal(10**15) - Decimal("0.01"))
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
class Misread:
    """What was typed where it can't be read, and what is said of it there."""

    typed: str
    error: str


@dataclass(frozen=True)
class Range:
    """A filter by a first value, a last value, or both. `parse` raises ValidationError, and is None of nothing."""

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
        return {name: _written(value) for name, value in self._read(values)[0].items()}

    def misread(self, values: Values) -> dict[str, Misread]:
        """What can't be read of it, by the field's name."""
        return self._read(values)[1]

    def _read(self, values: Values) -> tuple[dict[str, Any], dict[str, Misread]]:
        found, wrong = dict[str, Any](), dict[str, Misread]()
        for name in self.names:
            typed = (values.get(name) or [""])[-1].replace("\0", "").strip()[:LONGEST_TEXT]
            try:
                found[name] = self.parse(typed)
            except ValidationError as error:
                wrong[name] = Misread(typed, error.messages[0])
        return {name: value for name, value in found.items() if value is not None}, wrong

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

    def fields(self, state: State, misread: Mapping[str, Misread]) -> list[dict[str, str]]:
        """The two fields: days as pages write them, and what can't be read as it was typed."""
        labels = (pgettext("range", "From"), pgettext("range", "To"))
        return [self._field(*one, state, misread) for one in zip(self.names, labels, strict=True)]

    def _field(self, name: str, label: str, state: State, misread: Mapping[str, Misread]) -> dict[str, str]:
        wrong = misread.get(name)
        shown = {"name": name, "label": label, "value": wrong.typed if wrong else state.get(name, "")}
        shown["error"] = wrong.error if wrong else ""
        if self.kind == "days":
            about = {"id": f"filter-{name}", "aria-describedby": f"filter-{name}-error", "maxlength": LONGEST_TEXT}
            about |= {"aria-invalid": "true"} if wrong else {}
            about |= {"class": "form-control", "placeholder": gettext("day month year")}
            shown["control"] = DateInput(**about).render(name, shown["value"])
        return shown


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


def day_field(**kwargs: Any) -> DayField:
    return DayField(required=False, validators=_DAYS, **kwargs)


_DAY = day_field()


def day(typed: str) -> date | None:
    """As an address writes it, or as people type it into any form. Raises ValidationError."""
    found: date | None = _DAY.clean(typed)
    return found


def amount(typed: str) -> Decimal | None:
    """As an address writes it, or as people type it into any form: 40k, 40.000, 1,2 m. Raises ValidationError."""
    found: Decimal | None = _AMOUNT.clean(typed)
    return found


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


def misread(filters: Iterable[Filter], values: Values) -> dict[str, Misread]:
    """What the address says and no filter can read, by the name of its field."""
    ranges = (item for item in filters if isinstance(item, Range))
    return {name: found for item in ranges for name, found in item.misread(values).items()}


def retyped(filters: Iterable[Filter], values: Values, state: State) -> bool:
    """Whether the end of a range was typed otherwise than addresses write it."""
    names = (name for item in filters if isinstance(item, Range) for name in item.names)
    return any(name in state and values[name][-1] != state[name] for name in names)


def is_active(item: Filter, state: State) -> bool:
    return any(name in state for name in item.names)


def q(filters: Iterable[Filter], actor: Actor, state: State) -> Q:
    """The condition for rows that match all active filters."""
    found = Q()
    for item in filters:
        if is_active(item, state):
            found &= item.q(actor, state)
    return found
