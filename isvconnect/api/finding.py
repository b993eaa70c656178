"""Finds the deal or invoice that an address names, as far as the actor may see it (ORG-6, ISV-7)."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from isvconnect.api.representation import COLUMNS, INVOICE_COLUMNS, invoice, whole
from isvconnect.models import Invoice, IsvDeal
from portal.accounts.rules import Actor
from portal.api.http.endpoint import single
from portal.api.http.etags import etag_of
from referrals.api import wire
from referrals.api.finding import by_public_id

DEALS, INVOICES = "v1.0/isvconnect/deals", "v1.0/isvconnect/invoices"
DEALS_METADATA, INVOICES_METADATA = "v1.0/$metadata#IsvConnectDeals", "v1.0/$metadata#IsvConnectInvoices"
#: An invoice never changes.
ONLY_VERSION = etag_of(1)


def deal_of(public_id: str, actor: Actor) -> IsvDeal:
    """Raises Http404."""
    return by_public_id(IsvDeal.objects.visible_to(actor).with_context(), public_id)


def invoice_of(public_id: str, actor: Actor) -> Invoice:
    """Raises Http404."""
    return by_public_id(Invoice.objects.visible_to(actor).select_related("deal", "credits"), public_id)


def answer(deal: IsvDeal, actor: Actor, *, status: int = 200) -> Response:
    """One deal as a resource, with its ETag; a new one with its address."""
    row: Any = IsvDeal.objects.with_seen_referral(actor).values(*COLUMNS).get(pk=deal.pk)
    shown = {"@odata.context": wire.url(f"{DEALS_METADATA}/$entity"), **whole(row, deal.pk)}
    location = wire.url(f"{DEALS}/{deal.public_id}") if status == 201 else ""
    return single(shown, etag=shown["eTag"], status=status, location=location)


def invoice_answer(found: Invoice) -> Response:
    row: Any = Invoice.objects.values(*INVOICE_COLUMNS).get(pk=found.pk)
    context = wire.url(f"{INVOICES_METADATA}/$entity")
    shown = {"@odata.context": context, "eTag": ONLY_VERSION, **invoice(row)}
    return single(shown, etag=ONLY_VERSION)
