"""Who keeps the people, roles and locations of a company. No queries."""

from __future__ import annotations

from portal.accounts.rules import PROGRAMME_MANAGER, Actor, may_keep


def may_change(actor: Actor, company_id: int) -> bool:
    """A company's own keepers; of every company, the programme's managers and the workers (ORG-2)."""
    if actor.company_id == company_id:
        return may_keep(actor)
    return runs_programme(actor)


def runs_programme(actor: Actor) -> bool:
    """The programme's managers and the workers: they add companies and say how those stand (ORG-7, ORG-8)."""
    return actor.is_system or (actor.is_vendor and actor.has(PROGRAMME_MANAGER))
