"""The shapes of consents and licences for OpenAPI. Answers are not made by them, but rows are compared with them in
tests."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from licensing.api.tokens import INVITATIONS, RELATIONSHIPS

INVITATION_TOKENS, RELATIONSHIP_TOKENS = list(INVITATIONS.values()), list(RELATIONSHIPS.values())


class RelationshipShape(serializers.Serializer[Any]):
    """A customer who consented, for one tenant (LIC-6)."""

    id = serializers.UUIDField()
    eTag = serializers.CharField()
    organizationId = serializers.UUIDField()
    organizationName = serializers.CharField()
    customerId = serializers.UUIDField()
    customerName = serializers.CharField()
    tenantId = serializers.UUIDField()
    status = serializers.ChoiceField(RELATIONSHIP_TOKENS)
    createdDateTime = serializers.DateTimeField()
    updatedDateTime = serializers.DateTimeField()
    revokedDateTime = serializers.DateTimeField(allow_null=True)


class RelationshipPage(serializers.Serializer[Any]):
    value = RelationshipShape(many=True)


class InvitationShape(serializers.Serializer[Any]):
    """A link for a deal's customer, and what became of it (LIC-1). The link itself is told once, when it is made."""

    id = serializers.UUIDField()
    eTag = serializers.CharField()
    dealId = serializers.UUIDField()
    organizationId = serializers.UUIDField()
    customerId = serializers.UUIDField()
    customerName = serializers.CharField()
    status = serializers.ChoiceField(INVITATION_TOKENS)
    relationshipId = serializers.UUIDField(allow_null=True)
    createdDateTime = serializers.DateTimeField()
    updatedDateTime = serializers.DateTimeField()
    expiresDateTime = serializers.DateTimeField()
    answeredDateTime = serializers.DateTimeField(allow_null=True)


class InvitationPage(serializers.Serializer[Any]):
    value = InvitationShape(many=True)


class NewInvitation(InvitationShape):
    """`link`: to send to the customer's billing or global administrator; null in an answer that is given again."""

    link = serializers.CharField(allow_null=True)


class PlanLicencesShape(serializers.Serializer[Any]):
    """`assigned`: how many of them the customer gave to people; to whom, only the customer knows (LIC-4)."""

    planId = serializers.CharField()
    planName = serializers.CharField()
    count = serializers.IntegerField()
    assigned = serializers.IntegerField()


class PlanShape(serializers.Serializer[Any]):
    planId = serializers.CharField()
    planName = serializers.CharField()


class LicencesShape(serializers.Serializer[Any]):
    """The licences of a deal. `relationshipId`: null before the first PUT, which fixes it (LIC-2). `frozenReason`: why
    counts can't be raised (LIC-7). `availablePlans`: what the solution's offer has besides."""

    dealId = serializers.UUIDField()
    eTag = serializers.CharField()
    relationshipId = serializers.UUIDField(allow_null=True)
    customerName = serializers.CharField(allow_null=True)
    tenantId = serializers.UUIDField(allow_null=True)
    frozenReason = serializers.CharField(allow_null=True)
    licenses = PlanLicencesShape(many=True)
    availablePlans = PlanShape(many=True)
    createdDateTime = serializers.DateTimeField(allow_null=True)
    updatedDateTime = serializers.DateTimeField(allow_null=True)
