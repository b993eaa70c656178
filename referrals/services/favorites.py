"""A person's stars on deals (REF-19)."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from portal.accounts.rules import Actor
from referrals.models import Favorite, Referral


def set_favorite(referral: Referral, *, actor: Actor, on: bool) -> bool:
    """Put the person's star on a deal they see, or take it away; doing so twice changes nothing. Returns `on`."""
    mine = {"user_id": actor.user_id, "referral": referral}
    if on:
        Favorite.objects.bulk_create([Favorite(**mine)], ignore_conflicts=True)
    else:
        Favorite.objects.filter(**mine).delete()
    return on


def add_favorites(deals: Collection[uuid.UUID], *, actor: Actor) -> int:
    """Put the person's star on all of these deals that they see; returns how many those are."""
    seen = Referral.objects.visible_to(actor).filter(public_id__in=deals).values_list("pk", flat=True)
    mine: dict[str, Any] = {"user_id": actor.user_id}
    stars = [Favorite(**mine, referral_id=pk) for pk in seen]
    Favorite.objects.bulk_create(stars, ignore_conflicts=True)
    return len(stars)
