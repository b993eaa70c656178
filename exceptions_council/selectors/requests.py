"""What a deal may ask for, and whether a form may be sent (EXC-1 to EXC-5): pages, API and verb ask the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from dealreg.models import Registration, RegistrationDraft
from dealreg.rules import WAIVED, RegistrationInput
from dealreg.rules import states as registrations
from dealreg.services import registration as dealreg
from exceptions_council.models import ExceptionRequest
from exceptions_council.rules import (
    AskedValues,
    DealFacts,
    ExceptionInput,
    FormFacts,
    RegistrationState,
    form_blockers,
    kind_blockers,
    last_day_to_ask,
)
from exceptions_council.rules.form import OldDeal
from exceptions_council.rules.states import KIND_HELP, KINDS, PRE_REGISTRATION, REJECTED
from portal.accounts.rules import SYSTEM
from portal.policy import services as policies
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker
from referrals.models import Referral


@dataclass(frozen=True)
class KindOffer:
    """A kind of request as the deal offers it, or why not."""

    kind: str
    blockers: tuple[Blocker, ...]

    @property
    def enabled(self) -> bool:
        return not self.blockers

    @property
    def label(self) -> str:
        return KINDS[self.kind]

    @property
    def help(self) -> str:
        return KIND_HELP[self.kind]


def kind_offers(referral: Referral, form: ExceptionInput | None = None, *, now: datetime) -> list[KindOffer]:
    """Every kind, with why the deal can't ask for it (EXC-2); what is common to all stands with each (EXC-1).

    `form`: with the dates that are to be judged, instead of those known so far.
    """
    return offers_for(deal_facts(referral, form, now=now), now=now)


def offers_for(facts: DealFacts, *, now: datetime) -> list[KindOffer]:
    """Every kind, for what is known of a deal."""
    policy = policies.current(now)
    return [KindOffer(kind, tuple(kind_blockers(kind, facts, policy))) for kind in KINDS]


#: These say that a request would be of another kind; what else stands in the way is worth telling.
_ANOTHER_KIND = frozenset(
    {"exception_submitted", "exception_not_rejected", "exception_not_submitted", "exception_failed"}
)


def first_offer(found: Sequence[KindOffer]) -> KindOffer:
    """The first kind that the deal can ask for; of none, the one that fits the deal, with its reason."""
    fitting = [offer for offer in found if not any(b.code in _ANOTHER_KIND for b in offer.blockers)]
    return next((offer for offer in found if offer.enabled), (fitting or found)[0])


def check(referral: Referral, form: ExceptionInput, *, now: datetime, policy: Policy) -> tuple[Blocker, ...]:
    """Everything that keeps this form from being sent (EXC-1 to EXC-5, EXC-13). Writes nothing."""
    registration = registration_of(referral)
    facts = FormFacts(now.date(), current_values(registration), old_deal_of(referral, form))
    kind = blockers_of_kind(referral, form, now=now, policy=policy) if form.kind in KINDS else []
    return (*kind, *form_blockers(form, facts, policy))


def blockers_of_kind(referral: Referral, form: ExceptionInput, *, now: datetime, policy: Policy) -> list[Blocker]:
    """Why the deal can't ask for the form's kind, with the dates that the form says (EXC-1, EXC-2, EXC-5)."""
    return list(kind_blockers(form.kind, deal_facts(referral, form, now=now), policy))


def registration_of(referral: Referral) -> Registration | None:
    return Registration.objects.select_related("solution").filter(referral=referral).first()


def deal_facts(referral: Referral, form: ExceptionInput | None = None, *, now: datetime) -> DealFacts:
    """What decides about the kinds; with a form, whether its dates are refused."""
    registration = registration_of(referral)
    return DealFacts(
        substatus=referral.substatus,
        assessment=referral.is_assessment,
        today=now.date(),
        asked=ExceptionRequest.objects.filter(referral=referral).exists(),
        registration=registration_state(registration) if registration else None,
        refused_by_dates=_refused_by_dates(referral, registration, form, now),
    )


def registration_state(registration: Registration) -> RegistrationState:
    first, decided = registration.first_submitted_at, registration.decided_at
    return RegistrationState(
        status=registration.status,
        result=registration.outcome or registration.status,
        first_submitted=first.astimezone(UTC).date() if first else None,
        decided=decided.astimezone(UTC).date() if decided else None,
        validated_by=registration.validated_by,
    )


def last_day(facts: DealFacts, *, now: datetime) -> date | None:
    """Until when an exception may be asked for a rejection (EXC-2)."""
    return last_day_to_ask(facts.registration, policies.current(now)) if facts.registration else None


def _refused_by_dates(
    referral: Referral, registration: Registration | None, form: ExceptionInput | None, now: datetime
) -> bool | None:
    """Whether what REG-12 names stands in the way of a registration that waits to be filed; None if unknown."""
    if registration is None or registration.status != registrations.REGISTRATION_PENDING:
        return None
    draft = RegistrationDraft.objects.filter(registration=registration).first()
    signed = (form.signed if form else None) or (draft.signed if draft else None) or referral.signed_on
    start = (form.start if form else None) or (draft.start if draft else None)
    if signed is None and start is None:
        return None
    payg = draft is not None and draft.payg
    return bool(
        _waivable(referral, RegistrationInput(signed=signed, start=start, pricing="payg" if payg else "other"), now)
    )


def _waivable(referral: Referral, form: RegistrationInput, now: datetime) -> list[Blocker]:
    found = dealreg.check(referral, form, actor=SYSTEM, now=now).violations
    return [blocker for blocker in found if blocker.code in WAIVED]


def refusals_of(referral: Referral, form: ExceptionInput, *, now: datetime) -> list[Blocker]:
    """What was refused until now, as it is said now: for the council, who sees it as it was (FLOW-7)."""
    registration = registration_of(referral)
    if form.kind == REJECTED and registration:
        return [Blocker(registration.reason_code, registration.reason, "FLOW-5")] if registration.reason else []
    if form.kind != PRE_REGISTRATION:
        return []
    unmet = dealreg.eligibility(referral, registration, now=now).unmet
    dated = RegistrationInput(signed=form.signed, start=form.start, end=form.end, term=form.term, pricing="other")
    return [*unmet, *_waivable(referral, dated, now)]


def current_values(registration: Registration | None) -> AskedValues | None:
    """What the registration says of what an exception may change; None before anything was submitted."""
    if registration is None or registration.first_submitted_at is None:
        return None
    claim = registration.claim
    return AskedValues(claim.term, claim.tcv, claim.signed, claim.start, claim.end)


def old_deal_of(referral: Referral, form: ExceptionInput) -> OldDeal:
    """What the id of the earlier deal stands for; another company's is as unknown as none (ORG-6)."""
    if form.old_deal is None:
        return ""
    if form.old_deal == referral.public_id:
        return "same"
    return "own" if replaced_deal(referral, form) else "unknown"


def replaced_deal(referral: Referral, form: ExceptionInput) -> Referral | None:
    if form.old_deal is None:
        return None
    return Referral.objects.filter(company_id=referral.company_id, public_id=form.old_deal).first()


def values_to_json(values: AskedValues | None) -> dict[str, Any]:
    """The values by the names of the registration's columns, without what is empty; dates as ISO 8601.

    A perpetual contract's end is null: it is asked for, too (AUTO-6).
    """
    if values is None:
        return {}
    found: dict[str, Any] = {"term": values.term} if values.term else {}
    if values.tcv:
        found |= {"tcv": str(values.tcv.amount), "tcv_currency": values.tcv.currency}
    for name in ("signed", "start", "end"):
        if day := getattr(values, name):
            found[name] = day.isoformat()
    return {**found, "end": None} if values.term == "perpetual" else found
