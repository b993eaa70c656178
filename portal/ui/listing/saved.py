"""The views of a list as its page offers them (REF-20): which are there, which one is open, and what was changed."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import reverse

from portal.accounts.decorators import ActorRequest
from portal.accounts.rules import Actor
from portal.ui import services
from portal.ui.listing.lists import Listing
from portal.ui.listing.query import ListQuery
from portal.ui.models import ListView, SavedView


def of_request(request: ActorRequest, listing: Listing) -> list[SavedView]:
    """The list's views; those of all lists are asked for once, though the page and the rail beside it show them."""
    if "saved_views" not in request.__dict__:
        request.__dict__["saved_views"] = services.views(request.actor)
    kept: dict[str, list[SavedView]] = request.__dict__["saved_views"]
    return kept.get(listing.code, [])


def link(listing: Listing, view: SavedView) -> str:
    """Where a view opens: by its id alone, as its owner may change what it shows."""
    tab = f"tab={listing.own_tab}&" if listing.own_tab else ""
    return f"{reverse(listing.url)}?{tab}view={view.public_id}"


def address(listing: Listing, view: SavedView, actor: Actor) -> str:
    """All that the view shows, as far as it is there still, as an address of the list."""
    return reverse(listing.url) + as_saved(listing, view, actor).address(view=str(view.public_id))


def as_saved(listing: Listing, view: SavedView, actor: Actor) -> ListQuery:
    return ListQuery.at(listing, view.address, actor)


def to_open(request: ActorRequest, asked: ListQuery, left: ListView, views: list[SavedView]) -> SavedView | None:
    """The view that the address names without saying more, or the one that this person's list opens with."""
    if asked.view and not asked.stated:
        return _named(views, asked.view)
    if not request.GET:
        return next((view for view in views if view.pk == left.default_id), None)
    return None


def _named(views: list[SavedView], public_id: str) -> SavedView:
    """Raises Http404 for what is not there, or nobody shares with this person."""
    found = next((view for view in views if str(view.public_id) == public_id), None)
    if found is None:
        raise Http404
    return found


def context(actor: Actor, asked: ListQuery, left: ListView, views: list[SavedView]) -> dict[str, Any]:
    """What the menu of views shows."""
    listing = asked.listing
    # Of an address that says all by itself the view may be gone: what it says is shown.
    current = next((view for view in views if str(view.public_id) == asked.view), None)
    changed = current is not None and asked.without_view() != as_saved(listing, current, actor).without_view()
    return {
        "views": [
            {
                "name": view.name,
                "url": link(listing, view),
                "is_shared": view.is_shared,
                "owner": "" if view.user_id == actor.user_id else str(view.user),
                "current": view is current,
                "is_default": view.pk == left.default_id,
            }
            for view in views
        ],
        "view": current,
        "view_changed": changed,
        "is_own_view": current is not None and current.user_id == actor.user_id,
        "view_url": link(listing, current) if current else "",
    }
