"""What waits for a person on the home page: each app adds the kinds it knows; how many of a kind, is one limit.

What is due soon is in portal.ui.deadlines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from portal.accounts.rules import Actor
from portal.registry import Registry
from portal.workflow.blockers import Money

#: How many of each kind the page shows; the list has all of them.
MAX_ITEMS = 8


@dataclass(frozen=True)
class Need:
    """Something that needs the person now, about one deal: what to do, until when or since when, and where.

    `act`: a button that does it without the detour over the deal's page, with its address `act_url`.
    """

    kind: str
    icon: str
    title: str
    name: str
    customer: str
    money: Money
    url: str
    until: datetime | None = None
    since: datetime | None = None
    note: str = ""
    act: str = ""
    act_url: str = ""


FindNeeds = Callable[[Actor, datetime], Iterable[Need]]

#: Each returns at most MAX_ITEMS, the most urgent first.
NEEDS: Registry[FindNeeds] = Registry()
