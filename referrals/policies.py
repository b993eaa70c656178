"""Who may do what with a referral. The functions make no queries: the caller loads the referral with its team."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from portal.accounts.rules import SELLER, Actor, reading_scope, team_scope, writing_scope


class Deal(Protocol):
    """A company's copy of a deal, as far as permissions look at it: a Referral, or a Brief of it."""

    @property
    def company_id(self) -> int: ...
    @property
    def location_id(self) -> int | None: ...
    @property
    def vendor_may_view(self) -> bool: ...
    @property
    def team_emails(self) -> Collection[str]: ...


def may_read(actor: Actor, referral: Deal) -> bool:
    """What ReferralQuerySet.visible_to finds, asked of one referral (ORG-2, ORG-4, REF-3)."""
    if actor.is_vendor:
        own = referral.company_id == actor.company_id
        return bool(actor.grants) and (own or referral.vendor_may_view)
    if referral.company_id != actor.company_id:
        return False
    return reading_scope(actor).covers(referral.location_id) or on_team(actor, referral)


def may_change(actor: Actor, referral: Deal) -> bool:
    """Admins in their scope, users of the location on the team, the vendor's sellers on the vendor's copy (ORG-2)."""
    if referral.company_id != actor.company_id:
        return False
    if actor.is_vendor:
        return actor.has(SELLER)
    return writing_scope(actor).covers(referral.location_id) or on_team(actor, referral)


def may_share(actor: Actor, referral: Deal) -> bool:
    """What only the company that sells decides: the vendor's sellers send deals on their own page (REF-4, REF-9)."""
    return not actor.is_vendor and may_change(actor, referral)


def may_send(actor: Actor) -> bool:
    """Whether the actor may send deals to partners (REF-9): only the vendor's sellers. Partners invite others to their
    own deals."""
    return actor.is_vendor and actor.has(SELLER)


def acts_for_company(actor: Actor) -> bool:
    """Whether the actor acts for a company (ORG-5); the blockers of *New deal* say what else is missing."""
    return actor.company_id is not None


def on_team(actor: Actor, referral: Deal) -> bool:
    """Whether the actor is a referrals user of the deal's location whom its team lists (ORG-2)."""
    return team_scope(actor).covers(referral.location_id) and actor.email.lower() in referral.team_emails


def may_register(actor: Actor, referral: Deal) -> bool:
    """A referrals admin in scope, or a referrals user on the team (ORG-3); the vendor registers nothing."""
    return not actor.is_vendor and may_change(actor, referral)
