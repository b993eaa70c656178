"""What Insights counts: a handful of aggregates, each one query, whatever the number of deals.

Everything is about the deals that the actor's company created or received within the period and that they may see
(ORG-2, ORG-4); for the vendor's managers, reviewers and council about the partners' deals that the vendor may view
(REF-3), and not about its own copies of them. Those closed as an error are left out (REF-17). USD are the deals'
values at their monthly rates (FX-2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Aggregate, Count, DecimalField, DurationField, F, Q, QuerySet, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, TruncMonth

from portal.accounts.models import Company
from portal.accounts.rules import ADMIN_ROLES, Actor
from portal.registry import Registry
from portal.ui.period import Period
from portal.workflow.blockers import _
from referrals import rules
from referrals.models import Referral, ReferralQuerySet
from referrals.models.expressions import STAGED
from referrals.selectors import partner_side

#: So many countries or solutions at most, those with the most deals.
MAX_ROWS = 50

_WON, _LOST = Q(substatus=rules.WON), Q(substatus=rules.LOST)
#: See reached().
_ACTIVE = Q(substatus=rules.ACCEPTED, reached__isnull=False)
#: An own deal is born accepted (REF-10); whatever was declined or expired never was.
_ACCEPTED = Q(substatus__in=STAGED)
_ANSWERED = _ACCEPTED & Q(invited_by__isnull=False, accepted_at__isnull=False)


def everybody(_actor: Actor) -> bool:
    return True


def runs_programme(actor: Actor) -> bool:
    """Whether the figures are the programme's, of the partners' deals, and not a company's own."""
    return actor.is_vendor and actor.has(*ADMIN_ROLES)


@dataclass(frozen=True)
class Step:
    """How far a deal can come: which deals have, and who is shown it.

    `title`: what the chart of the steps is called if no later one has a title.
    """

    label: str
    reached: Q
    title: str = ""
    offered: Callable[[Actor], bool] = everybody


#: From creation on, each step with the deals that came at least as far; other apps add those that follow.
STEPS: Registry[Step] = Registry()
STEPS.add("created", Step(_("Created or received"), Q()), order=10)
STEPS.add("accepted", Step(_("Accepted"), _ACCEPTED), order=20)
STEPS.add("won", Step(_("Won"), _WON, _("From creation to the win")), order=30)

#: Deals received and accepted, of which the time to accept is taken.
ANSWERED = Step(_("Received and accepted"), _ANSWERED)


class Percentile(Aggregate):
    """The duration that this share of all (0 to 1) takes no longer than; between two, in proportion."""

    template = "percentile_cont(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()

    def __init__(self, expression: Any, *, share: float, **extra: Any) -> None:
        super().__init__(expression, share=share, **extra)


def sums(**groups: Q) -> dict[str, Aggregate | Coalesce]:
    """For each group `name`, how many deals, and as `name_usd` what they are worth."""
    amount = DecimalField(max_digits=30, decimal_places=2)
    found: dict[str, Aggregate | Coalesce] = {}
    for name, q in groups.items():
        found[name] = Count("pk", filter=q) if q else Count("pk")
        found[f"{name}_usd"] = Coalesce(
            Sum("value_usd", filter=q or None, output_field=amount), Value(Decimal(0)), output_field=amount
        )
    return found


def counted(actor: Actor) -> ReferralQuerySet:
    """Every deal that this person's figures count, whenever it was created; what a figure is made of is found here."""
    visible = Referral.objects.visible_to(actor).exclude(substatus=rules.ERROR)
    if runs_programme(actor):
        return visible.filter(company__kind=Company.Kind.PARTNER)
    return visible.filter(company_id=actor.own_company_id)


def reached(actor: Actor) -> Combinable:
    """The stage of the sale. Of the vendor's own copies it is the partner's, and NULL once that is over (REF-11)."""
    return partner_side.stage() if actor.is_vendor and not runs_programme(actor) else F("stage")


def active(deals: QuerySet[Referral], actor: Actor) -> QuerySet[Any]:
    """Those of the deals whose sale goes on, with the stage it has `reached`."""
    return deals.annotate(reached=reached(actor)).filter(_ACTIVE)


class Figures:
    """The figures of one period for one person."""

    def __init__(self, actor: Actor, period: Period) -> None:
        self.actor = actor
        self.deals = counted(actor).filter(created_at__gte=period.start, created_at__lt=period.end)

    @cached_property
    def totals(self) -> Mapping[str, Any]:
        """How many deals came how far, with their USD, and how long they took."""
        answer, win = F("accepted_at") - F("created_at"), F("closed_at") - F("created_at")
        steps = {code: step.reached for code, step in STEPS.items()}
        return self.deals.annotate(reached=reached(self.actor)).aggregate(
            **sums(active=_ACTIVE, lost=_LOST, **steps),
            unvalued=Count("pk", filter=Q(value_usd=None)),
            answered=Count("pk", filter=_ANSWERED),
            answer_median=Percentile(answer, share=0.5, filter=_ANSWERED),
            answer_most=Percentile(answer, share=0.9, filter=_ANSWERED),
            win_median=Percentile(win, share=0.5, filter=_WON),
            win_most=Percentile(win, share=0.9, filter=_WON),
        )

    def stages(self) -> dict[int, Mapping[str, Any]]:
        """The active deals by stage."""
        found = active(self.deals, self.actor).values("reached").annotate(**sums(deals=Q())).order_by("reached")
        return {row["reached"]: row for row in found}

    def months(self) -> dict[Any, Mapping[str, Any]]:
        """Won and lost by the month (its first day) in which the deals were created."""
        month = TruncMonth("created_at", tzinfo=UTC)
        found = self.deals.annotate(month=month).values("month").annotate(**sums(won=_WON, lost=_LOST))
        return {row["month"].date(): row for row in found.order_by("month")}

    def partners(self) -> list[Mapping[str, Any]]:
        """By the company whose deal it is."""
        named = self.deals.annotate(partner=F("company__name"), partner_id=F("company__public_id"))
        return self._most(named, "partner", "partner_id")

    def countries(self) -> list[Mapping[str, Any]]:
        """By the customer's country."""
        return self._most(self.deals.annotate(country=F("engagement__customer__country")), "country")

    def solutions(self) -> list[Mapping[str, Any]]:
        """By solution: a deal counts for each it has."""
        sold = self.deals.filter(solutions__isnull=False).annotate(
            solution=F("solutions__solution__name"), solution_code=F("solutions__solution__code")
        )
        return self._most(sold, "solution", "solution_code")

    def _most(self, deals: Any, *names: str) -> list[Mapping[str, Any]]:
        """One more than are shown, so that one can tell whether there are more."""
        found = deals.values(*names).annotate(**sums(deals=Q(), won=_WON, lost=_LOST))
        return list(found.order_by("-deals", "-deals_usd", *names)[: MAX_ROWS + 1])
