"""The shapes of registrations for OpenAPI. Answers are not made by them, but rows are compared with them in tests."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from dealreg.api.representation import AZURE_IP_CO_SELL, PRICING, TENANTS, TERMS
from dealreg.rules import states

STATUSES = list(states.WIRE_TOKENS.values())
OUTCOMES = list(states.WIRE_OUTCOMES.values())


class ViolationShape(serializers.Serializer[Any]):
    """A violated rule. `target`: the path of the property it is about, empty for none."""

    code = serializers.CharField()
    rule = serializers.CharField(allow_blank=True)
    target = serializers.CharField(allow_blank=True)
    message = serializers.CharField()
    details = serializers.ListField(child=serializers.DictField(), required=False)


class AnnualValueShape(serializers.Serializer[Any]):
    value = serializers.FloatField()
    currency = serializers.CharField()
    valueUsd = serializers.FloatField(allow_null=True)
    rateMonth = serializers.RegexField(r"^\d{4}-\d{2}$", allow_null=True)


class ContractShape(serializers.Serializer[Any]):
    value = serializers.FloatField(allow_null=True)
    currency = serializers.CharField(allow_null=True)
    term = serializers.ChoiceField(list(TERMS.values()), allow_null=True)
    signDateTime = serializers.DateTimeField(allow_null=True)
    startDateTime = serializers.DateTimeField(allow_null=True)
    endDateTime = serializers.DateTimeField(allow_null=True)


class MarketplaceShape(serializers.Serializer[Any]):
    isMarketplaceTransacted = serializers.BooleanField(allow_null=True)
    marketplaceTransactionDateTime = serializers.DateTimeField(allow_null=True)


class SolutionShape(serializers.Serializer[Any]):
    id = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    value = serializers.FloatField(allow_null=True)
    currency = serializers.CharField(allow_null=True)
    isDeployedOnAzure = serializers.BooleanField(allow_null=True)
    primaryDeploymentOn = serializers.ChoiceField(list(TENANTS.values()), allow_null=True)
    pricingModel = serializers.ChoiceField(list(PRICING.values()), allow_null=True)
    marketplaceTransactionDetails = MarketplaceShape()


class HistoryShape(serializers.Serializer[Any]):
    reviewPendingDateTime = serializers.DateTimeField(allow_null=True)
    actionRequiredDateTime = serializers.DateTimeField(allow_null=True)
    passedDateTime = serializers.DateTimeField(allow_null=True)
    failedDateTime = serializers.DateTimeField(allow_null=True)
    approvedDateTime = serializers.DateTimeField(allow_null=True)
    resubmissionDateTime = serializers.DateTimeField(allow_null=True)
    closedDateTime = serializers.DateTimeField(allow_null=True)


class RegistrationShape(serializers.Serializer[Any]):
    """A registration as it stands in its referral (F1.7)."""

    id = serializers.UUIDField()
    registrationDateTime = serializers.DateTimeField(allow_null=True)
    type = serializers.ChoiceField([AZURE_IP_CO_SELL])
    status = serializers.ChoiceField(STATUSES)
    outcome = serializers.ChoiceField(OUTCOMES, allow_null=True)
    statusReason = serializers.CharField(allow_null=True)
    contract = ContractShape()
    solutionDetails = SolutionShape(many=True)
    paygYearValue = serializers.FloatField(allow_null=True)
    renews = serializers.UUIDField(allow_null=True)
    contractNamesConfirmed = serializers.BooleanField()
    annualContractValue = AnnualValueShape(allow_null=True)
    statusHistory = HistoryShape()


class RegistrationResource(RegistrationShape):
    """A registration as a resource of its own."""

    eTag = serializers.CharField()
    referralId = serializers.UUIDField()
    engagementId = serializers.UUIDField()
    organizationId = serializers.UUIDField()
    organizationName = serializers.CharField()
    createdDateTime = serializers.DateTimeField()
    updatedDateTime = serializers.DateTimeField()
    submittedDateTime = serializers.DateTimeField(allow_null=True)
    actionDueDateTime = serializers.DateTimeField(allow_null=True)
    closeDueDateTime = serializers.DateTimeField(allow_null=True)
