"""How fast due invoices are issued, with events and notices, as a ratio to the plainest SQL that writes the same.

    python bench/invoices.py [ROWS]        # without: 100,000, which is also the goal

Every deal runs for three years, and its first invoice is due. *Plain SQL* is one UPDATE of the deals, one of the
contract years, one of the series, one INSERT of the invoices, one of the events and one of the notices; it asks
nobody's role or language, and takes everything in one transaction. Ours goes batch after batch, as the worker does.
Neither makes a PDF: these are made when somebody asks.
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from decimal import Decimal

import generate
from beside import compare, events, notices, run, show

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000

_DEALS = """
    UPDATE isvconnect_isvdeal d SET status = 'invoiced', invoiced_at = now(), updated_at = now(),
        version = version + 1, next_due_on = (SELECT min(i.due_on) FROM isvconnect_installment i
            WHERE i.deal_id = d.id AND NOT i.issued AND i.due_on > %(today)s)
    WHERE next_due_on <= %(today)s
"""
_INVOICES = """
    INSERT INTO isvconnect_invoice (public_id, kind, number, deal_id, company_id, year, first_day, last_day, share,
        percent, amount, currency, amount_usd, issued_at, run_id, parties)
    SELECT uuidv7(), 'invoice', 'ISV-' || lpad((row_number() OVER (ORDER BY d.id))::text, 6, '0'), d.id, d.company_id,
        i.number, i.first_day, i.last_day, i.share, d.percent, i.fee, d.solution_value_currency, i.fee, now(), NULL,
        jsonb_build_object('vendor', 'Microsoft', 'company', c.name, 'company_country', c.country, 'location', l.name,
            'location_city', l.city, 'location_country', l.country, 'mpn_id', l.mpn_id, 'customer', k.name,
            'customer_address', k.address_line1, 'customer_city', k.city, 'customer_country', k.country,
            'solution', s.name, 'solution_code', s.code)
    FROM isvconnect_installment i JOIN isvconnect_isvdeal d ON d.id = i.deal_id
    JOIN accounts_company c ON c.id = d.company_id JOIN accounts_location l ON l.id = d.location_id
    JOIN customers_customer k ON k.id = d.customer_id JOIN catalog_solution s ON s.id = d.solution_id
    WHERE NOT i.issued AND i.due_on <= %(today)s
"""
_YEARS = "UPDATE isvconnect_installment SET issued = true WHERE NOT issued AND due_on <= %(today)s"
_SERIES = """
    INSERT INTO isvconnect_invoiceseries (prefix, last) VALUES ('ISV-', (SELECT count(*) FROM isvconnect_invoice))
"""
_EVENTS = (
    events(
        "isv_deal.invoiced",
        "isvconnect.isvdeal",
        "jsonb_build_object('status', 'submitted', 'invoiced_at', NULL, 'next_due_on', i.due_on)",
        "jsonb_build_object('status', 'invoiced', 'invoiced_at', now(), 'next_due_on', d.next_due_on, 'years',"
        " jsonb_build_array(1), 'amount', i.fee, 'currency', d.solution_value_currency)",
        row="d",
        group='d."group"',
    )
    + " FROM isvconnect_isvdeal d JOIN isvconnect_installment i ON i.deal_id = d.id AND i.issued"
)
_NOTICES = (
    notices(
        "isv_invoices",
        "jsonb_build_object('customer', k.name, 'company', 'Contoso', 'numbers', i.number, 'amount', i.amount)",
        link="'/isvconnect/deals/' || d.public_id || '/'",
    )
    + """ FROM events_event v JOIN isvconnect_isvdeal d ON d.id = v.subject_id
    JOIN isvconnect_invoice i ON i.deal_id = d.id JOIN customers_customer k ON k.id = d.customer_id
    JOIN accounts_user u ON u.email = 'referrals@contoso.example' WHERE v.verb = 'isv_deal.invoiced'"""
)


def deals() -> None:
    """Contoso's, each with three contract years, the first of which is due."""
    from django.utils import timezone

    from isvconnect.models import Installment, IsvDeal
    from isvconnect.rules.schedule import years
    from portal import bulk
    from portal.accounts.models import Location
    from portal.catalog.models import Solution
    from portal.customers.models import Customer

    now = timezone.now()
    location, solution = Location.objects.get(name="Istanbul"), Solution.objects.exclude(biz_apps="")[0]
    customers = list(Customer.objects.values_list("pk", flat=True))
    start = now.date() - timedelta(days=3)
    end, value, percent = start + timedelta(days=1095), Decimal("12000.00"), Decimal("12.500")
    schedule = years(start, end, value, percent, submitted=start)
    amounts = {"tcv": value, "tcv_usd": value, "solution_value": value, "solution_value_usd": value}
    stated = {"tcv_currency": "USD", "solution_value_currency": "USD", "deployment": "azure", "tenant": "partner"}
    found = {"tag": "premium", "percent": percent, "next_due_on": schedule[0].due_on, "company_id": location.company_id}
    dates = {"signed": start, "start": start, "end": end, "created_at": now, "updated_at": now}
    given = {**amounts, **stated, **found, **dates, "location": location, "solution": solution}
    rows = [IsvDeal(customer_id=customers[n % len(customers)], **given) for n in range(ROWS)]
    bulk.insert(rows)
    bulk.insert([Installment(deal=deal, **vars(year)) for deal in rows for year in schedule])


def written() -> dict[str, int]:
    """What there is of it: the same after both, or they did not do the same."""
    from isvconnect.models import Installment, Invoice, InvoiceSeries
    from portal.events.models import Event
    from portal.notify.models import Notice

    last = InvoiceSeries.objects.values_list("last", flat=True).first() or 0
    return {
        "invoices": Invoice.objects.count(),
        "issued": Installment.objects.filter(issued=True).count(),
        "last number": last,
        "events": Event.objects.filter(verb="isv_deal.invoiced").count(),
        "notices": Notice.objects.filter(category="isv_invoices").count(),
    }


def plainly() -> None:
    run(_DEALS, _INVOICES, _YEARS, _SERIES, _EVENTS, _NOTICES, today=date.today())  # noqa: DTZ011


def main() -> None:
    with generate.database() as fill:
        fill(deals=10, customers=min(ROWS, 10_000))
        from isvconnect import tasks

        deals()
        tables = ("isvconnect_isvdeal", "isvconnect_installment", "events_event", "notify_notice", "isvconnect_invoice")
        times = compare(plainly, tasks.issue_due, written=written, tables=tables)
        assert times.written["invoices"] == times.written["last number"] == ROWS, times
        print(f"\n{ROWS:,} invoices, with {ROWS:,} events and {times.written['notices']:,} notices\n")
        show(times, ROWS, 6)


if __name__ == "__main__":
    main()
