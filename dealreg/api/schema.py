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
    valueUsd = serializers.FloatField(allow_null=True)  # noqa: N815
    rateMonth = serializers.RegexField(r"^\d{4}-\d{2}$", allow_null=True)  # noqa: N815


class ContractShape(serializers.Serializer[Any]):
    value = serializers.FloatField(allow_null=True)
    currency = serializers.CharField(allow_null=True)
    term = serializers.ChoiceField(list(TERMS.values()), allow_null=True)
    signDateTime = serializers.DateTimeField(allow_null=True)  # noqa: N815
    startDateTime = serializers.DateTimeField(allow_null=True)  # noqa: N815
    endDateTime = serializers.DateTimeField(allow_null=True)  # noqa: N815


class MarketplaceShape(serializers.Serializer[Any]):
    isMarketplaceTransacted = serializers.BooleanField(allow_null=True)  # noqa: N815
    marketplaceTransactionDateTime = serializers.DateTimeField(allow_null=True)  # noqa: N815


class SolutionShape(serializers.Serializer[Any]):
    id = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    value = serializers.FloatField(allow_null=True)
    currency = serializers.CharField(allow_null=True)
    isDeployedOnAzure = serializers.BooleanField(allow_null=True)  # noqa: N815
    primaryDeploymentOn = serializers.ChoiceField(list(TENANTS.values()), allow_null=True)  # noqa: N815
    pricingModel = serializers.ChoiceField(list(PRICING.values()), allow_null=True)  # noqa: N815
    marketplaceTransactionDetails = MarketplaceShape()  # noqa: N815


class HistoryShape(serializers.Serializer[Any]):
    reviewPendingDateTime = serializers.DateTimeField(allow_null=True)  # noqa: N815
    actionRequiredDateTime = serializers.DateTimeField(allow_null=True)  # noqa: N815
    passedDateTime = serializers.DateTimeField(allow_null=True)  # noqa: N815
    failedDateTime = serializers.DateTimeField(allow_null=True)  # noqa: N815
    approvedDateTime = serializers.DateTimeField(allow_null=True)  # noqa: N815
    closedDateTime = serializers.DateTimeField(allow_null=True)  # noqa: N815


class RegistrationShape(serializers.Serializer[Any]):
    """A registration as it stands in its referral (F1.7)."""

    id = serializers.UUIDField()
    registrationDateTime = serializers.DateTimeField(allow_null=True)  # noqa: N815
    type = serializers.ChoiceField([AZURE_IP_CO_SELL])
    status = serializers.ChoiceField(STATUSES)
    outcome = serializers.ChoiceField(OUTCOMES, allow_null=True)
    statusReason = serializers.CharField(allow_null=True)  # noqa: N815
    contract = ContractShape()
    solutionDetails = SolutionShape(many=True)  # noqa: N815
    paygYearValue = serializers.FloatField(allow_null=True)  # noqa: N815
    renews = serializers.UUIDField(allow_null=True)
    contractNamesConfirmed = serializers.BooleanField()  # noqa: N815
    annualContractValue = AnnualValueShape(allow_null=True)  # noqa: N815
    statusHistory = HistoryShape()  # noqa: N815


class RegistrationResource(RegistrationShape):
    """A registration as a resource of its own."""

    eTag = serializers.CharField()  # noqa: N815
    referralId = serializers.UUIDField()  # noqa: N815
    engagementId = serializers.UUIDField()  # noqa: N815
    createdDateTime = serializers.DateTimeField()  # noqa: N815
    updatedDateTime = serializers.DateTimeField()  # noqa: N815
    submittedDateTime = serializers.DateTimeField(allow_null=True)  # noqa: N815
    actionDueDateTime = serializers.DateTimeField(allow_null=True)  # noqa: N815
    closeDueDateTime = serializers.DateTimeField(allow_null=True)  # noqa: N815
