"""The shapes of ISV Connect for OpenAPI. Answers are not made by them, but rows are compared with them in tests."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from dealreg.api.representation import TENANTS
from dealreg.api.schema import AnnualValueShape, ViolationShape
from isvconnect.api.tokens import INCENTIVES, KINDS, STATUSES
from referrals.api.schema import AddressShape, IdShape, MemberShape

STATUS_TOKENS = list(STATUSES.values())
KIND_TOKENS = list(KINDS.values())
_INCENTIVE = list(INCENTIVES.values())


class IsvValueShape(AnnualValueShape):
    """An amount, with what it is in USD at the rate of its month (FX-2)."""


class IsvCustomerShape(serializers.Serializer[Any]):
    """The customer, as in a referral (F1.6)."""

    name = serializers.CharField()
    isMatchingComplete = serializers.BooleanField()
    address = AddressShape()
    ids = IdShape(many=True)


class IsvContractShape(IsvValueShape):
    signDateTime = serializers.DateTimeField()
    startDateTime = serializers.DateTimeField()
    endDateTime = serializers.DateTimeField()


class IsvSolutionShape(IsvValueShape):
    id = serializers.CharField()
    name = serializers.CharField()
    isDeployedOnAzure = serializers.BooleanField()
    primaryDeploymentOn = serializers.ChoiceField(list(TENANTS.values()))
    tenantId = serializers.UUIDField(allow_null=True)


class IsvDealShape(serializers.Serializer[Any]):
    """An ISV Connect deal, as lists have it. `feePercent`: null while its invoices wait for a fee rate."""

    id = serializers.UUIDField()
    eTag = serializers.CharField()
    status = serializers.ChoiceField(STATUS_TOKENS)
    referralId = serializers.UUIDField(allow_null=True)
    organizationId = serializers.UUIDField()
    organizationName = serializers.CharField()
    mpnId = serializers.CharField()
    customerProfile = IsvCustomerShape()
    contract = IsvContractShape()
    solution = IsvSolutionShape()
    contact = MemberShape()
    incentive = serializers.ChoiceField(_INCENTIVE)
    feePercent = serializers.FloatField(allow_null=True)
    createdDateTime = serializers.DateTimeField()
    updatedDateTime = serializers.DateTimeField()
    invoicedDateTime = serializers.DateTimeField(allow_null=True)
    completedDateTime = serializers.DateTimeField(allow_null=True)
    cancelledDateTime = serializers.DateTimeField(allow_null=True)
    cancelReason = serializers.CharField(allow_null=True)


class IsvYearShape(serializers.Serializer[Any]):
    """A contract year: what falls due for it, and when. `fee`: null while no rate is in force."""

    number = serializers.IntegerField()
    startDateTime = serializers.DateTimeField()
    endDateTime = serializers.DateTimeField()
    dueDateTime = serializers.DateTimeField()
    share = serializers.FloatField()
    fee = serializers.FloatField(allow_null=True)


class IsvInstallmentShape(IsvYearShape):
    isIssued = serializers.BooleanField()


class InvoiceShape(serializers.Serializer[Any]):
    """An invoice, or the credit note that takes one back in full. It never changes; its days are UTC."""

    id = serializers.UUIDField()
    number = serializers.CharField()
    kind = serializers.ChoiceField(KIND_TOKENS)
    dealId = serializers.UUIDField()
    organizationId = serializers.UUIDField()
    organizationName = serializers.CharField()
    creditsInvoiceId = serializers.UUIDField(allow_null=True)
    year = serializers.IntegerField()
    startDateTime = serializers.DateTimeField()
    endDateTime = serializers.DateTimeField()
    share = serializers.FloatField()
    feePercent = serializers.FloatField()
    amount = serializers.FloatField()
    currency = serializers.CharField()
    amountUsd = serializers.FloatField()
    issuedDateTime = serializers.DateTimeField()


class InvoiceResource(InvoiceShape):
    eTag = serializers.CharField()


class IsvDealResource(IsvDealShape):
    """A deal by itself, with its contract years and what was invoiced."""

    schedule = IsvInstallmentShape(many=True)
    invoices = InvoiceShape(many=True)


class IsvDealPage(serializers.Serializer[Any]):
    value = IsvDealShape(many=True)


class InvoicePage(serializers.Serializer[Any]):
    value = InvoiceShape(many=True)


class IsvCheckShape(serializers.Serializer[Any]):
    """What reporting it would come to. `invoices`: those there would be; none while dates or values are missing."""

    violations = ViolationShape(many=True)
    incentive = serializers.ChoiceField(_INCENTIVE, allow_null=True)
    feePercent = serializers.FloatField(allow_null=True)
    contractValue = IsvValueShape(allow_null=True)
    solutionValue = IsvValueShape(allow_null=True)
    invoices = IsvYearShape(many=True)
