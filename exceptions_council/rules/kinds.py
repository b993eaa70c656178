"""Which kinds of exceptions a deal may ask for, and why not another one (EXC-1, EXC-2, EXC-5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from dealreg.rules import states as registrations
from exceptions_council.rules.states import PRE_REGISTRATION, REJECTED, UPDATE
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, _

WON, LOST, ERROR = "Won", "Lost", "Error"
#: The validation that rules an update out (EXC-5).
DCF = "dcf"


@dataclass(frozen=True)
class RegistrationState:
    """A registration as far as exceptions look at it. Days are UTC.

    `result`: its state, of a closed one its outcome. `first_submitted`: None if it was never submitted; `decided`: the
    day of the last decision. `validated_by`: as FLOW-10 has it.
    """

    status: str
    result: str
    first_submitted: date | None = None
    decided: date | None = None
    validated_by: str = ""

    @property
    def is_closed(self) -> bool:
        return self.status == registrations.CLOSED

    @property
    def has_failed(self) -> bool:
        return self.result in registrations.BAD


@dataclass(frozen=True)
class DealFacts:
    """The facts that decide about the kinds.

    `asked`: there is a request already. `registration`: None if none was opened. `refused_by_dates`: whether the
    registration form is refused by what an exception waives (REG-12); None while its dates are unknown.
    """

    substatus: str
    assessment: bool
    today: date
    asked: bool = False
    registration: RegistrationState | None = None
    refused_by_dates: bool | None = None


def deal_blockers(facts: DealFacts) -> Iterator[Blocker]:
    """What keeps the deal from every kind (EXC-1, EXC-2); the first reason only."""
    if facts.asked:
        message = _("An exception was asked for already. There is one request for each deal, ever.")
        yield Blocker("exception_asked_already", message, "EXC-1")
    elif facts.substatus in (LOST, ERROR):
        message = _(
            "This deal is closed without a sale, and no exception replaces the win. If there is a sale, create the "
            "deal again and win it; its exception can name this one."
        )
        yield Blocker("exception_not_won", message, "EXC-2")
    elif facts.substatus != WON:
        yield Blocker("exception_deal_open", _("An exception can be asked for once the deal is closed."), "EXC-1")
    elif facts.assessment:
        message = _("A solution assessment can't be registered, not even by exception.")
        yield Blocker("exception_assessment", message, "EXC-2")


def kind_blockers(kind: str, facts: DealFacts, policy: Policy) -> Iterator[Blocker]:
    """What keeps the deal from this kind (EXC-2, EXC-5); the deal's own reasons first."""
    if found := list(deal_blockers(facts)):
        yield from found
    elif kind == REJECTED:
        yield from _rejected(facts, policy)
    elif kind == UPDATE:
        yield from _update(facts.registration)
    else:
        yield from _unsubmitted(kind, facts)


def last_day_to_ask(registration: RegistrationState, policy: Policy) -> date | None:
    """Until when an exception may be asked for what was rejected (EXC-2); None for what wasn't."""
    if not registration.has_failed or registration.first_submitted is None or registration.decided is None:
        return None
    return policy.exception_until(registration.first_submitted, registration.decided)


def _unsubmitted(kind: str, facts: DealFacts) -> Iterator[Blocker]:
    """Before anything is submitted: eligibility is unmet, dates stand in the way, or it was closed unregistered."""
    registration = facts.registration
    if registration and registration.first_submitted is not None:
        message = _("A registration was submitted. Ask for an update of it, or, once it was rejected, about that.")
        yield Blocker("exception_submitted", message, "EXC-2")
    elif registration and registration.result == registrations.REPLACED:
        yield replaced()
    elif kind == PRE_REGISTRATION and registration and not registration.is_closed and facts.refused_by_dates is False:
        message = _("Nothing stands in the way that an exception would waive: register the deal.")
        yield Blocker("exception_not_needed", message, "EXC-2")


def _rejected(facts: DealFacts, policy: Policy) -> Iterator[Blocker]:
    registration = facts.registration
    last = last_day_to_ask(registration, policy) if registration else None
    if registration is None or last is None:
        yield Blocker("exception_not_rejected", _("No registration of this deal was rejected."), "EXC-2")
    elif not registration.is_closed:
        message = _("The rejection can still be retracted. Ask once the registration is closed.")
        yield Blocker("exception_not_closed", message, "EXC-2")
    elif facts.today > last:
        message = _("An exception could be asked for until %(last)s.")
        yield Blocker("exception_too_late", message, "EXC-2", params={"last": last})


def _update(registration: RegistrationState | None) -> Iterator[Blocker]:
    if registration is None or registration.first_submitted is None:
        yield Blocker("exception_not_submitted", _("Nothing was submitted yet that could be updated."), "EXC-2")
    elif registration.result == registrations.REPLACED:
        yield replaced()
    elif registration.has_failed:
        message = _("The registration was rejected: ask for an exception about the rejection instead.")
        yield Blocker("exception_failed", message, "EXC-2")
    elif registration.validated_by == DCF:
        message = _(
            "This registration was validated by a deal confirmation form, so its contract details can't be changed."
        )
        yield Blocker("exception_dcf", message, "EXC-5")


def replaced(field: str = "") -> Blocker:
    return Blocker("exception_replaced", _("Another registration has replaced this one."), "EXC-13", field)
