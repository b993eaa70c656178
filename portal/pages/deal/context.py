"""The deal page: one engagement as one company sees it, with what can be done and why not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from portal.accounts.rules import Actor
from portal.pages.deal import timeline
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.blockers import Blocker
from portal.workflow.verbs import Verb
from referrals import rules, verbs
from referrals.models import Referral
from referrals.policies import may_change
from referrals.selectors import notes, participants
from referrals.selectors.recipients import reach
from referrals.web.deal import PARTS, Part, Step, asked_of, context_of
from referrals.web.forms.deal import NoteForm

MAX_NOTES = 100


def context(
    referral: Referral,
    actor: Actor,
    *,
    now: datetime,
    query: timeline.TimelineQuery | None = None,
    note_form: NoteForm | None = None,
) -> dict[str, Any]:
    """What the page shows; the same number of queries for every deal. `note_form`: a note that was refused."""
    own = referral.company_id == actor.company_id
    team = list(referral.team.all())
    copies = participants.others(referral, actor)
    parts = [find(referral, actor, now) for find in PARTS.values()]
    return {
        "referral": referral,
        "own": own,
        "deal_type": gettext(rules.DEAL_TYPES[referral.deal_type]),
        "asked_of_us": own and asked_of(referral),
        "stages": stage_steps(referral),
        "vendor_copy": next((c for c in copies if c.company.is_vendor), None),
        "partners": [_partner(c, referral, actor) for c in copies if not c.company.is_vendor],
        "shows_contact": _shows_contact(referral, actor),
        "team": team,
        "reach": reach(actor, [member.email for member in team]) if own else None,
        "solutions": referral.solutions.select_related("solution__publisher"),
        "help": gettext(rules.HELP[referral.help_code]),
        "actions": _actions(referral, parts, actor, now),
        **context_of(parts),
        "editable": own and referral.substatus == rules.ACCEPTED and may_change(actor, referral),
        "contact_editable": own and _can(verbs.EDIT_CONTACT, referral, actor, now),
        "may_change": own and may_change(actor, referral),
        "notes": list(notes.readable(referral, actor, copies)[:MAX_NOTES]),
        "note_form": note_form or NoteForm(closed=referral.is_closed),
        **timeline.context(referral, actor, copies, query or timeline.TimelineQuery()),
        "stage_label": gettext(rules.stages_for(assessment=referral.is_assessment)[referral.stage]),
        "reason": text.text(Blocker("", referral.reason_text)) if referral.reason_code else "",
    }


def _can(verb: Verb[Referral, Any], referral: Referral, actor: Actor, now: datetime) -> bool:
    return verb.may(actor, referral) and workflow.available_action(referral, verb, actor, now).enabled


def _actions(referral: Referral, parts: Sequence[Part], actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """The foot bar: what the role allows here, disabled with the reason where something else is missing."""
    found: list[workflow.Action[Any]] = [*workflow.available_actions(referral, actor, now)]
    for part in parts:
        found += part.actions
    return [_action(a, referral) for a in found if not a.wrong_state and not a.verb.quiet and not _idle(a)]


#: Done already, or nothing to do: no button, rather than one that is forbidden.
_DONE = frozenset({"not_scheduled", "already_shared", "help_asked", "revalidation_payg_only"})


def _idle(action: workflow.Action[Any]) -> bool:
    """Planning the win is offered where one wins early (REF-18)."""
    return action.name == "schedule_win" or any(b.code in _DONE for b in action.blockers)


def _action(action: workflow.Action[Any], referral: Referral) -> dict[str, Any]:
    """One button: where its page is, and how it looks."""
    page = action.verb.page
    args = [referral.public_id] if page else [referral.public_id, action.name.replace("_", "-")]
    return {
        "action": action,
        "url": reverse(page or "act", args=args),
        "kind": "primary" if action.verb.primary else "secondary",
        "dialog": action.verb.in_dialog,
    }


# The lifecycle (FLOW-5, ELIG-9)


def stage_steps(referral: Referral) -> list[Step]:
    """The sales stages, and how the deal ended."""
    stages = rules.stages_for(assessment=referral.is_assessment)
    steps = [
        Step(gettext(label), _stage_look(percent, referral), text.percent(percent))
        for percent, label in stages.items()
        if percent < rules.WON_STAGE
    ]
    return [*steps, _end_step(referral)]


def _stage_look(percent: int, referral: Referral) -> str:
    if referral.substatus == rules.RECEIVED:
        return ""
    if referral.substatus == rules.WON or percent < referral.stage:
        return "done"
    if referral.is_closed:
        was_open = referral.accepted_at or not referral.is_inbound
        return "done" if percent == referral.stage and was_open else ""
    return "now" if percent == referral.stage else ""


def _end_step(referral: Referral) -> Step:
    if not referral.is_closed:
        return Step(gettext(rules.SUBSTATUSES[rules.WON]), "", text.percent(rules.WON_STAGE))
    look = "won" if referral.substatus == rules.WON else "failed"
    return Step(gettext(rules.SUBSTATUSES[referral.substatus]), look, at=referral.closed_at)


# What else the page shows


def timeline_context(referral: Referral, actor: Actor, query: timeline.TimelineQuery) -> dict[str, Any]:
    """Of the page only its timeline."""
    return {"referral": referral, **timeline.context(referral, actor, participants.others(referral, actor), query)}


def _shows_contact(referral: Referral, actor: Actor) -> bool:
    """The customer's contact shows to whoever started the deal, and with its consent to the others; not on a copy that
    had closed before help was asked for (REF-5, REF-11)."""
    engagement = referral.engagement
    with_consent = engagement.contact_consent and referral.help_code == engagement.help_code
    return with_consent or engagement.started_by_id == actor.own_company_id


def _partner(copy: Referral, referral: Referral, actor: Actor) -> dict[str, Any]:
    """Another partner's copy with its people (REF-7) and, between inviter and invitee alone, what was asked (REF-9)."""
    invited_us, invited_by_us = referral.invited_by_id == copy.company_id, copy.invited_by_id == referral.company_id
    team: list[Any] = list(copy.team.all())
    if invited_us:  # the inviter may have named others for this partner than for the deal
        listed = {member.email for member in team}
        team += [member for member in referral.inviter_team.all() if member.email not in listed]
    invitation = copy if invited_by_us and not actor.is_vendor else None
    asked = gettext(rules.HELP[invitation.invite_help]) if invitation else ""
    # What the invited partner is to sell was said by its inviter; what the inviter makes of the whole deal is its own.
    shows_value = actor.is_vendor or invited_by_us
    return {"copy": copy, "team": team, "invitation": invitation, "asked": asked, "shows_value": shows_value}
