"""The partner's side of the vendor's deals: what becomes of a sale is decided on the partner's copy (REF-11)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, Subquery, Value, When

from portal.accounts.models import Company
from portal.events.models import Event, EventQuerySet
from referrals import rules
from referrals.models import Referral, ReferralQuerySet

#: Of several partners' copies the vendor is shown the one that came furthest.
_FURTHEST = (rules.WON, rules.ACCEPTED, rules.RECEIVED, rules.LOST, rules.DECLINED, rules.EXPIRED, rules.ERROR)
_OUTCOMES = ("referral.won", "referral.lost")


def of(deal: Referral, copies: Iterable[Referral]) -> Referral | None:
    """Of the other copies of the vendor's deal that it may see: that of the partner who sells."""
    found = [c for c in copies if not c.company.is_vendor and _linked(c, deal)]
    return min(found, key=lambda copy: (_FURTHEST.index(copy.substatus), -copy.stage, copy.pk), default=None)


def _linked(copy: Referral, deal: Referral) -> bool:
    return copy.company_id == deal.invited_by_id or copy.invited_by_id == deal.company_id


def stage() -> Subquery:
    """For a query of the vendor's copies: how far the partner's open copy is; NULL once none is open."""
    is_open = When(substatus__in=(rules.RECEIVED, rules.ACCEPTED), then=F("stage"))
    return Subquery(_furthest().values(reached=Case(is_open, output_field=IntegerField()))[:1])


def sale() -> Subquery:
    """For a query of the vendor's copies: the key of the copy of the partner who sells."""
    return Subquery(_furthest().values("pk")[:1])


def _furthest() -> ReferralQuerySet:
    linked = Q(company=OuterRef("invited_by")) | Q(invited_by=OuterRef("company"))
    copies = Referral.objects.filter(linked, engagement=OuterRef("engagement"), vendor_may_view=True)
    furthest = Case(*(When(substatus=s, then=Value(n)) for n, s in enumerate(_FURTHEST)), output_field=IntegerField())
    return copies.exclude(company__kind=Company.Kind.VENDOR).order_by(furthest, "-stage", "pk")


def outcomes(vendor_id: int) -> EventQuerySet:
    """That partners won or lost deals of which the vendor has a copy, the last first."""
    copies = Referral.objects.filter(engagement=OuterRef("engagement"), company_id=vendor_id)
    sold = Referral.objects.filter(Exists(copies), pk=OuterRef("subject_id"), vendor_may_view=True)
    partners = sold.exclude(company_id=vendor_id)
    return Event.objects.filter(Exists(partners), verb__in=_OUTCOMES, shared=True).order_by("-pk")
