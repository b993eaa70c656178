"""Finds the referral that an address names, as far as the actor may see it (ORG-6)."""

from __future__ import annotations

import uuid
from typing import TypeVar

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import models
from django.http import Http404

from portal.accounts.rules import Actor
from referrals.models import Referral
from referrals.selectors import participants
from referrals.verbs.base import lock_one

M = TypeVar("M", bound=models.Model)


def by_public_id(found: models.QuerySet[M], public_id: str) -> M:
    """The row with this public id. Raises Http404 for any other id, and for what is none."""
    try:
        return found.get(public_id=uuid.UUID(public_id))
    except (ValueError, ObjectDoesNotExist):
        raise Http404 from None


def readable(public_id: str, actor: Actor) -> int:
    """The primary key of a referral that the actor may see, whole or as a card. Raises Http404."""
    try:
        return by_public_id(Referral.objects.visible_to(actor).only("pk"), public_id).pk
    except Http404:
        return by_public_id(participants.cards(actor).only("pk"), public_id).pk


def referral(public_id: str, actor: Actor) -> Referral:
    """A referral that the actor may see whole. Raises Http404; PermissionDenied for a card, which is read only."""
    visible = Referral.objects.visible_to(actor).with_context()
    try:
        return by_public_id(visible.prefetch_related("team"), public_id)
    except Http404:
        by_public_id(participants.cards(actor), public_id)
    raise PermissionDenied


def locked(public_id: str, actor: Actor) -> Referral:
    """The same one, locked until the transaction ends. Raises as `referral`."""
    try:
        visible = Referral.objects.visible_to(actor).filter(public_id=uuid.UUID(public_id))
        return lock_one(visible)
    except (ValueError, Referral.DoesNotExist):
        return referral(public_id, actor)
