"""The list of requests, the page of one, and the answer to what the council asks."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from dealreg.selectors.documents import panel
from exceptions_council.models import ExceptionRequest
from exceptions_council.selectors.changes import changes_of
from exceptions_council.selectors.council import tally_of
from exceptions_council.services.letters_pdf import letter_for
from exceptions_council.verbs import ANSWER_EVIDENCE, EvidenceAnswer
from exceptions_council.web.deal import request_context
from exceptions_council.web.forms import AnswerForm
from exceptions_council.web.listing import EXCEPTIONS
from portal.accounts.decorators import ActorRequest, needs_actor
from portal.policy import services as policies
from portal.ui.listing import page
from portal.ui.verb_page import VerbPage
from portal.workflow import services as workflow
from referrals.web.actions import get_referral


@needs_actor
@require_GET
def exceptions(request: ActorRequest) -> HttpResponse:
    return page.respond(request, EXCEPTIONS, "exceptions/list.html")


@needs_actor
@require_GET
def exception(request: ActorRequest, public_id: uuid.UUID) -> HttpResponse:
    """Where a request stands, what it asks for, and, once it is decided, the letter (EXC-6 to EXC-12)."""
    found = get_object_or_404(EXCEPTIONS.visible(request.actor).with_context(), public_id=public_id)
    now = timezone.now()
    action = None
    if ANSWER_EVIDENCE.may(request.actor, found):
        action = workflow.available_action(found, ANSWER_EVIDENCE, request.actor, now)
    context = {
        **request_context(found, request.actor, now),
        "referral": found.referral,
        "changes": changes_of(found),
        "votes": tally_of(found, policies.current(now)),
        "letter": letter_for(found),
        "panel": panel(found.referral, request.actor, now),
        "answer": action if action and not action.wrong_state else None,
    }
    return render(request, "exceptions/exception.html", context)


ANSWER_PAGE: VerbPage[ExceptionRequest] = VerbPage(
    ANSWER_EVIDENCE,
    _("The answer was sent to the exception council."),
    lambda _request, data, _record: AnswerForm(data),
    lambda form: EvidenceAnswer(**form.cleaned_data),
)


@needs_actor
@require_http_methods(["GET", "POST"])
def answer(request: ActorRequest, public_id: uuid.UUID) -> HttpResponse:
    """Answer the council's question; 404 for whoever may not (ORG-6)."""
    referral = get_referral(request, public_id)
    found = ExceptionRequest.objects.with_context().filter(referral=referral).first()
    if found is None or not ANSWER_EVIDENCE.may(request.actor, found):
        raise Http404
    now = timezone.now()
    shown: dict[str, Any] = {
        "referral": referral,
        "question": next((one for one in found.evidence.all() if one.is_open), None),
        "panel": panel(referral, request.actor, now),
    }
    return ANSWER_PAGE.answer(
        request,
        found,
        now=now,
        back=reverse("exception", args=[found.public_id]),
        template="exceptions/answer.html",
        context=lambda _form: shown,
    )
