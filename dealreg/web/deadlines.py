"""Which days of registrations come: until when one that came back is corrected, a won deal registered (FLOW-8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import DateTimeField, ExpressionWrapper, F
from django.utils.translation import gettext

from dealreg.models import Registration, RegistrationQuerySet, Status
from portal.accounts.rules import Actor
from portal.policy import services as policies
from portal.ui.deadlines import DEADLINES, Deadline, DeadlineKind
from portal.workflow.blockers import _
from referrals.web.deadlines import acting, deadline, listing


def own(actor: Actor) -> RegistrationQuerySet:
    """Those of the company's own deals that the actor may see, with their teams."""
    visible = Registration.objects.visible_to(actor).filter(referral__company_id=actor.own_company_id)
    return visible.with_context()


def acting_on(registrations: Sequence[Registration], actor: Actor) -> list[tuple[str, ...]]:
    """Who can act on each, by name."""
    return acting([registration.referral for registration in registrations], actor)


def _to_correct(registration: Registration) -> Deadline:
    """What fails, or ends, if nobody answers."""
    assert registration.action_due_at is not None
    note = registration.comment
    return deadline(gettext("Correct the registration"), registration.referral, registration.action_due_at, note=note)


def to_register(actor: Actor, now: datetime) -> RegistrationQuerySet:
    """The company's won deals that nobody has filed yet, with the end of the window."""
    window = policies.current(now).register_within
    until = ExpressionWrapper(F("referral__closed_at") + window, output_field=DateTimeField())
    return own(actor).to_register().annotate(until=until)


def _window_ends(registration: Registration) -> Deadline:
    until: datetime = registration.until  # type: ignore[attr-defined]
    note = gettext("If the contract was signed on the day of the win")
    return deadline(gettext("Register this won deal"), registration.referral, until, note=note)


DEADLINES.add(
    "action",
    DeadlineKind(
        label=_("To correct"),
        icon="pencil",
        find=lambda actor, now: own(actor).filter(status=Status.ACTION_REQUIRED),
        due="action_due_at",
        make=_to_correct,
        who=acting_on,
        mine=lambda actor: listing(actor, "referral"),
    ),
    order=20,
)
DEADLINES.add(
    "register",
    DeadlineKind(
        label=_("Registration windows"),
        icon="award",
        find=to_register,
        due="until",
        make=_window_ends,
        who=acting_on,
        mine=lambda actor: listing(actor, "referral"),
    ),
    order=30,
)
