"""The documents of a request are its deal's: the same files, at an address of the request's own (REG-16)."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view

from dealreg.api import documents
from exceptions_council.api import finding
from portal.api import rules as scopes
from portal.api.http.endpoint import Endpoint
from referrals.models import Referral

_TAGS = ["exceptions"]
_FORM = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}


class _OfException(Endpoint):
    scopes = {"GET": scopes.READ, "POST": scopes.ASK_EXCEPTIONS, "DELETE": scopes.ASK_EXCEPTIONS}
    address = finding.ADDRESS
    metadata = finding.METADATA

    def deal(self, id: str) -> Referral:
        return finding.request_of(id, self.actor).referral


@extend_schema_view(
    get=extend_schema(operation_id="exception_documents", responses=documents.DocumentsShape, tags=_TAGS),
    post=extend_schema(
        operation_id="exception_document_add",
        request={"multipart/form-data": _FORM, "application/octet-stream": OpenApiTypes.BINARY},
        responses={201: documents.DocumentShape},
        tags=_TAGS,
    ),
)
class DocumentsEndpoint(_OfException, documents.DocumentsEndpoint):
    """/v1.0/exceptions/{id}/documents"""


@extend_schema_view(
    get=extend_schema(
        operation_id="exception_document",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        tags=_TAGS,
    ),
    delete=extend_schema(operation_id="exception_document_remove", responses={204: None}, tags=_TAGS),
)
class DocumentEndpoint(_OfException, documents.DocumentEndpoint):
    """/v1.0/exceptions/{id}/documents/{documentId}"""
