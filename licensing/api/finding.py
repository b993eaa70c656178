"""Finds what an address names, as far as the actor may see it (ORG-6, ISV-7)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from rest_framework.response import Response

from isvconnect.models import IsvDeal
from isvconnect.policies import may_manage_licences
from licensing.api import representation
from licensing.models import Invitation, Relationship
from licensing.selectors.facts import licences_of
from portal.accounts.rules import Actor
from portal.api.http.endpoint import single
from referrals.api import wire
from referrals.api.finding import by_public_id

RELATIONSHIPS, INVITATIONS = "v1.0/licensing/relationships", "v1.0/licensing/invitations"
LICENCES = "v1.0/licensing/deals/<id>/licenses"
_METADATA = "v1.0/$metadata#"


def deal_of(public_id: str, actor: Actor) -> IsvDeal:
    """Raises Http404."""
    found = IsvDeal.objects.visible_to(actor).with_context().prefetch_related("referral__team")
    return by_public_id(found, public_id)


def managed_deal(public_id: str, actor: Actor) -> IsvDeal:
    """The same for who manages its licences. Raises Http404, PermissionDenied (ISV-7)."""
    deal = deal_of(public_id, actor)
    if not may_manage_licences(actor, deal):
        raise PermissionDenied
    return deal


def relationship_of(public_id: str, actor: Actor) -> Relationship:
    """Raises Http404."""
    return by_public_id(Relationship.objects.visible_to(actor), public_id)


def invitation_of(public_id: str, actor: Actor) -> Invitation:
    """Raises Http404."""
    found = Invitation.objects.visible_to(actor).with_context().prefetch_related("deal__referral__team")
    return by_public_id(found, public_id)


def relationship_answer(found: Relationship) -> Response:
    row: Any = Relationship.objects.values(*representation.RELATIONSHIP_COLUMNS).get(pk=found.pk)
    return _single("LicensingRelationships", representation.relationship(row))


def invitation_answer(found: Invitation, *, status: int = 200, **more: Any) -> Response:
    """One invitation; a new one with its address, and `more` that is told only now."""
    row: Any = Invitation.objects.values(*representation.INVITATION_COLUMNS).get(pk=found.pk)
    location = wire.url(f"{INVITATIONS}/{found.public_id}") if status == 201 else ""
    return _single("LicensingInvitations", {**representation.invitation(row), **more}, status=status, location=location)


def licences_answer(deal: IsvDeal) -> Response:
    return _single("Licenses", representation.licences(deal, licences_of(deal)))


def _single(name: str, shown: dict[str, Any], **more: Any) -> Response:
    return single({"@odata.context": wire.url(f"{_METADATA}{name}/$entity"), **shown}, etag=shown["eTag"], **more)
