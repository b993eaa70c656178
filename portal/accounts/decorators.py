"""What the edges share: who may enter a page at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from portal.accounts import companies
from portal.accounts.models import Company, Membership, User
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
    """Only for a signed-in person of a company; a stranger is sent to sign in, and so is somebody whose company was
    closed: the session ends, and the page says why."""

    @login_required
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.actor is None:  # type: ignore[attr-defined]
            if isinstance(request.user, User) and (closed := companies.closed_of(request.user)):
                return _signed_out(request, closed)
            raise PermissionDenied(_("Your account belongs to no company yet. Ask your company's account admin."))
        return view(request, *args, **kwargs)  # type: ignore[arg-type]

    return wrapped


def _signed_out(request: HttpRequest, closed: Company) -> HttpResponse:
    logout(request)
    text = _("%(company)s was closed in this programme, so nobody signs in for it any more. What it did is kept.")
    messages.error(request, text % {"company": closed})
    return redirect("account_login")


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
