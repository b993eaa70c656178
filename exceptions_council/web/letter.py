"""The decision letter as PDF, for the partner."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from exceptions_council.models import ExceptionRequest
from exceptions_council.services import letters_pdf
from portal.accounts.decorators import ActorRequest, needs_actor


@needs_actor
@require_GET
def letter(request: ActorRequest, public_id: uuid.UUID) -> HttpResponse:
    """In the reader's language; 404 before the decision, and for who may not see the deal (ORG-6)."""
    visible = ExceptionRequest.objects.visible_to(request.actor)
    found = letters_pdf.letter_for(get_object_or_404(visible, referral__public_id=public_id))
    if found is None:
        raise Http404
    return letters_pdf.response(found)
