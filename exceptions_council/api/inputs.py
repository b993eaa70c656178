"""Reads a request for an exception as clients send it: parsed here, judged by the rules (EXC-2 to EXC-5)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from dealreg.api.inputs import ContractInput, SolutionInput, Token
from exceptions_council.api.tokens import KINDS, TARGETS
from exceptions_council.rules import REFUSED_FIELDS, ExceptionInput
from portal.workflow.blockers import Money


class ExceptionValue(serializers.Serializer[Any]):
    """A request: the contract as it should read. What no exception changes may be named as in a registration; it is
    refused at its path, with what can be done instead."""

    referralId = serializers.CharField(max_length=100)
    kind = Token(KINDS)
    justification = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, trim_whitespace=False, max_length=100_000
    )
    contract = ContractInput()
    replacesReferralId = serializers.CharField(required=False, allow_null=True, max_length=100)
    isToolingError = serializers.BooleanField(required=False, allow_null=True)
    supportTickets = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=10_000)
    solutionDetails = SolutionInput(many=True, max_length=1, required=False, allow_null=True)
    customerProfile = serializers.DictField(required=False, allow_null=True)


def form_of(value: Mapping[str, Any]) -> ExceptionInput:
    """The form, as the page would have it."""
    contract = value.get("contract") or {}
    amount, currency = contract.get("value"), contract.get("currency")
    return ExceptionInput(
        kind=value.get("kind") or "",
        justification=value.get("justification") or "",
        term=contract.get("term"),
        tcv=Money(amount, currency or "") if amount is not None else None,
        signed=contract.get("signDateTime"),
        start=contract.get("startDateTime"),
        end=contract.get("endDateTime"),
        old_deal=_deal_id(value.get("replacesReferralId")),
        tooling_error=bool(value.get("isToolingError")),
        tickets=value.get("supportTickets") or "",
        other_fields=tuple(name for name in REFUSED_FIELDS if _at(value, TARGETS[name]) is not None),
    )


def _deal_id(named: str | None) -> uuid.UUID | None:
    """What is no id names a deal that there isn't (EXC-13)."""
    if not named:
        return None
    try:
        return uuid.UUID(named)
    except ValueError:
        return uuid.UUID(int=0)


def _at(value: Any, path: str) -> Any:
    """What stands at the path; None if nothing does."""
    for step in path.split("/"):
        if isinstance(value, list):
            value = value[0] if value else None
        elif isinstance(value, Mapping):
            value = value.get(step)
    return value
