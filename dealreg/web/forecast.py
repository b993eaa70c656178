"""The eligibility forecast beside every step of a new deal: what the draft means for its registration (ELIG)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, ngettext

from dealreg.rules.forecast import UNKNOWN, Forecast, Line, Plan, forecast
from portal.workflow import text
from portal.workflow.verbs import Context
from referrals import rules as deals
from referrals.web.wizard import forecast as wizard
from referrals.web.wizard.draft import CUSTOMER, DEAL, HELP, SOLUTIONS, STEPS
from referrals.web.wizard.forecast import FORECASTS, Sketch

#: The step on which the criterion is decided; the others are decided after the last one.
_STEPS = {
    "managed_customer": CUSTOMER,
    "minimum_value": DEAL,
    "ip_solution": SOLUTIONS,
    "not_assessment": SOLUTIONS,
    "deal_type": HELP,
}


@dataclass(frozen=True)
class Shown:
    """A criterion as the card shows it: what is known of it in few words, and where it is decided."""

    line: Line
    now: str
    step: str

    @property
    def step_label(self) -> str:
        return gettext(STEPS[self.step]) if self.step else ""


def foresee(sketch: Sketch, context: Context) -> wizard.Forecast:
    """The verdict on this draft, and how each criterion stands. No query."""
    plan = Plan(
        deal_type=sketch.deal_type,
        value=sketch.value,
        value_usd=sketch.value_usd,
        rate_month=sketch.rate_month,
        customer_managed=sketch.customer.managed if sketch.customer else None,
        azure_ip_solutions=tuple(s.name for s in sketch.solutions if s.azure_ip) if sketch.solutions else None,
        safe_win_at=deals.safe_win_at(context.now, context.policy),
    )
    found = forecast(plan, context.policy)
    shown: dict[str, Any] = {
        "lines": [
            Shown(line, _now(line, sketch, found, context), _STEPS.get(line.criterion.code, ""))
            for state in ("notMet", UNKNOWN, "met", "notYet")
            for line in sorted(found.of(state), key=lambda line: line.criterion.code == "won")  # the last to come
        ],
        "remedies": [(remedy, _STEPS[remedy.code]) for remedy in found.remedies],
        "safe_hours": context.policy.safe_win_hours if found.verdict == "met" else None,
    }
    verdict, note = _verdict(found, sketch)
    return wizard.Forecast(found.verdict, verdict, note, "dealreg/_forecast.html", shown)


def _verdict(found: Forecast, sketch: Sketch) -> tuple[str, str]:
    usd = text.show(found.value_usd) if found.value_usd else ""
    if found.verdict == "notMet":
        short = any(line.criterion.code == "minimum_value" for line in found.of("notMet"))
        lost = gettext("%(usd)s would not count for the incentive.") % {"usd": usd} if usd and not short else ""
        return gettext("Can't be registered as it stands"), lost
    if found.verdict == UNKNOWN:
        open_ = len(found.of(UNKNOWN))
        if not open_ and found.unjudged:
            return gettext("Can still be registered"), text.text(found.unjudged.criterion.actual)
        words = ngettext("%(count)s answer is still open.", "%(count)s answers are still open.", open_)
        return gettext("Can still be registered"), words % {"count": open_}
    to_come = len(found.of("notYet"))
    words = ngettext("%(kind)s. One thing is still to come.", "%(kind)s. %(count)s things are still to come.", to_come)
    kind = gettext(deals.DEAL_TYPES[sketch.deal_type or deals.PRIVATE])
    return gettext("Can be registered once won"), words % {"kind": kind, "count": to_come}


def _now(line: Line, sketch: Sketch, found: Forecast, context: Context) -> str:
    """What decides about the criterion, as short as it can be said."""
    if line.state == UNKNOWN:
        return ""
    match line.criterion.code:
        case "minimum_value":
            return text.show(found.value_usd) if found.value_usd else text.text(line.criterion.actual)
        case "managed_customer":
            return sketch.customer.name if sketch.customer else ""
        case "vendor_accepted":
            days = context.policy.answer_days
            return ngettext("within %(days)s day", "within %(days)s days", days) % {"days": days}
        case "won":
            return gettext("later, by you")
        case "not_assessment":
            return ""
    return text.text(line.criterion.actual)


FORECASTS.add("registration", foresee, order=10)
