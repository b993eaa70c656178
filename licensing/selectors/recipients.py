"""Who at the partner hears of a deal's licences (ISV-7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db.models import prefetch_related_objects

from isvconnect.models import IsvDeal
from isvconnect.policies import may_manage_licences
from portal.accounts.models import Membership
from portal.accounts.rules import ACCOUNT_ADMIN, REFERRALS_ADMIN, REFERRALS_USER, Actor
from portal.accounts.selectors import actors


def managing(deals: Iterable[IsvDeal]) -> Mapping[int, list[str]]:
    """By deal: the addresses of who manages its licences, else of the account admins, who can give the role."""
    deals = list(deals)
    prefetch_related_objects(deals, "referral__team")
    members = _members({deal.company_id for deal in deals})
    return {deal.pk: _of(deal, members[deal.company_id]) for deal in deals}


def _of(deal: IsvDeal, members: list[Actor]) -> list[str]:
    managing = [actor.email for actor in members if may_manage_licences(actor, deal)]
    return managing or [actor.email for actor in members if actor.has(ACCOUNT_ADMIN)]


def _members(company_ids: Iterable[int]) -> Mapping[int, list[Actor]]:
    """One query, however many companies there are."""
    roles = [REFERRALS_ADMIN, REFERRALS_USER, ACCOUNT_ADMIN]
    rows = Membership.objects.acting().filter(grants__role__in=roles, company_id__in=list(company_ids))
    members: dict[int, list[Actor]] = defaultdict(list)
    for actor in actors(rows):
        members[actor.own_company_id].append(actor)
    return members
