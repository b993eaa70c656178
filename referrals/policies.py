"""Who may do what to a referral. No queries: the caller brings the team along."""

from __future__ import annotations

from portal.accounts.rules import REFERRALS_USER, SELLER, Actor, reading_scope, writing_scope
from referrals.models import Referral

VERBS = frozenset(
    {
        "accept",
        "decline",
        "win",
        "lose",
        "close_as_error",
        "set_stage",
        "schedule_win",
        "cancel_win",
        "edit_details",
        "edit_team",
        "edit_solutions",
    }
)
#: What only the company that sells decides: the vendor's sellers send deals on their own page.
PARTNER_VERBS = frozenset({"share_with_vendor", "request_help", "invite_partner"})
WORKER_VERBS = frozenset({"expire", "win"})


def may(actor: Actor, verb: str, referral: Referral) -> bool:
    """Admins in their scope, users on the team, the vendor's sellers on the vendor's copy (ORG-2)."""
    if actor.is_system:
        return verb in WORKER_VERBS
    if verb in PARTNER_VERBS:
        return not actor.is_vendor and may_change(actor, referral)
    return verb in VERBS and may_change(actor, referral)


def may_read(actor: Actor, referral: Referral) -> bool:
    """What ReferralQuerySet.visible_to finds, asked of one referral (ORG-2, ORG-4, REF-3)."""
    if actor.is_vendor:
        own = referral.company_id == actor.company_id
        return bool(actor.grants) and (own or referral.engagement.vendor_may_view)
    if referral.company_id != actor.company_id:
        return False
    return reading_scope(actor).covers(referral.location_id) or on_team(actor, referral)


def may_change(actor: Actor, referral: Referral) -> bool:
    if referral.company_id != actor.company_id:
        return False
    if actor.is_vendor:
        return actor.has(SELLER)
    return writing_scope(actor).covers(referral.location_id) or on_team(actor, referral)


def on_team(actor: Actor, referral: Referral) -> bool:
    """A referrals user works on what lists him (ORG-2)."""
    return actor.has(REFERRALS_USER) and actor.email.lower() in {m.email for m in referral.team.all()}


def may_register(actor: Actor, referral: Referral) -> bool:
    """A referrals admin in scope, or a referrals user on the team (ORG-3); the vendor registers nothing."""
    return not actor.is_vendor and may_change(actor, referral)
