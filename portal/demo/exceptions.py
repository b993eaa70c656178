"""Requests for exceptions in every state, in the demo's year (EXC)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dealreg.models import Registration
from dealreg.services.registration import decide
from dealreg.verbs import ROUTE, SUBMIT
from exceptions_council import sweeps
from exceptions_council.models import ExceptionRequest
from exceptions_council.rules import ExceptionInput, states
from exceptions_council.services import requests
from exceptions_council.verbs import (
    ANSWER_EVIDENCE,
    ASK_EVIDENCE,
    DECLARE_CONFLICT,
    VOTE,
    Ballot,
    EvidenceAnswer,
    EvidenceQuestion,
    Interest,
)
from portal.accounts.rules import SYSTEM, Actor
from portal.demo.deals import DAY, World, _close, _documented, _form, _registered, _won
from portal.workflow.services import run
from referrals.models import Referral

_COUNCIL = ("council1@vendor.example", "council2@vendor.example", "council3@vendor.example")
#: Whom the vendor doesn't manage (ELIG-4).
_UNMANAGED = ("bogaz", "spree", "prairie")


def create(world: World) -> None:
    """One in every state and of every kind; a tie, one that is overdue, and what approvals have opened."""
    _waiting(world)
    _with_the_council(world)
    _decided(world)
    _replaced(world)
    sweeps.note_overdue(now=world.now)


def _member(world: World, number: int) -> Actor:
    return world.cast.actor(_COUNCIL[number])


def _ask(world: World, deal: Referral, days: float, kind: str, why: str, **given: Any) -> ExceptionRequest:
    form = ExceptionInput(kind=kind, justification=why, **given)
    return requests.ask(deal, form, actor=world.admin, now=world.ago(days))


def _dates(world: World, days: int) -> dict[str, Any]:
    """A one-year contract signed so many days ago."""
    signed = world.ago(days).date()
    return {"term": "finite", "signed": signed, "start": signed, "end": signed + timedelta(days=364)}


def _ineligible(world: World, days: float, number: int) -> Referral:
    return _won(world, days + 30, days + 3, _UNMANAGED[number], 66_000, "EUR")


def _rejected(world: World, days: float, customer: str, value: int) -> Registration:
    """Failed so many days ago, and closed a day later."""
    pending = _registered(world, _won(world, days + 40, days + 6, customer, value, "EUR"), days + 5)
    given: dict[str, Any] = {"reason_code": "evidence_missing", "comment": "The contract did not come in time."}
    failed = decide(pending, "fail_review", actor=world.reviewer, now=world.ago(days), **given)
    return _close(failed, now=world.ago(days - 1))


def _waiting(world: World) -> None:
    """Submitted; and with the partner, who has to send evidence."""
    deal = _ineligible(world, 2, 0)
    _documented(world, deal, 2.5)
    why = "Müşteri, kazanıldıktan sonra yönetilen hesaplar arasına alındı. Sözleşme ektedir."
    _ask(world, deal, 2, states.PRE_REGISTRATION, why, **_dates(world, 20))
    tooling: dict[str, Any] = {"tooling_error": True, "tickets": "SR-88121, SR-88140"}
    why = "The portal refused the registration for a week; the tickets tell when."
    request = _ask(world, _ineligible(world, 9, 1), 9, states.PRE_REGISTRATION, why, **_dates(world, 80), **tooling)
    question = "Please add the signed contract, and the answer that support gave to the first ticket."
    run(request, ASK_EVIDENCE, EvidenceQuestion(question), actor=world.reviewer, now=world.ago(2))


def _vote(world: World, number: int, request: ExceptionRequest, choice: str, why: str, days: float) -> ExceptionRequest:
    return run(request, VOTE, Ballot(choice, why), actor=_member(world, number), now=world.ago(days))


def _with_the_council(world: World) -> None:
    """One vote; a tie; and one that should have been decided by now."""
    failed = _rejected(world, 8, "thames", 1_400_000)
    request = _ask(world, failed.referral, 5, states.REJECTED, "The contract had been sent to another mailbox.")
    _vote(world, 0, request, "approve", "It was sent in time.", 3)

    approved = _registered(world, _won(world, 60, 25, "puget", 91_000, "USD"), 24)
    approved = _close(approved, now=world.ago(16))
    assert approved.start is not None
    later = {"start": approved.start + 5 * DAY}
    request = _ask(world, approved.referral, 12, states.UPDATE, "The start moved by some days.", **later)
    question = EvidenceQuestion("Which annex names the new start?")
    request = run(request, ASK_EVIDENCE, question, actor=_member(world, 1), now=world.ago(11))
    answer = EvidenceAnswer("Annex 2, on its first page.")
    request = run(request, ANSWER_EVIDENCE, answer, actor=world.admin, now=world.ago(9))
    for number, choice in enumerate(("approve", "deny")):
        _vote(world, number, request, choice, "As annex 2 says.", 8 - number)

    failed = _rejected(world, 40, "alpen", 1_300_000)
    request = _ask(world, failed.referral, 35, states.REJECTED, "The hardware was taken out of the value.")
    interest = Interest("I sold to this customer last year.")
    run(request, DECLARE_CONFLICT, interest, actor=_member(world, 2), now=world.ago(30))


def _decide(world: World, request: ExceptionRequest, choice: str, why: str, days: float) -> ExceptionRequest:
    for number in (0, 1):
        request = _vote(world, number, request, choice, why, days)
    return request


def _decided(world: World) -> None:
    """Approved: a deal to register, and a registration to correct; and denied."""
    why = "The account was managed by another subsidiary."
    request = _ask(world, _ineligible(world, 20, 2), 20, states.PRE_REGISTRATION, why, **_dates(world, 70))
    _decide(world, request, "approve", "The account belongs to the managed group.", 10)

    failed = _rejected(world, 45, "isar", 1_250_000)
    request = _ask(
        world, failed.referral, 30, states.REJECTED, "The date of the draft was entered.", **_dates(world, 90)
    )
    _decide(world, request, "approve", "The signed contract is on file.", 15)
    _documented(world, failed.referral, 14)

    why = "We would like to register the deal all the same."
    request = _ask(world, _ineligible(world, 50, 0), 50, states.PRE_REGISTRATION, why, **_dates(world, 130))
    _decide(world, request, "deny", "Nothing shows that the customer's account is managed.", 38)


def _replaced(world: World) -> None:
    """Registered with a wrong solution value, and again on a deal of its own, which took its place (EXC-13)."""
    old = _registered(world, _won(world, 150, 120, "fjord", 88_000, "EUR"), 119)
    old = _close(old, now=world.ago(110))
    deal = _won(world, 90, 70, "fjord", 92_000, "EUR")
    why = "The solution value of the earlier registration was wrong; this one replaces it."
    request = _ask(world, deal, 65, states.REREGISTRATION, why, old_deal=old.referral.public_id)
    _decide(world, request, "approve", "The earlier one may be replaced.", 55)
    new = Registration.objects.get(referral=deal)
    filed = run(new, SUBMIT, _form(deal, world.ago(54)), actor=world.admin, now=world.ago(54))
    _close(run(filed, ROUTE, actor=SYSTEM, now=world.ago(54)), now=world.ago(46))
