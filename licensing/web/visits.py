"""Visits to the licence page: begun by a link from the mailbox, kept by the browser's session, and short (LIC-4)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext

from licensing.models import Relationship
from licensing.services import links
from licensing.services.links import Visit
from licensing.web.links import opened_by_link
from portal.policy import services as policies

#: Of the session: the visits that it keeps, by their relationships: an admin may have agreed with several companies.
VISITS = "licence_visits"

View = Callable[Concatenate[HttpRequest, Visit, ...], HttpResponse]


def begin(request: HttpRequest, visit: Visit) -> None:
    """Keep the visit; in a session with a new key, so that nobody shares it who knew the old one."""
    request.session.cycle_key()
    request.session[VISITS] = {**request.session.get(VISITS, {}), str(visit.relationship.public_id): visit.to_session()}


def begin_visit(request: HttpRequest, relationship: Relationship, *, now: datetime) -> None:
    """For whoever has just confirmed the address by its code, which is as good as a link."""
    begin(request, Visit(relationship, now + policies.current(now).licence_session_time))


def end(request: HttpRequest, visit: Visit) -> None:
    kept = request.session.get(VISITS, {})
    request.session[VISITS] = {key: one for key, one in kept.items() if key != str(visit.relationship.public_id)}


def needs_visit(view: View) -> Callable[..., HttpResponse]:
    """Only for the customer's admin; anybody else is sent to where links are asked for, whatever the address names."""

    @opened_by_link
    @wraps(view)
    def wrapped(request: HttpRequest, relationship: uuid.UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        kept = request.session.get(VISITS, {}).get(str(relationship))
        visit = links.from_session(kept, now=timezone.now())
        if visit is None:
            messages.info(request, gettext("Your visit has ended, or there was none. Ask for a link to go on."))
            return redirect("licence_link")
        return view(request, visit, *args, **kwargs)

    return wrapped
