"""Approved exceptions, as far as registrations are concerned (ELIG-8, REG-12, EXC-12)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime

from django.db import transaction

from dealreg import verbs
from dealreg.models import NOT_REGISTERED, Registration, Waiver
from dealreg.rules import states
from dealreg.selectors.registration import unregistered
from dealreg.services.registration import open_registrations
from portal.accounts.rules import SYSTEM
from portal.workflow import services as workflow
from referrals.models import Referral


@transaction.atomic
def grant(
    referral: Referral,
    *,
    by: str,
    until: date,
    now: datetime,
    approved: Mapping[str, object] | None = None,
    replaces: Referral | None = None,
) -> Waiver:
    """Let the deal be registered in spite of what an exception replaces; `until` is the last day on which it waives
    (EXC-12). Opens the registration of a won deal at once (ELIG-9), anew where it was closed unregistered (EXC-9).

    `by`: who approved it, a msgid or a name. `approved`, `replaces`: as Waiver has them. Who approves, and the event
    that says so, is the caller's.
    """
    waiver = _waive(referral, by=by, until=until, now=now, approved=approved or {}, replaces=replaces)
    open_registrations(unregistered().filter(pk=referral.pk), now=now)
    for closed in Registration.objects.filter(referral=referral, outcome=NOT_REGISTERED, first_submitted_at=None):
        workflow.run(closed, verbs.OPEN_ANEW, actor=SYSTEM, now=now)
    return waiver


@transaction.atomic
def reopen(referral: Referral, *, by: str, until: date, now: datetime, approved: Mapping[str, object]) -> Waiver:
    """Give the deal's submitted registration back to be corrected, and waive what REG-12 names meanwhile (EXC-9).

    Raises RuleViolation where there is none that could be reopened.
    """
    registration = Registration.objects.get(referral=referral)
    waiver = _waive(referral, by=by, until=until, now=now, approved=approved, replaces=None)
    workflow.run(registration, verbs.REOPEN, verbs.Reopening(until), actor=SYSTEM, now=now)
    return waiver


def _waive(referral: Referral, *, by: str, until: date, now: datetime, **given: object) -> Waiver:
    granted = {"granted_by": by, "granted_at": now, "until": until, **given}
    waiver, _created = Waiver.objects.update_or_create(referral=referral, defaults=granted)
    return waiver


def replace_earlier(closed: Collection[int], *, now: datetime) -> None:
    """Of these registrations, each that closed in the partner's favour takes the place of the one that its exception
    names, whatever that one's state is (EXC-13)."""
    approved = Registration.objects.filter(pk__in=closed, outcome__in=states.GOOD)
    earlier = Registration.objects.filter(referral__replaced_by__referral__registration__in=approved)
    for registration in earlier.exclude(outcome=states.REPLACED):
        workflow.run(registration, verbs.REPLACE, actor=SYSTEM, now=now)
