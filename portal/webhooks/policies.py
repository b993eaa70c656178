"""Who sets up a company's webhook, and reads what was delivered. No queries."""

from __future__ import annotations

from portal.accounts.rules import Actor, may_keep


def may_manage(actor: Actor) -> bool:
    """Who keeps the company, and its API clients, to which the scope was given (ORG-2)."""
    return may_keep(actor) or (actor.kind == "client" and actor.company_id is not None)
