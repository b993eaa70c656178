"""Which fee rate holds (ISV-6)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db.models import OuterRef, QuerySet, Subquery

from isvconnect.models import FeeRate, IsvDealQuerySet


def rate_in_force(tag: str, signed: date) -> Decimal | None:
    """The fee in percent for a contract signed on this day (UTC); None where no rate was in force yet (ISV-6)."""
    return _in_force(tag, signed).values_list("percent", flat=True).first()


def to_rate(deals: IsvDealQuerySet) -> IsvDealQuerySet:
    """Those for which there is a rate that was in force at their signing, with it as `found_percent`."""
    rates = _in_force(OuterRef("tag"), OuterRef("signed"))
    with_rate = deals.annotate(found_percent=Subquery(rates.values("percent")[:1]))
    return with_rate.exclude(found_percent=None)


def _in_force(tag: object, signed: object) -> QuerySet[FeeRate]:
    return FeeRate.objects.filter(tag=tag, effective_from__lte=signed).order_by("-effective_from")
