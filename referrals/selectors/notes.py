"""The notes of a deal that somebody may read (REF-23, ORG-6)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from portal.accounts.models import Company
from portal.accounts.rules import Actor
from referrals import rules
from referrals.models import Note, Referral


def readable(referral: Referral, actor: Actor, copies: Iterable[Referral]) -> QuerySet[Note]:
    """What those one deals with (`copies`) share and the own company's private notes, newest first (REF-23, ORG-6).

    On a closed copy the thread ends with it: only the own company's notes go on (REF-11).
    """
    others = {copy.company_id for copy in copies} | {referral.company_id}
    seen = Q(shared=True, company_id__in=others) | Q(company_id=actor.own_company_id)
    notes = Note.objects.filter(seen, engagement_id=referral.engagement_id)
    if referral.closed_at:
        notes = notes.exclude(~Q(company_id=actor.own_company_id), at__gt=referral.closed_at)
    return notes.select_related("author", "company").order_by("-pk")


def newest_shared(actor: Actor) -> Subquery:
    """The text of the newest shared note that `readable` finds, for a query of copies that the actor sees whole."""
    deal = OuterRef(OuterRef("pk"))
    author = Referral.objects.filter(engagement=OuterRef("engagement"), company=OuterRef("company"))
    if actor.is_vendor:
        known = Q(Exists(author.filter(Q(company__kind=Company.Kind.VENDOR) | Q(vendor_may_view=True))))
    else:
        asking = Referral.objects.filter(pk=deal).exclude(help_code=rules.NO_HELP)
        known = Q(company=OuterRef("company"))
        known |= Q(company=OuterRef("invited_by"), company__kind=Company.Kind.PARTNER)
        known |= Q(Exists(author.filter(invited_by=OuterRef(OuterRef("company"))))) & Q(
            company__kind=Company.Kind.PARTNER
        )
        known |= Q(Exists(asking)) & Q(company__kind=Company.Kind.VENDOR)
    in_time = Q(at__lte=Coalesce(OuterRef("closed_at"), F("at"))) | Q(company=actor.own_company_id)
    notes = Note.objects.filter(known, in_time, engagement=OuterRef("engagement"), shared=True)
    return Subquery(notes.order_by("-pk").values("text")[:1])
