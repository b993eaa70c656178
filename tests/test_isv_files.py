"""Invoices as PDF and CSV (ISV-6): both languages, Turkish letters, names as they were, and no formulas."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.utils import translation
from pypdf import PdfReader

from isvconnect.models import Invoice
from isvconnect.services import invoices
from portal.customers.models import Customer
from portal.demo.cast import Cast
from tests import isv
from tests.isv import DAY, NOW

pytestmark = pytest.mark.django_db


def text_of(invoice: Invoice, language: str) -> str:
    pages = PdfReader(io.BytesIO(invoices.pdf(invoice, language))).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def test_isv_6_an_invoice_as_pdf_in_both_languages(cast: Cast) -> None:
    """ISV-6: the same bytes each time, whatever names became meanwhile."""
    isv.rates(cast)
    deal = isv.invoiced(cast, customer=cast.customers["isik"].pk)
    invoice = Invoice.objects.get(deal=deal)
    Customer.objects.filter(name="Işık Lojistik").update(name="Renamed")
    english, turkish = text_of(invoice, "en"), text_of(invoice, "tr")
    for part in ("Invoice ISV-000001", "Microsoft", "Contoso Yazılım", "MPN 4301001", "Işık Lojistik", "4,000 EUR"):
        assert part in english
    for part in ("Fatura ISV-000001", "Işık Lojistik", "Eskişehir Yolu 9", "Türkiye", "%20", "4.000 EUR", "800 EUR"):
        assert part in turkish
    assert invoices.pdf(invoice, "tr") == invoices.pdf(Invoice.objects.get(pk=invoice.pk), "tr")


def test_isv_5_a_credit_note_names_the_invoice(cast: Cast) -> None:
    isv.rates(cast)
    isv.cancelled(cast, of=isv.invoiced(cast), credit_issued=True, now=NOW + 2 * DAY)
    note = Invoice.objects.get(kind="credit_note")
    assert "Credit note ISV-C-000001" in text_of(note, "en")
    turkish = text_of(note, "tr")
    assert "Geri alınan fatura ISV-000001" in turkish
    assert "-800 EUR" in turkish


def test_isv_6_invoices_as_csv_are_no_formulas(cast: Cast) -> None:
    """ISV-6: figures as numbers with a point, and a name that begins a formula is text."""
    isv.rates(cast)
    Customer.objects.filter(pk=cast.customers["ege"].pk).update(name='=HYPERLINK("http://evil.example")')
    isv.cancelled(cast, of=isv.invoiced(cast, customer=cast.customers["ege"].pk), credit_issued=True, now=NOW + 2 * DAY)
    rows = Invoice.objects.select_related("deal", "credits").order_by("pk")
    with translation.override("tr"):
        content = invoices.csv(rows).decode("utf-8-sig")
    head, first, credit = csv.reader(io.StringIO(content))
    assert head[:3] == ["Numara", "Tür", "Geri alınan fatura"]
    assert (first[0], first[13], first[14], first[15]) == ("ISV-000001", "800.00", "EUR", "880.00")
    assert first[6].startswith("'=") or not first[6].startswith("=")
    assert (credit[1], credit[2], credit[13]) == ("Alacak dekontu", "ISV-000001", "-800.00")
