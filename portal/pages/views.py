"""Home, the list of deals, the deal page, and the switches of the top bar."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from dealreg.models import Registration
from portal.accounts import services as accounts
from portal.accounts.edge import ActorRequest, needs_actor
from portal.accounts.middleware import COMPANY_KEY
from portal.accounts.models import User
from portal.pages import deal as deal_page
from portal.pages import home as home_page
from portal.pages import listing
from portal.pages.context import THEME_COOKIE
from referrals.views import get_referral

YEAR = 365 * 24 * 3600


@needs_actor
@require_GET
def home(request: ActorRequest) -> HttpResponse:
    return render(request, "pages/home.html", home_page.context(request.actor, now=timezone.now()))


@needs_actor
@require_GET
def deals(request: ActorRequest) -> HttpResponse:
    """The list; *load more* asks for the rows below a key (keyset), so nothing is shown twice or missed."""
    context = listing.context(request.actor, request.GET)
    more = request.htmx and "after" in request.GET  # type: ignore[attr-defined]
    return render(request, "pages/deals.html#rows" if more else "pages/deals.html", context)


@needs_actor
@require_GET
def deal(request: ActorRequest, public_id: Any) -> HttpResponse:
    referral = get_referral(request, public_id)
    return render(request, "pages/deal.html", deal_page.context(referral, request.actor, now=timezone.now()))


@needs_actor
@require_GET
def deal_state(request: ActorRequest, public_id: Any) -> HttpResponse:
    """Asked every second while a registration is being checked; sends the browser on when the worker is done."""
    referral = get_referral(request, public_id)
    registration = Registration.objects.filter(
        referral=referral, referral__company_id=request.actor.own_company_id
    ).first()
    if registration is None or not registration.is_being_routed:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return HttpResponse(status=204)


# The top bar's switches


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    code = request.POST.get("language", "")
    if code not in dict(settings.LANGUAGES):
        raise Http404
    response = _back(request)
    if isinstance(request.user, User):
        accounts.set_preference(request.user, language=code)
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, code, max_age=YEAR, samesite="Lax")
    return response


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    theme = request.POST.get("theme", "")
    if theme not in User.Theme.values:
        raise Http404
    response = _back(request)
    if isinstance(request.user, User):
        accounts.set_preference(request.user, theme=theme)
    response.set_cookie(THEME_COOKIE, theme, max_age=YEAR, samesite="Lax")
    return response


@needs_actor
@require_POST
def switch_company(request: ActorRequest) -> HttpResponse:
    """Act for another of one's companies; a company one doesn't belong to is unknown (ORG-6)."""
    chosen = request.POST.get("company", "")
    membership = next((m for m in request.memberships if str(m.company.public_id) == chosen), None)  # type: ignore[attr-defined]
    if membership is None:
        raise Http404
    request.session[COMPANY_KEY] = membership.company_id
    return redirect("home")


def _back(request: HttpRequest) -> HttpResponse:
    """Where the person was; never to another host."""
    target = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return HttpResponseRedirect(target if safe else "/")
