"""The page of a deal, and its invoices as files (ISV-5 to ISV-7)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from isvconnect.models import Invoice, IsvDeal
from isvconnect.services import invoices
from isvconnect.web import page
from portal.accounts.decorators import ActorRequest, needs_actor
from portal.params import whole_number
from portal.ui.http import for_htmx
from portal.ui.pdf import download


def get_deal(request: ActorRequest, public_id: uuid.UUID) -> IsvDeal:
    """A deal that the actor may see; 404 for any other, existing or not (ORG-6)."""
    visible = IsvDeal.objects.visible_to(request.actor).with_context().select_related("submitted_by")
    return get_object_or_404(visible.prefetch_related("referral__team"), public_id=public_id)


@needs_actor
@require_GET
def isv_deal(request: ActorRequest, public_id: uuid.UUID) -> HttpResponse:
    """The whole page; for htmx the rows of its history that follow an event."""
    deal, before = get_deal(request, public_id), whole_number(request.GET.get("before")) or 0
    if request.htmx and before:
        return for_htmx(render(request, "components/history_card.html#rows", page.history(deal, before)))
    return for_htmx(
        render(request, "isvconnect/deal.html", page.context(deal, request.actor, now=timezone.now(), before=before))
    )


# Files


@needs_actor
@require_GET
def invoice(request: ActorRequest, public_id: uuid.UUID) -> HttpResponse:
    """An invoice or credit note as PDF, in the reader's language."""
    found = _invoice(request, public_id)
    return download(invoices.pdf(found, get_language() or "en"), f"{found.number}.pdf")


@needs_actor
@require_GET
def invoice_csv(request: ActorRequest, public_id: uuid.UUID) -> HttpResponse:
    found = _invoice(request, public_id)
    return _csv([found], found.number)


@needs_actor
@require_GET
def invoices_csv(request: ActorRequest, public_id: uuid.UUID) -> HttpResponse:
    """All invoices and credit notes of a deal in one file."""
    deal = get_deal(request, public_id)
    return _csv(page.issued(deal), f"invoices-{deal.public_id}")


def _invoice(request: ActorRequest, public_id: uuid.UUID) -> Invoice:
    visible = Invoice.objects.visible_to(request.actor).select_related("deal", "company", "credits")
    return get_object_or_404(visible, public_id=public_id)


def _csv(found: Iterable[Invoice], name: str) -> HttpResponse:
    response = HttpResponse(invoices.csv(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.csv")
    return response
