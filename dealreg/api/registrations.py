"""The registrations that a client may see: over all deals, and one by itself (wire.md)."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dealreg.api import finding, listing
from dealreg.api.representation import OWN_COLUMNS, resource
from dealreg.api.schema import RegistrationResource
from dealreg.rules import states
from portal.accounts.rules import Actor
from portal.api import odata
from portal.api import rules as scopes
from portal.api.http.endpoint import Endpoint
from referrals.api import query

TAGS = ["registrations"]


class RegistrationPage(serializers.Serializer[Any]):
    value = RegistrationResource(many=True)


def _moment(path: str, column: str, *, nullable: bool = True) -> odata.Moment:
    return odata.Moment(path=path, column=column, nullable=nullable, sortable=True)


RESOURCE = odata.Resource(
    name="Registrations",
    fields=(
        odata.Guid(path="id", column="public_id"),
        odata.Guid(path="referralId", column="referral__public_id"),
        odata.Guid(path="engagementId", column="referral__engagement__public_id"),
        odata.Guid(path="organizationId", column="referral__company__public_id"),
        odata.Choice(path="status", values={token: Q(status=state) for state, token in states.WIRE_TOKENS.items()}),
        odata.Choice(path="outcome", values={token: Q(outcome=one) for one, token in states.WIRE_OUTCOMES.items()}),
        _moment("createdDateTime", "created_at", nullable=False),
        _moment("updatedDateTime", "updated_at", nullable=False),
        _moment("registrationDateTime", "first_submitted_at"),
        _moment("submittedDateTime", "submitted_at"),
        _moment("actionDueDateTime", "action_due_at"),
        _moment("closeDueDateTime", "close_due_at"),
        _moment("statusHistory/reviewPendingDateTime", "review_pending_at"),
        _moment("statusHistory/actionRequiredDateTime", "action_required_at"),
        _moment("statusHistory/approvedDateTime", "approved_at"),
        _moment("statusHistory/closedDateTime", "closed_at"),
        odata.Number(path="contract/value", column="tcv", nullable=True),
        odata.Text(path="contract/currency", column="tcv_currency", may_be_empty=True),
        odata.Day(path="contract/signDateTime", column="signed", nullable=True),
        odata.Day(path="contract/startDateTime", column="start", nullable=True),
        odata.Day(path="contract/endDateTime", column="end", nullable=True),
    ),
    properties=tuple(RegistrationResource().fields),
)


class RegistrationsEndpoint(Endpoint):
    """/v1.0/registrations"""

    odata = True
    scopes = {"GET": scopes.READ}

    @extend_schema(operation_id="registrations", responses=RegistrationPage, tags=TAGS)
    def get(self, request: Request) -> Response:
        """Registrations of all deals, those included that were opened and not yet filed; newest first."""
        rows = finding.visible(self.actor).values("pk", *OWN_COLUMNS)
        return listing.page(request, RESOURCE, rows, resource)


class RegistrationEndpoint(Endpoint):
    """/v1.0/registrations/{id}"""

    scopes = {"GET": scopes.READ}

    @extend_schema(operation_id="registration", responses=RegistrationResource, tags=TAGS)
    def get(self, request: Request, id: str) -> Response:
        """One registration, with its ETag."""
        return finding.answer(finding.one(id, self.actor))


def _of_deal(actor: Actor, whole: Q | None) -> odata.Property:
    """`registrationStatus` of a list of referrals: as it is shown there, of the company's own deals only (ORG-6)."""
    filed = Q(company_id=actor.own_company_id, registration__first_submitted_at__isnull=False)
    pending = states.WIRE_TOKENS[states.REGISTRATION_PENDING]
    values = {t: filed & Q(registration__status=s) for s, t in states.WIRE_TOKENS.items() if t != pending}
    shown = Q(registration__status__in=[s for s, t in states.WIRE_TOKENS.items() if t != pending])
    return odata.Choice(path="registrationStatus", values={pending: ~(filed & shown), **values}, where=whole)


query.FIELDS.add("registrationStatus", _of_deal, order=10)
