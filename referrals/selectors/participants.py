"""Which companies of an engagement somebody learns of (ORG-6)."""

from __future__ import annotations

from collections.abc import Sequence

from portal.accounts.models import Company
from portal.accounts.rules import Actor
from referrals import rules
from referrals.models import Referral
from referrals.rules.sharing import knows


def others(referral: Referral, actor: Actor) -> list[Referral]:
    """The engagement's other copies of which the deal's page may show anything to the actor; two queries.

    A partner learns of those its own copy is linked with, the vendor's people of those they may view.
    """
    copies = referral.engagement.referrals.exclude(pk=referral.pk).select_related("company", "location")
    found = list(copies.prefetch_related("team").order_by("pk"))
    if actor.is_vendor:
        return [copy for copy in found if copy.company.is_vendor or copy.vendor_may_view]
    return [copy for copy in found if knows(referral.party, copy.party)]


def partners_taking_part(referral: Referral, actor: Actor) -> Sequence[Company]:
    """The partners that take part as far as the actor may know, the deal's own among them (ORG-6, AUTO-2).

    Whatever words or counts of participants a partner reads are made of these. Two queries.
    """
    taking_part = [copy for copy in [referral, *others(referral, actor)] if copy.substatus not in rules.GONE]
    return [copy.company for copy in taking_part if not copy.company.is_vendor]
