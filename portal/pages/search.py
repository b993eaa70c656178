"""The search of the top bar: deals, their registrations and customers, each with its first hits (REF-20, REF-5).

Deals and customers lead to the list, so they are added here; what else is found, by the apps it belongs to.
"""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from portal.accounts.rules import Actor
from portal.customers.models import Customer
from portal.pages.deals.listing import DEALS
from portal.pages.deals.rows import Row
from portal.ui.listing.query import ListQuery
from portal.ui.listing.rows import page_query
from portal.workflow import text
from portal.workflow.blockers import _
from referrals.models import Referral
from referrals.selectors import search
from referrals.web.search import KINDS, Group, Hit, Search, list_url

#: So many hits of each kind fit under the field, and on the page.
MAX_BELOW, MAX_HITS = 4, 10


def context(actor: Actor, typed: str, *, most: int = MAX_HITS) -> dict[str, Any]:
    """What the page and the panel show; the same number of queries whatever is found."""
    query = typed.strip()
    searched = query[: search.MAX_QUERY]
    asks = search.is_long_enough(searched)
    groups = _groups(Search(actor, searched, most)) if asks else []
    return {
        "query": searched,
        "was_cut": len(query) > len(searched),
        "too_short": bool(query) and not asks,
        "shortest_search": 0 if asks else search.shortest(),
        "groups": groups,
        "count": sum(len(group.hits) for group in groups),
        "has_more": any(group.has_more for group in groups),
    }


def _groups(asked: Search) -> list[Group]:
    return [group for find in KINDS.values() if (group := find(asked))]


def deals(asked: Search) -> Group:
    """Those of the lists, newest first."""
    actor, most = asked.actor, asked.most
    newest = ListQuery(DEALS, DEALS.order(), size=most)
    listed = Referral.objects.visible_to(actor).of_company(actor).filter(asked.deals)
    found = list(page_query(newest.order.apply(listed), newest))
    return Group(
        code="deals",
        label=_("Co-sell opportunities"),
        icon="briefcase",
        none=_("No deal matches this."),
        hits=[_deal(Row(deal, own=deal.company_id == actor.company_id)) for deal in found[:most]],
        has_more=len(found) > most,
        badge="pages/_hit_deal_badge.html",
        all_url=list_url(q=asked.query),
    )


def _deal(row: Row) -> Hit:
    deal = row.referral
    about = [deal.engagement.customer.name, row.sender and row.sender.name, text.money(deal.value, deal.currency)]
    url = reverse("deal", args=[deal.public_id])
    return Hit(deal.name, " · ".join(part for part in about if part), deal, url)


def customers(asked: Search) -> Group:
    """Of the directory, which everybody may read, in all countries; each leads to its deals."""
    found = list(Customer.objects.seen_by(asked.actor.own_company_id).named(asked.query)[: asked.most + 1])
    return Group(
        code="customers",
        label=_("Customers"),
        icon="building",
        none=_("No customer's name begins like this."),
        hits=[_customer(customer) for customer in found[: asked.most]],
        has_more=len(found) > asked.most,
        badge="pages/_hit_customer_badge.html",
    )


def _customer(customer: Customer) -> Hit:
    about = [customer.place, customer.duns and f"D-U-N-S {customer.duns}"]
    return Hit(customer.name, " · ".join(part for part in about if part), customer, list_url(q=customer.name))


KINDS.add("deals", deals, order=10)
KINDS.add("customers", customers, order=30)
