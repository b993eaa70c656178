"""What exceptions add to a deal's page: the offer to ask, the milestone, and how a request stands (EXC-1 to EXC-12)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.utils.translation import gettext, ngettext

from dealreg.models import NOT_REGISTERED, Registration, Status
from exceptions_council.models import ExceptionRequest
from exceptions_council.models import Status as Request
from exceptions_council.policies import may_ask
from exceptions_council.rules import RegistrationState, kinds
from exceptions_council.selectors import requests as selectors
from exceptions_council.selectors.requests import KindOffer
from exceptions_council.verbs import ANSWER_EVIDENCE, ASK
from portal.accounts.rules import Actor
from portal.policy import services as policies
from portal.policy.calendar import days_left
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.services import Action
from referrals.models import Referral
from referrals.verbs import new_deal_blockers
from referrals.web.deal import BANNERS, CARDS, MILESTONES, PANELS, PARTS, Part, Step

_ENDED = (kinds.WON, kinds.LOST, kinds.ERROR)
_NOTHING = Part({}, {})


def part(referral: Referral, actor: Actor, now: datetime) -> Part:
    """Of the company's own closed deals only: the request, or what can be asked for (ORG-6, EXC-1)."""
    own = referral.company_id == actor.company_id and not actor.is_vendor
    if not own or referral.substatus not in _ENDED:
        return _NOTHING
    found = ExceptionRequest.objects.filter(referral=referral).prefetch_related("evidence", "votes").first()
    if found is None:
        return _offer(referral, actor, now) if may_ask(actor, referral) else _NOTHING
    found.referral = referral
    context = request_context(found, actor, now)
    templates = {
        BANNERS: "exceptions/_deal_banner.html",
        MILESTONES: "exceptions/_deal_milestone.html",
        CARDS: "exceptions/_deal_card.html",
    }
    answer = [workflow.available_action(found, ANSWER_EVIDENCE, actor, now)] if may_ask(actor, referral) else []
    lead = ANSWER_EVIDENCE.name if answer else ""
    return Part(context, templates, actions=answer, lead=lead, goes_on=found.decided_at is None)


def request_context(request: ExceptionRequest, actor: Actor, now: datetime) -> dict[str, Any]:
    """How a request stands, for the deal's page and its own."""
    left = days_left(now.date(), request.due_on, policies.current(now))
    left_text = _left_text(request, left, now)
    registration = selectors.registration_of(request.referral)
    return {
        "exception_request": request,
        "exception_steps": steps(request, left_text),
        "exception_left": left_text,
        "question": next((one for one in request.evidence.all() if one.is_open), None),
        "votes_given": len(request.votes.all()),
        "votes_needed": policies.current(now).exception_quorum,
        "opened": opened(request, registration),
        "is_open_still": request.open_until is not None and now.date() <= request.open_until,
        "may_ask_exception": may_ask(actor, request.referral),
    }


def _left_text(request: ExceptionRequest, left: int, now: datetime) -> str:
    """The business days until the decision is due (EXC-7)."""
    if request.is_overdue(now.date()):
        return gettext("overdue")
    return ngettext("%(days)s business day left", "%(days)s business days left", left) % {"days": left}


def opened(request: ExceptionRequest, registration: Registration | None) -> str:
    """What the approval opened and still waits for the partner: `register`, `correct`, or nothing (EXC-9)."""
    if request.status != Request.APPROVED or registration is None:
        return ""
    if registration.status == Status.REGISTRATION_PENDING and registration.submitted_at is None:
        return "register"
    reopened = registration.status == Status.ACTION_REQUIRED and registration.is_reopened
    return "correct" if reopened else ""


def steps(request: ExceptionRequest, left: str) -> list[Step]:
    """The milestone *Exception*: asked, where it is, how it was decided (EXC-6)."""
    asked = Step(gettext("Requested"), "done", at=request.created_at)
    state = request.get_status_display()
    if request.status == Request.APPROVED:
        assert request.open_until is not None
        note = gettext("Open until %(day)s") % {"day": text.day(request.open_until)}
        return [asked, Step(state, "done", at=request.decided_at, note=note)]
    if request.status == Request.DENIED:
        return [asked, Step(state, "failed", at=request.decided_at, note=gettext("Final"))]
    decided = Step(gettext("Decision"), "", note=gettext("Due by %(day)s") % {"day": text.day(request.due_on)})
    if request.status == Request.EVIDENCE_REQUESTED:
        until = text.show(request.evidence_due_at) if request.evidence_due_at else "–"
        note = gettext("Answer until %(until)s") % {"until": until}
        return [asked, Step(state, "now", at=request.evidence_asked_at, note=note), decided]
    return [asked, Step(state, "wait", note=left), decided]


def _offer(referral: Referral, actor: Actor, now: datetime) -> Part:
    """What can be asked for, or why not; after a deal without a sale, to create it again (EXC-2)."""
    facts = selectors.deal_facts(referral, now=now)
    offer = selectors.first_offer(selectors.offers_for(facts, now=now))
    again = referral.substatus != kinds.WON
    context = {
        "exception_offer": offer,
        "exception_why": "" if again else _why(facts.registration, offer),
        "exception_until": selectors.last_day(facts, now=now),
        "may_create_again": again and not new_deal_blockers(actor),
    }
    shown = context["exception_why"] or context["may_create_again"]
    templates = {PANELS: "exceptions/_deal_offer.html"} if shown else {}
    return Part(context, templates, actions=[Action(cast(Any, ASK), offer.blockers)])


def _why(registration: RegistrationState | None, offer: KindOffer) -> str:
    """Which refusal on this page an exception is about; nothing where none is."""
    if not offer.enabled:
        return ""
    if registration is None:
        return "ineligible"
    if registration.result == NOT_REGISTERED:
        return "not_registered"
    return "rejected" if registration.has_failed else ""


PARTS.add("exception", part, order=30)
