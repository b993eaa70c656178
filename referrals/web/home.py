"""What deals add to the home page: those to answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext

from portal.accounts.rules import Actor
from portal.ui.home import MAX_ITEMS, NEEDS, Need
from referrals import rules
from referrals.models import Referral
from referrals.verbs import ACCEPT


def to_answer(actor: Actor, _now: datetime) -> Iterator[Need]:
    """Deals sent to the company, the first to expire first (REF-12)."""
    found = Referral.objects.changeable_by(actor).filter(substatus=rules.RECEIVED)
    for referral in found.with_context().order_by("expires_at")[:MAX_ITEMS]:
        item = need("inbound", "envelope", gettext("Answer this deal"), referral, until=referral.expires_at)
        accept = reverse("act", args=[referral.public_id, ACCEPT.name])
        yield replace(item, act=gettext(ACCEPT.label), act_url=accept)


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


NEEDS.add("inbound", to_answer, order=10)
