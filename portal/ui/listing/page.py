"""The answer to a request for a list's page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django_htmx.http import push_url, replace_url

from portal.accounts.decorators import ActorRequest
from portal.accounts.rules import Actor
from portal.ui.http import for_htmx
from portal.ui.listing import context as list_page
from portal.ui.listing import left, menus, saved
from portal.ui.listing.lists import Listing
from portal.ui.listing.query import ListQuery, values

#: The page, and the part of it that a script puts in its place after a search or a filter.
WHOLE, PART = "base.html", "listing/part.html"


def respond(
    request: ActorRequest, listing: Listing, template: str, more: Callable[[Actor], Mapping[str, Any]] = lambda _: {}
) -> HttpResponse:
    """The page; *load more* asks for the rows below a key, so nothing is shown twice or missed. The address then says
    how many rows stand there, so that *Back* shows as many. A menu that is opened asks for what it holds. A view has
    its own way of being left: with it.

    `more`: what the page shows besides the list.
    """
    view = left.list_view(listing, request.actor)
    asked = ListQuery.of(listing, values(request.GET), request.actor, kept=view.query)
    columns = asked.columns or view.columns
    opened = request.GET.get("menu", "")
    if asked.is_elsewhere and not request.htmx:
        still = f"&menu={menus.FILTERS}" if opened == menus.FILTERS else ""
        return redirect(request.path + asked.address() + still)
    if request.htmx and "after" in request.GET:
        context = list_page.more(request.actor, asked, columns)
        response = for_htmx(render(request, "listing/_rows.html", context))
        return replace_url(response, asked.address(shown=context["shown"]))
    if request.htmx and (panel := menus.panel(request.actor, asked, columns, opened)):
        name, shown = panel
        return for_htmx(render(request, name, {**shown, **(more(request.actor) if opened == menus.EXPORT else {})}))
    views = saved.of_request(request, listing)
    if found := saved.to_open(request, asked, view, views):
        return redirect(saved.address(listing, found, request.actor))
    if asked.stated and asked.after is None and not asked.view and asked.tab not in listing.hidden:
        left.remember(view, asked)
    context = list_page.context(request.actor, asked, columns, opened)
    context |= {**saved.context(request.actor, asked, view, views), **more(request.actor)}
    context["layout"] = PART if request.htmx and not request.htmx.history_restore_request else WHOLE
    response = for_htmx(render(request, template, context))
    return push_url(response, "?" + context["address"]) if request.htmx else response
