"""The deal page: one engagement as one company sees it, with what can be done and why not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from portal.accounts.rules import Actor
from portal.pages.deal import timeline
from portal.pages.deal.foot import foot
from portal.pages.deal.lifecycle import stage_steps
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.blockers import Blocker
from portal.workflow.verbs import Verb
from referrals import rules, verbs
from referrals.models import Referral
from referrals.policies import may_change
from referrals.selectors import participants, partner_side
from referrals.selectors.recipients import reach
from referrals.web.deal import PARTS, asked_of, context_of
from referrals.web.forms.deal import NoteForm


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
    talk = timeline.conversation(referral, actor, copies, query or timeline.TimelineQuery())
    seller = partner_side.of(referral, copies) if own and actor.is_vendor else None
    sold = seller if seller and not referral.is_closed else referral
    return {
        "referral": referral,
        "own": own,
        "deal_type": gettext(rules.DEAL_TYPES[referral.deal_type]),
        "asked_of_us": own and asked_of(referral),
        "stages": stage_steps(sold, talk.past.entered.get(sold.pk, {}), now=now),
        "sold": sold,
        "seller": seller,
        "vendor_copy": next((c for c in copies if c.company.is_vendor), None),
        "partners": [_partner(c, referral, actor) for c in copies if not c.company.is_vendor],
        "shows_contact": _shows_contact(referral, actor),
        "team": team,
        "reach": reach(actor, [member.email for member in team]) if own else None,
        "solutions": referral.solutions.select_related("solution__publisher"),
        "help": gettext(rules.HELP[referral.help_code]),
        "foot": foot(referral, parts, actor, now),
        "is_over": referral.is_closed and not any(part.goes_on for part in parts),
        "overdue": referral.substatus == rules.ACCEPTED and referral.close_date < now.date(),
        **context_of(parts),
        "editable": own and referral.substatus == rules.ACCEPTED and may_change(actor, referral),
        "contact_editable": own and _can(verbs.EDIT_CONTACT, referral, actor, now),
        "may_change": own and may_change(actor, referral),
        "note_form": note_form or NoteForm(closed=referral.is_closed),
        **talk.context,
        "stage_label": gettext(rules.stages_for(assessment=referral.is_assessment)[sold.stage]),
        "reason": text.text(Blocker("", referral.reason_text)) if referral.reason_code else "",
    }


def _can(verb: Verb[Referral, Any], referral: Referral, actor: Actor, now: datetime) -> bool:
    return verb.may(actor, referral) and workflow.available_action(referral, verb, actor, now).enabled


def timeline_context(referral: Referral, actor: Actor, query: timeline.TimelineQuery) -> dict[str, Any]:
    """Of the page only its conversation."""
    copies = participants.others(referral, actor)
    return {"referral": referral, **timeline.conversation(referral, actor, copies, query).context}


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
