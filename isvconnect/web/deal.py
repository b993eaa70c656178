"""What ISV Connect adds to a referral's page: whether the sale has to be reported, the way there, what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from isvconnect.models import IsvDeal
from isvconnect.selectors import deals as selectors
from portal.accounts.rules import Actor
from referrals import rules
from referrals.models import Referral
from referrals.web.deal import BADGES, BANNERS, CARDS, PARTS, Link, Part

_NOTHING = Part({}, {})


def part(referral: Referral, actor: Actor, now: datetime) -> Part:
    """Before the win ISV-1 as met or not, after it the banner, then the reported deal; only on the company's own copy
    (ISV-2, ORG-6)."""
    if actor.is_vendor or referral.company_id != actor.company_id or referral.is_assessment:
        return _NOTHING
    offer = selectors.offer(referral, actor, now)
    if offer.deal:
        return _reported(offer.deal)
    tagged = any(criterion.code == "isv_solution" and criterion.state == "met" for criterion in offer.criteria)
    context: dict[str, Any] = {
        "isv_offer": offer,
        "isv_tagged": tagged,
        "isv_due": all(criterion.state == "met" for criterion in offer.criteria),
    }
    if offer.applies:
        report = Link(gettext("Register for ISV Connect"), reverse("report_isv_deal_of", args=[referral.public_id]))
        return Part(context, {BANNERS: "isvconnect/_referral_banner.html"}, lead=report if offer.allowed else "")
    if not referral.is_closed or (tagged and referral.substatus == rules.WON):
        return Part(context, {CARDS: "isvconnect/_referral_criteria.html"})
    return _NOTHING


def _reported(deal: IsvDeal) -> Part:
    """The deal's state, and the way to it."""
    templates = {BADGES: "isvconnect/_referral_badge.html", CARDS: "isvconnect/_referral_card.html"}
    return Part({"isv_deal": deal}, templates)


PARTS.add("isvconnect", part, order=25)
