"""The answer to a request for a list's page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django_htmx.http import push_url

from portal.accounts.decorators import ActorRequest
from portal.accounts.rules import Actor
from portal.ui.http import for_htmx
from portal.ui.listing import context as list_page
from portal.ui.listing import left
from portal.ui.listing.lists import Listing
from portal.ui.listing.query import ListQuery, values


def respond(
    request: ActorRequest, listing: Listing, template: str, more: Callable[[Actor], Mapping[str, Any]] = lambda _: {}
) -> HttpResponse:
    """The page; *load more* asks for the rows below a key, so nothing is shown twice or missed.

    `more`: what the page shows besides the list.
    """
    view = left.list_view(listing, request.actor)
    asked = ListQuery.of(listing, values(request.GET), request.actor, kept=view.query)
    if request.htmx and "after" in request.GET:
        context = list_page.more(request.actor, asked, view.columns)
        return for_htmx(render(request, "listing/_rows.html", context))
    if asked.stated and asked.after is None:
        left.remember(view, asked)
    context = {**list_page.context(request.actor, asked, view.columns), **more(request.actor)}
    response = for_htmx(render(request, template, context))
    return push_url(response, "?" + context["address"]) if request.htmx else response
