"""The answers of the registration form, the facts they are checked against, and its amounts (REG-4, REG-5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from dealreg.rules import acv
from dealreg.rules.contract import in_usd, positive
from dealreg.rules.criteria import Eligibility
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Money

AZURE = "azure"
PAYG, OTHER_PRICING = "payg", "other"


@dataclass(frozen=True)
class RegistrationInput:
    """The answers given in the form so far; None (or '') is an unanswered question.

    `solution`, `renews`: keys of a solution and of an earlier registration. `deployment`: azure or other. `term`:
    perpetual or finite. `tenant`: customer or partner. `pricing`: payg or other. Amounts are finite decimals,
    `payg_year_value` in the currency of `tcv`; dates are UTC days. Pay-as-you-go: `signed` = `start` = the first
    invoice's day, `end` = the last one's (REG-11). This is the list of the questions, in the order in which violations
    are reported: columns and form fields have their names.
    """

    solution: int | None = None
    renews: int | None = None
    marketplace: bool | None = None
    marketplace_date: date | None = None
    deployment: str | None = None
    term: str | None = None
    tcv: Money | None = None
    solution_value: Money | None = None
    payg_year_value: Decimal | None = None
    signed: date | None = None
    start: date | None = None
    end: date | None = None
    tenant: str | None = None
    pricing: str | None = None
    contract_names_confirmed: bool = False


@dataclass(frozen=True)
class Duplicate:
    """An earlier registration of the same customer and solution, and whether it is the same company's (AUTO-5)."""

    registration: int
    own: bool


@dataclass(frozen=True)
class RegistrationFacts:
    """The facts that the form is checked against.

    `created`, `vendor_invited`, `first_filed` are UTC days; the latter two are None if the vendor was never let in, or
    if this is the first filing. `eligibility` is None where opening the registration settled it (ELIG-10).
    `wrong_state` says why nothing can be registered at all. `rates` are the rates of the month in question (FX-2); a
    currency without a rate is absent. `exception_granted`: an exception waives what REG-12 names; `waived_until` is its
    last day. `solutions` may be registered (REG-21); `renewable` are earlier registrations that may be renewed, each
    with its solution (REG-18). `partner_count` counts the companies that take part, the registering one included;
    `known_partners` only those that it knows of (AUTO-2, ORG-6). `won_early` as in REF-18 (AUTO-4). `top_tier`: the
    company is one of the vendor's top-tier partners (ORG-8). `approved_dates`: the contract's dates that an exception
    was approved with, by field (AUTO-6). `replaced_tenant`: the tenant type of the registration that this one replaces,
    if it stated one (EXC-13).
    """

    today: date
    created: date
    first_filed: date | None = None
    vendor_invited: date | None = None
    eligibility: Eligibility | None = None
    wrong_state: Blocker | None = None
    rates: Mapping[str, acv.UsdRate] = field(default_factory=dict)
    exception_granted: bool = False
    waived_until: date | None = None
    solutions: tuple[int, ...] = ()
    renewable: Mapping[int, int] = field(default_factory=dict)
    partner_count: int = 1
    known_partners: int = 1
    won_early: bool = False
    top_tier: bool = False
    duplicates: tuple[Duplicate, ...] = ()
    approved_dates: Mapping[str, date | None] = field(default_factory=dict)
    replaced_tenant: str = ""

    @property
    def is_correction(self) -> bool:
        """Whether it was filed before and came back; then it goes to review in any case (FLOW-2)."""
        return self.first_filed is not None

    @property
    def window_day(self) -> date:
        """The day on which the 60 and 90 days are checked (REG-7, REG-8): the first filing's for a correction, so that
        a slow review makes nobody late (REG-20)."""
        return self.first_filed or self.today

    @property
    def shared(self) -> date:
        """The later of two days: the referral's creation, and the first on which the vendor was let in (REG-7)."""
        return max(self.created, self.vendor_invited or self.created)

    def is_renewal(self, inp: RegistrationInput) -> bool:
        """Whether the form renews an earlier registration of the solution it names (REG-18)."""
        return inp.renews is not None and self.renewable.get(inp.renews) == inp.solution


def answers_asked(inp: RegistrationInput, facts: RegistrationFacts) -> RegistrationInput:
    """The form without the answers that its other answers make superfluous (REG-1, REG-3, REG-6), and with the only
    solution there is (REG-21). This is what is judged, and kept."""
    changes: dict[str, Any] = {}
    if inp.marketplace is False:
        changes["marketplace_date"] = None
    if inp.term == acv.PERPETUAL:
        changes["end"] = None
    if inp.pricing == OTHER_PRICING:
        changes["payg_year_value"] = None
    if inp.solution is None and len(facts.solutions) == 1:
        changes["solution"] = facts.solutions[0]
    return replace(inp, **changes)


@dataclass(frozen=True)
class Amounts:
    """The form's amounts; None for one that is missing, not above zero or without a rate.

    `acv` is an exact fraction. Those in USD are rounded half-up to the cent: limits compare what people see (REG-6).
    """

    tcv_usd: Decimal | None
    solution_value_usd: Decimal | None
    payg_year_usd: Decimal | None
    acv: Fraction | None
    acv_usd: Decimal | None


def amounts(inp: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> Amounts:
    """Convert the form's amounts, and compute the annual contract value in both currencies (REG-4, REG-5)."""
    tcv = positive(inp.tcv)
    annual = annual_usd = None
    if tcv and _acv_computable(inp):
        annual = acv.acv(tcv.amount, inp.term or "", inp.start, inp.end, policy)
        rate = acv.usd_per_unit(tcv.currency, facts.rates)
        annual_usd = acv.round_cents(annual * rate) if rate is not None else None
    year = Money(inp.payg_year_value, tcv.currency) if tcv and inp.payg_year_value is not None else None
    return Amounts(
        tcv_usd=in_usd(tcv, facts.rates),
        solution_value_usd=in_usd(positive(inp.solution_value), facts.rates),
        payg_year_usd=in_usd(positive(year), facts.rates),
        acv=annual,
        acv_usd=annual_usd,
    )


def _acv_computable(inp: RegistrationInput) -> bool:
    if inp.term == acv.FINITE:
        return bool(inp.start and inp.end and inp.start <= inp.end)
    return inp.term == acv.PERPETUAL
