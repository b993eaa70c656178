"""Finds the registration that an address names, as far as the actor may see it (ORG-6)."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from dealreg.api.representation import OWN_COLUMNS, resource
from dealreg.models import Registration, RegistrationQuerySet
from portal.accounts.rules import ADMIN_ROLES, Actor
from portal.api.http.endpoint import single
from referrals.api import wire
from referrals.api.finding import by_public_id

METADATA = "v1.0/$metadata#Registrations"


def visible(actor: Actor) -> RegistrationQuerySet:
    """The company's own; of the vendor's people those who work in the administration see all, as there."""
    found = Registration.objects.visible_to(actor)
    if actor.is_vendor:
        return found if actor.has(*ADMIN_ROLES) else found.none()
    return found.filter(referral__company_id=actor.own_company_id)


def registration(public_id: str, actor: Actor) -> Registration:
    """Raises Http404."""
    return by_public_id(visible(actor).with_context(), public_id)


def one(public_id: str, actor: Actor) -> int:
    """The key of the registration with this public id. Raises Http404."""
    return int(by_public_id(visible(actor).only("pk"), public_id).pk)


def answer(pk: int) -> Response:
    """One registration as a resource, with its ETag."""
    row: Any = Registration.objects.values(*OWN_COLUMNS).get(pk=pk)
    shown = {"@odata.context": wire.url(f"{METADATA}/$entity"), **resource(row)}
    return single(shown, etag=shown["eTag"])
