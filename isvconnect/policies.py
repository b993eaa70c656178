"""Who may do what about ISV Connect deals (ISV-7). No queries: the caller loads a deal's referral with its team."""

from __future__ import annotations

from isvconnect.models import IsvDeal
from portal.accounts.rules import PROGRAMME_MANAGER, Actor, reading_scope, writing_scope
from referrals.policies import Deal, may_register
from referrals.policies import may_read as may_read_referral


def acts_for_partner(actor: Actor) -> bool:
    """Whether the actor acts for a partner company at all: the vendor reports nothing."""
    return actor.company_id is not None and not actor.is_vendor


def may_report(actor: Actor, location_id: int | None, referral: Deal | None = None) -> bool:
    """A referrals admin of the location (None: of any); from a referral whoever may register that (ISV-7, ORG-3)."""
    if not acts_for_partner(actor):
        return False
    if referral is not None:
        return may_register(actor, referral)
    scope = writing_scope(actor)
    return bool(scope) if location_id is None else scope.covers(location_id)


def may_read(actor: Actor, deal: IsvDeal) -> bool:
    """What IsvDealQuerySet.visible_to finds, asked of one deal (ISV-7, ORG-2)."""
    if actor.is_vendor:
        return bool(actor.grants)
    if deal.company_id != actor.company_id:
        return False
    of_referral = deal.referral is not None and may_read_referral(actor, deal.referral)
    return reading_scope(actor).covers(deal.location_id) or of_referral


def may_change(actor: Actor, deal: IsvDeal) -> bool:
    """Who reports corrects (ISV-7): a referrals admin of the location, or whoever may register the deal's referral."""
    if deal.company_id != actor.company_id or not acts_for_partner(actor):
        return False
    of_referral = deal.referral is not None and may_register(actor, deal.referral)
    return writing_scope(actor).covers(deal.location_id) or of_referral


def may_manage_licences(actor: Actor, deal: IsvDeal) -> bool:
    """Whoever may correct the deal (ISV-7)."""
    return may_change(actor, deal)


def may_cancel(actor: Actor, _deal: IsvDeal | None = None) -> bool:
    """The programme's managers (ISV-5)."""
    return actor.is_vendor and actor.has(PROGRAMME_MANAGER)


def may_set_rates(actor: Actor) -> bool:
    """The programme's managers (ISV-6)."""
    return actor.is_vendor and actor.has(PROGRAMME_MANAGER)
