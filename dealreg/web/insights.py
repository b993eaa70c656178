"""What registrations add to Insights: the last steps of a deal, and what came of those filed (REF-17)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import F, Q
from django.utils.translation import gettext

from dealreg.rules import states
from portal.accounts.rules import Actor
from portal.ui.charts import TEXT, Chart, Column, deals_and_usd
from portal.ui.period import Period
from portal.workflow import text
from portal.workflow.blockers import _
from referrals.selectors.figures import STEPS, Figures, Step, runs_programme, sums
from referrals.web.insights import CHARTS, Source

#: One that another took the place of counts in no figure (EXC-13).
_REGISTERED = Q(registration__submitted_at__isnull=False) & ~Q(registration__outcome=states.REPLACED)
#: Of a closed registration the outcome counts.
_APPROVED = Q(registration__status__in=states.GOOD) | Q(
    registration__status=states.CLOSED, registration__outcome__in=states.GOOD
)


def of_partners(actor: Actor) -> bool:
    """The registrations are the partners'; the programme counts them, too."""
    return not actor.is_vendor or runs_programme(actor)


def filed(figures: Figures) -> list[Mapping[str, Any]]:
    """The registrations filed, by state and reason; a closed one stands in the state it was closed in."""
    deals = figures.deals.filter(_REGISTERED).annotate(
        state=F("registration__status"), outcome=F("registration__outcome"), reason=F("registration__reason_code")
    )
    found = deals.values("state", "outcome", "reason").annotate(**sums(deals=Q()))
    rows = [{**row, "state": row["outcome"] or row["state"]} for row in found]
    return sorted(rows, key=lambda row: (-row["deals"], row["state"], row["reason"]))


def registrations(figures: Figures, _period: Period, _actor: Actor) -> Chart:
    found = filed(figures)
    good, bad = ([row for row in found if row["state"] in states_] for states_ in (states.GOOD, states.BAD))
    rest = [row for row in found if row["state"] not in {*states.GOOD, *states.BAD}]
    reasons: dict[str, list[Mapping[str, Any]]] = {}
    for row in bad:
        reason = text.phrase(states.reason_text(row["reason"], status=row["state"]))
        reasons.setdefault(gettext("Rejected: %(reason)s") % {"reason": reason}, []).append(row)
    groups = {
        gettext("Registered"): found,
        gettext("Approved"): good,
        gettext("In progress"): rest,
        gettext("Rejected"): bad,
        **reasons,
    }
    return Chart(
        "registrations",
        gettext("Registrations"),
        gettext("Deals of the period that have been registered, by what has come of it by now; USD of the deal."),
        [Column(gettext("Result"), TEXT), *deals_and_usd()],
        [(label, *_summed(rows)) for label, rows in groups.items()],
    )


def _summed(rows: Iterable[Mapping[str, Any]]) -> tuple[int, Decimal]:
    """Of the few groups that the database found."""
    found = list(rows)
    return sum(row["deals"] for row in found), sum((row["deals_usd"] for row in found), Decimal(0))


STEPS.add("registered", Step(_("Registered"), _REGISTERED, offered=of_partners), order=40)
STEPS.add("approved", Step(_("Approved"), _APPROVED, _("From creation to approval"), of_partners), order=50)
CHARTS.add("registrations", Source(registrations, of_partners), order=50)
