"""Invoices and credit notes of ISV Connect in the API: listed, read, and as files (ISV-6)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from dealreg.api import listing
from isvconnect.api import finding
from isvconnect.api.deals import TAGS
from isvconnect.api.representation import INVOICE_COLUMNS, invoice
from isvconnect.api.schema import InvoicePage, InvoiceResource, InvoiceShape
from isvconnect.api.tokens import KINDS
from isvconnect.models import Invoice
from isvconnect.services import invoices as services
from portal.api import odata
from portal.api import rules as scopes
from portal.api.http.endpoint import Endpoint
from portal.api.http.errors import ApiError

LANGUAGES = [code for code, _name in settings.LANGUAGES]
RESOURCE = odata.Resource(
    name="IsvConnectInvoices",
    fields=(
        odata.Guid(path="id", column="public_id"),
        odata.Text(path="number", column="number"),
        odata.Choice(path="kind", values={token: Q(kind=kind) for kind, token in KINDS.items()}),
        odata.Guid(path="dealId", column="deal__public_id"),
        odata.Guid(path="organizationId", column="company__public_id"),
        odata.Guid(path="creditsInvoiceId", column="credits__public_id", nullable=True),
        odata.Number(path="year", column="year"),
        odata.Number(path="amount", column="amount"),
        odata.Text(path="currency", column="currency"),
        odata.Number(path="amountUsd", column="amount_usd"),
        odata.Day(path="startDateTime", column="first_day"),
        odata.Day(path="endDateTime", column="last_day"),
        odata.Moment(path="issuedDateTime", column="issued_at", sortable=True),
    ),
    properties=tuple(InvoiceShape().fields),
    order="issuedDateTime desc",
)


class InvoicesEndpoint(Endpoint):
    """/v1.0/isvconnect/invoices"""

    odata = True
    scopes = {"GET": scopes.READ_ISV}

    @extend_schema(operation_id="isvconnect_invoices", responses=InvoicePage, tags=TAGS)
    def get(self, request: Request) -> Response:
        """Invoices and credit notes, the newest first."""
        rows = Invoice.objects.visible_to(self.actor).values("pk", *INVOICE_COLUMNS)
        return listing.page(request, RESOURCE, rows, invoice)


class InvoiceEndpoint(Endpoint):
    """/v1.0/isvconnect/invoices/{id}"""

    scopes = {"GET": scopes.READ_ISV}

    @extend_schema(operation_id="isvconnect_invoice", responses=InvoiceResource, tags=TAGS)
    def get(self, request: Request, id: str) -> Response:
        """One invoice or credit note. It never changes."""
        return finding.invoice_answer(finding.invoice_of(id, self.actor))


class _File(Endpoint):
    """An invoice as a file."""

    scopes = {"GET": scopes.READ_ISV}
    content_type = ""
    ending = ""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """A file is not JSON, and whoever accepts only it gets refusals in JSON all the same."""
        return super().perform_content_negotiation(request, force=True)

    def file(self, found: Invoice, content: bytes) -> HttpResponse:
        name = {"Content-Disposition": f'attachment; filename="{found.number}.{self.ending}"'}
        return HttpResponse(content, content_type=self.content_type, headers=name)


class InvoicePdfEndpoint(_File):
    """/v1.0/isvconnect/invoices/{id}/pdf"""

    content_type, ending = "application/pdf", "pdf"

    @extend_schema(
        operation_id="isvconnect_invoice_pdf",
        parameters=[OpenApiParameter("language", str, enum=LANGUAGES, description="Of its words; English unless told")],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
        tags=TAGS,
    )
    def get(self, request: Request, id: str) -> HttpResponse:
        """The invoice as PDF."""
        language = request.query_params.get("language", "en")
        if language not in LANGUAGES:
            raise ApiError(400, f"There are invoices in {', '.join(LANGUAGES)}.", target="language")
        found = finding.invoice_of(id, self.actor)
        return self.file(found, services.pdf(found, language))


class InvoiceCsvEndpoint(_File):
    """/v1.0/isvconnect/invoices/{id}/csv"""

    content_type, ending = "text/csv; charset=utf-8", "csv"

    @extend_schema(operation_id="isvconnect_invoice_csv", responses={(200, "text/csv"): OpenApiTypes.STR}, tags=TAGS)
    def get(self, request: Request, id: str) -> HttpResponse:
        """The invoice as a line of CSV, under the names of its columns."""
        found = finding.invoice_of(id, self.actor)
        return self.file(found, services.csv([found]))
