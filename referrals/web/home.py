"""What deals add to the home page: those to answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
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


def needing(actor: Actor, codes: Sequence[str]) -> Q:
    """Deals by what home says that they need of this person."""
    now, kinds = timezone.now(), [NEEDS[code] for code in codes]
    return Q.create([Q(pk__in=kind.find(actor, now).order_by().values(kind.deal)) for kind in kinds], Q.OR)


NEEDS.add("inbound", NeedKind(_("Deals to answer"), to_answer, _answer), order=10)
