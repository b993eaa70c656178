"""Typeahead for forms of CRMs: customers, solutions, partners (wire.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api import rules as scopes
from portal.api.http.endpoint import Endpoint, collection
from portal.api.http.errors import ApiError
from portal.api.http.json import plain
from portal.catalog.models import Solution
from portal.customers.models import Customer
from referrals.api import schema, wire
from referrals.selectors import partners

LIMIT = 20


class _Directory(Endpoint):
    scopes: ClassVar[Mapping[str, str]] = {"GET": scopes.READ}
    answers: ClassVar[Mapping[str, Any]] = {"GET": schema.PAGE}


def _given(request: Request, name: str) -> str:
    """A parameter of the address. Raises ApiError for what no text of the database holds."""
    text: str = request.query_params.get(name, "")
    if "\x00" in text:
        raise ApiError(400, "The text holds characters that are no text.", target=name)
    return text


class Customers(_Directory):
    """Customers whose names begin with `search`, in `country` or in all of them (REF-5)."""

    def get(self, request: Request) -> Response:
        text, country = _given(request, "search"), _given(request, "country")
        seen = Customer.objects.seen_by(self.actor.own_company_id)
        found = seen.suggest(country, text, LIMIT) if country else seen.named(text)[:LIMIT]
        return collection([_customer(one) for one in found], context=wire.url("v1.0/$metadata#Customers"))


def _customer(customer: Customer) -> dict[str, Any]:
    return {
        "id": plain(customer.public_id),
        "name": customer.name,
        "address": {
            "addressLine1": customer.address_line1 or None,
            "addressLine2": customer.address_line2 or None,
            "city": customer.city or None,
            "state": customer.state or None,
            "postalCode": customer.postal_code or None,
            "country": customer.country,
        },
        "duns": customer.duns or None,
        "managed": customer.managed,
        "isMatchingComplete": customer.confirmed,
    }


class Solutions(_Directory):
    """Solutions that may be put on a deal (REF-8); `search` in code or name."""

    def get(self, request: Request) -> Response:
        text = _given(request, "search").strip()
        found = Solution.objects.choosable().select_related("publisher").order_by("name", "pk")
        if text:
            found = found.filter(Q(code__istartswith=text) | Q(name__icontains=text))
        items = [
            {
                "id": one.code,
                "name": one.name,
                "type": "Name",
                "publisherName": one.publisher.name,
                "kind": one.kind,
                "azureIpCoSellEligible": one.azure_ip,
            }
            for one in found[:100]
        ]
        return collection(items, context=wire.url("v1.0/$metadata#Solutions"))


class Partners(_Directory):
    """Partners that can be invited, whose names begin with `search`: first those that fit a customer in `country`, then
    those that answer quickly (REF-22)."""

    def get(self, request: Request) -> Response:
        fit = partners.sought(_given(request, "country").upper())
        text = _given(request, "search")
        found = partners.suggest(text, actor=self.actor, now=self.now, fit=fit, limit=LIMIT)
        places = partners.partner_ids([company.pk for company, _answers in found])
        items = [
            {
                "id": plain(company.public_id),
                "name": company.name,
                "mpnIds": places.get(company.pk, []),
                "receivedReferrals": answers.received,
                "answeredReferrals": answers.answered,
            }
            for company, answers in found
        ]
        return collection(items, context=wire.url("v1.0/$metadata#Partners"))
