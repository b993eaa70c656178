"""What the edges share: who may enter a page at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from portal.accounts.models import Membership, User
from portal.accounts.rules import Actor, may_keep


class ActorRequest(HttpRequest):
    """A request of a signed-in person who acts for a company, and may act for the others they belong to."""

    user: User
    actor: Actor
    memberships: list[Membership]
    htmx: HtmxDetails


def needs_actor(
    view: Callable[Concatenate[ActorRequest, ...], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Only for a signed-in person of a company; a stranger is sent to sign in."""

    @login_required
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.actor is None:  # type: ignore[attr-defined]
            raise PermissionDenied(_("Your account belongs to no company yet. Ask your company's account admin."))
        return view(request, *args, **kwargs)  # type: ignore[arg-type]

    return wrapped


def company_admin_required(
    view: Callable[Concatenate[ActorRequest, ...], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Only for people who manage their company's people and settings (ORG-2)."""

    @needs_actor
    @wraps(view)
    def wrapped(request: ActorRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_keep(request.actor):
            raise PermissionDenied(_("These settings are kept by your company's account admins."))
        return view(request, *args, **kwargs)

    return wrapped
