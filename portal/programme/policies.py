"""Who keeps the programme's numbers: programme managers and the workers; everyone else reads them (ORG-2)."""

from __future__ import annotations

from portal.accounts.rules import PROGRAMME_MANAGER, Actor


def may_keep(actor: Actor) -> bool:
    """Whether the actor takes in rates and adds versions of the policy."""
    return actor.is_system or (actor.is_vendor and actor.has(PROGRAMME_MANAGER))
