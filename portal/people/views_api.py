"""Settings: a company's API clients, for who keeps the company (ORG-2)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.accounts.decorators import ActorRequest, company_admin_required
from portal.accounts.models import Company
from portal.api import rules
from portal.api.models import ApiClient
from portal.api.services import clients
from portal.people import forms, timeline
from portal.policy import services as policies
from portal.ui.forms import saved
from portal.ui.http import done, form_page, posted, show_refusal
from portal.workflow.blockers import RuleViolation
from portal.workflow.timeline import page


def _who(request: ActorRequest) -> dict[str, Any]:
    return {"actor": request.actor, "now": timezone.now()}


def _client(request: ActorRequest, public_id: UUID) -> ApiClient:
    """One of the own company's; everybody else's don't exist (ORG-6)."""
    own = ApiClient.objects.filter(company_id=request.actor.own_company_id).select_related("company", "location")
    return get_object_or_404(own, public_id=public_id)


@company_admin_required
@require_GET
def api_clients(request: ActorRequest) -> HttpResponse:
    found = ApiClient.objects.filter(company_id=request.actor.own_company_id).select_related("location")
    history, _more = page(timeline.of_clients(request.actor))
    return render(request, "people/api_clients.html", {"clients": found.order_by("-pk"), "history": history})


@company_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def add_api_client(request: ActorRequest) -> HttpResponse:
    """Makes a client; the answer to that is the one page that ever shows its secret."""
    company = Company.objects.get(pk=request.actor.own_company_id)
    form = forms.ApiClientForm(posted(request), company=company)
    made: list[tuple[ApiClient, str]] = []
    if saved(form, lambda: made.append(clients.create(company=company, **form.details(), **_who(request)))):
        client, secret = made[0]
        return render(request, "people/api_client_secret.html", {"client": client, "secret": secret})
    return form_page(request, "people/api_client_add.html", form)


@company_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def api_client(request: ActorRequest, public_id: UUID) -> HttpResponse:
    """What a client is, and the form for its public key."""
    client = _client(request, public_id)
    form = forms.PublicKeysForm(posted(request), initial={"public_keys": client.public_keys})
    if saved(form, lambda: clients.set_public_keys(client, public_keys=_keys(form), **_who(request))):
        return done(request, gettext("The public key was saved."), "api_client", client.public_id)
    now = timezone.now()
    scopes = [rules.SCOPES[scope] for scope in client.allowed_scopes.split() if scope in rules.SCOPES]
    context = {
        "client": client,
        "scopes": scopes,
        "two_secrets": len(list(client.secrets(now))) > 1,
        "overlap_hours": policies.current(now).api_secret_overlap_hours,
    }
    return form_page(request, "people/api_client.html", form, **context)


def _keys(form: forms.PublicKeysForm) -> str:
    return str(form.cleaned_data["public_keys"]).strip()


@company_admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def api_client_access(request: ActorRequest, public_id: UUID) -> HttpResponse:
    """What a client may do, to be changed without a new secret."""
    client = _client(request, public_id)
    held = {"role": client.role, "location": client.location_id, "scopes": client.allowed_scopes.split()}
    form = forms.ApiAccessForm(posted(request), company=client.company, initial=held)
    if saved(form, lambda: clients.set_access(client, **form.access(), **_who(request))):
        return done(request, gettext("What the client may do was changed."), "api_client", client.public_id)
    return form_page(request, "people/api_client_access.html", form, client=client)


@company_admin_required
@require_POST
def rotate_api_client(request: ActorRequest, public_id: UUID) -> HttpResponse:
    client = _client(request, public_id)
    try:
        secret = clients.rotate(client, **_who(request))
    except RuleViolation as violation:
        show_refusal(request, violation)
        return redirect("api_client", client.public_id)
    context = {"client": _client(request, public_id), "secret": secret, "rotated": True}
    return render(request, "people/api_client_secret.html", context)


@company_admin_required
@require_POST
def revoke_api_client(request: ActorRequest, public_id: UUID) -> HttpResponse:
    client = _client(request, public_id)
    try:
        clients.revoke(client, **_who(request))
    except RuleViolation as violation:
        show_refusal(request, violation)
        return redirect("api_client", client.public_id)
    return done(request, gettext("%(name)s has no access any more.") % {"name": client.name}, "api_clients")
