"""Whether a sale has to be reported to ISV Connect (ISV-1, ISV-2), criterion by criterion, as the page shows ELIG."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from dealreg.rules.acv import USD
from dealreg.rules.criteria import Criterion, SettledBy, State
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Money, Term, _


@dataclass(frozen=True)
class ReferralFacts:
    """What decides about a referral's banner.

    `solutions`: the names of the company's own solutions on it that carry the ISV Connect tag. `value_usd`: to the cent
    at the rate of its month (FX-2); None while there is no rate. `is_open`: the partner can still change it.
    """

    solutions: tuple[str, ...]
    value: Money
    value_usd: Decimal | None
    is_open: bool


def criteria(facts: ReferralFacts, policy: Policy) -> tuple[Criterion, ...]:
    """ISV-1 in its two parts. No criterion of co-sell registration applies."""
    return (_tagged(facts), _value(facts, policy))


def _fixable(facts: ReferralFacts) -> SettledBy:
    return "you" if facts.is_open else "nobody"


def _tagged(facts: ReferralFacts) -> Criterion:
    code, rule = "isv_solution", "ISV-1"
    tagged = bool(facts.solutions)
    names = Blocker(code, _("%(names)s"), rule, params={"names": ", ".join(facts.solutions)})
    return Criterion(
        code,
        rule,
        "met" if tagged else "notMet",
        needed=Blocker(code, _("A solution with the ISV Connect tag standard or premium"), rule),
        actual=names if tagged else Blocker(code, _("No tagged solution"), rule),
        message=Blocker(
            code,
            _("A solution on this deal carries the ISV Connect tag.")
            if tagged
            else _("No solution of your company on this deal carries the ISV Connect tag; check the tag of its offer."),
            rule,
        ),
        settled_by="" if tagged else _fixable(facts),
    )


def _value(facts: ReferralFacts, policy: Policy) -> Criterion:
    code, rule, minimum = "isv_value", "ISV-1", Money(policy.isv_minimum_value_usd, USD)
    usd, state = facts.value_usd, _state(facts, policy)
    found = {
        "met": Blocker(code, _("The value is above the minimum of %(minimum)s."), rule, params={"minimum": minimum}),
        "notMet": Blocker(
            code,
            _("The value comes to %(usd)s, and a sale is reported above %(minimum)s."),
            rule,
            params={"usd": Money(usd or Decimal(0), USD), "minimum": minimum},
        ),
        "notYet": Blocker(
            "fx_rate_missing",
            _("There is no recent enough exchange rate from %(currency)s to USD to judge the value."),
            "FX-2",
            params={"currency": facts.value.currency},
        ),
    }
    actual = Blocker(code, _("%(value)s (%(usd)s)"), rule, params={"value": facts.value, "usd": _shown(usd)})
    return Criterion(
        code,
        rule,
        state,
        needed=Blocker(code, _("Above %(minimum)s"), rule, params={"minimum": minimum}),
        actual=actual,
        message=found[state],
        settled_by="" if state == "met" else "time" if state == "notYet" else _fixable(facts),
    )


def _state(facts: ReferralFacts, policy: Policy) -> State:
    if facts.value_usd is None:
        return "notYet"
    return "met" if facts.value_usd > policy.isv_minimum_value_usd else "notMet"


def _shown(usd: Decimal | None) -> Money | Term:
    return Term("–") if usd is None else Money(usd, USD)
