"""Who keeps the customer directory: programme managers and the workers; everyone else reads it (REF-5, ORG-2)."""

from __future__ import annotations

from portal.accounts.rules import PROGRAMME_MANAGER, Actor


def may_keep(actor: Actor) -> bool:
    """Whether the actor adds customers, imports them and says whom the vendor manages."""
    return actor.is_system or (actor.is_vendor and actor.has(PROGRAMME_MANAGER))
