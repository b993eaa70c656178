"""How the API's description shows referrals; for the description only, nothing is written by these."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from portal.api.http.schema import collection_of
from referrals import rules
from referrals.api.inputs import STATUSES


class Shape(serializers.Serializer[Any]):
    """A part of an answer."""


def _text(**given: Any) -> serializers.CharField:
    return serializers.CharField(allow_null=True, **given)


def _instant(**given: Any) -> serializers.DateTimeField:
    return serializers.DateTimeField(allow_null=True, **given)


class ContactPreferenceShape(Shape):
    locale = _text()
    disableNotifications = serializers.BooleanField()


class MemberShape(Shape):
    """A person (F1.6)."""

    firstName = serializers.CharField(allow_blank=True)
    lastName = serializers.CharField(allow_blank=True)
    phoneNumber = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)
    title = _text()
    contactPreference = ContactPreferenceShape()


class AddressShape(Shape):
    addressLine1 = _text()
    addressLine2 = _text()
    city = _text()
    state = _text()
    postalCode = _text()
    country = serializers.CharField()
    region = serializers.JSONField(allow_null=True, required=False)


class IdShape(Shape):
    profileType = serializers.ChoiceField(["Duns", "External"])
    id = serializers.CharField()


class CustomerShape(Shape):
    """The customer (F1.6)."""

    name = serializers.CharField()
    size = serializers.JSONField(allow_null=True)
    isMatchingComplete = serializers.BooleanField()
    address = AddressShape()
    team = MemberShape(many=True)
    ids = IdShape(many=True)


class DetailsShape(Shape):
    """The details (F1.6)."""

    notes = _text()
    dealValue = serializers.FloatField()
    currency = serializers.CharField()
    closingDateTime = _instant()
    customerRequestedContact = serializers.JSONField(allow_null=True)
    customerAction = serializers.JSONField(allow_null=True)
    incentiveLevel = serializers.JSONField(allow_null=True)
    requirements = serializers.DictField()


class InvitedByShape(Shape):
    organizationId = serializers.CharField()
    organizationName = serializers.CharField()


class InviteShape(Shape):
    """Who brought the deal, and what for (F1.6)."""

    notes = _text()
    assistanceRequestCode = serializers.ChoiceField(list(rules.HELP))
    invitedMpnId = _text()
    invitedBy = InvitedByShape()


class LinkShape(Shape):
    uri = serializers.CharField()
    method = serializers.CharField()


class LinksShape(Shape):
    relatedReferrals = LinkShape()
    self = LinkShape()


class ReferralShape(Shape):
    """A referral (F1.5). The cards of other companies' copies have only what is required here."""

    id = serializers.UUIDField()
    engagementId = serializers.UUIDField()
    organizationId = serializers.CharField(help_text="`msft` for the vendor")
    organizationName = serializers.CharField()
    status = serializers.ChoiceField(STATUSES)
    substatus = serializers.ChoiceField(list(rules.SUBSTATUSES))
    createdDateTime = _instant()
    updatedDateTime = _instant()
    expirationDateTime = _instant()
    acceptedDateTime = _instant()
    closedDateTime = _instant()
    eTag = serializers.CharField()
    team = MemberShape(many=True)
    links = LinksShape()
    name = serializers.CharField(required=False)
    externalReferenceId = _text(required=False)
    campaignId = _text(required=False)
    statusReason = _text(required=False)
    type = serializers.CharField(required=False, help_text="Shared or Independent")
    qualification = serializers.JSONField(required=False, allow_null=True)
    direction = serializers.ChoiceField(["Incoming", "Outgoing"], required=False)
    favorite = serializers.BooleanField(required=False)
    salesStage = _text(required=False)
    isSpam = serializers.BooleanField(required=False)
    mpnId = _text(required=False)
    lastModifiedVia = _text(required=False)
    lastRunId = _text(required=False)
    customerProfile = CustomerShape(required=False)
    consent = serializers.DictField(required=False)
    details = DetailsShape(required=False)
    inviteContext = InviteShape(required=False)
    trackingInfo = serializers.DictField(required=False)
    registrations = serializers.ListField(required=False)
    registrationStatus = serializers.CharField(required=False)
    exception = serializers.JSONField(required=False, allow_null=True)
    referralProgram = serializers.JSONField(required=False, allow_null=True)
    tags = serializers.JSONField(required=False, allow_null=True)
    target = serializers.JSONField(required=False, allow_null=True)


class OperationShape(Shape):
    """An operation of a JSON Patch (RFC 6902)."""

    op = serializers.ChoiceField(["replace", "add"])
    path = serializers.CharField()
    value = serializers.JSONField(allow_null=True)


class NoteShape(Shape):
    """A note (REF-23)."""

    id = serializers.CharField()
    text = serializers.CharField()
    shared = serializers.BooleanField()
    createdDateTime = _instant()
    organizationName = serializers.CharField()
    createdBy = _text()


#: Pages of what has no schema of its own.
PAGE = collection_of({"type": "object", "additionalProperties": {}})
