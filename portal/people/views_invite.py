"""The page an invitation's link opens, with or without an account (ORG-2)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from portal.accounts import invites, rules
from portal.accounts.middleware import COMPANY_KEY
from portal.accounts.models import Invite, Location, Membership, User
from portal.people import forms, timeline
from portal.ui.forms import saved
from portal.ui.http import form_page, posted
from portal.workflow.blockers import Blocker, RuleViolation


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, token: str) -> HttpResponse:
    """Says who asks whom in, and what to do; a link that is no good any more says why."""
    found = invites.of_token(token)
    if found is None:
        return render(request, "people/invite_refused.html", {"state": "unknown"}, status=404)
    state = found.state(timezone.now())
    if state != rules.OPEN:
        return render(request, "people/invite_refused.html", {"state": state, "invite": found}, status=410)
    if isinstance(request.user, User):
        return _signed_in(request, found, request.user)
    account = User.objects.filter(email=found.email).first()
    if account is not None:
        return render(request, "people/invite.html", {**_context(found), "account": account})
    return _stranger(request, found)


def _context(found: Invite) -> dict[str, Any]:
    names = dict(Location.objects.filter(company_id=found.company_id).values_list("pk", "name"))
    return {
        "invite": found,
        "roles": [timeline.role_text(g["role"], names.get(g["location_id"])) for g in found.grants],
    }


def _signed_in(request: HttpRequest, found: Invite, user: User) -> HttpResponse:
    blockers: tuple[Blocker, ...] = ()
    own = user.email == found.email
    if request.method == "POST":
        try:
            return _welcome(request, invites.accept(found, user=user, now=timezone.now()))
        except RuleViolation as violation:
            blockers = violation.blockers
    context = {**_context(found), "own": own, "other": not own, "blockers": blockers}
    return render(request, "people/invite.html", context, status=422 if blockers else 200)


def _stranger(request: HttpRequest, found: Invite) -> HttpResponse:
    """Somebody without an account, in the language they were written to until they choose one."""
    chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    with translation.override(translation.get_language() if chosen else found.language):
        form = forms.JoinForm(posted(request), email=found.email, initial={"language": found.language})
        if saved(form, lambda: invites.accept_as_new(found, now=timezone.now(), **form.details())):
            membership = Membership.objects.get(user__email=found.email, company=found.company)
            login(request, membership.user, backend=settings.AUTHENTICATION_BACKENDS[0])
            return _welcome(request, membership)
        return form_page(request, "people/invite.html", form, **_context(found))


def _welcome(request: HttpRequest, membership: Membership) -> HttpResponse:
    """On to the new company's home."""
    request.session[COMPANY_KEY] = membership.company_id
    with translation.override(membership.user.language):
        messages.success(request, gettext("Welcome to %(company)s.") % {"company": membership.company})
    return redirect("home")
