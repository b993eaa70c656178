"""Which companies of an engagement somebody learns of (ORG-6)."""

from __future__ import annotations

from portal.accounts.rules import Actor
from referrals.models import Referral
from referrals.rules.sharing import knows


def others(referral: Referral, actor: Actor) -> list[Referral]:
    """The engagement's other copies of which the deal's page may show anything to the actor; two queries.

    A partner learns of those its own copy is linked with, the vendor's people of those they may view. Whatever words or
    counts of participants somebody reads are made of these, or of `knows`.
    """
    copies = referral.engagement.referrals.exclude(pk=referral.pk).select_related("company", "location")
    found = list(copies.prefetch_related("team").order_by("pk"))
    if actor.is_vendor:
        return [copy for copy in found if copy.company.is_vendor or copy.vendor_may_view]
    return [copy for copy in found if knows(referral.party, copy.party)]
