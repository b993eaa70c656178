"""What Insights counts of ISV Connect deals: a few aggregates, each one query, whatever the number of deals.

Of the deals that the actor sees (ISV-7): a partner its own, the vendor's people the whole programme's. USD are at the
rates of each deal's first submission (FX-2).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, DecimalField, F, Q, Sum, Value, When
from django.db.models.functions import Coalesce, TruncMonth

from isvconnect.models import Installment, Invoice, IsvDeal
from isvconnect.rules import states
from portal.accounts.rules import Actor
from portal.ui.period import Period

_USD = DecimalField(max_digits=30, decimal_places=2)
SOON_DAYS, _YEAR = timedelta(days=30), timedelta(days=365)
SOON, THIS_YEAR, LATER, WAITING = "soon", "year", "later", "waiting"


def invoiced(first: date | None, last: date | None) -> Q:
    """The deals with an invoice or credit note of these days (UTC), both included."""
    issued = Invoice.objects.all()
    if first:
        issued = issued.filter(issued_at__gte=datetime.combine(first, time.min, UTC))
    if last:
        issued = issued.filter(issued_at__lte=datetime.combine(last, time.max, UTC))
    return Q(pk__in=issued.values("deal"))


def _sum(column: Any) -> Coalesce:
    return Coalesce(Sum(column, output_field=_USD), Value(Decimal(0)), output_field=_USD)


def value(actor: Actor, period: Period) -> list[Mapping[str, Any]]:
    """The deals reported in the period that stand, by tag."""
    reported = IsvDeal.objects.visible_to(actor).standing()
    found = reported.filter(created_at__gte=period.start, created_at__lt=period.end).values("tag")
    return list(
        found.annotate(
            deals=Count("pk"),
            tcv=_sum("tcv_usd"),
            solution=_sum("solution_value_usd"),
            going=Count("pk", filter=Q(status__in=states.IN_PROGRESS)),
        ).order_by("tag")
    )


def fees(actor: Actor, period: Period) -> dict[date, dict[str, Mapping[str, Any]]]:
    """What was invoiced in each month (its first day, UTC) of the period by tag, less what was credited, and how many
    of these deals are under way."""
    issued = Invoice.objects.visible_to(actor).filter(issued_at__gte=period.start, issued_at__lt=period.end)
    rows = issued.annotate(month=TruncMonth("issued_at", tzinfo=UTC), tag=F("deal__tag")).values("month", "tag")
    going = Count("deal", filter=Q(deal__status__in=states.IN_PROGRESS))
    found: dict[date, dict[str, Mapping[str, Any]]] = {}
    for row in rows.annotate(usd=_sum("amount_usd"), going=going).order_by("month"):
        found.setdefault(row["month"].date(), {})[row["tag"]] = row
    return found


def still_open(actor: Actor, now: datetime) -> dict[str, Mapping[str, Any]]:
    """The invoices that are still to be issued, by when, with their fees; of those without a rate there is none yet."""
    today = now.date()
    due = Case(
        When(fee=None, then=Value(WAITING)),
        When(due_on__lte=today + SOON_DAYS, then=Value(SOON)),
        When(due_on__lte=today + _YEAR, then=Value(THIS_YEAR)),
        default=Value(LATER),
    )
    usd = F("fee") * F("deal__solution_value_usd") / F("deal__solution_value")
    waiting = Installment.objects.filter(Q(deal__status__in=states.IN_PROGRESS), issued=False)
    own = waiting.filter(deal__in=IsvDeal.objects.visible_to(actor)).order_by().annotate(due=due).values("due")
    return {row["due"]: row for row in own.annotate(invoices=Count("pk"), usd=_sum(usd))}
