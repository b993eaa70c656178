"""Finds the request that an address names, as far as the actor may see it (ORG-6, EXC-10)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework.response import Response

from exceptions_council.api.representation import COLUMNS, whole
from exceptions_council.models import ExceptionRequest, ExceptionRequestQuerySet
from portal.accounts.rules import Actor
from portal.api.http.endpoint import single
from portal.policy import services as policies
from referrals.api import wire
from referrals.api.finding import by_public_id

ADDRESS = "v1.0/exceptions"
METADATA = "v1.0/$metadata#Exceptions"


def visible(actor: Actor) -> ExceptionRequestQuerySet:
    """The company's own; of the vendor's people those who decide or read them see all."""
    found = ExceptionRequest.objects.visible_to(actor)
    return found if actor.is_vendor else found.filter(referral__company_id=actor.own_company_id)


def request_of(public_id: str, actor: Actor) -> ExceptionRequest:
    """Raises Http404."""
    return by_public_id(visible(actor).with_context(), public_id)


def answer(request: ExceptionRequest, now: datetime, *, status: int = 200) -> Response:
    """One request as a resource, with its ETag; a new one with its address."""
    row: Any = ExceptionRequest.objects.values(*COLUMNS).get(pk=request.pk)
    fresh = ExceptionRequest.objects.get(pk=request.pk)
    shown = {"@odata.context": wire.url(f"{METADATA}/$entity"), **whole(row, fresh, policies.current(now))}
    location = wire.url(f"{ADDRESS}/{request.public_id}") if status == 201 else ""
    return single(shown, etag=shown["eTag"], status=status, location=location)
