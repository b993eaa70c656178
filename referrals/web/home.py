"""What deals add to the home page: those to answer, and those due to close."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from django.urls import reverse
from django.utils.translation import gettext

from portal.accounts.rules import Actor
from portal.ui.home import DEADLINES, MAX_ITEMS, NEEDS, Deadline, Need
from referrals import rules
from referrals.models import Referral


def to_answer(actor: Actor, _now: datetime) -> Iterator[Need]:
    """Deals sent to the company, the first to expire first (REF-12)."""
    found = Referral.objects.changeable_by(actor).filter(substatus=rules.RECEIVED)
    for referral in found.with_context().order_by("expires_at")[:MAX_ITEMS]:
        yield need("inbound", "envelope", gettext("Answer this deal"), referral, until=referral.expires_at)


def need(
    kind: str,
    icon: str,
    title: str,
    referral: Referral,
    *,
    until: datetime | None = None,
    since: datetime | None = None,
    note: str = "",
    url: str = "",
) -> Need:
    """About this deal; without a `url` of its own it leads to the deal's page."""
    return Need(
        kind=kind,
        icon=icon,
        title=title,
        name=referral.name,
        customer=referral.engagement.customer.name,
        money=referral.money,
        url=url or reverse("deal", args=[referral.public_id]),
        until=until,
        since=since,
        note=note,
    )


def to_close(actor: Actor, now: datetime, last: date) -> Iterator[Deadline]:
    """Active deals whose close date is due."""
    visible = Referral.objects.visible_to(actor).filter(company_id=actor.own_company_id)
    ending = visible.filter(substatus=rules.ACCEPTED, close_date__range=(now.date(), last))
    for referral in ending.with_context().order_by("close_date")[:MAX_ITEMS]:
        url = reverse("deal", args=[referral.public_id])
        yield Deadline(referral.close_date, referral.name, gettext("Estimated close"), url)


NEEDS.add("inbound", to_answer, order=10)
DEADLINES.add("close", to_close, order=10)
