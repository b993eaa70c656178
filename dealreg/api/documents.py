"""Proof documents of a registration's deal (REG-16): listed, added, downloaded and removed, as beside its form."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import parsers, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dealreg.api import finding
from dealreg.models import Document, storage
from dealreg.policies import may_read_documents
from dealreg.rules import documents as rules
from dealreg.services import documents as services
from portal.api import rules as scopes
from portal.api.http.endpoint import Endpoint, collection
from portal.api.http.errors import ApiError
from portal.api.http.json import instant
from portal.bodies import PAGE_BYTES
from portal.policy import services as policies
from referrals.api import wire
from referrals.api.finding import by_public_id
from referrals.models import Referral

TAGS = ["registrations"]


class DocumentShape(serializers.Serializer[Any]):
    """A proof document. While it waits for its scan it can't be downloaded."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    contentType = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    addedDateTime = serializers.DateTimeField()
    addedBy = serializers.CharField()
    awaitsScan = serializers.BooleanField()
    isRemovable = serializers.BooleanField()


class DocumentsShape(serializers.Serializer[Any]):
    value = DocumentShape(many=True)


def upload_limit() -> int:
    """Bytes of a request: one document of the largest size, and the form around it."""
    return policies.current(timezone.now()).max_document_mb * rules.MB + PAGE_BYTES


class _OfDeal(Endpoint):
    """Documents of one deal; which, a registration says, or what a subclass finds at its own `address`."""

    scopes = {"GET": scopes.READ, "POST": scopes.REGISTER, "DELETE": scopes.REGISTER}
    targets = {rules.FIELD: "file"}
    address = "v1.0/registrations"
    metadata = finding.METADATA

    def deal(self, id: str) -> Referral:
        """The deal of what the address names. Raises Http404."""
        return finding.registration(id, self.actor).referral

    def readable(self, id: str) -> Referral:
        """Raises Http404 for what isn't seen, the documents included."""
        referral = self.deal(id)
        if not may_read_documents(self.actor, referral):
            raise Http404
        return referral

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """A file is not JSON, and whoever accepts only it gets refusals in JSON all the same."""
        return super().perform_content_negotiation(request, force=True)


class DocumentsEndpoint(_OfDeal):
    """/v1.0/registrations/{id}/documents"""

    #: A form with one file, or the file itself, with its name in Content-Disposition.
    parser_classes = (parsers.MultiPartParser, parsers.FileUploadParser)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Closes a file that was the body itself; of a form Django does."""
        sent = getattr(request, "_files", None)
        if isinstance(sent, dict):
            response._resource_closers += [file.close for file in sent.values()]
        return super().finalize_response(request, response, *args, **kwargs)

    @extend_schema(operation_id="registration_documents", responses=DocumentsShape, tags=TAGS)
    def get(self, request: Request, id: str) -> Response:
        """The documents of the registration's deal, oldest first."""
        held = Document.objects.of_deal(self.readable(id)).with_context()
        return collection([shown(one) for one in held], context=wire.url(f"{self.metadata}('{id}')/documents"))

    @extend_schema(
        operation_id="registration_document_add",
        request={
            "multipart/form-data": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}},
            "application/octet-stream": OpenApiTypes.BINARY,
        },
        responses={201: DocumentShape},
        tags=TAGS,
    )
    def post(self, request: Request, id: str) -> Response:
        """Add one document: PDF, PNG, JPEG, Word or Excel, told by its contents."""
        added = services.add(self.readable(id), _file(request), actor=self.actor, now=self.now)
        address = wire.url(f"{self.address}/{uuid.UUID(id)}/documents/{added.public_id}")
        return Response(shown(added), 201, headers={"Location": address})


class DocumentEndpoint(_OfDeal):
    """/v1.0/registrations/{id}/documents/{documentId}"""

    def _found(self, id: str, document_id: str) -> Document:
        return by_public_id(Document.objects.of_deal(self.readable(id)).with_context(), document_id)

    @extend_schema(
        operation_id="registration_document",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        tags=TAGS,
    )
    def get(self, request: Request, id: str, document_id: str) -> Any:
        """The file itself, always as a download; 404 as long as it waits for its scan."""
        found = self._found(id, document_id)
        if found.awaits_scan:
            raise Http404
        try:
            file = storage().open(found.stored_as)
        except FileNotFoundError as error:
            raise Http404 from error
        return FileResponse(file, as_attachment=True, filename=found.file_name, content_type=found.content_type)

    @extend_schema(operation_id="registration_document_remove", responses={204: None}, tags=TAGS)
    def delete(self, request: Request, id: str, document_id: str) -> Response:
        """Remove a document that is no evidence yet."""
        services.remove(self._found(id, document_id), actor=self.actor, now=self.now)
        return Response(status=204)


def shown(document: Document) -> dict[str, Any]:
    return {
        "id": str(document.public_id),
        "name": document.name,
        "contentType": document.content_type,
        "size": document.size,
        "sha256": document.sha256,
        "addedDateTime": instant(document.added_at),
        "addedBy": document.adder,
        "awaitsScan": document.awaits_scan,
        "isRemovable": document.is_removable,
    }


def _file(request: Request) -> UploadedFile:
    """Raises ApiError unless it is one file."""
    sent: Any = request.FILES  # of a form several under each name; of a body its one file
    files = [file for _name, group in sent.lists() for file in group] if hasattr(sent, "lists") else [*sent.values()]
    if len(files) != 1:
        raise ApiError(
            400, "Send one file: in a form, or as the body with its name in Content-Disposition.", target="file"
        )
    return files[0]
