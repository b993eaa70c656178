"""Who keeps a company's people, roles and locations, and who what is the programme's. No queries."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from portal.accounts.rules import PROGRAMME_MANAGER, Actor, may_keep


def may_change(actor: Actor, company_id: int) -> bool:
    """A company's own keepers; of every company, the programme's managers and the workers (ORG-2)."""
    if actor.company_id == company_id:
        return may_keep(actor)
    return runs_programme(actor)


def runs_programme(actor: Actor) -> bool:
    """The programme's managers and the workers: they keep what is the programme's, and every company's people."""
    return actor.is_system or (actor.is_vendor and actor.has(PROGRAMME_MANAGER))


def check_runs_programme(actor: Actor) -> None:
    """Raises PermissionDenied for everybody else: they read catalogue, customers, rates and policy (ORG-2)."""
    if not runs_programme(actor):
        raise PermissionDenied
