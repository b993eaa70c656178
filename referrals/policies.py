"""Who may do what with a referral. The functions make no queries: the caller loads the referral with its team."""

from __future__ import annotations

from portal.accounts.rules import REFERRALS_USER, SELLER, Actor, reading_scope, writing_scope
from referrals.models import Referral


def may_read(actor: Actor, referral: Referral) -> bool:
    """Whether the actor may read this referral; the same rule as ReferralQuerySet.visible_to (ORG-2, ORG-4, REF-3)."""
    if actor.is_vendor:
        own = referral.company_id == actor.company_id
        return bool(actor.grants) and (own or referral.engagement.vendor_may_view)
    if referral.company_id != actor.company_id:
        return False
    return reading_scope(actor).covers(referral.location_id) or on_team(actor, referral)


def may_change(actor: Actor, referral: Referral) -> bool:
    """Whether the actor may change this referral (ORG-2).

    Referrals admins may in their scope, referrals users if the team lists them, the vendor's sellers on the vendor's
    copy.
    """
    if referral.company_id != actor.company_id:
        return False
    if actor.is_vendor:
        return actor.has(SELLER)
    return writing_scope(actor).covers(referral.location_id) or on_team(actor, referral)


def may_share(actor: Actor, referral: Referral) -> bool:
    """Whether the actor may share the deal or invite partners (REF-4, REF-9).

    Only people of a partner may; the vendor's sellers send deals on a page of their own.
    """
    return not actor.is_vendor and may_change(actor, referral)


def may_send(actor: Actor) -> bool:
    """Whether the actor may send deals to partners (REF-9): only the vendor's sellers. Partners invite others to their
    own deals."""
    return actor.is_vendor and actor.has(SELLER)


def acts_for_company(actor: Actor) -> bool:
    """Whether the actor acts for a company (ORG-5); the blockers of *New deal* say what else is missing."""
    return actor.company_id is not None


def on_team(actor: Actor, referral: Referral) -> bool:
    """Whether the actor is a referrals user whom the deal's team lists (ORG-2)."""
    return actor.has(REFERRALS_USER) and actor.email.lower() in {m.email for m in referral.team.all()}


def may_register(actor: Actor, referral: Referral) -> bool:
    """Whether the actor may register the deal (ORG-3): like may_change, but the vendor registers nothing."""
    return not actor.is_vendor and may_change(actor, referral)
