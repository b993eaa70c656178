"""What ISV Connect adds to the home page: won deals that have to be reported (ISV-2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext

from isvconnect.selectors.deals import to_report
from portal.accounts.rules import Actor
from portal.ui.home import MAX_ITEMS, NEEDS, Need
from referrals.models import Referral
from referrals.web.home import need


def to_register(actor: Actor, now: datetime) -> Iterator[Need]:
    """Those the actor may report, the first won first (ISV-7)."""
    if actor.is_vendor:
        return
    found = to_report(actor, now=now).filter(pk__in=Referral.objects.changeable_by(actor).values("pk"))
    title = gettext("Register for ISV Connect")
    for referral in found.with_context().order_by("closed_at", "pk")[:MAX_ITEMS]:
        url = reverse("report_isv_deal_of", args=[referral.public_id])
        yield need("isv", "receipt", title, referral, since=referral.closed_at, url=url)


NEEDS.add("isv", to_register, order=35)
