"""What is known of a referral's sale before anybody types it (ISV-4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from dealreg.models import Registration, RegistrationDraft
from dealreg.rules import RegistrationInput
from dealreg.rules.acv import PERPETUAL, add_years
from isvconnect.rules.values import IsvDealInput
from isvconnect.selectors.deals import tagged_on
from portal import tables
from portal.catalog.models import Solution
from portal.days import read_day
from portal.policy import services as policies
from portal.policy.rules import Policy
from portal.workflow.blockers import Money
from referrals.models import Referral


def prefill(referral: Referral, *, now: datetime) -> IsvDealInput:
    """The form as its co-sell registration fills it: what was submitted, before that the draft and the referral.

    The contract starts on the later of start and signing; a perpetual one ends after the policy's years (ISV-4).
    """
    told = _known_claim(referral)
    signed = told.signed or referral.signed_on
    start = max(told.start, signed or told.start) if told.start else None
    contact = referral.team.order_by("pk").first()
    found = IsvDealInput(
        location=referral.location_id,
        customer=referral.engagement.customer_id,
        solution=_solution(referral, told),
        tcv=told.tcv or referral.money,
        solution_value=told.solution_value,
        deployment=told.deployment,
        tenant=told.tenant,
        signed=signed,
        start=start,
        end=_end(told, start, policies.current(now)),
    )
    if contact is None:
        return found
    return replace(
        found,
        contact_first_name=contact.first_name,
        contact_last_name=contact.last_name,
        contact_phone=contact.phone,
        contact_email=contact.email,
    )


def _end(told: RegistrationInput, start: date | None, policy: Policy) -> date | None:
    if told.term != PERPETUAL or start is None:
        return told.end
    if start.year + policy.perpetual_years > date.max.year:
        return date.max
    return add_years(start, policy.perpetual_years) - timedelta(days=1)


def _solution(referral: Referral, told: RegistrationInput) -> int | None:
    """The registered one if it is tagged, else the only tagged one on the referral."""
    tagged = list(tagged_on(referral).values_list("pk", flat=True))
    if told.solution in tagged:
        return told.solution
    return tagged[0] if len(tagged) == 1 else None


def _known_claim(referral: Referral) -> RegistrationInput:
    registration = Registration.objects.filter(referral=referral).first()
    if registration is None:
        return RegistrationInput()
    if registration.first_submitted_at is not None:
        return registration.claim
    draft = RegistrationDraft.objects.filter(registration=registration).first()
    told = _drafted(draft.answers) if draft else RegistrationInput()
    return replace(told, solution=told.solution or registration.solution_id)


def _drafted(answers: Mapping[str, str]) -> RegistrationInput:
    """What can be read of what was typed (REG-19)."""
    found: dict[str, Any] = {name: answers.get(name) or None for name in ("deployment", "term", "tenant")}
    found |= {name: read_day(answers.get(name, "")) for name in ("signed", "start", "end")}
    found |= {name: _amount(answers, name) for name in ("tcv", "solution_value")}
    return RegistrationInput(solution=_chosen(answers.get("solution", "")), **found)


def _chosen(typed: str) -> int | None:
    try:
        return Solution.objects.filter(public_id=UUID(typed)).values_list("pk", flat=True).first()
    except ValueError:
        return None


def _amount(answers: Mapping[str, str], name: str) -> Money | None:
    try:
        amount = tables.amount(answers.get(name, ""), decimal_comma=False)
    except tables.Unreadable:
        return None
    currency = answers.get(f"{name}_currency", "")
    return Money(amount, currency) if currency else None
