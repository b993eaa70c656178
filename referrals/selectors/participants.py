"""Which companies of an engagement somebody learns of (ORG-6)."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from portal.accounts.models import Company
from portal.accounts.rules import Actor
from referrals import rules
from referrals.models import Referral, ReferralQuerySet
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


def cards(actor: Actor) -> ReferralQuerySet:
    """The copies of which `others` lets the actor learn something through any deal they see, without those that they
    may see whole. The vendor's people see theirs whole."""
    if actor.is_vendor or actor.is_system:
        return Referral.objects.none()
    own = Referral.objects.visible_to(actor).filter(engagement=OuterRef("engagement"))
    asked = Exists(own.exclude(help_code=rules.NO_HELP)) & Q(company__kind=Company.Kind.VENDOR)
    invited = Exists(own.filter(company=OuterRef("invited_by")))
    inviting = Exists(own.filter(invited_by=OuterRef("company")))
    partners = (invited | inviting) & Q(company__kind=Company.Kind.PARTNER)
    return Referral.objects.exclude(company_id=actor.own_company_id).filter(asked | partners)
