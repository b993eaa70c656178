"""Which days of registrations come: the end of the window in which a won deal can be registered (REG-7, FLOW-8)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import DateTimeField, ExpressionWrapper, F
from django.utils.translation import gettext

from dealreg.models import Registration, RegistrationQuerySet
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


def _window_ends(registration: Registration) -> Deadline:
    until: datetime = registration.until  # type: ignore[attr-defined]
    note = gettext("If the contract was signed on the day of the win")
    return deadline(gettext("Register this won deal"), registration.referral, until, note=note)


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
