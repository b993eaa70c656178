"""What the next run of the workers issues, what waits for a fee rate, and what earlier runs issued (ISV-6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Count, F, Q, QuerySet, Sum

from isvconnect.models import FeeRate, Installment, Invoice, InvoiceRun, IsvDeal, IsvDealQuerySet
from isvconnect.rules import schedule
from isvconnect.rules.rates import Rates, in_force
from portal.events.models import Event
from portal.workflow.blockers import Money, _

#: The event of a deal that got its fees.
FEES_SET = "isv_deal.fees_set"


@dataclass(frozen=True)
class Span:
    """Days after today in which the next invoice of a deal falls due; `last` None: without an end."""

    label: str
    first: int | None
    last: int | None

    def condition(self, today: date) -> Q:
        found = Q(next_due_on__isnull=False)
        if self.first is not None:
            found &= Q(next_due_on__gte=today + timedelta(days=self.first))
        if self.last is not None:
            found &= Q(next_due_on__lte=today + timedelta(days=self.last))
        return found


NOW = "now"
SPANS: Mapping[str, Span] = {
    NOW: Span(_("Due now"), None, 0),
    "week": Span(_("Due within 7 days"), 1, 7),
    "month": Span(_("Due in 8 to 30 days"), 8, 30),
    "later": Span(_("Due later"), 31, None),
}


def due(deals: IsvDealQuerySet, span: str, today: date) -> IsvDealQuerySet:
    """The deals whose next invoice falls due then; none for a span that there isn't."""
    return deals.filter(SPANS[span].condition(today)) if span in SPANS else deals.none()


@dataclass(frozen=True)
class Due:
    """What falls due in a span. `amounts`: the fees of the next invoice of each deal, by currency."""

    span: str
    label: str
    deals: int
    amounts: tuple[Money, ...]


def forecast(today: date) -> list[Due]:
    """Each deal once, at its next invoice."""
    return [_due(code, span, today) for code, span in SPANS.items()]


def _due(code: str, span: Span, today: date) -> Due:
    found = due(IsvDeal.objects.all(), code, today)
    reached = Q(issued=False) & (Q(due_on__lte=today) if code == NOW else Q(due_on=F("deal__next_due_on")))
    fees = Installment.objects.filter(reached, deal__in=found).values("deal__solution_value_currency")
    amounts = fees.annotate(fee_sum=Sum("fee")).order_by("deal__solution_value_currency")
    money = tuple(Money(row["fee_sum"], row["deal__solution_value_currency"]) for row in amounts)
    return Due(code, span.label, found.count(), money)


def waiting_by_tag() -> dict[str, int]:
    """How many deals wait for a fee rate, by tag."""
    found = IsvDeal.objects.without_rate().order_by("tag").values_list("tag").annotate(deals=Count("pk"))
    return dict(found)


@dataclass(frozen=True)
class Line:
    """An invoice that the next run issues. `new`: only because of the rate that is looked at."""

    deal: IsvDeal
    year: Installment
    fee: Money
    new: bool


def lines(today: date) -> Iterable[Line]:
    """What the next run issues as things stand."""
    deals = IsvDeal.objects.to_invoice(today).with_context().with_unissued().order_by("next_due_on", "pk")
    for deal in deals:
        yield from _lines(deal, today, None)


def _lines(deal: IsvDeal, today: date, percent: Decimal | None) -> Iterable[Line]:
    for year in deal.open_installments:
        if year.due_on <= today:
            fee = schedule.fee(year.share, percent) if percent is not None else year.fee
            assert fee is not None
            yield Line(deal, year, Money(fee, deal.solution_value_currency), percent is not None)


@dataclass(frozen=True)
class Preview:
    """What comes of a rate. `rated`: the deals that wait for it; `lines`: all that the next run issues with it."""

    rated: int
    lines: list[Line]

    @property
    def totals(self) -> list[Money]:
        return total(self.lines)


def preview(tag: str, rates: Rates, now: datetime) -> Preview:
    """What the next run does if these are the tag's rates. Deals whose rate is known keep it."""
    today = now.date()
    waiting = IsvDeal.objects.without_rate().filter(tag=tag).with_context().with_unissued().order_by("created_at", "pk")
    found = [(deal, in_force(rates, deal.signed)) for deal in waiting]
    rated = [(deal, percent) for deal, percent in found if percent is not None]
    new = [line for deal, percent in rated for line in _lines(deal, today, percent)]
    return Preview(len(rated), [*lines(today), *new])


def total(found: Iterable[Line]) -> list[Money]:
    """By currency."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in found:
        sums[line.fee.currency] += line.fee.amount
    return [Money(amount, currency) for currency, amount in sorted(sums.items())]


def rates_of(tag: str) -> dict[date, Decimal]:
    """The tag's rates, by the day from which they are in force."""
    return dict(FeeRate.objects.filter(tag=tag).values_list("effective_from", "percent"))


def invoiced_days(tag: str) -> set[date]:
    """The days on which contracts with invoices of this tag were signed."""
    found = IsvDeal.objects.filter(tag=tag, invoiced_at__isnull=False)
    return set(found.values_list("signed", flat=True).distinct())


def rated_in(run: InvoiceRun) -> list[int]:
    """The keys of the deals that got their fees in a run: what it does it does at the instant at which it began."""
    told = Event.objects.filter(verb=FEES_SET, subject_type=IsvDeal._meta.label_lower, at=run.started_at)
    return list(told.values_list("subject_id", flat=True))


def to_credit(deal: IsvDeal) -> QuerySet[Invoice]:
    """Its invoices that no credit note takes back."""
    return deal.invoices.filter(kind=Invoice.Kind.INVOICE, credited_by=None)
