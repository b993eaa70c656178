"""Which days of registrations come: until when to correct one, and to register a won deal (REG-7, FLOW-8)."""

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


def to_register(actor: Actor, now: datetime) -> RegistrationQuerySet:
    """The company's won deals that nobody has filed yet, with the end of the window."""
    own = Registration.objects.visible_to(actor).filter(referral__company_id=actor.own_company_id)
    window = policies.current(now).register_within
    until = ExpressionWrapper(F("referral__closed_at") + window, output_field=DateTimeField())
    return own.to_register().with_context().annotate(until=until)


def to_correct(actor: Actor, _now: datetime) -> RegistrationQuerySet:
    """The company's registrations that came back, and fail or end if nobody answers (FLOW-8)."""
    own = Registration.objects.visible_to(actor).filter(referral__company_id=actor.own_company_id)
    return own.filter(status=Status.ACTION_REQUIRED, action_due_at__isnull=False).with_context()


def _correction_due(registration: Registration) -> Deadline:
    assert registration.action_due_at is not None
    return deadline(gettext("Correct the registration"), registration.referral, registration.action_due_at)


def _window_ends(registration: Registration) -> Deadline:
    until: datetime = registration.until  # type: ignore[attr-defined]
    note = gettext("If the contract was signed on the day of the win")
    return deadline(gettext("Register this won deal"), registration.referral, until, note=note)


def _acting(rows: Sequence[Registration], actor: Actor) -> list[tuple[str, ...]]:
    return acting([row.referral for row in rows], actor)


DEADLINES.add(
    "action",
    DeadlineKind(
        label=_("Registrations to correct"),
        icon="pencil",
        find=to_correct,
        due="action_due_at",
        make=_correction_due,
        who=_acting,
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
        who=_acting,
        mine=lambda actor: listing(actor, "referral"),
    ),
    order=40,
)
