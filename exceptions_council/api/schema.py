"""The shapes of exceptions for OpenAPI. Answers are not made by them, but rows are compared with them in tests."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from dealreg.api.schema import ContractShape, ViolationShape
from exceptions_council.api.tokens import KINDS, STATUSES

KIND_TOKENS, STATUS_TOKENS = list(KINDS.values()), list(STATUSES.values())


class ExceptionShape(serializers.Serializer[Any]):
    """A request for an exception, as lists have it. `contract`: what is to change, null where nothing is."""

    id = serializers.UUIDField()
    eTag = serializers.CharField()
    referralId = serializers.UUIDField()
    engagementId = serializers.UUIDField()
    organizationId = serializers.UUIDField()
    organizationName = serializers.CharField()
    kind = serializers.ChoiceField(KIND_TOKENS)
    status = serializers.ChoiceField(STATUS_TOKENS)
    justification = serializers.CharField()
    contract = ContractShape()
    replacesReferralId = serializers.UUIDField(allow_null=True)
    isToolingError = serializers.BooleanField()
    supportTickets = serializers.CharField(allow_null=True)
    refusals = ViolationShape(many=True)
    createdDateTime = serializers.DateTimeField()
    updatedDateTime = serializers.DateTimeField()
    dueDateTime = serializers.DateTimeField()
    evidenceDueDateTime = serializers.DateTimeField(allow_null=True)
    decidedDateTime = serializers.DateTimeField(allow_null=True)
    openUntilDateTime = serializers.DateTimeField(allow_null=True)


class EvidenceShape(serializers.Serializer[Any]):
    """What the council asked for, and what was answered."""

    text = serializers.CharField()
    askedDateTime = serializers.DateTimeField()
    dueDateTime = serializers.DateTimeField()
    answer = serializers.CharField(allow_null=True)
    answeredDateTime = serializers.DateTimeField(allow_null=True)
    unansweredDateTime = serializers.DateTimeField(allow_null=True)


class VotesShape(serializers.Serializer[Any]):
    """How many voted, and are needed; how they voted once it is decided."""

    given = serializers.IntegerField()
    needed = serializers.IntegerField()
    approve = serializers.IntegerField(allow_null=True)
    deny = serializers.IntegerField(allow_null=True)


class LetterShape(serializers.Serializer[Any]):
    language = serializers.CharField()
    subject = serializers.CharField()
    body = serializers.CharField()


class ExceptionResource(ExceptionShape):
    """A request by itself, with what was asked and answered, and the letter once it is decided."""

    evidence = EvidenceShape(many=True)
    votes = VotesShape()
    letters = LetterShape(many=True)


class ExceptionPage(serializers.Serializer[Any]):
    value = ExceptionShape(many=True)


class KindShape(serializers.Serializer[Any]):
    """Whether the deal can ask for this kind, and why not."""

    kind = serializers.ChoiceField(KIND_TOKENS)
    enabled = serializers.BooleanField()
    blockers = ViolationShape(many=True)


class ExceptionCheckShape(serializers.Serializer[Any]):
    """`dueDateTime`: the last day for the decision if it were sent now."""

    violations = ViolationShape(many=True)
    kinds = KindShape(many=True)
    dueDateTime = serializers.DateTimeField()
