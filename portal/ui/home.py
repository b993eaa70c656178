"""What waits for a person on the home page: each app adds the kinds it knows; how many of a kind, is one limit.

What is due soon is in portal.ui.deadlines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, QuerySet, Value

from portal.accounts.rules import Actor
from portal.registry import Registry
from portal.workflow.blockers import Money

#: How many of each kind the page shows, and of all together; the lists have all of them.
MAX_ITEMS = 8
MAX_NEEDS = 12
#: Of what has neither end nor beginning.
LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Need:
    """Something that needs the person now, about one deal: what to do, until when or since when, and where.

    `by`: what it is ordered by, where only a supposed end is known. `act`: a button that does it without the detour
    over the deal's page, with its address `act_url`.
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
    by: datetime | None = None
    note: str = ""
    act: str = ""
    act_url: str = ""

    @property
    def urgency(self) -> tuple[bool, datetime]:
        """What ends first comes first; what has no end comes last, the oldest first."""
        end = self.until or self.by
        return end is None, end or self.since or LAST


@dataclass(frozen=True)
class NeedKind:
    """One kind of needs.

    `find` are the records that wait for this person, the most urgent first, `deal` leads from one to its deal, and
    `make` says it of one. `page`: the address of all of them, where the list of deals doesn't hold them.
    """

    label: str
    find: Callable[[Actor, datetime], QuerySet[Any]]
    make: Callable[[Any, datetime], Need]
    deal: str = "pk"
    page: Callable[[], str] | None = None

    def first(self, actor: Actor, now: datetime) -> list[Need]:
        return [self.make(row, now) for row in self.find(actor, now)[:MAX_ITEMS]]


NEEDS: Registry[NeedKind] = Registry()


def counted(found: Mapping[str, QuerySet[Any]]) -> dict[str, int]:
    """The number of rows of each, shown or not, by its code; one query for all of them."""
    ones: Sequence[QuerySet[Any]] = [
        rows.order_by().values(code=Value(code)).annotate(number=Count("pk")) for code, rows in found.items()
    ]
    numbers = {row["code"]: row["number"] for row in ones[0].union(*ones[1:], all=True)} if ones else {}
    return {code: numbers.get(code, 0) for code in found}
