"""Reads an ISV Connect deal as clients send it: parsed here, judged by the rules (ISV-1, ISV-3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from dealreg.api.inputs import Amount, Currency, Day, Token
from dealreg.api.representation import TENANTS
from isvconnect.api.tokens import CUSTOMER, TARGETS
from isvconnect.models import IsvDeal
from isvconnect.rules.values import IsvDealInput
from isvconnect.selectors import deals as selectors
from portal.accounts.models import Location
from portal.accounts.rules import Actor
from portal.accounts.selectors import nearest_first
from portal.customers.models import Customer
from portal.workflow.blockers import Blocker, Money, RuleViolation
from referrals.api import patch
from referrals.api.creating import customer_of
from referrals.api.inputs import CustomerInput, Text
from referrals.models import Referral

#: Key of nothing: what a client names and there isn't. It is an answer, other than 0.
UNKNOWN = -1


class _Group(serializers.Serializer[Any]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"required": False, **kwargs})


class IsvContractInput(_Group):
    value = Amount(help_text="Software and services, without hardware.")
    currency = Currency()
    signDateTime = Day()
    startDateTime = Day()
    endDateTime = Day()


class IsvSolutionInput(_Group):
    id = serializers.CharField(required=False, allow_null=True, max_length=100)
    value = Amount(help_text="The value of the contract less non-recurring application fees.")
    currency = Currency()
    isDeployedOnAzure = serializers.BooleanField(required=False, allow_null=True)
    primaryDeploymentOn = Token(TENANTS)
    tenantId = serializers.UUIDField(required=False, allow_null=True)


class IsvContactInput(_Group):
    firstName = Text()
    lastName = Text()
    phoneNumber = Text()
    email = serializers.EmailField(required=False, allow_blank=True)


class IsvDealPatch(_Group):
    """What a deal states, all of it optional; what is missing the rules ask for."""

    mpnId = serializers.CharField(required=False, allow_null=True, max_length=100)
    customerProfile = CustomerInput(required=False)
    contract = IsvContractInput()
    solution = IsvSolutionInput()
    contact = IsvContactInput()


class IsvDealValue(IsvDealPatch):
    """A deal that is reported. With `referralId` what it doesn't say is taken from that deal (ISV-4)."""

    referralId = serializers.CharField(required=False, allow_null=True, max_length=100)


def _paths(serializer: serializers.Serializer[Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in serializer.fields.items():
        if isinstance(field, _Group):
            yield from _paths(field, f"{above}{name}/")
        else:
            yield f"{above}{name}", field


#: Each path that is written, with the field that reads it.
REPORTED: Mapping[str, Any] = dict(_paths(IsvDealValue()))
CORRECTED: Mapping[str, Any] = dict(_paths(IsvDealPatch()))

_LOOKED_UP = frozenset({"referral", "location", "customer", "solution"})
_VALUES = {"tcv": "tcv_currency", "solution_value": "solution_value_currency"}
_PLAIN = {field: path for field, path in TARGETS.items() if field not in {*_LOOKED_UP, *_VALUES, *_VALUES.values()}}


def form_of(
    values: Mapping[str, Any],
    held: IsvDealInput,
    refused: list[Blocker],
    *,
    actor: Actor,
    now: datetime,
    referral: Referral | None = None,
) -> IsvDealInput:
    """The form with what the body says at its paths, and for the rest what it holds already.

    Adds to `refused` why a customer can't be named so; a new one is written into the directory (wire.md).
    """
    said: dict[str, Any] = {field: values[path] for field, path in _PLAIN.items() if path in values}
    if "deployment" in said and said["deployment"] is not None:
        said["deployment"] = "azure" if said["deployment"] else "other"
    for field, currency in _VALUES.items():
        said[field] = _money(getattr(held, field), values, TARGETS[field], TARGETS[currency])
    if TARGETS["solution"] in values:
        said["solution"] = _solution(values[TARGETS["solution"]], actor, referral)
    customer = customer_of(values[CUSTOMER], refused, actor=actor, now=now) if values.get(CUSTOMER) else None
    if customer is not None:
        said["customer"] = customer.pk
    said["location"] = _location(values, held, customer, selectors.locations(actor, referral))
    return replace(held, **said)


def _money(held: Money | None, values: Mapping[str, Any], amount_at: str, currency_at: str) -> Money | None:
    amount = values.get(amount_at, held.amount if held else None)
    currency = values.get(currency_at, held.currency if held else None)
    return Money(amount, currency) if amount is not None and currency else None


def _solution(named: str | None, actor: Actor, referral: Referral | None) -> int | None:
    """The key of a solution that the form offers, by code or id; any other answers like an unknown one."""
    if not named:
        return None
    wanted = named.strip().casefold()
    offered = selectors.tagged_on(referral) if referral else selectors.tagged_solutions(actor)
    known = offered.values_list("pk", "code", "public_id")
    return next((key for key, code, own in known if wanted in (code.casefold(), str(own))), UNKNOWN)


def _location(
    values: Mapping[str, Any], held: IsvDealInput, customer: Customer | None, offered: QuerySet[Location]
) -> int | None:
    """The key of the location that is named; else the one that is held, or where a deal for a customer in that
    country would arrive (REF-10)."""
    if named := values.get(TARGETS["location"]):
        return offered.filter(mpn_id=named).values_list("pk", flat=True).first() or UNKNOWN
    if held.location is not None or customer is None:
        return held.location
    return nearest_first(customer.country).filter(pk__in=offered).values_list("pk", flat=True).first()


def correction(deal: IsvDeal, data: Any, *, actor: Actor, now: datetime) -> IsvDealInput:
    """The form of a deal with what a PATCH changes in it. Raises ApiError, RuleViolation."""
    refused: list[Blocker] = []
    values = patch.values_of(data, CORRECTED)
    form = form_of(values, deal.claim, refused, actor=actor, now=now, referral=deal.referral)
    if refused:
        found = selectors.judge(form, actor=actor, deal=deal, now=now)
        raise RuleViolation(together(refused, found.violations))
    return form


def together(refused: Sequence[Blocker], found: Sequence[Blocker]) -> list[Blocker]:
    """All that is wrong: a customer that was refused isn't missing, too."""
    return [*refused, *(blocker for blocker in found if not refused or blocker.field != "customer")]
