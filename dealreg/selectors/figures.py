"""What Insights counts of registrations: aggregates over the deals of a period, each one query (REF-17)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, F, Q, Sum, Value
from django.db.models.functions import Coalesce, TruncMonth

from dealreg.rules import states
from referrals.rules import LOST, WON
from referrals.selectors.figures import MAX_ROWS, Figures, Percentile, sums

#: One that another took the place of counts in no figure (EXC-13).
REGISTERED = Q(registration__submitted_at__isnull=False) & ~Q(registration__outcome=states.REPLACED)


def _in(*found: str) -> Q:
    """In one of these states; of one that has an outcome, the outcome counts."""
    return Q(registration__outcome__in=found) | Q(registration__outcome="", registration__status__in=found)


APPROVED, REJECTED, WITHDRAWN = _in(*states.GOOD), _in(*states.BAD), _in(states.NOT_REGISTERED)
IN_PROGRESS = _in(*set(states.REGISTRATION_STATES) - {*states.GOOD, *states.BAD, states.CLOSED})
#: Decided by a reviewer after it waited for one.
REVIEWED = Q(registration__decided_at__gte=F("registration__review_pending_at"))
#: What came of a registration that was filed.
RESULTS: Mapping[str, Q] = {
    result: REGISTERED & q
    for result, q in {
        "approved": APPROVED,
        "progress": IN_PROGRESS,
        "rejected": REJECTED,
        "withdrawn": WITHDRAWN,
        "reviewed": REVIEWED,
        "passed": REVIEWED & APPROVED,
        "failed": REVIEWED & REJECTED,
    }.items()
}
_TIME = F("registration__decided_at") - F("registration__review_pending_at")
_USD = DecimalField(max_digits=30, decimal_places=2)


def rejected(figures: Figures) -> list[Mapping[str, Any]]:
    """Those rejected, by reason; the most frequent first."""
    found = figures.deals.filter(RESULTS["rejected"]).values(
        reason=F("registration__reason_code"), state=F("registration__status"), outcome=F("registration__outcome")
    )
    rows: list[Mapping[str, Any]] = list(found.annotate(**sums(deals=Q())))
    return sorted(rows, key=lambda row: (-row["deals"], row["reason"]))


def results(figures: Figures) -> Mapping[str, Any]:
    """How many deals were registered, and what came of them, with the USD of the deals."""
    groups = {name: RESULTS[name] for name in ("approved", "progress", "rejected", "withdrawn")}
    return figures.deals.aggregate(**sums(registered=REGISTERED, **groups))


def review_times(figures: Figures) -> Mapping[str, Any]:
    """From the review's beginning to the decision: how many, the median and the 90th percentile."""
    wanted: dict[str, Any] = {}
    for name in ("reviewed", "passed", "failed"):
        wanted[name] = Count("pk", filter=RESULTS[name])
        wanted[f"{name}_median"] = Percentile(_TIME, share=0.5, filter=RESULTS[name])
        wanted[f"{name}_most"] = Percentile(_TIME, share=0.9, filter=RESULTS[name])
    return figures.deals.aggregate(**wanted)


def by_partner(figures: Figures) -> list[Mapping[str, Any]]:
    return _grouped(figures, F("company__public_id"), F("company__name"))


def by_country(figures: Figures) -> list[Mapping[str, Any]]:
    return _grouped(figures, F("engagement__customer__country"), F("engagement__customer__country"))


def by_solution(figures: Figures) -> list[Mapping[str, Any]]:
    """By the one solution that was registered."""
    return _grouped(figures, F("registration__solution__code"), F("registration__solution__name"))


def by_campaign(figures: Figures) -> list[Mapping[str, Any]]:
    """The company's own deals by their campaign id, those that brought the most first."""
    mine = figures.deals.filter(company_id=figures.actor.own_company_id).exclude(campaign_id="")
    wanted = {**sums(deals=Q(), won=Q(substatus=WON), lost=Q(substatus=LOST)), "acv": _acv()}
    found: Any = mine.values("campaign_id").annotate(**wanted)
    return list(found.order_by("-won_usd", "-deals", "campaign_id")[: MAX_ROWS + 1])


def by_month(figures: Figures) -> dict[Any, Mapping[str, Any]]:
    """By the month (its first day) in which the deals were created."""
    month = TruncMonth("created_at", tzinfo=UTC)
    found = figures.deals.filter(REGISTERED).annotate(month=month).values("month").annotate(**_counted())
    return {row["month"].date(): row for row in found.order_by("month")}


def _grouped(figures: Figures, key: F, label: F) -> list[Mapping[str, Any]]:
    """Those with the most registrations; one more than are shown, so that one can tell whether there are more."""
    named = figures.deals.filter(REGISTERED).annotate(key=key, label=label)
    found: Any = named.values("key", "label").annotate(**_counted())
    return list(found.order_by("-filed", "label")[: MAX_ROWS + 1])


def _counted() -> dict[str, Any]:
    return {
        "filed": Count("pk"),
        **{name: Count("pk", filter=RESULTS[name]) for name in ("approved", "progress", "rejected", "withdrawn")},
        "acv": _acv(),
        "median": Percentile(_TIME, share=0.5, filter=RESULTS["reviewed"]),
    }


def _acv() -> Coalesce:
    acv = Sum("registration__acv_usd", filter=RESULTS["approved"], output_field=_USD)
    return Coalesce(acv, Value(Decimal(0)), output_field=_USD)
