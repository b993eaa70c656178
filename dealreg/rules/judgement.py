"""Deal registration as pure decisions: eligibility (ELIG), the form (REG), and the route it takes (AUTO, FLOW-3).

A dry run and a submission ask the same functions, so they can't disagree (REG-15). The
criteria are in `eligibility`, the form in `values`, its checks in `checks`, the annual contract value in `acv`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from dealreg.rules import states
from dealreg.rules.acv import USD, UsdRate, round_cents
from dealreg.rules.checks import violations
from dealreg.rules.values import PAYG, RegistrationFacts, RegistrationInput, amounts, answers_asked
from dealreg.rules.window import SigningFacts, register_until
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

    `claim` is the form as it was judged and is kept. Values are present wherever they can be computed, with or without
    violations, rounded to cents, which is also how they are compared (REG-6). `rate_month` is the month of the rate
    behind `acv_usd` and `tcv_usd`; `rates_used` holds every rate that was used and known in `facts.rates` (USD needs
    none). `days_left` counts to `last_day` of the window (FLOW-8) and is negative afterwards; both are None where no
    window applies (pay-as-you-go, a correction, a signing that is unknown or lies in the future). `notes` are remarks
    that are no violation. `route` is None if there are violations; `expected` is it, or before that what is certain
    already. `facts` is what it was judged by.
    """

    claim: RegistrationInput
    facts: RegistrationFacts
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
    expected: Route | None = None


def judge(given: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> Judgement:
    """Evaluate a registration: violations, values, remaining days and route (REG-15)."""
    inp = answers_asked(given, facts)
    violated = violations(inp, facts, policy)
    found = amounts(inp, facts, policy)
    rates_used = _rates_used(inp, facts)
    rate = rates_used.get(inp.tcv.currency) if inp.tcv else None
    last_day = _last_day(inp, facts, policy)
    route = None if violated or found.acv_usd is None else route_for(inp, facts, found.acv_usd, policy)
    return Judgement(
        claim=inp,
        facts=facts,
        violations=violated,
        notes=tuple(_notes(inp, facts, policy)),
        acv=Money(round_cents(found.acv), inp.tcv.currency) if inp.tcv and found.acv is not None else None,
        acv_usd=found.acv_usd,
        tcv_usd=found.tcv_usd,
        solution_value_usd=found.solution_value_usd,
        rate_month=rate.month if rate else None,
        rates_used=rates_used,
        days_left=(last_day - facts.today).days if last_day else None,
        last_day=last_day,
        route=route,
        expected=route or _certain_route(inp, facts, found.acv_usd, policy),
    )


def _certain_route(
    inp: RegistrationInput, facts: RegistrationFacts, acv_usd: Decimal | None, policy: Policy
) -> Route | None:
    """Where a form goes by what is known already (REG-15); None as long as it may be approved at once."""
    answered = {name: day for name, day in facts.approved_dates.items() if getattr(inp, name)}
    route = route_for(inp, replace(facts, approved_dates=answered), acv_usd or Decimal(0), policy)
    return None if facts.wrong_state or route.state == states.APPROVED else route


def _rates_used(inp: RegistrationInput, facts: RegistrationFacts) -> dict[str, UsdRate]:
    currencies = {money.currency for money in (inp.tcv, inp.solution_value) if money}
    return {currency: facts.rates[currency] for currency in sorted(currencies) if currency in facts.rates}


def _last_day(inp: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> date | None:
    """The last day to register the contract (FLOW-8); None where no window applies, or the signing isn't known."""
    if inp.signed is None or inp.signed > facts.today or facts.is_correction:
        return None
    if facts.exception_granted and facts.waived_until is None:
        return None
    start = None if facts.is_renewal(inp) else inp.start
    known = SigningFacts(facts.today, inp.signed, start, inp.pricing == PAYG, facts.waived_until)
    return register_until(known, policy).last_day


def _notes(inp: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> Iterator[Blocker]:
    """Remarks for the person that are no violations (REG-1, REG-18)."""
    if inp.marketplace:
        note = _PRACR_TOP_TIER if facts.top_tier else _PRACR
        yield Blocker("marketplace_pracr_only", note, "REG-1", "marketplace", {"since": policy.pracr_since})
    if facts.is_renewal(inp):
        yield Blocker(
            "renewal",
            _(
                "This is a renewal: raise the solution value by the amount of the renewal and extend the end of the "
                "contract. It may start when the earlier one did."
            ),
            "REG-18",
            "renews",
        )


_PRACR = _(
    "Since %(since)s, registering a marketplace sale only counts towards partner-reported consumption "
    "(PRACR), which is open to top-tier partners. If you don't take part in it, you need not register."
)
_PRACR_TOP_TIER = _(
    "Since %(since)s, registering a marketplace sale only counts towards partner-reported consumption "
    "(PRACR), which is open to your company as a top-tier partner."
)


def route_for(inp: RegistrationInput, facts: RegistrationFacts, acv_usd: Decimal, policy: Policy) -> Route:
    """The route of a registration without violations (FLOW-2, FLOW-3); a correction goes to review in any case.

    `acv_usd` is to the cent, as it is stored, so that a worker who routes by the stored value decides like the dry run.
    Of the facts only those for AUTO count.
    """
    reasons = tuple(_review_reasons(inp, facts, acv_usd, policy))
    if facts.is_correction:
        return Route(states.REVIEW_PENDING, reasons or (_CORRECTED,))
    if reasons:
        return Route(states.REVIEW_PENDING, reasons)
    if inp.marketplace and inp.marketplace_date:
        return Route(states.MARKETPLACE_PENDING, (_marketplace_reason(inp.marketplace_date),))
    return Route(states.APPROVED)


_CORRECTED = Blocker("corrected", _("A reviewer checks what you corrected."), "FLOW-2")
#: Where the reason itself would tell of another company's record (ORG-6).
_ADDITIONAL_REVIEW = Blocker("additional_review", _("This registration was chosen for additional review."), "FLOW-2")


def _review_reasons(
    inp: RegistrationInput, facts: RegistrationFacts, acv_usd: Decimal, policy: Policy
) -> Iterator[Blocker]:
    """The reasons for a review (AUTO-1 to AUTO-6), as sentences for the partner."""
    if acv_usd > policy.review_above_acv_usd:
        yield Blocker(
            "acv_above_review_limit",
            _("A reviewer checks this registration: its annual contract value, %(acv)s, is above %(limit)s."),
            "AUTO-1",
            params={"acv": Money(acv_usd, USD), "limit": Money(policy.review_above_acv_usd, USD)},
        )
    if facts.partner_count > 1 and facts.known_partners > 1:
        yield Blocker(
            "several_partners",
            _("A reviewer checks this registration: %(count)s partner companies take part in the deal."),
            "AUTO-2",
            params={"count": facts.known_partners},
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
    if any(duplicate.own for duplicate in facts.duplicates):
        yield Blocker(
            "registered_before",
            _(
                "A reviewer checks this registration: the same company registered this solution for this customer "
                "before, within the last %(months)s months."
            ),
            "AUTO-5",
            params={"months": policy.duplicate_months},
        )
    if any(getattr(inp, name) != day for name, day in facts.approved_dates.items()):
        message = _("A reviewer checks this registration: its contract dates differ from those of the exception.")
        yield Blocker("dates_not_approved", message, "AUTO-6")
    if _has_hidden_reason(facts):
        yield _ADDITIONAL_REVIEW


def _has_hidden_reason(facts: RegistrationFacts) -> bool:
    """Whether a company that this one may not know of is a reason (AUTO-2, AUTO-5, ORG-6)."""
    unknown_partners = facts.partner_count > 1 and facts.known_partners <= 1
    return unknown_partners or any(not duplicate.own for duplicate in facts.duplicates)


def _marketplace_reason(expected: date) -> Blocker:
    return Blocker(
        "marketplace_sale",
        _("This is a marketplace sale: the registration waits for its transaction, expected around %(expected)s."),
        "FLOW-3",
        params={"expected": expected},
    )
