"""Who keeps the people, roles and locations of a company. No queries."""

from __future__ import annotations

from portal.accounts.rules import PROGRAMME_MANAGER, Actor, may_keep


def may_change(actor: Actor, company_id: int) -> bool:
    """A company's own keepers; of every company, the programme's managers and the workers (ORG-2)."""
    if actor.company_id == company_id:
        return may_keep(actor)
    return actor.is_system or (actor.is_vendor and actor.has(PROGRAMME_MANAGER))
