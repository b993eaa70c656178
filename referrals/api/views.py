"""The endpoints of referrals (F1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from portal.api import rules as scopes
from portal.api.http.endpoint import Endpoint, collection, single
from portal.api.http.etags import etag_of, expected_version
from portal.api.http.json import Parser, PatchParser
from referrals.api import finding, representation, wire, writing
from referrals.api.patch import Wanted, read, read_whole
from referrals.api.targets import TARGETS
from referrals.models import Referral

METADATA = "v1.0/$metadata#Referrals"


class Referrals(Endpoint):
    """The company's referrals."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": scopes.READ, "POST": scopes.WRITE}
    targets = TARGETS

    def get(self, request: Request) -> Response:
        found = Referral.objects.visible_to(self.actor).of_company(self.actor).newest_first()
        items = representation.represent(list(found.values_list("pk", flat=True)[:100]), self.actor)
        return collection(items, context=wire.url(METADATA))


class OneReferral(Endpoint):
    """One referral: the company's own, or the card of another copy of its engagement."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": scopes.READ, "PATCH": scopes.WRITE, "PUT": scopes.WRITE}
    targets = TARGETS
    parser_classes = (Parser, PatchParser)

    def get(self, request: Request, id: str) -> Response:
        return shown(finding.readable(id, self.actor), self.actor)

    def patch(self, request: Request, id: str) -> Response:
        """A JSON Patch of the paths of F1.7, or an object of them; all of it is written, or nothing."""
        pk = self._write(id, read(request.data), expected_version(request))
        if "return=representation" in request.headers.get("Prefer", "").replace(" ", "").casefold():
            return shown(pk, self.actor)
        version = Referral.objects.values_list("version", flat=True).get(pk=pk)
        return Response(status=204, headers={"ETag": etag_of(version)})

    def put(self, request: Request, id: str) -> Response:
        """The whole referral, as it was read and changed; what can't be written is overlooked."""
        version = expected_version(request, required=True)
        return shown(self._write(id, read_whole(request.data), version), self.actor)

    def _write(self, id: str, wanted: Wanted, version: int | None) -> int:
        return writing.change(id, wanted, actor=self.actor, now=self.now, expected_version=version)


def shown(pk: int, actor: Any) -> Response:
    """The referral, with its ETag."""
    body = representation.one(pk, actor)
    return single(body, etag=body["eTag"])
