"""The pages of proof documents, and their card on a deal's page and beside the registration form (REG-16).

A script sends one file after the other and is answered in JSON; the plain form sends them together and gets a page.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from dealreg.models import Document, storage
from dealreg.rules import documents as rules
from dealreg.selectors.documents import panel, readable_deal
from dealreg.services import documents as services
from dealreg.verbs.documents import ADD_DOCUMENT, REMOVE_DOCUMENT
from portal.accounts.decorators import ActorRequest, needs_actor
from portal.accounts.rules import Actor
from portal.bodies import PAGE_BYTES, accepts_upload
from portal.policy import services as policies
from portal.ui.http import redirect_to
from portal.workflow import text
from portal.workflow.blockers import RuleViolation
from referrals.models import Referral
from referrals.web.deal import CARDS, PARTS, Part

#: Of a document: no script, no form, no origin, nothing fetched; only our own pages frame it. A browser's own viewer of
#: images styles them.
DOCUMENT_POLICY = (
    "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
#: The field that holds the files.
FIELD = rules.FIELD


@dataclass(frozen=True)
class Result:
    """What became of one file: reasons against it, none if it was added."""

    name: str
    reasons: list[str]

    @property
    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "accepted": not self.reasons, "text": " ".join(self.reasons) or gettext("Added")}


def part(referral: Referral, actor: Actor, now: datetime) -> Part:
    """The card on the deal's page."""
    found = panel(referral, actor, now)
    return Part({"panel": found}, {CARDS: "dealreg/_documents.html"} if found and found.is_shown else {})


PARTS.add("documents", part, order=20)


def _readable(request: ActorRequest, public_id: uuid.UUID) -> Referral:
    """A deal whose documents the actor may see, private or not (EXC-10); 404 for any other (ORG-6)."""
    referral = readable_deal(public_id, request.actor)
    if referral is None:
        raise Http404
    return referral


def _document(request: ActorRequest, public_id: uuid.UUID, document_id: uuid.UUID) -> Document:
    held = Document.objects.of_deal(_readable(request, public_id)).with_context()
    return get_object_or_404(held, public_id=document_id)


def _upload_limit() -> int:
    """Bytes of a request: one document of the largest size, or several that are no larger together."""
    return policies.current(timezone.now()).max_document_mb * rules.MB + PAGE_BYTES


@accepts_upload(_upload_limit)
@needs_actor
@require_http_methods(["GET", "POST"])
def documents(request: ActorRequest, public_id: uuid.UUID) -> HttpResponse:
    """A deal's documents; more of them are sent here, and each is answered for by its name."""
    referral = _readable(request, public_id)
    if request.method == "GET":
        return _page(request, referral, [])
    if not ADD_DOCUMENT.may(request.actor, referral):
        raise PermissionDenied
    results = [_add(request, referral, file) for file in request.FILES.getlist(FIELD)]
    refused = not results or any(result.reasons for result in results)
    if not request.accepts("text/html"):
        return JsonResponse({"documents": [r.as_dict for r in results]}, status=422 if refused else 200)
    if refused:
        return _page(request, referral, results, status=422)
    count = len(results)
    said = ngettext("%(count)d document was added.", "%(count)d documents were added.", count)
    messages.success(request, said % {"count": count})
    return redirect("documents", referral.public_id)


def _add(request: ActorRequest, referral: Referral, file: UploadedFile) -> Result:
    try:
        services.add(referral, file, actor=request.actor, now=timezone.now())
    except RuleViolation as violation:
        return Result(str(file.name), [text.text(blocker) for blocker in violation.blockers])
    return Result(str(file.name), [])


def _page(request: ActorRequest, referral: Referral, results: list[Result], status: int = 200) -> HttpResponse:
    context = {
        "referral": referral,
        "panel": panel(referral, request.actor, timezone.now()),
        "results": results,
        "nothing_sent": status == 422 and not results,
    }
    only_list = request.htmx and request.method == "GET"
    template = "dealreg/_documents_list.html" if only_list else "dealreg/documents.html"
    return render(request, template, context, status=status)


@needs_actor
@require_GET
def document(request: ActorRequest, public_id: uuid.UUID, document_id: uuid.UUID) -> HttpResponse:
    """The file itself: PDF and images in the browser, others as downloads. 404 as long as it waits for its scan."""
    found = _document(request, public_id, document_id)
    if found.awaits_scan:
        raise Http404
    try:
        file = storage().open(found.stored_as)
    except FileNotFoundError as error:
        raise Http404 from error
    response: Any = FileResponse(
        file, as_attachment=not found.is_inline, filename=found.file_name, content_type=found.content_type
    )
    response["Content-Security-Policy"] = DOCUMENT_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


@needs_actor
@require_http_methods(["GET", "POST"])
def remove_document(request: ActorRequest, public_id: uuid.UUID, document_id: uuid.UUID) -> HttpResponse:
    """Remove a document after confirmation, unless it is evidence."""
    found = _document(request, public_id, document_id)
    if not REMOVE_DOCUMENT.may(request.actor, found.referral):
        raise Http404
    violations = found.removal_blockers()
    if request.method == "POST":
        try:
            services.remove(found, actor=request.actor, now=timezone.now())
        except RuleViolation as violation:
            violations = list(violation.blockers)
        else:
            messages.success(request, gettext("“%(name)s” was removed.") % {"name": found.name})
            return redirect_to(request, reverse("documents", args=[public_id]))
    context = {
        "heading": gettext(REMOVE_DOCUMENT.label),
        "submit": gettext("Remove"),
        "message": gettext("“%(name)s” is taken away from the deal, and the file is deleted.") % {"name": found.name},
        "kind": "danger",
        "violations": violations,
        "cancel_url": reverse("documents", args=[public_id]),
    }
    return render(request, "confirm.html", context, status=422 if request.method == "POST" else 200)
