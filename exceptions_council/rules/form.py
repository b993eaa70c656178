"""The form of a request and its checks (EXC-2 to EXC-4), as pure decisions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Literal
from uuid import UUID

from exceptions_council.rules.states import KINDS, PRE_REGISTRATION, REREGISTRATION, UPDATE
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Money, _

PERPETUAL, FINITE = "perpetual", "finite"
MAX_TICKETS = 500
#: The currencies' amounts have this many digits before the point.
MAX_TCV = 10**16


@dataclass(frozen=True)
class AskedValues:
    """What an exception may change about a registration (EXC-4), and nothing else; None: not asked for."""

    term: str | None = None
    tcv: Money | None = None
    signed: date | None = None
    start: date | None = None
    end: date | None = None


#: The fields an exception may change, by the names of the registration form (EXC-4).
CHANGEABLE = tuple(field.name for field in fields(AskedValues))

_NEW_REFERRAL = _(
    "This can't be changed. Create a new deal, win it, and ask for an exception from the limits on the signing date; "
    "name the id of this deal there."
)
#: Each field that is refused, with what can be done instead (EXC-4).
MITIGATIONS: Mapping[str, str] = {
    "tenant": _(
        "The tenant type can't be changed. The deal can't be created again with another tenant type either: such a "
        "registration would be rejected."
    ),
    "deployment": _("Only solutions on Azure qualify for the benefits of IP co-sell. There is no way around this."),
    "solution_value": _NEW_REFERRAL,
    "marketplace_date": _NEW_REFERRAL,
    "customer": _NEW_REFERRAL,
    "marketplace": _NEW_REFERRAL,
    "pricing": _NEW_REFERRAL,
}
#: What they are called.
REFUSED_FIELDS: Mapping[str, str] = {
    "tenant": _("Tenant type"),
    "deployment": _("Deployment on Azure"),
    "solution_value": _("Solution value"),
    "marketplace_date": _("Estimated transaction date"),
    "customer": _("Customer"),
    "marketplace": _("Marketplace transaction"),
    "pricing": _("Pricing model"),
}

#: What an earlier deal's id stands for: nothing, this very deal, one of the company's, or none that it may know of.
OldDeal = Literal["", "same", "own", "unknown"]


@dataclass(frozen=True)
class ExceptionInput:
    """The answers given in the form so far; None (or '') is an unanswered question.

    `old_deal`: the id of the deal that a re-registration replaces. `other_fields`: names of further fields of the
    registration that are to change; each is refused with its way out (EXC-4). Dates are UTC days.
    """

    kind: str = ""
    justification: str = ""
    term: str | None = None
    tcv: Money | None = None
    signed: date | None = None
    start: date | None = None
    end: date | None = None
    old_deal: UUID | None = None
    tooling_error: bool = False
    tickets: str = ""
    other_fields: tuple[str, ...] = ()

    @property
    def asked(self) -> AskedValues:
        """A perpetual contract has no end (REG-3)."""
        found = AskedValues(**{name: getattr(self, name) for name in CHANGEABLE})
        return replace(found, end=None) if self.term == PERPETUAL else found


@dataclass(frozen=True)
class FormFacts:
    """What the form is checked against: the day (UTC), the registration's values now, and what `old_deal` names."""

    today: date
    current: AskedValues | None = None
    old_deal: OldDeal = ""


def form_blockers(inp: ExceptionInput, facts: FormFacts, policy: Policy) -> tuple[Blocker, ...]:
    """Everything that is wrong with the form, at its fields (EXC-2, EXC-3, EXC-4, EXC-13)."""
    return (
        *_kind(inp),
        *_justification(inp, policy),
        *_dates(inp, facts),
        *_values(inp, facts),
        *_old_deal(inp, facts),
        *_tickets(inp),
        *refused_fields(inp.other_fields),
    )


def refused_fields(names: tuple[str, ...]) -> Iterator[Blocker]:
    """Each field that no exception changes, with its mitigation (EXC-4)."""
    for name in names:
        if name not in CHANGEABLE:
            message = MITIGATIONS[name] if name in MITIGATIONS else _("An exception can't change this.")
            yield Blocker("field_not_changeable", message, "EXC-4", name)


def _kind(inp: ExceptionInput) -> Iterator[Blocker]:
    if inp.kind not in KINDS:
        yield Blocker("kind_required", _("Choose what the exception is about."), "EXC-2", "kind")


def _justification(inp: ExceptionInput, policy: Policy) -> Iterator[Blocker]:
    text = inp.justification.strip()
    if not text:
        message = _("Explain in detail why the deal should get an exception.")
        yield Blocker("justification_required", message, "EXC-3", "justification")
    elif len(text) > policy.exception_max_length:
        message = _("The justification has %(length)s characters; at most %(most)s are possible.")
        params = {"length": len(text), "most": policy.exception_max_length}
        yield Blocker("justification_too_long", message, "EXC-3", "justification", params)


def _dates(inp: ExceptionInput, facts: FormFacts) -> Iterator[Blocker]:
    """A pre-registration names all dates of the contract (EXC-2); no exception makes them contradict each other."""
    asked = inp.asked
    if inp.kind == PRE_REGISTRATION:
        if not asked.signed:
            yield _missing("signed_required", "signed", _("Give the date on which the contract was signed."))
        if not asked.start:
            yield _missing("start_required", "start", _("Give the date on which the contract starts."))
        if not asked.end and inp.term != PERPETUAL:
            message = _("Give the date on which the contract ends, or choose perpetual if it has no end.")
            yield _missing("end_date_required", "end", message)
    if asked.signed and asked.signed > facts.today:
        message = _("The contract can't have been signed after today, %(today)s (UTC).")
        yield Blocker("signed_in_future", message, "EXC-2", "signed", {"today": facts.today})
    start = asked.start or (facts.current.start if facts.current else None)
    if start and asked.end and asked.end < start:
        message = _("The contract can't end before it starts on %(start)s: correct either date.")
        yield Blocker("end_before_start", message, "EXC-2", "end", {"start": start})


def _missing(code: str, field: str, message: str) -> Blocker:
    return Blocker(code, message, "EXC-2", field)


def _values(inp: ExceptionInput, facts: FormFacts) -> Iterator[Blocker]:
    asked = inp.asked
    if asked.term and asked.term not in (PERPETUAL, FINITE):
        yield Blocker("term_unknown", _("Choose perpetual or finite."), "EXC-4", "term")
    if asked.tcv and not 0 < asked.tcv.amount < MAX_TCV:
        yield Blocker("tcv_not_positive", _("The total contract value must be above zero."), "EXC-4", "tcv")
    if asked.tcv and not re.fullmatch("[A-Z]{3}", asked.tcv.currency):
        yield Blocker("currency_unknown", _("Choose the currency of the amount."), "EXC-4", "tcv")
    if inp.kind == UPDATE and not changes(asked, facts.current or AskedValues()):
        message = _("Say which of these is to change, and to what; nothing here differs from the registration.")
        yield Blocker("nothing_to_change", message, "EXC-2", "kind")


def changes(asked: AskedValues, current: AskedValues) -> tuple[str, ...]:
    """The fields whose asked value differs from the current one."""
    return tuple(
        name
        for name in CHANGEABLE
        if getattr(asked, name) is not None and getattr(asked, name) != getattr(current, name)
    )


def _old_deal(inp: ExceptionInput, facts: FormFacts) -> Iterator[Blocker]:
    """A re-registration names another deal of the same company (EXC-13)."""
    if inp.kind != REREGISTRATION:
        return
    if facts.old_deal == "":
        message = _("Give the id of the deal that this one replaces.")
        yield Blocker("old_deal_required", message, "EXC-2", "old_deal")
    elif facts.old_deal == "same":
        yield Blocker("old_deal_same", _("This is the deal itself; name the one it replaces."), "EXC-13", "old_deal")
    elif facts.old_deal == "unknown":
        yield Blocker("old_deal_unknown", _("Your company has no deal with this id."), "EXC-13", "old_deal")


def _tickets(inp: ExceptionInput) -> Iterator[Blocker]:
    if inp.tooling_error and not inp.tickets.strip():
        message = _("Give the numbers of the support tickets that were opened about the error.")
        yield Blocker("tickets_required", message, "EXC-2", "tickets")
    elif len(inp.tickets.strip()) > MAX_TICKETS:
        message = _("At most %(most)s characters are possible.")
        yield Blocker("tickets_too_long", message, "EXC-2", "tickets", {"most": MAX_TICKETS})
