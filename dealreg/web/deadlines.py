"""Which days of registrations come: until when to register a won deal, and to correct what came back (FLOW-8)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import DateTimeField, ExpressionWrapper, F
from django.utils.translation import gettext

from dealreg.models import Registration, RegistrationQuerySet, Status
from portal.accounts.rules import Actor
from portal.policy import services as policies
from portal.ui.deadlines import DEADLINES, Deadline, DeadlineKind
from portal.workflow.blockers import _
from referrals.web.deadlines import acting, deadline, listing


def _own(actor: Actor) -> RegistrationQuerySet:
    return Registration.objects.visible_to(actor).filter(referral__company_id=actor.own_company_id)


def _correction_due(registration: Registration) -> Deadline:
    """It fails, or ends, if nobody answers (FLOW-8)."""
    assert registration.action_due_at is not None
    return deadline(gettext("Correct the registration"), registration.referral, registration.action_due_at)


def to_register(actor: Actor, now: datetime) -> RegistrationQuerySet:
    """The company's won deals that nobody has filed yet, with the end of the window."""
    window = policies.current(now).register_within
    until = ExpressionWrapper(F("referral__closed_at") + window, output_field=DateTimeField())
    return _own(actor).to_register().with_context().annotate(until=until)


def _window_ends(registration: Registration) -> Deadline:
    until: datetime = registration.until  # type: ignore[attr-defined]
    note = gettext("If the contract was signed on the day of the win")
    return deadline(gettext("Register this won deal"), registration.referral, until, note=note)


DEADLINES.add(
    "action",
    DeadlineKind(
        label=_("Corrections due"),
        icon="pencil",
        find=lambda actor, now: _own(actor).filter(status=Status.ACTION_REQUIRED).with_context(),
        due="action_due_at",
        make=_correction_due,
        who=lambda rows, actor: acting([row.referral for row in rows], actor),
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
        who=lambda rows, actor: acting([row.referral for row in rows], actor),
        mine=lambda actor: listing(actor, "referral"),
    ),
    order=40,
)
