"""Requests for exceptions besides single verbs: asking, the dry run, and what an approval opens (EXC-1, EXC-9)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from dealreg.services import waivers
from exceptions_council import verbs
from exceptions_council.models import ExceptionRequest
from exceptions_council.rules import ExceptionInput, states
from exceptions_council.selectors import requests as selectors
from exceptions_council.services import drafts
from portal.accounts.rules import SYSTEM, Actor
from portal.policy import services as policies
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, RuleViolation
from referrals.models import Referral


def ask(referral: Referral, form: ExceptionInput, *, actor: Actor, now: datetime) -> ExceptionRequest:
    """Send the request to the council. Raises PermissionDenied, or RuleViolation with everything that is wrong."""
    return workflow.run(None, verbs.ASK, verbs.Asking(referral, form), actor=actor, now=now)


@transaction.atomic
def ask_as_shown(
    referral: Referral,
    form: ExceptionInput,
    *,
    answers: Mapping[str, str],
    base: str | None,
    actor: Actor,
    now: datetime,
) -> ExceptionRequest:
    """ask() for a page that shows these answers and knows this draft: `base` as in dealreg's drafts.check_seen().

    Raises as ask(), and SavedMeanwhile.
    """
    workflow.lock(referral)
    check_draft(referral, answers, actor=actor, base=base)
    return ask(referral, form, actor=actor, now=now)


def check_draft(referral: Referral, answers: Mapping[str, str], *, actor: Actor, base: str | None) -> None:
    """Raises SavedMeanwhile if a colleague's draft says something that the page doesn't know."""
    drafts.check_seen(drafts.draft_of(referral), answers, actor=actor, base=base)


def check(referral: Referral, form: ExceptionInput, *, now: datetime) -> tuple[Blocker, ...]:
    """The dry run: everything that asking now would find wrong. Writes nothing."""
    return selectors.check(referral, form, now=now, policy=policies.current(now))


def open_approved(request: ExceptionRequest, *, now: datetime) -> None:
    """Open what was approved: the deal may be registered, or its registration be corrected (EXC-9)."""
    assert request.open_until is not None
    approved = selectors.values_to_json(request.asked)
    if request.kind in states.OPENS_REGISTRATION:
        waivers.grant(
            request.referral,
            by=states.COUNCIL,
            until=request.open_until,
            now=now,
            approved=approved,
            replaces=request.replaces,
        )
    else:
        waivers.reopen(request.referral, by=states.COUNCIL, until=request.open_until, now=now, approved=approved)


def note_too_few(request: ExceptionRequest, *, now: datetime) -> bool:
    """Note that too few may vote, once. Returns False where enough may, or where it was noted (EXC-15)."""
    try:
        workflow.run(request, verbs.NOTE_TOO_FEW, actor=SYSTEM, now=now)
    except RuleViolation:
        return False
    return True
