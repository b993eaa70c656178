"""Home, what happened since the last visit, and the first steps."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST

from portal.accounts import visits
from portal.accounts.decorators import ActorRequest, needs_actor
from portal.accounts.models import Membership
from portal.pages.home import changes as changes_page
from portal.pages.home import context as home_page
from portal.pages.home.changes import ChangesQuery


@needs_actor
@require_GET
def home(request: ActorRequest) -> HttpResponse:
    membership = _membership(request)
    context = home_page.context(request.actor, membership=membership, now=timezone.now())
    visits.note_home(membership)
    return render(request, "pages/home.html", context)


def _membership(request: ActorRequest) -> Membership:
    return next(one for one in request.memberships if one.company_id == request.actor.company_id)


@needs_actor
@require_GET
def changes(request: ActorRequest) -> HttpResponse:
    """What others did since the address says; *load more* asks for what follows an event."""
    query = ChangesQuery.of(request.GET.dict(), timezone.now())
    more = request.htmx and query.before
    template = "pages/changes.html#rows" if more else "pages/changes.html"
    response = render(request, template, changes_page.context(request.actor, query))
    patch_vary_headers(response, ["HX-Request"])
    return response


@needs_actor
@require_POST
def hide_steps(request: ActorRequest) -> HttpResponse:
    visits.hide_steps(_membership(request))
    return redirect("home")
