"""What Insights counts of ISV Connect deals: a few aggregates, each one query, whatever the number of deals.

Of the deals that the actor sees (ISV-7): a partner its own, the vendor's people the whole programme's. USD are at the
rates of each deal's first submission (FX-2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, DecimalField, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, TruncMonth

from isvconnect.models import Installment, Invoice, IsvDeal
from isvconnect.rules import states
from portal.accounts.rules import Actor
from portal.ui.period import Period

_USD = DecimalField(max_digits=30, decimal_places=2)
SOON_DAYS, _YEAR = timedelta(days=30), timedelta(days=365)
SOON, THIS_YEAR, LATER, WAITING = "soon", "year", "later", "waiting"
_FEE = F("fee") * F("deal__solution_value_usd") / F("deal__solution_value")


def issued(first: date | None, last: date | None) -> QuerySet[Invoice]:
    """The invoices and credit notes of these days (UTC), both included."""
    found = Invoice.objects.all()
    if first:
        found = found.filter(issued_at__gte=datetime.combine(first, time.min, UTC))
    return found.filter(issued_at__lte=datetime.combine(last, time.max, UTC)) if last else found


def invoiced(first: date | None, last: date | None) -> Q:
    """The deals with an invoice or credit note of these days."""
    return Q(pk__in=issued(first, last).values("deal"))


def to_come(chosen: Sequence[str], today: date) -> QuerySet[Any]:
    """The invoices still to be issued then: of the deals under way, with when they are `due`."""
    return _to_come(today).filter(due__in=chosen)


def totals(deals: QuerySet[IsvDeal]) -> Mapping[str, Decimal]:
    return deals.aggregate(tcv=_sum("tcv_usd"), solution=_sum("solution_value_usd"))


def fees_of(deals: QuerySet[IsvDeal], first: date | None, last: date | None) -> Decimal:
    """What was invoiced of the deals on these days, less what was credited."""
    found: Decimal = issued(first, last).filter(deal__in=deals).aggregate(usd=_sum("amount_usd"))["usd"]
    return found


def fees_to_come(deals: QuerySet[IsvDeal], chosen: Sequence[str], today: date) -> Mapping[str, Any]:
    """How many invoices are still to be issued of the deals, and their fees."""
    return to_come(chosen, today).filter(deal__in=deals).aggregate(invoices=Count("pk"), usd=_sum(_FEE))


def _sum(column: Any) -> Coalesce:
    return Coalesce(Sum(column, output_field=_USD), Value(Decimal(0)), output_field=_USD)


def value(actor: Actor, period: Period) -> list[Mapping[str, Any]]:
    """The deals reported in the period that stand, by tag."""
    reported = IsvDeal.objects.visible_to(actor).standing()
    found = reported.filter(created_at__gte=period.start, created_at__lt=period.end).values("tag")
    return list(
        found.annotate(deals=Count("pk"), tcv=_sum("tcv_usd"), solution=_sum("solution_value_usd")).order_by("tag")
    )


def fees(actor: Actor, period: Period) -> dict[date, dict[str, Decimal]]:
    """What was invoiced in each month (its first day, UTC) of the period by tag, less what was credited."""
    invoices = Invoice.objects.visible_to(actor).filter(issued_at__gte=period.start, issued_at__lt=period.end)
    rows = invoices.annotate(month=TruncMonth("issued_at", tzinfo=UTC), tag=F("deal__tag")).values("month", "tag")
    found: dict[date, dict[str, Decimal]] = {}
    for row in rows.annotate(usd=_sum("amount_usd")).order_by("month"):
        found.setdefault(row["month"].date(), {})[row["tag"]] = row["usd"]
    return found


def still_open(actor: Actor, today: date) -> dict[str, Mapping[str, Any]]:
    """The invoices that are still to be issued, by when, with their fees; of those without a rate there is none yet."""
    own = _to_come(today).filter(deal__in=IsvDeal.objects.visible_to(actor)).values("due")
    return {row["due"]: row for row in own.annotate(invoices=Count("pk"), usd=_sum(_FEE))}


def _to_come(today: date) -> QuerySet[Any]:
    due = Case(
        When(fee=None, then=Value(WAITING)),
        When(due_on__lte=today + SOON_DAYS, then=Value(SOON)),
        When(due_on__lte=today + _YEAR, then=Value(THIS_YEAR)),
        default=Value(LATER),
    )
    waiting = Installment.objects.filter(Q(deal__status__in=states.IN_PROGRESS), issued=False)
    return waiting.order_by().annotate(due=due)
