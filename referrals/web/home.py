"""What deals add to the home page: those to answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext

from portal.accounts.rules import Actor
from portal.ui.home import NEEDS, Need, NeedKind
from portal.workflow.blockers import _
from referrals.models import Referral, ReferralQuerySet
from referrals.verbs import ACCEPT


def to_answer(actor: Actor, _now: datetime) -> ReferralQuerySet:
    """Deals sent to the company, the first to expire first (REF-12)."""
    found = Referral.objects.changeable_by(actor).unanswered()
    return found.with_context().order_by("expires_at", "pk")


def _answer(referral: Referral, _now: datetime) -> Need:
    item = need("inbound", "envelope", gettext("Answer this deal"), referral, until=referral.expires_at)
    accept = reverse("act", args=[referral.public_id, ACCEPT.name])
    return replace(item, act=gettext(ACCEPT.label), act_url=accept)


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


NEEDS.add("inbound", NeedKind(_("To answer"), to_answer, _answer), order=10)
