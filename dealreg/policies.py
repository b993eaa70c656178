"""Who may do what to a registration: the partner states, the reviewer judges, the worker routes and closes."""

from __future__ import annotations

from dealreg.models import Registration
from portal.accounts.rules import REVIEWER, Actor
from referrals.policies import may_register

PARTNER_VERBS = frozenset({"submit", "resubmit", "close_unregistered"})
REVIEWER_VERBS = frozenset({"select_for_review", "pass_review", "fail_review", "require_action", "match", "no_match"})
WORKER_VERBS = frozenset({"route", "close"})


def may(actor: Actor, verb: str, registration: Registration) -> bool:
    """FLOW's last column. No queries: the caller brings referral and team along (ORG-3)."""
    if actor.is_system:
        return verb in WORKER_VERBS
    if verb in REVIEWER_VERBS:
        return actor.is_vendor and actor.has(REVIEWER)
    return verb in PARTNER_VERBS and may_register(actor, registration.referral)
