"""What Insights counts of the deals that are open now, whatever the period: how long they haven't moved, and when they
are to close (REF-14, REF-17). A sale moves when its stage or its status changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    DecimalField,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Greatest, TruncMonth

from portal.accounts.rules import Actor
from portal.events.models import Event
from portal.policy.rules import Policy
from referrals.models import Referral
from referrals.selectors import partner_side
from referrals.selectors.figures import active, counted, runs_programme, sums

STAGE_SET = "referral.stage_set"
#: How long deals have not moved: up to so many days of the policy, and `longer`.
LONGER = "longer"
_AMOUNT = DecimalField(max_digits=30, decimal_places=4)


def standing(actor: Actor) -> QuerySet[Any]:
    """The open deals that this person's figures count, with the stage the sale has `reached`."""
    return active(counted(actor), actor)


def moved(deals: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """The deals with the instant `moved_at`; of the vendor's own copies that of the partner's sale."""
    theirs = actor.is_vendor and not runs_programme(actor)
    deals = deals.annotate(sale=partner_side.sale() if theirs else F("pk"))
    stages = Event.objects.filter(subject_type=Referral._meta.label_lower, subject_id=OuterRef("sale"), verb=STAGE_SET)
    last = Subquery(stages.order_by("-at").values("at")[:1])
    return deals.annotate(moved_at=Greatest("created_at", "accepted_at", last))


def idle_codes(policy: Policy) -> tuple[str, ...]:
    return (*map(str, policy.idle_parts), LONGER)


def idle(today: date, policy: Policy) -> Mapping[str, Q]:
    """Which deals have not moved for how long, by whole days (UTC), so that a figure and its list agree."""
    starts = [datetime.combine(today - timedelta(days=days), time.min, UTC) for days in policy.idle_parts]
    since = [Q(moved_at__gte=start) for start in starts]
    before = [Q(moved_at__lt=start) for start in starts]
    parts = [since[0], *[old & new for old, new in zip(before, since[1:], strict=False)], before[-1]]
    return dict(zip(idle_codes(policy), parts, strict=True))


def ageing(actor: Actor, today: date, policy: Policy) -> dict[int, Mapping[str, Any]]:
    """The open deals by stage: how many have not moved for how long, with their USD."""
    parts = idle(today, policy)
    rows = moved(standing(actor), actor).values("reached").annotate(**sums(deals=Q(), **parts)).order_by("reached")
    return {row["reached"]: row for row in rows}


# Forecast


def weighted(policy: Policy) -> Sum:
    """The USD of deals with `reached`, each by its stage's share; in hundredths, so that nothing is rounded twice."""
    shares = [When(reached=stage, then=Value(percent)) for stage, percent in policy.forecast_percents.items()]
    return Sum(F("value_usd") * Case(*shares, default=Value(0)), output_field=_AMOUNT)


def from_hundredths(found: Decimal | None) -> Decimal:
    return ((found or Decimal(0)) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


def forecast(actor: Actor, today: date, policy: Policy) -> dict[date | None, dict[str, Any]]:
    """The open deals by the month (its first day) of their estimated close, with their USD as they are and weighted;
    under None those whose close has passed."""
    late = Case(When(close_date__lt=today, then=Value(True)), default=Value(False), output_field=BooleanField())
    named = standing(actor).annotate(late=late, month=TruncMonth("close_date"))
    rows = named.values("late", "month").annotate(**sums(deals=Q()), weighted=weighted(policy))
    found: dict[date | None, dict[str, Any]] = {}
    for row in rows.order_by("month"):
        month = None if row["late"] else row["month"]
        add(found.setdefault(month, nothing()), row)
    return found


def nothing() -> dict[str, Any]:
    return {"deals": 0, "deals_usd": Decimal(0), "weighted": Decimal(0)}


def add(to: dict[str, Any], row: Mapping[str, Any]) -> None:
    for name in to:
        to[name] += row[name] or 0
