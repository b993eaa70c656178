"""The page *Deadlines*, and the address from which a calendar reads them (FLOW-8)."""

from __future__ import annotations

import hashlib
from typing import Any

from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST, require_safe

from portal.accounts.decorators import ActorRequest, needs_actor
from portal.pages import calendar, deadlines
from portal.pages.deadlines import MINE, PageQuery
from portal.pages.services import calendar as services

#: Calendars ask every hour or so; one service may ask for many people, and nobody tries addresses.
LIMITS = {"calendar": "600/5m/ip,30/5m/key"}
RETRY_AFTER = "300"


@needs_actor
@require_GET
def page(request: ActorRequest) -> HttpResponse:
    """What has a day; *load more* asks for what follows a key."""
    query = PageQuery.of(request.GET.dict())
    context = {**deadlines.context(request.actor, query, now=timezone.now()), **_calendar(request)}
    more = request.htmx and query.after
    response = render(request, "pages/deadlines.html#weeks" if more else "pages/deadlines.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _calendar(request: ActorRequest) -> dict[str, Any]:
    kept = services.calendar_feed(request.actor)
    path = reverse("calendar", args=[services.calendar_token(kept)]) if kept else ""
    return {
        "feed": kept,
        "feed_url": settings.BASE_URL + path,
        "webcal_url": "webcal:" + settings.BASE_URL.partition(":")[2] + path,
    }


@needs_actor
@require_POST
def change_calendar(request: ActorRequest) -> HttpResponse:
    """Make a new address, for which the one before is gone, or revoke the one there is."""
    if "revoke" in request.POST:
        services.revoke_calendar_feed(actor=request.actor, now=timezone.now())
        messages.success(request, gettext("The calendar address was revoked."))
    else:
        mine = request.POST.get("of") == MINE
        services.renew_calendar_feed(mine=mine, actor=request.actor, now=timezone.now())
        messages.success(request, gettext("Your calendar address is ready: copy it into your calendar."))
    return redirect(reverse("deadlines") + "#calendar")


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The deadlines of the person whose address this is; to whoever has it, without signing in (docs/security.md)."""
    if not ratelimit.consume(request, app="portal", action="calendar", config=LIMITS, key=token, limit_get=True):
        return HttpResponse(status=429, headers={"Retry-After": RETRY_AFTER}, content_type="text/plain")
    found = services.calendar_of(token)
    if found is None:
        raise Http404
    kept, actor = found
    body = calendar.feed(actor, kept.membership.user, mine=kept.mine, now=timezone.now())
    etag = f'"{hashlib.sha256(body).hexdigest()}"'
    response = HttpResponse(body, "text/calendar; charset=utf-8", headers={"ETag": etag, "X-Robots-Tag": "noindex"})
    response["Content-Disposition"] = 'inline; filename="deadlines.ics"'
    return get_conditional_response(request, etag=etag, response=response) or response
