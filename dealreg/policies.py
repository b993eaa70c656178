"""Who may do what to a registration: partners file it, reviewers decide on it (FLOW, last column)."""

from __future__ import annotations

from dealreg.models import Registration
from portal.accounts.rules import PROGRAMME_MANAGER, REVIEWER, Actor
from referrals.policies import may_register


def may_file(actor: Actor, registration: Registration) -> bool:
    """Whether the actor may register the deal (ORG-3). Makes no query: the caller loads the referral and its team."""
    return may_register(actor, registration.referral)


def may_review(actor: Actor, _registration: Registration | None = None) -> bool:
    """The vendor's reviewers."""
    return actor.is_vendor and actor.has(REVIEWER)


def may_retract(actor: Actor, _registration: Registration | None = None) -> bool:
    """The programme's managers take a decision back (FLOW, retract)."""
    return actor.is_vendor and actor.has(PROGRAMME_MANAGER)
