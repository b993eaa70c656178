"""Whether a sale has to be reported to ISV Connect (ISV-1, ISV-2), criterion by criterion, as the page shows ELIG."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from dealreg.rules.acv import USD
from dealreg.rules.criteria import Criterion, SettledBy, State, criterion, no_rate, say
from portal.policy.rules import Policy
from portal.workflow.blockers import Money, _


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
    tagged = bool(facts.solutions)
    return criterion(
        "isv_solution",
        "ISV-1",
        "met" if tagged else "notMet",
        needed=say(_("A solution with the ISV Connect tag standard or premium")),
        actual=say("%(names)s", names=", ".join(facts.solutions)) if tagged else say(_("No tagged solution")),
        message=say(
            _("A solution on this deal carries the ISV Connect tag.")
            if tagged
            else _("No solution of your company on this deal carries the ISV Connect tag; check the tag of its offer.")
        ),
        settled_by="" if tagged else _fixable(facts),
    )


def _value(facts: ReferralFacts, policy: Policy) -> Criterion:
    minimum, usd = Money(policy.isv_minimum_value_usd, USD), facts.value_usd
    state: State = "notMet"
    settled_by: SettledBy = _fixable(facts)
    if usd is None:
        state, settled_by = "notYet", "time"
        message = no_rate(facts.value)
    elif usd > policy.isv_minimum_value_usd:
        state, settled_by = "met", ""
        message = say(_("The value is above the minimum of %(minimum)s."), minimum=minimum)
    else:
        message = say(
            _("The value comes to %(usd)s, and a sale is reported above %(minimum)s."),
            usd=Money(usd, USD),
            minimum=minimum,
        )
    return criterion(
        "isv_value",
        "ISV-1",
        state,
        needed=say(_("Above %(minimum)s"), minimum=minimum),
        actual=say("%(value)s (%(usd)s)", value=facts.value, usd="–" if usd is None else Money(usd, USD)),
        message=message,
        settled_by=settled_by,
    )
