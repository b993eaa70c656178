"""What ISV Connect adds to the home page: won deals that have to be reported (ISV-2)."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext

from isvconnect.selectors.deals import to_report
from portal.accounts.rules import Actor
from portal.ui.home import NEEDS, Need, NeedKind
from portal.workflow.blockers import _
from referrals.models import Referral, ReferralQuerySet
from referrals.web.home import need


def to_register(actor: Actor, now: datetime) -> ReferralQuerySet:
    """Those the actor may report, the first won first (ISV-7)."""
    if actor.is_vendor:
        return Referral.objects.none()
    found = to_report(actor, now=now).filter(pk__in=Referral.objects.changeable_by(actor).values("pk"))
    return found.with_context().order_by("closed_at", "pk")


def _register(referral: Referral, _now: datetime) -> Need:
    url = reverse("report_isv_deal_of", args=[referral.public_id])
    return need("isv", "receipt", gettext("Register for ISV Connect"), referral, since=referral.closed_at, url=url)


NEEDS.add("isv", NeedKind(_("ISV Connect deals to report"), to_register, _register), order=35)
