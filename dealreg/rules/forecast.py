"""What a deal that isn't created yet means for its registration: the criteria themselves, asked of a plan (ELIG)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from dealreg.rules.acv import USD, round_cents
from dealreg.rules.criteria import Criterion, EligibilityFacts
from dealreg.rules.eligibility import eligibility
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Money, _

#: Instead of a state: what decides about the criterion isn't answered yet.
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Plan:
    """A deal as far as its draft says; None, and no solutions, is what isn't answered yet.

    `value_usd` is converted at the rate of `rate_month` (FX-2) and None while there is no rate. `azure_ip_solutions`:
    which of the chosen ones are eligible. `safe_win_at`: if it were created now (REF-18), in UTC.
    """

    deal_type: str | None
    value: Money | None
    value_usd: Decimal | None
    rate_month: date | None
    customer_managed: bool | None
    azure_ip_solutions: tuple[str, ...] | None
    safe_win_at: datetime


@dataclass(frozen=True)
class Remedy:
    """What would make an unmet criterion count, and what it costs; `deal_type` where that is all it takes."""

    code: str
    what: Blocker
    cost: Blocker
    deal_type: str = ""


@dataclass(frozen=True)
class Line:
    """One criterion: how it stands, or `unknown`; what keeps it from being met."""

    criterion: Criterion
    state: str
    why: Blocker | None = None
    remedies: tuple[Remedy, ...] = field(default=())


@dataclass(frozen=True)
class Forecast:
    lines: tuple[Line, ...]
    value_usd: Money | None

    def of(self, state: str) -> list[Line]:
        return [line for line in self.lines if line.state == state]

    @property
    def verdict(self) -> str:
        """notMet: not as it stands; unknown: it still can; met: once it is won, and accepted where that is needed."""
        if self.of("notMet"):
            return "notMet"
        return UNKNOWN if self.of(UNKNOWN) or self.unjudged else "met"

    @property
    def unjudged(self) -> Line | None:
        """The value, where there is no rate to judge it by yet (FX-2)."""
        return next((line for line in self.of("notYet") if line.criterion.code == "minimum_value"), None)

    @property
    def remedies(self) -> list[Remedy]:
        """For all that is unmet; of one criterion the cheapest first."""
        return [remedy for line in self.lines for remedy in line.remedies]


def forecast(plan: Plan, policy: Policy) -> Forecast:
    """Ask the criteria of the plan as if it were created now; what isn't answered yet stays open, as does the vendor's
    answer that a co-sell deal waits for (ELIG-7)."""
    found = eligibility(_facts(plan), policy).criteria
    if plan.deal_type == "solution_assessment":  # nothing else can help it (ELIG-1)
        found = tuple(c for c in found if c.code == "not_assessment")
    elif plan.deal_type != "co_sell":
        found = tuple(c for c in found if c.code != "vendor_accepted")
    usd = plan.value_usd and Money(round_cents(Fraction(plan.value_usd)), USD)
    return Forecast(tuple(_line(c, plan, policy) for c in found), usd or None)


def _facts(plan: Plan) -> EligibilityFacts:
    """The deal as it would be born (REF-10); what isn't known is stood in for, and not judged."""
    return EligibilityFacts(
        deal_type=plan.deal_type or "partner_led",
        value=plan.value or Money(Decimal(0), USD),
        value_usd=plan.value_usd if plan.value else Decimal(0),
        rate_month=plan.rate_month,
        customer_managed=bool(plan.customer_managed),
        azure_ip_solutions=plan.azure_ip_solutions or (),
        substatus="Accepted",
        safe_win_at=plan.safe_win_at,
        vendor_substatus="Received" if plan.deal_type == "co_sell" else None,
    )


def _line(criterion: Criterion, plan: Plan, policy: Policy) -> Line:
    asked = {
        "deal_type": plan.deal_type,
        "minimum_value": plan.value,
        "managed_customer": plan.customer_managed,
        "ip_solution": plan.azure_ip_solutions,
    }
    if asked.get(criterion.code, ()) is None:
        return Line(criterion, UNKNOWN)
    if criterion.state != "notMet":
        return Line(criterion, criterion.state)
    why = _WHY.get(criterion.code)
    found = _raise_value(plan, policy) if criterion.code == "minimum_value" else _REMEDIES.get(criterion.code, ())
    fitting = tuple(r for r in found if not r.deal_type or _helps(r, criterion, plan, policy))
    return Line(criterion, "notMet", _short(plan, policy) if criterion.code == "minimum_value" else why, fitting)


def _helps(remedy: Remedy, unmet: Criterion, plan: Plan, policy: Policy) -> bool:
    """Whether the criterion itself would no longer be unmet."""
    changed = eligibility(_facts(replace(plan, deal_type=remedy.deal_type)), policy)
    return all(c.state != "notMet" for c in changed.criteria if c.code == unmet.code)


def _missing(plan: Plan, policy: Policy) -> Money:
    """How much the value falls short, in the cents that are shown (ELIG-3)."""
    held = round_cents(Fraction(plan.value_usd or 0))
    return Money(policy.minimum_deal_value_usd - held, USD)


def _short(plan: Plan, policy: Policy) -> Blocker:
    minimum = Money(policy.minimum_deal_value_usd, USD)
    params = {"minimum": minimum, "missing": _missing(plan, policy)}
    return Blocker(
        "minimum_value", _("At least %(minimum)s is needed; %(missing)s is missing."), "ELIG-3", params=params
    )


def _raise_value(plan: Plan, policy: Policy) -> tuple[Remedy, ...]:
    what = _("Raise the value by %(missing)s or more")
    return (
        Remedy(
            "minimum_value",
            Blocker("minimum_value", what, "ELIG-3", params={"missing": _missing(plan, policy)}),
            Blocker("", _("If the sale is worth that much; it can be raised until the win.")),
        ),
    )


_WHY = {
    "not_assessment": Blocker("", _("A solution assessment can't be registered, not even by exception.")),
    "deal_type": Blocker("", _("%(vendor)s has to see it: co-sell or partner-led.")),
    "managed_customer": Blocker("", _("%(vendor)s doesn't manage this customer account.")),
    "ip_solution": Blocker("", _("None of the chosen solutions is Azure IP co-sell eligible.")),
}
#: By criterion, the cheapest first.
_REMEDIES = {
    "not_assessment": (
        Remedy(
            "not_assessment",
            Blocker("", _("Sell solutions instead of an assessment")),
            Blocker("", _("A sale that the assessment leads to can be a deal of its own later.")),
        ),
    ),
    "deal_type": (
        Remedy(
            "deal_type",
            Blocker("", _("Let %(vendor)s view it")),
            Blocker("", _("Partner-led. Nobody has to answer.")),
            deal_type="partner_led",
        ),
        Remedy(
            "deal_type",
            Blocker("", _("Ask for any help, and %(vendor)s can accept it")),
            Blocker("", _("Co-sell. A contact at the customer is needed.")),
            deal_type="co_sell",
        ),
    ),
    "managed_customer": (
        Remedy(
            "managed_customer",
            Blocker("", _("Choose the customer's entity that is managed")),
            Blocker("", _("Some customers have several, in several cities. Later the customer can't be changed.")),
        ),
    ),
    "ip_solution": (
        Remedy(
            "ip_solution",
            Blocker("", _("Add a solution that is marked Azure IP")),
            Blocker("", _("One is enough; it can be added until the win.")),
        ),
    ),
}
