"""The list's filters (REF-20): what each reads from an address, which deals it finds, and its summary.

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

from django.db.models import Exists, OuterRef, Q
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThanOrEqual
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext, pgettext

from dealreg.models import NOT_REGISTERED
from dealreg.rules import states
from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.customers.rules import country_choices, fold
from portal.workflow import text
from portal.workflow.blockers import _
from referrals import rules
from referrals.models import Referral, ReferralSolution, TeamMember
from referrals.models.expressions import KNOWN_VALUE, STAGED
from referrals.rules import stage_names as rules_of_names
from referrals.selectors import search
from referrals.services import stage_names

#: What an address holds: every name with all its values.
Values = Mapping[str, Sequence[str]]
#: Filters' cleaned states, together.
State = Mapping[str, str]

#: F6.1; more than that is no selection any more.
MAX_CHOSEN = 50
LONGEST_TEXT = 100
#: Days beyond these are slips of the finger, and not every time zone reaches them.
FIRST_YEAR, LAST_YEAR = 1990, 2100
AMOUNT = re.compile(r"\d{1,15}(\.\d{1,2})?")
#: Where there is no registration, or no copy of the vendor's.
NONE = "none"

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

    @property
    def names(self) -> tuple[str, ...]:
        return (f"{self.name}_from", f"{self.name}_to")

    def clean(self, values: Values) -> dict[str, str]:
        asked = {name: (values.get(name) or [""])[-1].strip() for name in self.names}
        return {name: value for name, value in asked.items() if self.parse(value) is not None}

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
    """A filter by typed text."""

    name: str
    label: str
    find: Finder
    hint: str = ""
    for_vendor: bool = True
    kind = "text"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def clean(self, values: Values) -> dict[str, str]:
        typed = "".join(c if c.isprintable() else " " for c in (values.get(self.name) or [""])[-1])
        typed = " ".join(typed.split())[:LONGEST_TEXT]
        return {self.name: typed} if typed else {}

    def value(self, state: State) -> str:
        return state.get(self.name, "")

    def q(self, actor: Actor, state: State) -> Q:
        return self.find(actor, self.value(state))

    def summary(self, state: State) -> str:
        return f"“{self.value(state)}”"


Filter = Choices | Range | Text


# What they take


def _day(value: str) -> date | None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def _amount(value: str) -> Decimal | None:
    return Decimal(value) if AMOUNT.fullmatch(value) and value.isascii() else None


@cache
def _countries_in(language: str) -> Mapping[str, str]:
    return dict(country_choices(language))


def countries() -> Mapping[str, str]:
    """Every country's code and name in the reader's language, by name."""
    return _countries_in(get_language() or "en")


def country_name(code: str) -> str:
    return countries().get(code, code)


_REGISTRATION_STATES = {
    NONE: _("No registration"),
    **states.REGISTRATION_STATES,
    NOT_REGISTERED: _("Not registered"),
}


# What they find


def _of_type(_actor: Actor, chosen: Iterable[str]) -> Q:
    assessed = Q(engagement__assessment_type__isnull=False)
    no_help, shared = Q(help_code=rules.NO_HELP), Q(vendor_may_view=True)
    kinds = {
        rules.SOLUTION_ASSESSMENT: assessed,
        rules.CO_SELL: ~assessed & ~no_help,
        rules.PARTNER_LED: ~assessed & no_help & shared,
        rules.PRIVATE: ~assessed & no_help & ~shared,
    }
    return Q.create([kinds[code] for code in chosen], Q.OR)


def _registered(_actor: Actor, chosen: Sequence[str]) -> Q:
    """Deals by the state that their registration's badge shows: of a closed registration, the outcome."""
    found = Q(registration__status__in=chosen) | Q(registration__status=states.CLOSED, registration__outcome__in=chosen)
    return found | Q(registration__isnull=True) if NONE in chosen else found


def _answered(_actor: Actor, chosen: Sequence[str]) -> Q:
    vendor = Company.objects.filter(kind=Company.Kind.VENDOR).values("pk")[:1]
    copies = Referral.objects.filter(engagement=OuterRef("engagement"), company=vendor)
    found = Q(Exists(copies.filter(substatus__in=chosen)))
    return found | ~Q(Exists(copies)) if NONE in chosen else found


def _closing(_actor: Actor, ends: tuple[date | None, date | None]) -> Q:
    first, last = ends
    found = Q(close_date__gte=first) if first else Q()
    return found & Q(close_date__lte=last) if last else found


def _worth(_actor: Actor, ends: tuple[Decimal | None, Decimal | None]) -> Q:
    """Deals by value in USD; a deal without a known value is in no range."""
    first, last = ends
    found = Q(GreaterThanOrEqual(KNOWN_VALUE, first)) if first else Q(GreaterThan(KNOWN_VALUE, Decimal(0)))
    return found if last is None else found & Q(LessThanOrEqual(KNOWN_VALUE, last))


def _created(_actor: Actor, ends: tuple[date | None, date | None]) -> Q:
    """Deals by day of creation in the reader's time zone; both days are included."""
    first, last = ends
    found = Q(created_at__gte=_local(first, time.min)) if first else Q()
    return found & Q(created_at__lte=_local(last, time.max)) if last else found


def _local(day: date, at: time) -> datetime:
    return timezone.make_aware(datetime.combine(day, at))


def _with_solution(_actor: Actor, typed: str) -> Q:
    named = Solution.objects.filter(Q(code__iexact=typed) | Q(name__icontains=typed)).values_list("pk", flat=True)
    return Q(Exists(ReferralSolution.objects.filter(referral=OuterRef("pk"), solution__in=list(named))))


def _with_member(_actor: Actor, typed: str) -> Q:
    return Q(Exists(TeamMember.objects.filter(referral=OuterRef("pk"), email__startswith=typed.lower())))


def _with_crm_id(actor: Actor, typed: str) -> Q:
    """Deals by the beginning of the CRM id, in the actor's own copies only. The search index narrows them first."""
    found = Q(company_id=actor.own_company_id, crm_id__istartswith=typed)
    return found & search.matching(typed, actor=actor) if search.is_long_enough(typed) else found


_STAGE_CODES = frozenset(str(percent) for percent in rules.STAGES)

FILTERS: tuple[Filter, ...] = (
    Choices("status", _("Status"), lambda: rules.SUBSTATUSES, lambda _actor, chosen: Q(substatus__in=chosen)),
    Choices("type", _("Deal type"), lambda: rules.DEAL_TYPES, _of_type),
    Choices(
        "p2p",
        _("Partner to partner"),
        lambda: {"yes": _("Yes"), "no": _("No")},
        lambda _actor, chosen: Q(p2p__in=[code == "yes" for code in chosen]),
    ),
    Choices(
        "stage",
        _("Stage"),
        lambda: {str(percent): label for percent, label in rules.STAGES.items()},
        lambda _actor, chosen: Q(stage__in=[int(percent) for percent in chosen], substatus__in=STAGED),
    ),
    Choices("registration", _("Registration"), lambda: _REGISTRATION_STATES, _registered, for_vendor=False),
    Choices(
        "vendor",
        _("%(vendor)s"),
        lambda: {NONE: _("Not asked"), **rules.SUBSTATUSES},
        _answered,
        for_vendor=False,
    ),
    Choices(
        "country",
        _("Country"),
        countries,
        lambda _actor, chosen: Q(engagement__customer__country__in=chosen),
        is_long=True,
    ),
    Range("value", _("Value in USD"), _worth, _amount, lambda v: text.money(v, "USD"), "amounts"),
    Range("created", _("Created"), _created, _day, text.day, "days"),
    Range("close", _("Close date"), _closing, _day, text.day, "days"),
    Text("solution", _("Solution"), _with_solution, _("Name or solution id")),
    Text("member", _("Team member"), _with_member, _("E-mail address, or how it begins")),
    Text("crm", _("CRM id"), _with_crm_id, _("How it begins")),
)
NAMES = frozenset(name for item in FILTERS for name in item.names)


def offered(actor: Actor) -> list[Filter]:
    """The filters that are useful to this person."""
    return [item for item in FILTERS if item.for_vendor or not actor.is_vendor]


def clean(values: Values, actor: Actor) -> dict[str, str]:
    """The state of all filters, from the address."""
    read = {**values, "stage": _stages(values.get("stage", ()), actor)}
    return {name: value for item in offered(actor) for name, value in item.clean(read).items()}


def _stages(typed: Sequence[str], actor: Actor) -> list[str]:
    """Stages by percentage; those given by name, the company's own too, are looked up, with a query (REF-16)."""
    tokens = [token.strip() for value in typed for token in value.split(",")][:MAX_CHOSEN]
    if all(token in _STAGE_CODES for token in tokens):
        return tokens
    own = stage_names.of_company(actor.own_company_id)
    names = {fold(name.name): stage for stage, held in own.items() for name in held}
    found = [rules_of_names.stage_of(token, names) for token in tokens if token not in _STAGE_CODES]
    return [token for token in tokens if token in _STAGE_CODES] + [str(stage) for stage in found if stage is not None]


def is_active(item: Filter, state: State) -> bool:
    return any(name in state for name in item.names)


def q(actor: Actor, state: State) -> Q:
    """The condition for deals that match all active filters."""
    found = Q()
    for item in offered(actor):
        if is_active(item, state):
            found &= item.q(actor, state)
    return found
