"""Consents and invitations in the API (LIC-1, LIC-6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dealreg.api import listing
from licensing.api import finding, tokens
from licensing.api.representation import INVITATION_COLUMNS, RELATIONSHIP_COLUMNS, invitation, relationship
from licensing.api.schema import (
    InvitationPage,
    InvitationShape,
    NewInvitation,
    RelationshipPage,
    RelationshipShape,
)
from licensing.models import Invitation, Relationship
from licensing.services import invitations
from portal.api import odata
from portal.api import rules as scopes
from portal.api.http.actions import ActionsEndpoint
from portal.api.http.binding import bind
from portal.api.http.endpoint import Endpoint
from portal.api.http.json import dumps
from portal.api.http.schema import FREE_FORM
from portal.workflow.verbs import Verb
from referrals.api import wire

TAGS = ["licensing"]


def _moment(path: str, column: str, *, nullable: bool = False) -> odata.Moment:
    return odata.Moment(path=path, column=column, nullable=nullable, sortable=True)


def _states(values: Mapping[str, str]) -> odata.Choice:
    return odata.Choice(path="status", values={token: Q(state=state) for state, token in values.items()})


_CUSTOMER = (
    odata.Guid(path="id", column="public_id"),
    odata.Guid(path="organizationId", column="company__public_id"),
    odata.Guid(path="customerId", column="customer__public_id"),
    odata.Text(path="customerName", column="customer__name"),
    _moment("createdDateTime", "created_at"),
    _moment("updatedDateTime", "updated_at"),
)
CONSENTS = odata.Resource(
    name="LicensingRelationships",
    fields=(
        *_CUSTOMER,
        odata.Guid(path="tenantId", column="tenant_guid"),
        _states(tokens.RELATIONSHIPS),
        _moment("revokedDateTime", "revoked_at", nullable=True),
    ),
    properties=tuple(RelationshipShape().fields),
)
INVITATIONS = odata.Resource(
    name="LicensingInvitations",
    fields=(
        *_CUSTOMER,
        odata.Guid(path="dealId", column="deal__public_id"),
        odata.Guid(path="relationshipId", column="relationship__public_id", nullable=True),
        _states(tokens.INVITATIONS),
        _moment("expiresDateTime", "expires_at"),
        _moment("answeredDateTime", "answered_at", nullable=True),
    ),
    properties=tuple(InvitationShape().fields),
)


class RelationshipsEndpoint(Endpoint):
    """/v1.0/licensing/relationships"""

    odata = True
    scopes = {"GET": scopes.READ_LICENCES}

    @extend_schema(operation_id="licensing_relationships", responses=RelationshipPage, tags=TAGS)
    def get(self, request: Request) -> Response:
        """The customers who consented, the newest first."""
        rows = Relationship.objects.visible_to(self.actor).values("pk", *RELATIONSHIP_COLUMNS)
        return listing.page(request, CONSENTS, rows, relationship)


class RelationshipEndpoint(Endpoint):
    """/v1.0/licensing/relationships/{id}"""

    scopes = {"GET": scopes.READ_LICENCES}

    @extend_schema(operation_id="licensing_relationship", responses=RelationshipShape, tags=TAGS)
    def get(self, request: Request, id: str) -> Response:
        """One customer's consent for one tenant."""
        return finding.relationship_answer(finding.relationship_of(id, self.actor))


class InvitationInput(serializers.Serializer[Any]):
    """The deal whose customer is asked."""

    dealId = serializers.CharField(max_length=100)


class InvitationsEndpoint(Endpoint):
    """/v1.0/licensing/invitations"""

    odata = True
    scopes = {"GET": scopes.READ_LICENCES, "POST": scopes.WRITE_LICENCES}

    @extend_schema(operation_id="licensing_invitations", responses=InvitationPage, tags=TAGS)
    def get(self, request: Request) -> Response:
        """Invitations of customers, the newest first; never with their links."""
        rows = Invitation.objects.visible_to(self.actor).values("pk", *INVITATION_COLUMNS)
        return listing.page(request, INVITATIONS, rows, invitation)

    @extend_schema(operation_id="licensing_invite", request=InvitationInput, responses={201: NewInvitation}, tags=TAGS)
    def post(self, request: Request) -> Response:
        """Make a link for the deal's customer; one that waits for an answer is withdrawn. The link is told once."""
        deal = finding.managed_deal(bind(InvitationInput, request.data)["dealId"], self.actor)
        made = invitations.invite(deal, actor=self.actor, now=self.now)
        answer = finding.invitation_answer(made.invitation, status=201, link=made.link)
        answer.kept_body = dumps({**answer.data, "link": None})  # type: ignore[attr-defined]
        return answer


class InvitationEndpoint(Endpoint):
    """/v1.0/licensing/invitations/{id}"""

    scopes = {"GET": scopes.READ_LICENCES}

    @extend_schema(operation_id="licensing_invitation", responses=InvitationShape, tags=TAGS)
    def get(self, request: Request, id: str) -> Response:
        """One invitation, and what became of it."""
        return finding.invitation_answer(finding.invitation_of(id, self.actor))


@extend_schema_view(
    get=extend_schema(operation_id="licensing_invitation_actions", tags=TAGS),
    post=extend_schema(operation_id="licensing_invitation_act", tags=TAGS),
)
class InvitationActions(ActionsEndpoint):
    """What can be done to an invitation: `withdraw`. Only the customer answers it, on the page behind the link."""

    scopes: ClassVar[Mapping[str, str]] = {"GET": scopes.READ_LICENCES, "POST": scopes.WRITE_LICENCES}
    bodies: ClassVar[Mapping[str, Any]] = {"POST": {**FREE_FORM, "required": ["action"]}}
    answers: ClassVar[Mapping[str, Any]] = {"POST": InvitationShape}

    def record(self, id: str) -> Invitation:
        return finding.invitation_of(id, self.actor)

    @property
    def context(self) -> str:  # type: ignore[override]
        return wire.url("v1.0/$metadata#Actions")

    def read(self, verb: Verb[Any, Any], record: Any, data: Mapping[str, Any]) -> Any:
        if not verb.may(self.actor, record):
            raise PermissionDenied
        return super().read(verb, record, data)

    def answer(self, record: Invitation) -> Response:
        return finding.invitation_answer(record)
