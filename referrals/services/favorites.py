"""A person's stars on deals (REF-19)."""

from __future__ import annotations

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
