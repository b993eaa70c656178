"""Deal registration as pure decisions: eligibility (ELIG), the form (REG), and the route it takes (AUTO, FLOW-3).

A dry run and a submission ask the same functions, so they can't disagree (REG-15). The
criteria are in `eligibility`, the form in `values`, its checks in `checks`, the annual contract value in `acv`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from dealreg.rules import states
from dealreg.rules.acv import USD, UsdRate, round_cents
from dealreg.rules.checks import PAYG, violations
from dealreg.rules.values import RegistrationFacts, RegistrationInput, amounts
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Money, _


@dataclass(frozen=True)
class Route:
    """Where a submitted registration goes, and why not straight to approval (FLOW-2, FLOW-3)."""

    state: str
    reasons: tuple[Blocker, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """The result of a dry run, which a submission also stores (REG-15, FLOW-7).

    Values are present wherever they can be computed, with or without violations. Amounts are rounded to cents; REG-4
    and REG-6 compare the exact ones. `rate_month` is the month of the rate behind `acv_usd` and `tcv_usd`; `rates_used`
    holds every rate that was used and known in `facts.rates` (USD needs none). `days_left` counts to `last_day` of the
    window after signing and is negative afterwards; both are None where no window applies (pay-as-you-go, a granted
    exception, a day in the future). `notes` are remarks that are no violation. `route` is None if there are violations.
    """

    violations: tuple[Blocker, ...]
    notes: tuple[Blocker, ...] = ()
    acv: Money | None = None
    acv_usd: Decimal | None = None
    tcv_usd: Decimal | None = None
    solution_value_usd: Decimal | None = None
    rate_month: date | None = None
    rates_used: Mapping[str, UsdRate] = field(default_factory=dict)
    days_left: int | None = None
    last_day: date | None = None
    route: Route | None = None


def judge(inp: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> Judgement:
    """Evaluate a registration: violations, values, remaining days and route (REG-15)."""
    violated = violations(inp, facts, policy)
    exact = amounts(inp, facts, policy)
    rates_used = _rates_used(inp, facts)
    rate = rates_used.get(inp.tcv.currency) if inp.tcv else None
    days_left, last_day = _window(inp, facts, policy)
    return Judgement(
        violations=violated,
        notes=tuple(_notes(inp, policy)),
        acv=Money(round_cents(exact.acv), inp.tcv.currency) if inp.tcv and exact.acv is not None else None,
        acv_usd=_rounded(exact.acv_usd),
        tcv_usd=_rounded(exact.tcv_usd),
        solution_value_usd=_rounded(exact.solution_value_usd),
        rate_month=rate.month if rate else None,
        rates_used=rates_used,
        days_left=days_left,
        last_day=last_day,
        route=None if violated or exact.acv_usd is None else route_for(inp, facts, exact.acv_usd, policy),
    )


def _rounded(amount: Fraction | None) -> Decimal | None:
    return None if amount is None else round_cents(amount)


def _rates_used(inp: RegistrationInput, facts: RegistrationFacts) -> dict[str, UsdRate]:
    currencies = {money.currency for money in (inp.tcv, inp.solution_value) if money}
    return {currency: facts.rates[currency] for currency in sorted(currencies) if currency in facts.rates}


def _window(inp: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> tuple[int | None, date | None]:
    """The days left and the last day to register the contract (REG-7); None where no window applies."""
    if inp.signed is None or inp.signed > facts.today or inp.pricing == PAYG or facts.exception_granted:
        return None, None
    last_day = inp.signed + policy.register_within
    return (last_day - facts.window_day).days, last_day


def _notes(inp: RegistrationInput, policy: Policy) -> Iterator[Blocker]:
    """Remarks for the person that are no violations (REG-1)."""
    if inp.marketplace:
        yield Blocker(
            "marketplace_pracr_only",
            _(
                "Since %(since)s, registering a marketplace sale only counts towards partner-reported consumption "
                "(PRACR), which is open to top-tier partners. If you don't take part in it, you need not register."
            ),
            "REG-1",
            "marketplace",
            {"since": policy.pracr_since},
        )


def route_for(inp: RegistrationInput, facts: RegistrationFacts, acv_usd: Fraction, policy: Policy) -> Route:
    """The route of a registration without violations (FLOW-2, FLOW-3).

    `acv_usd` is compared rounded to cents, as it is stored, so that a worker who routes by the stored value decides
    like the dry run. Of the facts only `partner_count` and `won_early` count.
    """
    if reasons := tuple(_review_reasons(inp, facts, round_cents(acv_usd), policy)):
        return Route(states.REVIEW_PENDING, reasons)
    if inp.marketplace and inp.marketplace_date:
        return Route(states.MARKETPLACE_PENDING, (_marketplace_reason(inp.marketplace_date),))
    return Route(states.APPROVED)


def _review_reasons(
    inp: RegistrationInput, facts: RegistrationFacts, acv_usd: Decimal, policy: Policy
) -> Iterator[Blocker]:
    """The reasons for a review (AUTO-1 to AUTO-4), as sentences for the partner."""
    if acv_usd > policy.review_above_acv_usd:
        yield Blocker(
            "acv_above_review_limit",
            _("A reviewer checks this registration: its annual contract value, %(acv)s, is above %(limit)s."),
            "AUTO-1",
            params={"acv": Money(acv_usd, USD), "limit": Money(policy.review_above_acv_usd, USD)},
        )
    if facts.partner_count > 1:
        yield Blocker(
            "several_partners",
            _("A reviewer checks this registration: %(count)s partner companies take part in the deal."),
            "AUTO-2",
            params={"count": facts.partner_count},
        )
    if inp.pricing == PAYG:
        yield Blocker(
            "pay_as_you_go", _("A reviewer checks this registration: its pricing model is pay-as-you-go."), "AUTO-3"
        )
    if facts.won_early:
        yield Blocker(
            "won_early",
            _("A reviewer checks this registration: the deal was won less than %(hours)s hours after its creation."),
            "AUTO-4",
            params={"hours": policy.safe_win_hours},
        )


def _marketplace_reason(expected: date) -> Blocker:
    return Blocker(
        "marketplace_sale",
        _("This is a marketplace sale: the registration waits for its transaction, expected around %(expected)s."),
        "FLOW-3",
        params={"expected": expected},
    )
