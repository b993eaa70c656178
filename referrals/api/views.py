"""The endpoints of referrals (F1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from portal.api import rules as scopes
from portal.api.http.endpoint import Endpoint, collection, single
from referrals.api import finding, representation, wire
from referrals.models import Referral

METADATA = "v1.0/$metadata#Referrals"


class Referrals(Endpoint):
    """The company's referrals."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": scopes.READ, "POST": scopes.WRITE}

    def get(self, request: Request) -> Response:
        found = Referral.objects.visible_to(self.actor).of_company(self.actor).newest_first()
        items = representation.represent(list(found.values_list("pk", flat=True)[:100]), self.actor)
        return collection(items, context=wire.url(METADATA))


class OneReferral(Endpoint):
    """One referral: the company's own, or the card of another copy of its engagement."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": scopes.READ, "PATCH": scopes.WRITE, "PUT": scopes.WRITE}

    def get(self, request: Request, id: str) -> Response:
        shown = representation.one(finding.readable(id, self.actor), self.actor)
        return single(shown, etag=shown["eTag"])
