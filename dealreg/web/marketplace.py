"""Until when marketplace transactions are waited for (FLOW-3, FLOW-8)."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext

from dealreg.models import Registration, RegistrationQuerySet
from portal.accounts.rules import Actor
from portal.ui.deadlines import DEADLINES, Deadline, DeadlineKind
from portal.workflow.blockers import _
from referrals.web.deadlines import acting, deadline, listing


def awaited(actor: Actor, now: datetime) -> RegistrationQuerySet:
    """The company's registrations that wait for their transaction."""
    if actor.is_vendor:
        return Registration.objects.none()
    own = Registration.objects.visible_to(actor).filter(referral__company_id=actor.own_company_id)
    return own.awaiting_transaction().with_context()


def _wait_ends(registration: Registration) -> Deadline:
    assert registration.marketplace_until is not None
    return deadline(gettext("Marketplace transaction"), registration.referral, registration.marketplace_until)


DEADLINES.add(
    "marketplace",
    DeadlineKind(
        label=_("Marketplace transactions"),
        icon="shop",
        find=awaited,
        due="marketplace_until",
        make=_wait_ends,
        who=lambda rows, actor: acting([row.referral for row in rows], actor),
        mine=lambda actor: listing(actor, "referral"),
    ),
    order=70,
)
