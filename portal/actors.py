"""Who acts: plain values that every floor speaks in, from the events up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Grant:
    """A role, held for the entire company (location None) or for one location (ORG-1)."""

    role: str
    location_id: int | None = None


@dataclass(frozen=True)
class Scope:
    """Where a set of roles holds: everywhere in the company, or in the named locations only."""

    entire_company: bool = False
    location_ids: frozenset[int] = frozenset()

    def covers(self, location_id: int | None) -> bool:
        return self.entire_company or (location_id is not None and location_id in self.location_ids)

    def __bool__(self) -> bool:
        return self.entire_company or bool(self.location_ids)


@dataclass(frozen=True)
class Actor:
    """Who acts, for which company, with which roles. Built at the edge; services never see a request.

    Without a company act the workers, and persons who belong to none: what is asked for theirs asks `own_company_id`.
    """

    kind: Literal["person", "client", "system"]
    user_id: int | None = None
    email: str = ""
    name: str = ""
    company_id: int | None = None
    company_name: str = ""
    is_vendor: bool = False
    language: str = "en"
    grants: frozenset[Grant] = field(default_factory=frozenset)
    #: Of writes through the API: the surface the client names for them, and its run (wire.md, `lastModifiedVia`).
    via: str = ""
    run_id: str = ""
    _scopes: dict[tuple[str, ...], Scope] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def own_company_id(self) -> int:
        """For queries: the company acted for; 0, which no company has, for who acts for none."""
        return self.company_id or 0

    @property
    def is_system(self) -> bool:
        return self.kind == "system"

    def has(self, *roles: str) -> bool:
        """Whether one of the roles is held anywhere in the company."""
        return any(g.role in roles for g in self.grants)

    def scope(self, *roles: str) -> Scope:
        """Where any of the roles holds (ORG-1, ORG-4). Found once: it is asked for each deal of a page or a batch."""
        if roles not in self._scopes:
            self._scopes[roles] = self._find_scope(roles)
        return self._scopes[roles]

    def _find_scope(self, roles: tuple[str, ...]) -> Scope:
        held = [g for g in self.grants if g.role in roles]
        return Scope(
            entire_company=any(g.location_id is None for g in held),
            location_ids=frozenset(g.location_id for g in held if g.location_id is not None),
        )


#: The workers.
SYSTEM = Actor(kind="system", name="system")
