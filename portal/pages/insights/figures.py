"""What Insights counts: a handful of aggregates, each one query, whatever the number of deals.

Everything is about the deals that the actor's company created or received within the period and that they may see
(ORG-2, ORG-4); those closed as an error are left out (REF-17). USD are the deals' values at their monthly rates (FX-2).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Aggregate, Count, DecimalField, DurationField, F, Q, Sum, Value
from django.db.models.functions import Coalesce, TruncMonth

from dealreg.rules import states
from portal.accounts.rules import Actor
from portal.pages.insights.period import Period
from referrals import rules
from referrals.models import Referral
from referrals.models.expressions import STAGED

#: So many countries or solutions at most, those with the most deals.
MAX_ROWS = 50

_WON, _LOST = Q(substatus=rules.WON), Q(substatus=rules.LOST)
_ACTIVE = Q(substatus=rules.ACCEPTED)
#: An own deal is born accepted (REF-10); whatever was declined or expired never was.
_ACCEPTED = Q(substatus__in=STAGED)
_ANSWERED = _ACCEPTED & Q(invited_by__isnull=False, accepted_at__isnull=False)
_REGISTERED = Q(registration__submitted_at__isnull=False)
#: Of a closed registration the outcome counts.
_APPROVED = Q(registration__status__in=states.GOOD) | Q(
    registration__status=states.CLOSED, registration__outcome__in=states.GOOD
)


class Percentile(Aggregate):
    """The duration that this share of all (0 to 1) takes no longer than; between two, in proportion."""

    template = "percentile_cont(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()

    def __init__(self, expression: Any, *, share: float, **extra: Any) -> None:
        super().__init__(expression, share=share, **extra)


def _sums(**groups: Q) -> dict[str, Aggregate | Coalesce]:
    """For each group `name`, how many deals, and as `name_usd` what they are worth."""
    amount = DecimalField(max_digits=30, decimal_places=2)
    found: dict[str, Aggregate | Coalesce] = {}
    for name, q in groups.items():
        found[name] = Count("pk", filter=q) if q else Count("pk")
        found[f"{name}_usd"] = Coalesce(
            Sum("value_usd", filter=q or None, output_field=amount), Value(Decimal(0)), output_field=amount
        )
    return found


class Figures:
    """The figures of one period for one person."""

    def __init__(self, actor: Actor, period: Period) -> None:
        visible = Referral.objects.visible_to(actor).filter(company_id=actor.own_company_id)
        self._deals = visible.exclude(substatus=rules.ERROR).filter(
            created_at__gte=period.start, created_at__lt=period.end
        )

    @cached_property
    def totals(self) -> Mapping[str, Any]:
        """How many deals came how far, with their USD, and how long they took."""
        answer, win = F("accepted_at") - F("created_at"), F("closed_at") - F("created_at")
        steps = {"accepted": _ACCEPTED, "won": _WON, "registered": _REGISTERED, "approved": _APPROVED}
        return self._deals.aggregate(
            **_sums(created=Q(), active=_ACTIVE, lost=_LOST, **steps),
            unvalued=Count("pk", filter=Q(value_usd=None)),
            answered=Count("pk", filter=_ANSWERED),
            answer_median=Percentile(answer, share=0.5, filter=_ANSWERED),
            answer_most=Percentile(answer, share=0.9, filter=_ANSWERED),
            win_median=Percentile(win, share=0.5, filter=_WON),
            win_most=Percentile(win, share=0.9, filter=_WON),
        )

    def stages(self) -> dict[int, Mapping[str, Any]]:
        """The active deals by stage."""
        found = self._deals.filter(_ACTIVE).values("stage").annotate(**_sums(deals=Q())).order_by("stage")
        return {row["stage"]: row for row in found}

    def months(self) -> dict[Any, Mapping[str, Any]]:
        """Won and lost by the month (its first day) in which the deals were created."""
        month = TruncMonth("created_at", tzinfo=UTC)
        found = self._deals.annotate(month=month).values("month").annotate(**_sums(won=_WON, lost=_LOST))
        return {row["month"].date(): row for row in found.order_by("month")}

    def registrations(self) -> list[Mapping[str, Any]]:
        """The registrations filed, by state and reason; a closed one stands in the state it was closed in."""
        filed = self._deals.filter(_REGISTERED).annotate(
            state=F("registration__status"), outcome=F("registration__outcome"), reason=F("registration__reason_code")
        )
        found = filed.values("state", "outcome", "reason").annotate(**_sums(deals=Q()))
        rows = [{**row, "state": row["outcome"] or row["state"]} for row in found]
        return sorted(rows, key=lambda row: (-row["deals"], row["state"], row["reason"]))

    def countries(self) -> list[Mapping[str, Any]]:
        """By the customer's country."""
        return self._most(self._deals.annotate(country=F("engagement__customer__country")), "country")

    def solutions(self) -> list[Mapping[str, Any]]:
        """By solution: a deal counts for each it has."""
        sold = self._deals.filter(solutions__isnull=False).annotate(
            solution=F("solutions__solution__name"), solution_code=F("solutions__solution__code")
        )
        return self._most(sold, "solution", "solution_code")

    def _most(self, deals: Any, *names: str) -> list[Mapping[str, Any]]:
        """One more than are shown, so that one can tell whether there are more."""
        found = deals.values(*names).annotate(**_sums(deals=Q(), won=_WON, lost=_LOST))
        return list(found.order_by("-deals", "-deals_usd", *names)[: MAX_ROWS + 1])
