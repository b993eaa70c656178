"""Addresses for tests of what every endpoint does, besides the portal's own."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from portal.accounts import services as accounts
from portal.accounts.models import Company
from portal.api import rules
from portal.api.http.endpoint import Endpoint, single
from portal.api.http.errors import ApiError
from portal.bodies import PAGE_BYTES, accepts_upload
from portal.policy import services as policies
from portal.urls import urlpatterns as portal_urls


class Probe(Endpoint):
    """Tells who asks; and adds a location, which is a change that can be counted."""

    scopes = {"GET": rules.READ, "POST": rules.WRITE, "PATCH": rules.WRITE}

    def get(self, request: Request) -> Response:
        actor = self.actor
        grants = [[grant.role, grant.location_id] for grant in actor.grants]
        return single(
            {"kind": actor.kind, "name": actor.name, "company": actor.company_name, "grants": grants}, etag='"1"'
        )

    def post(self, request: Request) -> Response:
        policies.current(self.now)
        name = request.data["name"]
        company = Company.objects.get(pk=self.actor.company_id)
        place = accounts.add_location(
            company=company, name=name, city="X", country="TR", mpn_id=name, actor=_keeper(), now=timezone.now()
        )
        if name.startswith("refused"):
            raise ApiError(422, "Refused after the change.")
        if name.startswith("broken"):
            raise ZeroDivisionError
        return single({"id": place.pk, "name": name}, etag='"7"', status=201, location=f"/v1.0/probe/{place.pk}")

    def patch(self, request: Request) -> Response:
        return Response(status=204)


def _keeper() -> Any:
    from portal.accounts.rules import SYSTEM

    return SYSTEM


urlpatterns = [
    path("v1.0/probe", Probe.as_view()),
    path("v1.0/upload", accepts_upload(2 * PAGE_BYTES)(Probe.as_view())),
    *portal_urls,
]
