"""The endpoints of referrals (F1.1)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from portal.api import odata
from portal.api import rules as scopes
from portal.api.http import idempotency
from portal.api.http.authentication import Access
from portal.api.http.endpoint import Endpoint, collection
from portal.api.http.etags import etag_of, expected_version
from portal.api.http.json import Parser, PatchParser
from referrals.api import creating, finding, inputs, query, representation, schema, wire, writing
from referrals.api.parts import ROOT_SCOPES
from referrals.api.patch import Wanted, read, read_whole
from referrals.api.targets import TARGETS
from referrals.models import Referral, ReferralQuerySet
from referrals.selectors import participants

METADATA = "v1.0/$metadata#Referrals"


class Referrals(Endpoint):
    """The company's referrals."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": scopes.READ, "POST": scopes.WRITE}
    targets = TARGETS

    odata = True
    bodies: ClassVar[Mapping[str, Any]] = {"POST": inputs.ReferralInput}
    answers: ClassVar[Mapping[str, Any]] = {"GET": schema.PAGE, "POST": schema.ReferralShape}

    def get(self, request: Request) -> Response:
        """The referrals of the company's lists; asked for one engagement, with the cards of its other copies."""
        asked = odata.read(request.query_params, query.referrals(self.actor))
        engagement = asked.pinned("engagementId")
        page = asked.apply(self._rows(engagement).values("pk"))
        items = representation.represent([row["pk"] for row in page.rows], self.actor)
        if asked.select:
            items = [{name: item[name] for name in asked.select if name in item} for item in items]
        link = page.next_link(request._request)
        return collection(items, context=wire.url(METADATA), count=page.count, next_link=link)

    def _rows(self, engagement: Any) -> ReferralQuerySet:
        visible = Referral.objects.visible_to(self.actor)
        if engagement is None:
            return visible.of_company(self.actor)
        return (visible | participants.cards(self.actor)).filter(engagement__public_id=engagement)

    def post(self, request: Request) -> Response:
        """The company's own deal, or with `engagementId` another company's copy of it."""
        pk = creating.create(request.data, actor=self.actor, now=self.now, key=self._key())
        response = representation.answer(pk, self.actor)
        response.headers["Location"] = wire.url(f"{wire.COLLECTION}/{response.data['id']}")
        return response

    def _key(self) -> uuid.UUID:
        """By which the same request creates one deal: of the client's own key, if it sent one."""
        key = idempotency.key_of(self.request._request)
        assert isinstance(self.request.auth, Access)
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{self.request.auth.owner} {key}") if key else uuid.uuid4()


class OneReferral(Endpoint):
    """One referral: the company's own, or the card of another copy of its engagement."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": scopes.READ, "PATCH": scopes.WRITE, "PUT": scopes.WRITE}
    targets = TARGETS
    parser_classes = (Parser, PatchParser)
    bodies: ClassVar[Mapping[str, Any]] = {"PATCH": schema.OperationShape(many=True), "PUT": inputs.ReferralInput}
    answers: ClassVar[Mapping[str, Any]] = {
        "GET": schema.ReferralShape,
        "PUT": schema.ReferralShape,
        "PATCH": {200: schema.ReferralShape, 204: None},
    }

    def get(self, request: Request, id: str) -> Response:
        return representation.answer(finding.readable(id, self.actor), self.actor)

    def patch(self, request: Request, id: str) -> Response:
        """A JSON Patch of the paths of F1.7, or an object of them; all of it is written, or nothing."""
        wanted = read(request.data)
        self.check_allowed(ROOT_SCOPES[root] for root in wanted.roots if root in ROOT_SCOPES)
        pk = self._write(id, wanted, expected_version(request))
        if "return=representation" in request.headers.get("Prefer", "").replace(" ", "").casefold():
            return representation.answer(pk, self.actor)
        version = Referral.objects.values_list("version", flat=True).get(pk=pk)
        return Response(status=204, headers={"ETag": etag_of(version)})

    def put(self, request: Request, id: str) -> Response:
        """The whole referral, as it was read and changed; what can't be written is overlooked."""
        version = expected_version(request, required=True)
        return representation.answer(self._write(id, read_whole(request.data), version), self.actor)

    def _write(self, id: str, wanted: Wanted, version: int | None) -> int:
        return writing.change(id, wanted, actor=self.actor, now=self.now, expected_version=version)
