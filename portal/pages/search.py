"""The search of the top bar: deals, their registrations and customers, each with its first hits (REF-20, REF-5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse

from dealreg.models import Registration, RegistrationQuerySet
from dealreg.rules.states import REGISTRATION_STATES
from portal.accounts.rules import ADMIN_ROLES, Actor
from portal.customers.models import Customer
from portal.pages.listing.asked import DealListQuery
from portal.pages.listing.rows import Row, page_query
from portal.workflow import text
from portal.workflow.blockers import _
from referrals.models import Referral
from referrals.selectors import search

#: So many hits of each kind fit under the field, and on the page.
MAX_BELOW, MAX_HITS = 4, 10


@dataclass(frozen=True)
class Hit:
    """One thing found: its name, what tells it from others, the thing itself for its badge, and where it leads."""

    name: str
    about: str
    thing: Any
    url: str


@dataclass(frozen=True)
class Group:
    """The first hits of one kind; `all_url`: where all of them are listed."""

    code: str
    label: str
    icon: str
    none: str
    hits: Sequence[Hit]
    has_more: bool
    all_url: str = ""


def context(actor: Actor, typed: str, *, most: int = MAX_HITS) -> dict[str, Any]:
    """What the page and the panel show; the same number of queries whatever is found."""
    query = typed.strip()
    searched = query[: search.MAX_QUERY]
    asks = search.is_long_enough(searched)
    groups = _groups(actor, searched, most) if asks else []
    return {
        "query": searched,
        "was_cut": len(query) > len(searched),
        "too_short": bool(query) and not asks,
        "shortest_search": search.SHORTEST,
        "groups": groups,
        "count": sum(len(group.hits) for group in groups),
        "has_more": any(group.has_more for group in groups),
    }


def _groups(actor: Actor, query: str, most: int) -> list[Group]:
    found = search.matching(query, actor=actor)
    groups = [_deals(actor, query, found, most)]
    if not actor.is_vendor or actor.has(*ADMIN_ROLES):
        groups.append(_registrations(actor, query, found, most))
    return [*groups, _customers(query, most)]


def _deals(actor: Actor, query: str, found: Q, most: int) -> Group:
    """Those of the lists, newest first."""
    asked = DealListQuery(size=most)
    listed = Referral.objects.visible_to(actor).of_company(actor).filter(found)
    deals = list(page_query(asked.order.apply(listed), asked))
    hits = [_deal(Row(deal, own=deal.company_id == actor.company_id)) for deal in deals[:most]]
    none = _("No deal is found by this.")
    more = len(deals) > most
    return Group("deals", _("Co-sell opportunities"), "briefcase", none, hits, more, _list(q=query))


def _deal(row: Row) -> Hit:
    deal = row.referral
    about = [deal.engagement.customer.name, row.sender and row.sender.name, text.money(deal.value, deal.currency)]
    url = reverse("deal", args=[deal.public_id])
    return Hit(deal.name, " · ".join(part for part in about if part), deal, url)


def _registrations(actor: Actor, query: str, found: Q, most: int) -> Group:
    """Of the deals found, also of partners' for who may see them; sellers see none on the deals' pages either."""
    visible = Registration.objects.visible_to(actor)
    listed = visible.filter(referral__in=Referral.objects.visible_to(actor).filter(found))
    registrations = list(_with_deal(listed).order_by("-pk")[: most + 1])
    hits = [_registration(registration, actor) for registration in registrations[:most]]
    none = _("No registration is found by this.")
    more = len(registrations) > most
    all_url = "" if actor.is_vendor else _list(q=query, registration=",".join(REGISTRATION_STATES))
    return Group("registrations", _("Registrations"), "award", none, hits, more, all_url)


def _with_deal(found: RegistrationQuerySet) -> RegistrationQuerySet:
    related = found.select_related("referral__engagement__customer", "referral__company")
    return related.defer("referral__search_text", "referral__search_vector")


def _registration(registration: Registration, actor: Actor) -> Hit:
    """To the deal, on whose page it stands; of others' deals to the page where it is reviewed."""
    deal = registration.referral
    about = [deal.engagement.customer.name]
    url = reverse("deal", args=[deal.public_id])
    if actor.is_vendor:
        about.append(deal.company.name)
        url = reverse("admin:dealreg_registration_change", args=[registration.pk])
    return Hit(deal.name, " · ".join(about), registration, url)


def _customers(query: str, most: int) -> Group:
    """Of the directory, which everybody may read, in all countries; each leads to its deals."""
    customers = list(Customer.objects.named(query)[: most + 1])
    hits = [_customer(customer) for customer in customers[:most]]
    none = _("No customer's name begins with this.")
    return Group("customers", _("Customers"), "building", none, hits, len(customers) > most)


def _customer(customer: Customer) -> Hit:
    about = [customer.place, customer.duns and f"D-U-N-S {customer.duns}"]
    return Hit(customer.name, " · ".join(part for part in about if part), customer, _list(q=customer.name))


def _list(**params: str) -> str:
    return f"{reverse('deals')}?{urlencode(params, safe=',')}"
