"""The deal page: one engagement as one company sees it, with what can be done and why not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext

from dealreg import services as dealreg
from dealreg import states
from dealreg.models import DECIDED, Registration, Status
from portal.accounts.rules import Actor
from portal.events.models import Event
from portal.pages import timeline
from portal.policy import services as policies
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.blockers import Blocker
from referrals import rules
from referrals.forms import NoteForm
from referrals.models import Note, Referral
from referrals.policies import may_change

#: Where a verb's page is, if not among the referral's own.
_PLACES = {"submit": "registration", "resubmit": "registration", "close_unregistered": "close_unregistered"}
MOST_EVENTS = 50


def context(referral: Referral, actor: Actor, *, now: datetime) -> dict[str, Any]:
    """What the page shows; the same number of queries for every deal."""
    own = referral.company_id == actor.company_id
    registration = Registration.objects.with_context().filter(referral=referral).first() if own else None
    copies = list(
        referral.engagement.referrals.select_related("company", "location").prefetch_related("team").order_by("pk")
    )
    eligibility = None if actor.is_vendor else dealreg.eligibility(referral, now=now)
    return {
        "referral": referral,
        "own": own,
        "deal_type": gettext(rules.DEAL_TYPES[referral.engagement.deal_type]),
        "lifecycle": lifecycle(referral, registration, eligible=bool(eligibility and eligibility.eligible)),
        "eligibility": eligibility,
        "registration": registration,
        "registration_reason": _reason(registration),
        "register_until": _register_until(referral, registration, now),
        "vendor_copy": next((c for c in copies if c.company.is_vendor and c.pk != referral.pk), None),
        "partner_copies": [c for c in copies if not c.company.is_vendor and c.pk != referral.pk],
        "team": referral.team.all(),
        "solutions": referral.solutions.select_related("solution__publisher"),
        "help": gettext(rules.HELP[referral.engagement.help_code]),
        "actions": _actions(referral, registration, actor, now),
        "may_change": own and may_change(actor, referral),
        "notes": _notes(referral, actor),
        "note_form": NoteForm(),
        "timeline": [timeline.entry(e) for e in _events(referral, actor)],
        "stage_label": gettext(rules.stages_for(assessment=referral.is_assessment)[referral.stage]),
        "reason": text.text(Blocker("", referral.reason_text)) if referral.reason_code else "",
        "won_early": referral.won_early,
    }


def _actions(
    referral: Referral, registration: Registration | None, actor: Actor, now: datetime
) -> list[dict[str, Any]]:
    """The foot bar: what the role allows here, disabled with the reason where something else is missing."""
    found = [*workflow.available_actions(referral, actor, now)]
    if registration is not None:
        found += workflow.available_actions(registration, actor, now)
    return [_action(a, referral) for a in found if not a.wrong_state and not _idle(a)]


def _idle(action: workflow.Action) -> bool:
    """What has nothing to do is not shown as forbidden: no cancelling of what isn't planned, and the like."""
    return any(b.code in {"not_scheduled", "not_early", "already_scheduled"} for b in action.blockers)


def _action(action: workflow.Action, referral: Referral) -> dict[str, Any]:
    if place := _PLACES.get(action.name):
        url = reverse(place, args=[referral.public_id])
    else:
        url = reverse("act", args=[referral.public_id, action.name.replace("_", "-")])
    return {
        "name": action.name,
        "label": gettext(action.label),
        "url": url,
        "dialog": place not in {"registration"} and action.name != "accept",
        "enabled": action.enabled,
        "reasons": [text.text(b) for b in action.blockers],
        "primary": action.name in {"win", "accept", "submit", "resubmit"},
        "danger": action.verb.final and action.name != "win",
    }


def lifecycle(referral: Referral, registration: Registration | None, *, eligible: bool) -> list[dict[str, Any]]:
    """The steps across the top: sales stages, then *Deal registration* with its state (FLOW-5, ELIG-9)."""
    stages = rules.stages_for(assessment=referral.is_assessment)
    steps = [
        {"label": gettext(label), "hint": f"{percent} %", "state": _stage_state(percent, referral)}
        for percent, label in stages.items()
        if percent < rules.WON_STAGE
    ]
    steps.append(_end_step(referral))
    if registration is not None:
        steps.append(_registration_step(registration))
    elif eligible:
        steps.append({"label": gettext("Deal registration"), "hint": "", "state": "upcoming"})
    return steps


def _stage_state(percent: int, referral: Referral) -> str:
    if referral.substatus == rules.WON or percent < referral.stage:
        return "done"
    if referral.is_closed:
        return "upcoming"
    return "current" if percent == referral.stage else "upcoming"


def _end_step(referral: Referral) -> dict[str, Any]:
    if not referral.is_closed:
        return {"label": gettext(rules.SUBSTATUSES[rules.WON]), "hint": "100 %", "state": "upcoming"}
    state = "done" if referral.substatus == rules.WON else "failed"
    return {"label": gettext(rules.SUBSTATUSES[referral.substatus]), "at": referral.closed_at, "state": state}


_STEP_STATES = {
    Status.REVIEW_FAILED: "failed",
    Status.MARKETPLACE_FAILED: "failed",
    Status.ACTION_REQUIRED: "attention",
    **{status: "done" for status in DECIDED if status not in (Status.REVIEW_FAILED, Status.MARKETPLACE_FAILED)},
}


def _registration_step(registration: Registration) -> dict[str, Any]:
    """Its state as the milestone's own line; a closed one shows what it was closed with."""
    status, hint = registration.status, gettext(states.REGISTRATION_STATES[registration.status])
    if registration.status == Status.CLOSED:
        status, hint = registration.outcome, f"{hint} · {registration.outcome_text}"
    if registration.is_being_routed:
        hint = gettext("Checking…")
    return {
        "label": gettext("Deal registration"),
        "hint": hint,
        "at": registration.updated_at,
        "state": _STEP_STATES.get(status, "current") if status != "not_registered" else "failed",
    }


def _reason(registration: Registration | None) -> str:
    """The last decision's reason, in words."""
    if registration is None or not registration.reason_code:
        return ""
    reasons = {**states.FAIL_REASONS, **states.ACTION_REASONS}
    return gettext(reasons.get(registration.reason_code, registration.reason_code))


def _register_until(referral: Referral, registration: Registration | None, now: datetime) -> datetime | None:
    """When the window ends if the contract was signed on the day of the win (REG-7)."""
    if registration is None or registration.first_submitted_at or referral.won_at is None:
        return None
    return referral.won_at + timedelta(days=policies.current(now).registration_window_days)


def _notes(referral: Referral, actor: Actor) -> list[Note]:
    """The engagement's shared notes and the own company's private ones, newest first (REF-23)."""
    seen = Q(shared=True) | Q(company_id=actor.company_id)
    notes = Note.objects.filter(seen, engagement_id=referral.engagement_id)
    return list(notes.select_related("author", "company").order_by("-pk")[:100])


def _events(referral: Referral, actor: Actor) -> list[Event]:
    return list(Event.objects.all().timeline(group=referral.event_group, actor=actor)[:MOST_EVENTS])
