"""What registrations add to a deal's page: eligibility, the milestone, the registration and what can be done to it."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext

from dealreg.models import NOT_REGISTERED, Registration, Status
from dealreg.rules import Window, states
from dealreg.selectors.marketplace import search_of
from dealreg.selectors.window import window_of
from dealreg.services import registration as services
from portal.accounts.rules import Actor
from portal.policy import services as policies
from portal.workflow import services as workflow
from portal.workflow import text
from referrals.models import Referral
from referrals.web.deal import BADGES, BANNERS, CARDS, FOOT, MILESTONES, PANELS, PARTS, Part, Step


def part(referral: Referral, actor: Actor, now: datetime) -> Part:
    """The same number of queries for every deal; the registration is its own company's (ORG-6)."""
    own = referral.company_id == actor.company_id
    registration = Registration.objects.with_context().filter(referral=referral).first() if own else None
    eligibility = None if actor.is_vendor else services.eligibility(referral, registration, now=now)
    attainable = bool(eligibility and eligibility.attainable)
    milestone = registration_steps(registration, eligible=attainable)
    context = {
        "milestone": milestone,
        "eligibility": eligibility,
        "registration": registration,
        "registration_reason": _reason(registration),
        "marketplace": search_of(registration, now=now) if registration else None,
        "window": _window(registration, now),
        "window_days": policies.current(now).registration_window_days,
        "tries_out": own and registration is None and (attainable or not referral.is_closed) and not actor.is_vendor,
    }
    shown = {
        BADGES: ("dealreg/_deal_badge.html", registration),
        BANNERS: ("dealreg/_deal_banner.html", registration),
        MILESTONES: ("dealreg/_deal_milestone.html", milestone),
        PANELS: ("dealreg/_deal_eligibility.html", eligibility),
        CARDS: ("dealreg/_deal_card.html", registration and registration.first_submitted_at),
        FOOT: ("dealreg/_deal_foot.html", own),
    }
    return Part(
        context=context,
        templates={place: template for place, (template, what) in shown.items() if what},
        actions=workflow.available_actions(registration, actor, now) if registration else (),
    )


_LOOKS = {
    Status.REVIEW_FAILED: "failed",
    Status.MARKETPLACE_FAILED: "failed",
    Status.REVIEW_PENDING: "wait",
    Status.MARKETPLACE_PENDING: "wait",
    Status.ACTION_REQUIRED: "now",
    NOT_REGISTERED: "failed",
}


def registration_steps(registration: Registration | None, *, eligible: bool) -> list[Step]:
    """The milestone *Deal registration*: only where there is one to make (RD)."""
    if registration is None:
        return [Step(gettext("To register after the win"), "")] if eligible else []
    pending = registration.status == Status.REGISTRATION_PENDING
    filed = Step(gettext("Filed"), "done", at=registration.submitted_at)
    if pending and registration.submitted_at is None:
        return [Step(_state(registration.status), "now"), Step(gettext("Closed"), "")]
    if pending:
        return [filed, Step(gettext("Checking…"), "wait"), Step(gettext("Closed"), "")]
    if registration.status != Status.CLOSED:
        look, note = _LOOKS.get(registration.status, "done"), _to_do(registration)
        now = Step(_state(registration.status), look, at=registration.state_since, note=note)
        return [filed, now, Step(gettext("Closed"), "")]
    decided_at = registration.decided_at or registration.approved_at
    ended = Step(
        registration.outcome_text, _LOOKS.get(registration.outcome, "done"), at=decided_at, note=_to_do(registration)
    )
    closed = Step(gettext("Closed"), "done", at=registration.closed_at)
    return [filed, ended, closed] if registration.submitted_at else [ended, closed]


def _state(status: str) -> str:
    return gettext(states.REGISTRATION_STATES[status])


def _to_do(registration: Registration) -> str:
    """Why it is in this state, or what the company has to do (FLOW-5)."""
    match registration.status:
        case Status.ACTION_REQUIRED:
            until = text.show(registration.action_due_at) if registration.action_due_at else "–"
            return gettext("Correct it, or withdraw it, until %(until)s") % {"until": until}
        case Status.REVIEW_PENDING | Status.MARKETPLACE_PENDING:
            return gettext("Nothing to do for you")
    return _reason(registration) if registration.has_failed else ""


def _reason(registration: Registration | None) -> str:
    """The last decision's reason, in words."""
    if registration is None:
        return ""
    said = [states.UNANSWERED.message] if registration.was_unanswered else []
    return " ".join(gettext(reason) for reason in [*said, registration.reason] if reason)


def _window(registration: Registration | None, now: datetime) -> Window | None:
    """Until when it can be registered, while it waits for that (FLOW-8)."""
    if registration is None or registration.status != Status.REGISTRATION_PENDING or registration.submitted_at:
        return None
    return window_of(registration, policies.current(now))


PARTS.add("registration", part, order=10)
