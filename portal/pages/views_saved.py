"""The views of lists that people save (REF-20)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from portal.accounts.decorators import ActorRequest, needs_actor
from portal.accounts.rules import Actor
from portal.pages.forms import ViewForm
from portal.ui import services
from portal.ui.forms import saved
from portal.ui.http import form_page, posted, redirect_to
from portal.ui.listing import left
from portal.ui.listing.lists import LISTS, Listing
from portal.ui.listing.query import ListQuery
from portal.ui.listing.saved import link
from portal.ui.models import SavedView

PAGE = "listing/view.html"


@needs_actor
@require_http_methods(["GET", "POST"])
def save_view(request: ActorRequest, code: str) -> HttpResponse:
    """Keep what a list shows under a name."""
    listing, actor, made = LISTS.get(code), request.actor, list[SavedView]()
    if listing is None or (listing.own_tab and listing.own_tab not in listing.tabs(actor)):
        raise Http404
    asked = ListQuery.at(listing, (request.POST or request.GET).get("list", ""), actor)
    form = ViewForm(posted(request), opens=not listing.own_tab, initial={"list": asked.address()})

    def save() -> None:
        name, shared = form.cleaned_data["name"], form.cleaned_data["is_shared"]
        made.append(services.save_view(code, name, _kept(asked, actor), is_shared=shared, actor=actor))
        services.set_default(made[0], on=form.cleaned_data.get("is_default", False), actor=actor)

    if saved(form, save):
        messages.success(request, gettext("The view “%(name)s” is saved.") % {"name": made[0].name})
        return redirect_to(request, link(listing, made[0]))
    shown = {"heading": gettext("Save as a view"), "submit": gettext("Save the view")}
    return form_page(request, PAGE, form, cancel_url=reverse(listing.url) + asked.address(), **shown)


@needs_actor
@require_http_methods(["GET", "POST"])
def saved_view(request: ActorRequest, public_id: Any) -> HttpResponse:
    """A view's name, who sees it, whether one's list opens with it; or give it what the list shows, or delete it."""
    view = get_object_or_404(SavedView.objects.visible_to(request.actor), public_id=public_id)
    if view.listing not in LISTS:
        raise Http404
    listing = LISTS[view.listing]
    match request.POST.get("do"):
        case "put":
            return _put(request, listing, view)
        case "delete":
            services.delete_view(view, actor=request.actor)
            messages.success(request, gettext("The view “%(name)s” is deleted.") % {"name": view.name})
            return redirect_to(request, reverse(listing.url))
    return _settings(request, listing, view)


def _settings(request: ActorRequest, listing: Listing, view: SavedView) -> HttpResponse:
    is_own, actor = view.user_id == request.actor.user_id, request.actor
    is_default = left.list_view(listing, actor).default_id == view.pk
    initial = {"name": view.name, "is_shared": view.is_shared, "is_default": is_default}
    form = ViewForm(posted(request), opens=not listing.own_tab, is_own=is_own, initial=initial)

    def save() -> None:
        given = form.cleaned_data
        if is_own:
            services.change_view(view, given["name"], is_shared=given["is_shared"], actor=actor)
        services.set_default(view, on=given.get("is_default", False), actor=actor)

    if saved(form, save):
        messages.success(request, gettext("The view “%(name)s” is changed.") % {"name": view.name})
        return redirect_to(request, link(listing, view))
    shown = {"heading": initial["name"], "submit": gettext("Save"), "view": view, "is_own": is_own}
    may_delete = services.may_delete(view, actor)
    return form_page(request, PAGE, form, cancel_url=link(listing, view), may_delete=may_delete, **shown)


def _put(request: ActorRequest, listing: Listing, view: SavedView) -> HttpResponse:
    asked = ListQuery.at(listing, request.POST.get("list", ""), request.actor)
    services.put_into_view(view, _kept(asked, request.actor), actor=request.actor)
    messages.success(request, gettext("The view “%(name)s” is changed.") % {"name": view.name})
    return redirect(link(listing, view))


def _kept(asked: ListQuery, actor: Actor) -> str:
    """All that the list shows now, its columns too."""
    chosen = asked.columns or left.list_view(asked.listing, actor).columns
    columns = asked.listing.columns_chosen(chosen, actor, asked.tab)
    return asked.address(columns=tuple(column.code for column in columns), view="")
