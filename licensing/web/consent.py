"""The page behind the link to a customer's admin: accept or refuse, without an account (LIC-1, LIC-6, LIC-8)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from licensing.models import EmailCode, Invitation
from licensing.rules import states
from licensing.services import codes, invitations
from licensing.web.forms import CodeForm, ConsentForm
from licensing.web.links import opened_by_link, refused_link
from licensing.web.visits import begin_visit
from portal.ui.forms import add_blockers, saved
from portal.ui.http import form_page, posted
from portal.workflow.blockers import Blocker, RuleViolation

#: Of the browser's session: which code of which invitation was asked for in it. Its page names the address.
CODES = "consent_codes"


@sensitive_post_parameters("code")
@opened_by_link
@require_http_methods(["GET", "HEAD", "POST"])
def consent(request: HttpRequest, token: str) -> HttpResponse:
    """Who asks for what; accepting leads to a code by mail, which makes it count. A dead link says what it is."""
    found = invitations.of_token(token)
    state = found.state_at(timezone.now()) if found else "unknown"
    if found is None or state != states.SENT:
        return refused_link(request, state, of="consent")
    match request.POST.get("go", ""):
        case "refuse":
            return _ask_refusal(request, found)
        case "refuse-for-good":
            return _refuse(request, found)
        case "confirm":
            return _confirm(request, found, _own_code(request, found))
        case "accept":
            return _ask(request, found)
    code = _own_code(request, found)
    if (code and "again" not in request.GET) or "code" in request.GET:
        return _code_page(request, found, code, CodeForm())
    return _ask(request, found)


def _ask(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """The question; answered with yes, a code is sent to the address that was given (LIC-8)."""
    form = ConsentForm(posted(request), initial={"tenant_guid": invitation.deal.tenant_guid or ""})
    if saved(form, lambda: _send(request, invitation, form)):
        return redirect("consent", request.resolver_match.kwargs["token"])  # type: ignore[union-attr]
    return form_page(request, "licensing/consent.html", form, invitation=invitation)


def _send(request: HttpRequest, invitation: Invitation, form: ConsentForm) -> None:
    code = codes.send(invitation, form.value(language=get_language() or "en"), now=timezone.now())
    request.session[CODES] = {**request.session.get(CODES, {}), str(invitation.pk): code.pk}


def _own_code(request: HttpRequest, invitation: Invitation) -> EmailCode | None:
    """The newest code, if this browser asked for it: nobody else who has the link learns the address."""
    newest = codes.newest(invitation)
    asked = request.session.get(CODES, {}).get(str(invitation.pk))
    return newest if newest and newest.pk == asked else None


def _code_page(
    request: HttpRequest, invitation: Invitation, code: EmailCode | None, form: CodeForm, **more: Any
) -> HttpResponse:
    return form_page(request, "licensing/consent_code.html", form, invitation=invitation, code=code, **more)


def _confirm(request: HttpRequest, invitation: Invitation, code: EmailCode | None) -> HttpResponse:
    form, now = CodeForm(request.POST), timezone.now()
    form.is_valid()
    try:
        relationship = invitations.accept(invitation, typed=form.cleaned_data.get("code", ""), now=now).relationship
    except RuleViolation as violation:
        add_blockers(form, violation.blockers)
        return _code_page(request, invitation, code, form)
    assert relationship is not None
    begin_visit(request, relationship, now=now)
    context = {"invitation": invitation, "relationship": relationship, "accepted": True}
    return render(request, "licensing/consent_done.html", context)


def _ask_refusal(request: HttpRequest, invitation: Invitation, blockers: tuple[Blocker, ...] = ()) -> HttpResponse:
    context = {"invitation": invitation, "blockers": blockers}
    return render(request, "licensing/consent_refuse.html", context, status=422 if blockers else 200)


def _refuse(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    try:
        invitations.refuse(invitation, now=timezone.now())
    except RuleViolation as violation:
        return _ask_refusal(request, invitation, violation.blockers)
    return render(request, "licensing/consent_done.html", {"invitation": invitation, "accepted": False})
