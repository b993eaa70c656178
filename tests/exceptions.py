"""Requests for exceptions in the state a test needs, made by the real verbs at instants around build.NOW."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from dealreg.models import Registration
from exceptions_council.models import ExceptionRequest
from exceptions_council.rules import ExceptionInput, states
from portal.customers.models import Customer
from portal.demo import papers
from portal.demo.cast import Cast
from referrals.models import Referral
from tests import build, do
from tests.factories import CustomerFactory

NOW, DAY, CONTOSO, REVIEWER = build.NOW, build.DAY, build.CONTOSO, build.REVIEWER
TODAY = NOW.date()
COUNCIL = ("council1@vendor.example", "council2@vendor.example", "council3@vendor.example")
MANAGER = "manager@vendor.example"
WHY = "The portal was down when the contract was signed."


def asking(kind: str = states.PRE_REGISTRATION, **changes: Any) -> ExceptionInput:
    """A form that may be sent, if the deal may ask for this kind."""
    given: dict[str, Any] = {"kind": kind, "justification": WHY}
    if kind == states.PRE_REGISTRATION:
        old = TODAY - timedelta(days=100)
        given |= {"term": "finite", "signed": old, "start": old, "end": old + timedelta(days=364)}
    if kind == states.UPDATE:
        given |= {"signed": TODAY - timedelta(days=2)}
    return ExceptionInput(**{**given, **changes})


def unmanaged() -> Customer:
    return CustomerFactory(name="Nobody's account", managed=False, import_key=f"no:{Customer.objects.count()}")


def ineligible(cast: Cast, **changes: Any) -> Referral:
    """Won, and not eligible: the vendor doesn't manage the customer (ELIG-4)."""
    return build.won(cast, customer=unmanaged(), **changes)


def rejected(cast: Cast, *, at: datetime = NOW - 3 * DAY, **changes: Any) -> Registration:
    """Failed in review, and closed a day later."""
    pending = _in_review(cast, at=at, **changes)
    given = {"reason_code": "evidence_missing", "comment": "No contract came."}
    failed = do.decide(pending, "fail_review", actor=cast.actor(REVIEWER), now=at, **given)
    return do.close(failed, now=at + DAY)


def _in_review(cast: Cast, *, at: datetime, **changes: Any) -> Registration:
    deal = build.won(cast, at=at - DAY, created=at - 10 * DAY, **changes)
    signed = at.date() - DAY
    return build.submitted(
        cast, deal, at=at, in_review=True, signed=signed, start=signed, end=signed + timedelta(days=364)
    )


def passed(cast: Cast, *, at: datetime = NOW - 3 * DAY, validated_by: str = "poe", **changes: Any) -> Registration:
    """Passed the review, and closed a day later."""
    pending = _in_review(cast, at=at, **changes)
    good = do.decide(pending, "pass_review", actor=cast.actor(REVIEWER), now=at, validated_by=validated_by)
    return do.close(good, now=at + DAY)


def asked(cast: Cast, referral: Referral, kind: str = states.PRE_REGISTRATION, **changes: Any) -> ExceptionRequest:
    now = changes.pop("now", NOW)
    return do.ask_exception(referral, asking(kind, **changes), actor=cast.actor(CONTOSO), now=now)


def vote(
    cast: Cast, request: ExceptionRequest, *choices: str, now: datetime = NOW, members: tuple[str, ...] = COUNCIL
) -> ExceptionRequest:
    """Each choice by the next member."""
    for member, choice in zip(members, choices, strict=False):
        request = do.vote(request, choice, "As the contract shows.", actor=cast.actor(member), now=now)
    return request


def approved(cast: Cast, request: ExceptionRequest, *, now: datetime = NOW) -> ExceptionRequest:
    return vote(cast, request, "approve", "approve", now=now)


def denied(cast: Cast, request: ExceptionRequest, *, now: datetime = NOW) -> ExceptionRequest:
    return vote(cast, request, "deny", "deny", now=now)


def documented(cast: Cast, referral: Referral, *, now: datetime = NOW, text: str = "Signed contract") -> None:
    do.add_document(referral, "contract.pdf", papers.pdf(text), actor=cast.actor(CONTOSO), now=now)


def registration_of(referral: Referral) -> Registration:
    return Registration.objects.with_context().get(referral=referral)


def claim(registration: Registration, **changes: Any) -> Any:
    """What stands there, with changes."""
    return replace(Registration.objects.get(pk=registration.pk).claim, **changes)


def reload(request: ExceptionRequest) -> ExceptionRequest:
    return ExceptionRequest.objects.with_context().get(pk=request.pk)


def resubmit(cast: Cast, registration: Registration, *, now: datetime = NOW, **changes: Any) -> Registration:
    return do.resubmit(registration, claim(registration, **changes), actor=cast.actor(CONTOSO), now=now)


def day(offset: int) -> date:
    return TODAY + timedelta(days=offset)
