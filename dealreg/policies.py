"""Who may do what to a registration: the partner states, the reviewer judges (FLOW's last column)."""

from __future__ import annotations

from dealreg.models import Registration
from portal.accounts.rules import REVIEWER, Actor
from referrals.policies import may_register


def may_file(actor: Actor, registration: Registration) -> bool:
    """Whoever may register the deal (ORG-3). No queries: the caller brings referral and team along."""
    return may_register(actor, registration.referral)


def may_review(actor: Actor, _registration: Registration | None = None) -> bool:
    """The vendor's reviewers."""
    return actor.is_vendor and actor.has(REVIEWER)
