"""Invoices and credit notes as PDF, made when somebody asks, and as CSV (ISV-6)."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import translation
from django.utils.translation import gettext
from reportlab.lib.units import mm
from reportlab.platypus import Spacer, Table, TableStyle

from isvconnect.models import Invoice
from portal.tables import csv_file
from portal.ui.pdf import BOLD, FONT, RIGHT, SENDER, document, head, paragraph
from portal.ui.templatetags.ortak import country_name
from portal.workflow import text
from portal.workflow.blockers import Money, _

_LINES = TableStyle(
    [
        ("LINEABOVE", (0, 0), (-1, 0), 0.5, "black"),
        ("LINEABOVE", (0, -1), (-1, -1), 0.5, "black"),
        ("LINEBELOW", (0, -1), (-1, -1), 0.5, "black"),
        ("FONTNAME", (0, 0), (-1, -2), FONT),
        ("FONTNAME", (0, -1), (-1, -1), BOLD),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
    ]
)
_WIDTHS = (65 * mm, 95 * mm)


def pdf(invoice: Invoice, language: str) -> bytes:
    """The invoice or credit note in this language, with names and addresses as they were when it was issued."""
    with translation.override(language):
        parties = invoice.parties
        title = f"{gettext('Credit note') if invoice.is_credit_note else gettext('Invoice')} {invoice.number}"
        receiver = [parties["company"], parties["location"], _place(parties, "location"), _partner_id(parties)]
        story = head(text.day(invoice.issued_at.date()), title, sender=parties["vendor"])
        story += [paragraph("\n".join(line for line in receiver if line)), Spacer(1, 8 * mm)]
        rows = [(paragraph(label), paragraph(value, RIGHT)) for label, value in _rows(invoice)]
        total = (paragraph(gettext("Amount"), SENDER), paragraph(text.show(invoice.money), RIGHT))
        story += [Table([*rows, total], colWidths=_WIDTHS, style=_LINES), Spacer(1, 8 * mm)]
        return document(title, [*story, paragraph(_closing(invoice))])


def _rows(invoice: Invoice) -> Iterable[tuple[str, str]]:
    parties = invoice.parties
    if invoice.credits is not None:
        yield gettext("Credits invoice"), invoice.credits.number
    customer = (parties["customer"], parties["customer_address"], _place(parties, "customer"))
    yield gettext("Customer"), "\n".join(line for line in customer if line)
    yield gettext("Solution"), f"{parties['solution']} ({parties['solution_code']})"
    yield gettext("Contract year"), str(invoice.year)
    yield gettext("From – to"), f"{text.day(invoice.first_day)} – {text.day(invoice.last_day)}"
    yield gettext("Share of the solution's value"), text.show(Money(invoice.share, invoice.currency))
    yield gettext("Fee"), text.percent(invoice.percent)
    yield gettext("Amount in USD"), text.show(Money(invoice.amount_usd, "USD"))


def _closing(invoice: Invoice) -> str:
    if invoice.credits is not None:
        return gettext("This credit note takes the invoice back in full.")
    return gettext("This is the ISV Connect fee for the contract year, on its share of the solution's value.")


def _place(parties: dict[str, str], whose: str) -> str:
    code = parties[f"{whose}_country"]
    city, country = parties[f"{whose}_city"], country_name(code)
    return ", ".join(part for part in (city, country) if part)


def _partner_id(parties: dict[str, str]) -> str:
    return f"MPN {parties['mpn_id']}" if parties["mpn_id"] else ""


COLUMNS = (
    _("Number"),
    _("Kind"),
    _("Credits invoice"),
    _("Issued (UTC)"),
    _("Deal id"),
    _("Company"),
    _("Customer"),
    _("Solution"),
    _("Contract year"),
    _("First day"),
    _("Last day"),
    _("Share of the solution's value"),
    _("Fee (%%)"),
    _("Amount"),
    _("Currency"),
    _("Amount in USD"),
)


def csv(invoices: Iterable[Invoice]) -> bytes:
    """The invoices as a file for spreadsheets, in the language that is set; a text never becomes a formula.

    Load them with `deal` and `credits`.
    """
    return csv_file([text.phrase(column) for column in COLUMNS], (_line(invoice) for invoice in invoices))


def _line(invoice: Invoice) -> list[object]:
    parties = invoice.parties
    return [
        invoice.number,
        invoice.get_kind_display(),
        invoice.credits.number if invoice.credits else None,
        invoice.issued_at,
        str(invoice.deal.public_id),
        parties["company"],
        parties["customer"],
        parties["solution"],
        invoice.year,
        invoice.first_day,
        invoice.last_day,
        invoice.share,
        invoice.percent,
        invoice.amount,
        invoice.currency,
        invoice.amount_usd,
    ]
