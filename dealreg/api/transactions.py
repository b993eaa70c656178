"""Marketplace transactions: reported, read and voided by the vendor's clients (FLOW-3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.utils.encoding import escape_uri_path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dealreg.api import listing
from dealreg.api.inputs import Amount, Currency, Day
from dealreg.models import MarketplaceTransaction
from dealreg.rules import marketplace as rules
from dealreg.services import marketplace as services
from dealreg.services import marketplace_reports as reports
from portal.accounts.rules import ADMIN_ROLES, Actor
from portal.api import odata
from portal.api import rules as scopes
from portal.api.http.binding import bind
from portal.api.http.endpoint import Endpoint
from portal.api.http.errors import ApiError, detail
from portal.api.http.json import instant, midnight, plain
from referrals.api import wire

TAGS = ["marketplace"]
ADDRESS = "v1.0/marketplace/transactions"
COLUMNS = (
    *("pk", "transaction_id", "company__public_id", "company__name", "customer__public_id", "customer__name"),
    *("solution__code", "solution__name", "date", "amount", "currency", "note", "source", "created_at"),
    *("registration__public_id", "voided_at", "void_reason"),
)


class TransactionValue(serializers.Serializer[Any]):
    """A sale. The partner is named by id, PartnerID (MPN) or name, the customer by id or D-U-N-S, the solution by its
    id."""

    transactionId = serializers.CharField(max_length=rules.MAX_ID_LENGTH)
    partner = serializers.CharField(max_length=200)
    customer = serializers.CharField(max_length=100)
    solution = serializers.CharField(max_length=100)
    date = Day(required=True, allow_null=False)
    amount = Amount(required=True, allow_null=False)
    currency = Currency(required=True, allow_null=False)
    note = serializers.CharField(required=False, allow_blank=True, max_length=1000)


class VoidValue(serializers.Serializer[Any]):
    action = serializers.ChoiceField(["void"])
    reason = serializers.CharField(required=False, allow_blank=True, max_length=1000)


class Named(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()


class TransactionShape(serializers.Serializer[Any]):
    """A marketplace transaction, and the registration that has it."""

    transactionId = serializers.CharField()
    partner = Named()
    customer = Named()
    solution = Named()
    date = serializers.DateTimeField()
    amount = serializers.FloatField()
    currency = serializers.CharField()
    note = serializers.CharField(allow_null=True)
    source = serializers.ChoiceField(["admin", "csv", "api"])  # type: ignore[assignment]  # a field, no attribute
    createdDateTime = serializers.DateTimeField()
    state = serializers.ChoiceField(["Free", "Matched", "Voided"])
    registrationId = serializers.UUIDField(allow_null=True)
    voidedDateTime = serializers.DateTimeField(allow_null=True)
    voidReason = serializers.CharField(allow_null=True)


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    matched, voided = row["registration__public_id"], row["voided_at"]
    return {
        "transactionId": row["transaction_id"],
        "partner": {"id": str(row["company__public_id"]), "name": row["company__name"]},
        "customer": {"id": str(row["customer__public_id"]), "name": row["customer__name"]},
        "solution": {"id": row["solution__code"], "name": row["solution__name"]},
        "date": midnight(row["date"]),
        "amount": row["amount"],
        "currency": row["currency"],
        "note": row["note"] or None,
        "source": row["source"],
        "createdDateTime": instant(row["created_at"]),
        "state": "Voided" if voided else "Matched" if matched else "Free",
        "registrationId": plain(matched),
        "voidedDateTime": instant(voided),
        "voidReason": row["void_reason"] or None,
    }


def check_reads(actor: Actor) -> None:
    """The vendor's people who work in the administration read them there, too. Raises PermissionDenied."""
    if not (actor.is_vendor and actor.has(*ADMIN_ROLES)):
        raise PermissionDenied


def row_of(pk: int) -> dict[str, Any]:
    row: Any = MarketplaceTransaction.objects.values(*COLUMNS).get(pk=pk)
    return shown(row)


def address_of(transaction_id: str) -> str:
    return wire.url(f"{ADDRESS}/{escape_uri_path(transaction_id)}")


class TransactionPage(serializers.Serializer[Any]):
    value = TransactionShape(many=True)


_STATES = {
    "Free": Q(registration=None, voided_at=None),
    "Matched": Q(registration__isnull=False),
    "Voided": Q(voided_at__isnull=False),
}
RESOURCE = odata.Resource(
    name="Transactions",
    fields=(
        odata.Text(path="transactionId", column="transaction_id"),
        odata.Guid(path="partner/id", column="company__public_id"),
        odata.Guid(path="customer/id", column="customer__public_id"),
        odata.Text(path="solution/id", column="solution__code"),
        odata.Day(path="date", column="date", sortable=True),
        odata.Number(path="amount", column="amount"),
        odata.Text(path="currency", column="currency"),
        odata.Choice(path="source", values={source: Q(source=source) for source in services.Source.values}),
        odata.Choice(path="state", values=_STATES),
        odata.Moment(path="createdDateTime", column="created_at", sortable=True),
        odata.Guid(path="registrationId", column="registration__public_id", nullable=True),
    ),
    properties=tuple(TransactionShape().fields),
)


class TransactionsEndpoint(Endpoint):
    """/v1.0/marketplace/transactions"""

    odata = True
    scopes = {"GET": scopes.REPORT_SALES, "POST": scopes.REPORT_SALES}
    targets = {"transaction_id": "transactionId", "company": "partner"}

    @extend_schema(operation_id="transactions", responses=TransactionPage, tags=TAGS)
    def get(self, request: Request) -> Response:
        """The transactions that were reported, newest first."""
        check_reads(self.actor)
        return listing.page(request, RESOURCE, MarketplaceTransaction.objects.values(*COLUMNS), shown)

    @extend_schema(
        operation_id="transaction_report",
        request=TransactionValue,
        responses={200: TransactionShape, 201: TransactionShape},
        tags=TAGS,
    )
    def post(self, request: Request) -> Response:
        """Report a sale. Reporting it again answers with the one there is; another sale under its id is 409."""
        given = bind(TransactionValue, request.data)
        try:
            row, new = reports.report(_line(given), note=given.get("note", ""), actor=self.actor, now=self.now)
        except reports.Differs as differs:
            refused = detail(differs.blocker)
            raise ApiError(409, refused["message"], target="transactionId", details=[refused]) from None
        where = {"Location": address_of(row.transaction_id)}
        return Response(row_of(row.pk), 201 if new else 200, headers=where)


def _line(given: Mapping[str, Any]) -> rules.Line:
    details = rules.Details(given["transactionId"], given["date"], given["amount"], given["currency"])
    return rules.Line(1, details, given["partner"], given["customer"], given["solution"])


class TransactionEndpoint(Endpoint):
    """/v1.0/marketplace/transactions/{transactionId}"""

    scopes = {"GET": scopes.REPORT_SALES}

    @extend_schema(operation_id="transaction", responses=TransactionShape, tags=TAGS)
    def get(self, request: Request, id: str) -> Response:
        """One transaction."""
        return Response(row_of(_found(id, self.actor).pk))


class ActionsEndpoint(Endpoint):
    """/v1.0/marketplace/transactions/{transactionId}/actions"""

    scopes = {"POST": scopes.REPORT_SALES}

    @extend_schema(operation_id="transaction_act", request=VoidValue, responses=TransactionShape, tags=TAGS)
    def post(self, request: Request, id: str) -> Response:
        """Void a wrong transaction, with the reason, while no registration has it."""
        found = _found(id, self.actor)
        given = bind(VoidValue, request.data)
        services.void(found, given.get("reason", ""), actor=self.actor, now=self.now)
        return Response(row_of(found.pk))


def _found(transaction_id: str, actor: Actor) -> MarketplaceTransaction:
    """Raises PermissionDenied, Http404."""
    check_reads(actor)
    found = MarketplaceTransaction.objects.filter(transaction_id=transaction_id).first()
    if found is None:
        raise Http404
    return found
