"""The search of the top bar: each app adds the kinds of things it finds (REF-20)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse

from portal.accounts.rules import Actor
from portal.registry import Registry
from referrals.selectors import search


@dataclass(frozen=True)
class Hit:
    """One thing found: its name, what tells it from others, the thing itself for its badge, and where it leads."""

    name: str
    about: str
    thing: Any
    url: str


@dataclass(frozen=True)
class Group:
    """The first hits of one kind; `all_url`: where all of them are listed; `badge`: the template of a hit's badge."""

    code: str
    label: str
    icon: str
    none: str
    hits: Sequence[Hit]
    has_more: bool
    badge: str
    all_url: str = ""


@dataclass
class Search:
    """What was typed, by whom, and how many hits of each kind are shown."""

    actor: Actor
    query: str
    most: int

    @cached_property
    def deals(self) -> Q:
        """The deals that are found by it; asked once for all kinds."""
        return search.matching(self.query, actor=self.actor)


#: Each returns its first hits; None if there is nothing for this person to find.
KINDS: Registry[Callable[[Search], Group | None]] = Registry()


def list_url(**params: str) -> str:
    """The list of deals, filtered."""
    return f"{reverse('deals')}?{urlencode(params, safe=',')}"
