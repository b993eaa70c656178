"""The answers of the registration form, the facts they are checked against, and its amounts (REG-4, REG-5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from dealreg.rules import acv
from dealreg.rules.eligibility import Eligibility
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Money


@dataclass(frozen=True)
class RegistrationInput:
    """The answers given in the form so far; None (or '') is an unanswered question.

    `deployment`: azure or other. `term`: perpetual or finite. `tenant`: customer or partner. `pricing`: payg or
    other. Amounts are finite decimals; dates are UTC days. Pay-as-you-go: `signed` = `start` = the first invoice's
    day, `end` = the last one's (REG-11). This is the list of the questions: columns and form fields have their names.
    """

    marketplace: bool | None = None
    marketplace_date: date | None = None
    deployment: str | None = None
    term: str | None = None
    tcv: Money | None = None
    solution_value: Money | None = None
    signed: date | None = None
    start: date | None = None
    end: date | None = None
    tenant: str | None = None
    pricing: str | None = None
    contract_names_confirmed: bool = False


@dataclass(frozen=True)
class RegistrationFacts:
    """The facts that the form is checked against.

    `created`, `vendor_invited`, `first_filed` are UTC days; the latter two are None if the vendor was never invited, or
    if this is the first filing. `eligibility` is None where it was settled before (resubmission). `wrong_state` says
    why nothing can be registered at all. `rates` are the rates of the month in question (FX-2); a currency without a
    rate is absent. `partner_count` counts the companies that take part, the registering one included (AUTO-2).
    `won_early` as in REF-18 (AUTO-4).
    """

    today: date
    created: date
    first_filed: date | None = None
    vendor_invited: date | None = None
    eligibility: Eligibility | None = None
    wrong_state: Blocker | None = None
    rates: Mapping[str, acv.UsdRate] = field(default_factory=dict)
    exception_granted: bool = False
    partner_count: int = 1
    won_early: bool = False

    @property
    def window_day(self) -> date:
        """The day on which the 60 and 90 days are checked (REG-7, REG-8): the first filing's for a correction, so that
        a slow review makes nobody late."""
        return self.first_filed or self.today

    @property
    def shared(self) -> date:
        """The later of two days: the referral's creation and the vendor's invitation (REG-7, REG-11)."""
        return max(self.created, self.vendor_invited or self.created)


@dataclass(frozen=True)
class Amounts:
    """The form's amounts as exact fractions; None for an amount that is missing, not above zero or without a rate."""

    tcv_usd: Fraction | None
    solution_value_usd: Fraction | None
    acv: Fraction | None
    acv_usd: Fraction | None


def amounts(inp: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> Amounts:
    """Convert the form's amounts, and compute the annual contract value in both currencies (REG-4, REG-5)."""
    tcv = positive(inp.tcv)
    solution_value = positive(inp.solution_value)
    annual = annual_usd = None
    if tcv and _acv_computable(inp):
        annual = acv.acv(tcv.amount, inp.term or "", inp.start, inp.end, policy)
        rate = acv.usd_per_unit(tcv.currency, facts.rates)
        annual_usd = annual * rate if rate is not None else None
    return Amounts(
        tcv_usd=acv.to_usd(tcv, facts.rates) if tcv else None,
        solution_value_usd=acv.to_usd(solution_value, facts.rates) if solution_value else None,
        acv=annual,
        acv_usd=annual_usd,
    )


def positive(money: Money | None) -> Money | None:
    return money if money and money.amount > 0 else None


def _acv_computable(inp: RegistrationInput) -> bool:
    if inp.term == acv.FINITE:
        return bool(inp.start and inp.end and inp.start <= inp.end)
    return inp.term == acv.PERPETUAL
