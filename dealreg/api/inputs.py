"""Reads a registration as clients send it (F1.7): parsed here, judged by the rules (REG)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from dealreg.api.representation import AZURE_IP_CO_SELL, PRICING, TENANTS, TERMS
from dealreg.rules import RegistrationInput
from dealreg.selectors.registration import renewable
from portal.workflow.blockers import Money
from referrals.api import inputs as referral_inputs
from referrals.models import Referral

#: Key of nothing: what a client names and there isn't.
UNKNOWN = 0
#: Before the point, of an amount.
WHOLE_DIGITS = 16

_WIRE = "registrations/0"
_SOLUTION = f"{_WIRE}/solutionDetails/0"
#: Where each answer of the form stands on the wire.
TARGETS = {
    "solution": f"{_SOLUTION}/id",
    "renews": f"{_WIRE}/renews",
    "marketplace": f"{_SOLUTION}/marketplaceTransactionDetails/isMarketplaceTransacted",
    "marketplace_date": f"{_SOLUTION}/marketplaceTransactionDetails/marketplaceTransactionDateTime",
    "deployment": f"{_SOLUTION}/isDeployedOnAzure",
    "term": f"{_WIRE}/contract/term",
    "tcv": f"{_WIRE}/contract/value",
    "tcv_currency": f"{_WIRE}/contract/currency",
    "solution_value": f"{_SOLUTION}/value",
    "solution_value_currency": f"{_SOLUTION}/currency",
    "payg_year_value": f"{_WIRE}/paygYearValue",
    "signed": f"{_WIRE}/contract/signDateTime",
    "start": f"{_WIRE}/contract/startDateTime",
    "end": f"{_WIRE}/contract/endDateTime",
    "tenant": f"{_SOLUTION}/primaryDeploymentOn",
    "pricing": f"{_SOLUTION}/pricingModel",
    "contract_names_confirmed": f"{_WIRE}/contractNamesConfirmed",
}


class Amount(referral_inputs.Amount):
    """An amount that a column holds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, **kwargs})

    def to_internal_value(self, data: Any) -> Decimal:
        value = super().to_internal_value(data)
        if value.adjusted() >= WHOLE_DIGITS:
            self.fail("max_whole_digits", max_whole_digits=WHOLE_DIGITS)
        return value


class Currency(serializers.CharField):
    """An ISO 4217 code in any case; whether there is a rate for it the rules say."""

    default_error_messages = {"currency": "This is no currency code of ISO 4217."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data).upper()
        if not re.fullmatch("[A-Z]{3}", code, re.ASCII):
            self.fail("currency")
        return code


class Day(referral_inputs.Day):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, **kwargs})


class Token(serializers.ChoiceField):
    """One of the API's tokens in any case, as our own word for it."""

    def __init__(self, tokens: Mapping[str, str], **kwargs: Any) -> None:
        self.ours = {token.casefold(): word for word, token in tokens.items()}
        super().__init__(choices=list(tokens.values()), required=False, allow_null=True, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        word = self.ours.get(data.casefold()) if isinstance(data, str) else None
        if word is None:
            self.fail("invalid_choice", input=data)
        return word


class _YesNo(serializers.BooleanField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, allow_null=True, **kwargs)


class _Group(serializers.Serializer[Any]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"required": False, "allow_null": True, **kwargs})


class ContractInput(_Group):
    value = Amount()
    currency = Currency()
    term = Token(TERMS)
    signDateTime = Day()
    startDateTime = Day()
    endDateTime = Day()


class MarketplaceInput(_Group):
    isMarketplaceTransacted = _YesNo()
    marketplaceTransactionDateTime = Day()


class SolutionInput(_Group):
    id = serializers.CharField(required=False, allow_null=True, max_length=100)
    value = Amount()
    currency = Currency()
    isDeployedOnAzure = _YesNo()
    primaryDeploymentOn = Token(TENANTS)
    pricingModel = Token(PRICING)
    marketplaceTransactionDetails = MarketplaceInput()


class RegistrationValue(_Group):
    """What a registration is filed with. What is missing the rules ask for."""

    type = Token({AZURE_IP_CO_SELL: AZURE_IP_CO_SELL})
    contract = ContractInput()
    solutionDetails = SolutionInput(many=True, max_length=1, required=False, allow_null=True)
    paygYearValue = Amount()
    renews = serializers.CharField(required=False, allow_null=True, max_length=100)
    contractNamesConfirmed = _YesNo(help_text="Absent means yes (REG-17).")


class Registrations(serializers.Serializer[Any]):
    """A registration at its place in the referral, so that what is wrong is named by its whole path."""

    registrations = RegistrationValue(many=True, required=True, allow_null=False)


def claim_of(value: Mapping[str, Any], referral: Referral) -> RegistrationInput:
    """The answers of the form (REG), as the page would have them. A query each for a solution and a renewal."""
    contract = value.get("contract") or {}
    solution = next(iter(value.get("solutionDetails") or []), None) or {}
    sale = solution.get("marketplaceTransactionDetails") or {}
    on_azure, confirmed = solution.get("isDeployedOnAzure"), value.get("contractNamesConfirmed")
    return RegistrationInput(
        solution=_solution(solution.get("id"), referral),
        renews=_renewed(value.get("renews"), referral),
        marketplace=sale.get("isMarketplaceTransacted"),
        marketplace_date=sale.get("marketplaceTransactionDateTime"),
        deployment=None if on_azure is None else "azure" if on_azure else "other",
        term=contract.get("term"),
        tcv=_money(contract.get("value"), contract.get("currency")),
        solution_value=_money(solution.get("value"), solution.get("currency")),
        payg_year_value=value.get("paygYearValue"),
        signed=contract.get("signDateTime"),
        start=contract.get("startDateTime"),
        end=contract.get("endDateTime"),
        tenant=solution.get("primaryDeploymentOn"),
        pricing=solution.get("pricingModel"),
        contract_names_confirmed=confirmed is not False,
    )


def _money(amount: Decimal | None, currency: str | None) -> Money | None:
    return Money(amount, currency) if amount is not None and currency else None


def _solution(named: str | None, referral: Referral) -> int | None:
    """The key of the deal's solution with this code or id; any other answers like an unknown one (REG-21)."""
    if not named:
        return None
    lines = referral.solutions.values_list("solution_id", "solution__code", "solution__public_id")
    wanted = named.strip().casefold()
    return next((key for key, code, own in lines if wanted in (code.casefold(), str(own))), UNKNOWN)


def _renewed(named: str | None, referral: Referral) -> int | None:
    """The key of the company's own registration with this id (REG-18)."""
    if not named:
        return None
    try:
        found = renewable(referral).filter(public_id=uuid.UUID(named)).values_list("pk", flat=True).first()
    except ValueError:
        return UNKNOWN
    return found or UNKNOWN
