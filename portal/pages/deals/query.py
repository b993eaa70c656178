"""The query that an address of the list stands for, and the addresses of similar queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict

from portal.accounts.rules import Actor
from portal.pages.deals import cursor, filters
from portal.pages.deals.cursor import Cursor, Order
from portal.pages.deals.filters import State, Values
from referrals.selectors import search

INBOUND, OUTBOUND, PARTNER_LED, FAVORITES = "inbound", "outbound", "partner_led", "favorites"
SIZES = (25, 50, 100)
DEFAULT_SIZE = 50
#: In every address that the list itself writes: it says all there is to say, also that nothing is filtered.
EXACT = "exact"


def tabs(actor: Actor) -> tuple[str, ...]:
    """The tabs of the list (REF-19). The vendor also has one for deals that it may only view."""
    return (INBOUND, OUTBOUND, PARTNER_LED, FAVORITES) if actor.is_vendor else (INBOUND, OUTBOUND, FAVORITES)


@dataclass(frozen=True)
class DealListQuery:
    """One query of the list, as its address holds it; invalid parameters are ignored (REF-20)."""

    tab: str = ""
    query: str = ""
    state: State = field(default_factory=dict)
    order: Order = field(default_factory=lambda: Order.of(cursor.DEFAULT))
    size: int = DEFAULT_SIZE
    after: Cursor | None = None
    #: Whether the address itself says what is filtered; else the person's remembered filters are.
    stated: bool = False

    @classmethod
    def of(cls, values: Values, actor: Actor, *, kept: Mapping[str, str] | None = None) -> DealListQuery:
        """Read the query from an address. One without filters gets the filters that the person used last.

        A search without filters searches all deals, because remembered filters would hide what is looked for.
        """
        state = filters.clean(values, actor)
        query = _last(values, "q").strip()[: search.MAX_QUERY]
        stated = bool(state) or EXACT in values
        if kept and not stated:
            state = {} if query else filters.clean(_listed(kept), actor)
            values = {**{name: [kept[name]] for name in ("sort", "size") if name in kept}, **values}
        order, tab = Order.of(_last(values, "sort")), _last(values, "tab")
        return cls(
            tab=tab if tab in tabs(actor) else "",
            query=query,
            state=state,
            order=order,
            size=next((size for size in SIZES if str(size) == _last(values, "size")), DEFAULT_SIZE),
            after=cursor.parse(_last(values, "after"), order.sort),
            stated=stated,
        )

    @classmethod
    def at(cls, address: str, actor: Actor) -> DealListQuery:
        """Read the query from an address that a form field or another address contains."""
        try:
            return cls.of(values(QueryDict(address.removeprefix("?"))), actor)
        except SuspiciousOperation:  # thousands of fields
            return cls()

    @property
    def is_narrowed(self) -> bool:
        return bool(self.state or self.query)

    def kept(self) -> dict[str, str]:
        """What is remembered of the query: filters, order and page size."""
        kept = dict(self.state)
        if str(self.order) != cursor.DEFAULT:
            kept["sort"] = str(self.order)
        if self.size != DEFAULT_SIZE:
            kept["size"] = str(self.size)
        return kept

    def params(self) -> dict[str, str]:
        """All parameters of the query's address."""
        return {
            **({"tab": self.tab} if self.tab else {}),
            **({"q": self.query} if self.query else {}),
            **self.kept(),
            **({"after": str(self.after)} if self.after else {}),
            EXACT: "1",
        }

    def address(self, **changes: Any) -> str:
        """The address of this query with some changes; it starts at the top of the list unless `after` is given."""
        return "?" + urlencode(replace(self, **{"after": None, **changes}).params(), safe=",:@")

    def without(self, item: filters.Filter) -> str:
        """The address without one of the filters."""
        return self.address(state={name: value for name, value in self.state.items() if name not in item.names})


def values(params: QueryDict) -> dict[str, Sequence[str]]:
    return {name: [value for value in found if isinstance(value, str)] for name, found in params.lists()}


def _last(found: Values, name: str) -> str:
    return (found.get(name) or [""])[-1]


def _listed(params: Mapping[str, str]) -> dict[str, Sequence[str]]:
    return {name: [value] for name, value in params.items() if isinstance(value, str)}
