"""Who may do what about licences (ISV-7, LIC-1, LIC-4). No queries: the caller loads the deal and the relationship.

A customer's admin is an actor without an account and without a company: who they are was proven by a link, and by the
code that confirmed their address (LIC-8).
"""

from __future__ import annotations

from isvconnect.policies import may_manage_licences
from licensing.models import Invitation, Licences, Relationship
from portal.accounts.rules import Actor


def acts_for_customer(actor: Actor) -> bool:
    """Somebody who came by a link: no account's person, no client, no worker."""
    return actor.kind == "person" and actor.user_id is None and actor.company_id is None


def is_admin_of(actor: Actor, relationship: Relationship) -> bool:
    """The customer's admin whose confirmed address the consent holds."""
    return acts_for_customer(actor) and actor.email.lower() == relationship.admin_email.lower()


def may_withdraw(actor: Actor, invitation: Invitation) -> bool:
    """Whoever manages the licences of its deal."""
    return may_manage_licences(actor, invitation.deal)


def may_answer(actor: Actor, _invitation: Invitation) -> bool:
    """Whoever holds the link; the service found the invitation by it (LIC-1)."""
    return acts_for_customer(actor)


def may_change_counts(actor: Actor, licences: Licences) -> bool:
    """Whoever manages the licences of the deal (ISV-7)."""
    return may_manage_licences(actor, licences.deal)


def may_assign(actor: Actor, licences: Licences) -> bool:
    """The customer's admin; the partner sees numbers only (LIC-4)."""
    return is_admin_of(actor, licences.relationship)


def may_revoke(actor: Actor, relationship: Relationship) -> bool:
    """The customer's admin takes back what they gave (LIC-7)."""
    return is_admin_of(actor, relationship)
