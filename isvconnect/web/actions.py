"""The pages of a deal's verbs (ISV-5)."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from isvconnect.models import IsvDeal
from isvconnect.verbs import CANCEL, CORRECT, Cancelling
from isvconnect.web import page
from isvconnect.web.forms import CancelForm
from isvconnect.web.reporting import correct
from isvconnect.web.views import get_deal
from portal.accounts.decorators import ActorRequest, needs_actor
from portal.ui.verb_page import VerbPage

_PAGES: tuple[VerbPage[IsvDeal], ...] = (
    VerbPage(
        CANCEL,
        _("The deal was cancelled."),
        lambda _request, data, deal: CancelForm(data, has_invoices=deal.invoices.exists()),
        lambda form: Cancelling(form.cleaned_data["reason"], bool(form.cleaned_data.get("credit_issued"))),
    ),
)
PAGES = {one.verb.name: one for one in _PAGES}


@needs_actor
@require_http_methods(["GET", "POST"])
def act(request: ActorRequest, public_id: uuid.UUID, verb: str) -> HttpResponse:
    """The page of one verb: its form, a warning if it is final, and the reasons if it isn't possible."""
    if verb == CORRECT.name:
        return correct(request, public_id)
    deal, found = get_deal(request, public_id), PAGES.get(verb)
    if found is None:
        raise Http404
    if not found.verb.may(request.actor, deal):
        raise PermissionDenied
    shown: dict[str, Any] = {"deal": deal, "issued": page.issued(deal), "open": deal.open_installments}
    return found.answer(
        request,
        deal,
        now=timezone.now(),
        back=reverse("isv_deal", args=[public_id]),
        template="isvconnect/action.html",
        context=lambda _form: shown,
    )
