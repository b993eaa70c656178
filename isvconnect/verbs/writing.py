"""Writing invoices and credit notes: numbers without gaps, and who they are between (ISV-5, ISV-6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from dealreg.rules import round_cents
from dealreg.rules.acv import to_usd
from isvconnect.models import Installment, Invoice, InvoiceRun, InvoiceSeries, IsvDeal
from isvconnect.selectors.deals import kept_rates
from portal import bulk
from portal.accounts.selectors import vendor_name
from portal.workflow.blockers import Money

#: The series that each kind is numbered in.
PREFIXES: Final[Mapping[str, str]] = {Invoice.Kind.INVOICE: "ISV-", Invoice.Kind.CREDIT_NOTE: "ISV-C-"}
_DIGITS = 6


def issue(due: Sequence[tuple[IsvDeal, Installment]], *, run: InvoiceRun | None, now: datetime) -> list[Invoice]:
    """Issue the invoices of these contract years, whose deals are locked; few statements, however many they are."""
    if not due:
        return []
    parties = _parties({deal.pk for deal, _year in due})
    invoices = [_invoice(deal, year, parties[deal.pk], run, now) for deal, year in due]
    Installment.objects.filter(pk__in=[year.pk for _deal, year in due]).update(issued=True)
    _write(invoices, Invoice.Kind.INVOICE)
    return invoices


def _invoice(
    deal: IsvDeal, year: Installment, parties: Mapping[str, str], run: InvoiceRun | None, now: datetime
) -> Invoice:
    assert year.fee is not None
    assert deal.percent is not None
    currency = deal.solution_value_currency
    usd = to_usd(Money(year.fee, currency), kept_rates(deal))
    assert usd is not None
    return Invoice(
        kind=Invoice.Kind.INVOICE,
        deal_id=deal.pk,
        company_id=deal.company_id,
        year=year.number,
        first_day=year.first_day,
        last_day=year.last_day,
        share=year.share,
        percent=deal.percent,
        amount=year.fee,
        currency=currency,
        amount_usd=round_cents(usd),
        issued_at=now,
        run=run,
        parties=dict(parties),
    )


def credit(deal: IsvDeal, *, now: datetime) -> list[Invoice]:
    """Credit each invoice of the locked deal in full, by a credit note of its own (ISV-5)."""
    invoices = deal.invoices.filter(kind=Invoice.Kind.INVOICE, credited_by=None).order_by("year")
    notes = [_credit_note(invoice, now) for invoice in invoices]
    _write(notes, Invoice.Kind.CREDIT_NOTE)
    return notes


def _credit_note(invoice: Invoice, now: datetime) -> Invoice:
    same = ("deal_id", "company_id", "year", "first_day", "last_day", "share", "percent", "currency", "parties")
    return Invoice(
        kind=Invoice.Kind.CREDIT_NOTE,
        credits=invoice,
        amount=-invoice.amount,
        amount_usd=-invoice.amount_usd,
        issued_at=now,
        **{name: getattr(invoice, name) for name in same},
    )


def _write(rows: Sequence[Invoice], kind: str) -> None:
    """Number and save them. The series stays locked until the commit, so that no number is skipped or given twice."""
    if not rows:
        return
    prefix = PREFIXES[kind]
    InvoiceSeries.objects.get_or_create(prefix=prefix)
    series = InvoiceSeries.objects.select_for_update().get(prefix=prefix)
    for number, row in enumerate(rows, series.last + 1):
        row.number = f"{prefix}{number:0{_DIGITS}}"
    series.last += len(rows)
    series.save(update_fields=["last"])
    bulk.insert(rows)


#: What an invoice says of each party, by the deal's columns; all of it stays as it was.
_PARTIES: Final[Mapping[str, str]] = {
    "company": "company__name",
    "company_country": "company__country",
    "location": "location__name",
    "location_city": "location__city",
    "location_country": "location__country",
    "mpn_id": "location__mpn_id",
    "customer": "customer__name",
    "customer_address": "customer__address_line1",
    "customer_city": "customer__city",
    "customer_country": "customer__country",
    "solution": "solution__name",
    "solution_code": "solution__code",
}


def _parties(deal_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    rows = IsvDeal.objects.filter(pk__in=list(deal_ids)).values_list("pk", *_PARTIES.values())
    vendor = vendor_name()
    return {pk: {"vendor": vendor, **dict(zip(_PARTIES, values, strict=True))} for pk, *values in rows}
