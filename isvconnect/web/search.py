"""What the search of the top bar finds of ISV Connect deals."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from isvconnect.models import IsvDeal
from portal.customers.models import Customer
from portal.workflow import text
from portal.workflow.blockers import _
from referrals.models import Referral
from referrals.web.search import KINDS, Group, Hit, Search

#: So many customers of the directory whose names begin with what was typed.
MAX_CUSTOMERS = 100


def isv_deals(search: Search) -> Group:
    """By customer, by id, and of the referrals found; the newest first."""
    visible = IsvDeal.objects.visible_to(search.actor)
    found = list(visible.filter(_matching(search)).with_context().order_by("-created_at", "-pk")[: search.most + 1])
    return Group(
        code="isv-deals",
        label=_("ISV Connect deals"),
        icon="receipt",
        none=_("No ISV Connect deal matches this."),
        hits=[_hit(deal, search) for deal in found[: search.most]],
        has_more=len(found) > search.most,
        badge="isvconnect/_hit_badge.html",
    )


def _matching(search: Search) -> Q:
    customers = Customer.objects.named(search.query).values_list("pk", flat=True)[:MAX_CUSTOMERS]
    referrals = Referral.objects.visible_to(search.actor).filter(search.deals)
    return Q(customer__in=list(customers)) | Q(referral__in=referrals) | _of_id(search.query)


def _of_id(typed: str) -> Q:
    try:
        return Q(public_id=UUID(typed))
    except ValueError:
        return Q(pk__in=[])


def _hit(deal: IsvDeal, search: Search) -> Hit:
    about = [deal.solution.name, text.money(deal.solution_value, deal.solution_value_currency)]
    if search.actor.is_vendor:
        about.append(deal.company.name)
    return Hit(deal.customer.name, " · ".join(about), deal, reverse("isv_deal", args=[deal.public_id]))


KINDS.add("isv-deals", isv_deals, order=25)
