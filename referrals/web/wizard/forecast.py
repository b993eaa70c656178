"""What other apps foresee of a deal beside every step of the wizard, as far as its draft says anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from portal.catalog.models import Solution
from portal.customers.models import Customer
from portal.registry import Registry
from portal.workflow.blockers import Money
from portal.workflow.verbs import Context
from referrals import rules, verbs
from referrals.web.wizard.draft import CUSTOMER, DEAL, HELP, SOLUTIONS, Wizard


@dataclass(frozen=True)
class Sketch:
    """A deal that isn't created yet; None, and no solutions, is what isn't answered yet.

    `value_usd` at the rate of `rate_month`, None where there is no rate (FX-2).
    """

    deal_type: str | None
    value: Money | None
    value_usd: Decimal | None
    rate_month: date | None
    customer: Customer | None
    solutions: tuple[Solution, ...]


@dataclass(frozen=True)
class Forecast:
    """What one app foresees: its verdict in a line, and a template of what that rests on, which gets `context` as `of`.

    `look`: met, notMet, or unknown as long as not enough is answered.
    """

    look: str
    verdict: str
    note: str
    template: str
    context: Any


Foresee = Callable[[Sketch, Context], Forecast]
FORECASTS: Registry[Foresee] = Registry()


def forecasts(pages: Wizard, step: str) -> Mapping[str, Forecast]:
    """What every app says of this draft, while this step is before the person."""
    drawn = sketch(pages, step)
    return {code: foresee(drawn, pages.context) for code, foresee in FORECASTS.items()}


def sketch(pages: Wizard, step: str) -> Sketch:
    """What can be read of the draft, whatever is wrong with the rest; of the open step, what it shows chosen counts."""
    deal, chosen = pages.answers(DEAL), pages.answers(SOLUTIONS)
    value = Money(deal["value"], deal["currency"]) if {"value", "currency"} <= deal.keys() else None
    usd, month = verbs.copies.usd_value(value, pages.context) if value else (None, None)
    return Sketch(
        deal_type=_deal_type(pages, step, assessment=bool(chosen.get("assessment"))),
        value=value,
        value_usd=usd,
        rate_month=month,
        customer=pages.answers(CUSTOMER).get("customer"),
        solutions=tuple(chosen.get("solutions") or ()),
    )


def _deal_type(pages: Wizard, step: str, *, assessment: bool) -> str | None:
    if not assessment and step != HELP and HELP not in pages.draft.data:
        return None
    form = pages.form(HELP)
    seen = str(form["vendor_may_view"].value()) == "yes"
    return rules.deal_type(help_code=pages.help_code, vendor_may_view=seen, assessment=assessment)
