"""Who may do what to a registration: partners file it, reviewers decide on it (FLOW, last column)."""

from __future__ import annotations

from dealreg.models import Registration
from portal.accounts.rules import COUNCIL_MEMBER, PROGRAMME_MANAGER, REVIEWER, Actor
from referrals.policies import Deal, may_read, may_register


def may_file(actor: Actor, registration: Registration) -> bool:
    """Whether the actor may register the deal (ORG-3). Makes no query: the caller loads the referral and its team."""
    return may_register(actor, registration.referral)


def may_review(actor: Actor, _registration: Registration | None = None) -> bool:
    """The vendor's reviewers."""
    return actor.is_vendor and actor.has(REVIEWER)


def may_retract(actor: Actor, _registration: Registration | None = None) -> bool:
    """The programme's managers take a decision back (FLOW, retract)."""
    return actor.is_vendor and actor.has(PROGRAMME_MANAGER)


def may_add_documents(actor: Actor, referral: Deal) -> bool:
    """Whoever may register the deal adds its proof documents, and removes them (ORG-3, REG-16)."""
    return may_register(actor, referral)


def may_read_documents(actor: Actor, referral: Deal) -> bool:
    """The deal's company and the reviewers; council and programme managers once there is an exception to decide
    (REG-16). Nobody of whom the deal itself is kept."""
    if not actor.is_vendor:
        return may_read(actor, referral)
    if actor.has(COUNCIL_MEMBER, PROGRAMME_MANAGER, REVIEWER) and exception_asked(referral):
        return True
    return actor.has(REVIEWER) and may_read(actor, referral)


def exception_asked(referral: Deal) -> bool:
    """Whether an exception was asked for on the deal: then it is shown to who decides on that, private or not (EXC-10).
    One query, unless the deal was loaded with its request."""
    return getattr(referral, "exception_request", None) is not None
