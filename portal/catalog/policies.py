"""Who keeps the catalogue: programme managers and the workers; everyone else reads it (ORG-2)."""

from __future__ import annotations

from portal.accounts.rules import PROGRAMME_MANAGER, Actor


def may_keep(actor: Actor) -> bool:
    """Whether the actor lists solutions and kinds of assessments, and says which tags a solution bears."""
    return actor.is_system or (actor.is_vendor and actor.has(PROGRAMME_MANAGER))
