"""Who may do what about exceptions (EXC-10). No queries: the caller loads the deal with its team."""

from __future__ import annotations

from exceptions_council.models import ExceptionRequest
from portal.accounts.rules import COUNCIL_MEMBER, PROGRAMME_MANAGER, REVIEWER, Actor
from referrals.policies import Deal, may_register


def may_ask(actor: Actor, referral: Deal) -> bool:
    """Whoever may register the deal asks for its exception (ORG-3)."""
    return may_register(actor, referral)


def may_answer(actor: Actor, request: ExceptionRequest) -> bool:
    """Whoever may register the deal answers what the council asks (ORG-3)."""
    return may_register(actor, request.referral)


def may_vote(actor: Actor, _request: ExceptionRequest | None = None) -> bool:
    """The council's members, as persons."""
    return actor.is_vendor and actor.has(COUNCIL_MEMBER) and actor.user_id is not None


def may_ask_evidence(actor: Actor, _request: ExceptionRequest | None = None) -> bool:
    """The council's members and the reviewers, as persons."""
    return actor.is_vendor and actor.has(COUNCIL_MEMBER, REVIEWER) and actor.user_id is not None


def may_read_votes(actor: Actor, _request: ExceptionRequest | None = None) -> bool:
    """Who of the vendor's people sees who voted what, and why; the partner sees counts (EXC-8)."""
    return actor.is_vendor and actor.has(COUNCIL_MEMBER, REVIEWER, PROGRAMME_MANAGER)
