"""The query that an address of a list stands for, and the addresses of similar queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict

from portal.accounts.rules import Actor
from portal.params import as_uuid, whole_number
from portal.ui.listing import cursor, filters
from portal.ui.listing.cursor import Cursor, Order
from portal.ui.listing.filters import Filter, Misread, State, Values
from portal.ui.listing.lists import Listing

SIZES = (25, 50, 100)
DEFAULT_SIZE = 50
#: So many rows one finds again below each other on the way back, however they were loaded.
MAX_SHOWN = 1_000
#: Rows of 36 instead of 40 pixels.
COMPACT = "compact"
#: Of what was typed: more tells no row from another, and a query must stay a quick one.
MAX_QUERY = 200
#: In every address that the list itself writes: it says all there is to say, also that nothing is filtered.
EXACT = "exact"


@dataclass(frozen=True)
class ListQuery:
    """One query of a list, as its address holds it; invalid parameters are ignored (REF-20)."""

    listing: Listing
    order: Order
    tab: str = ""
    query: str = ""
    state: State = field(default_factory=dict)
    #: What was typed into filters and can't be read; no address of the list repeats it.
    misread: Mapping[str, Misread] = field(default_factory=dict)
    #: Whether something was typed otherwise than addresses write it.
    retyped: bool = False
    size: int = DEFAULT_SIZE
    is_compact: bool = False
    #: The columns of a view, by their codes; without any those that the person chose are shown.
    columns: tuple[str, ...] = ()
    #: The public id of the view that was opened, whatever was changed since.
    view: str = ""
    #: How many rows stand there already: above those after the cursor, or to be shown at once.
    shown: int = 0
    after: Cursor | None = None
    #: Whether the address itself says what is filtered; else the person's remembered filters are.
    stated: bool = False

    @classmethod
    def of(cls, listing: Listing, values: Values, actor: Actor, *, kept: Mapping[str, str] | None = None) -> ListQuery:
        """Read the query from an address. One without filters gets the filters that the person used last.

        A search without filters searches all rows, because remembered filters would hide what is looked for.
        """
        state = listing.clean(values, actor)
        misread = listing.misread(values, actor)
        query = _last(values, "q").replace("\0", "").strip()[:MAX_QUERY]
        stated = bool(state) or EXACT in values
        if kept and not stated:
            state = {} if query else listing.clean(_listed(kept), actor)
            state = {name: value for name, value in state.items() if name not in misread}
            values = {**{name: [kept[name]] for name in ("sort", "size", "rows") if name in kept}, **values}
        order, tab = listing.order(_last(values, "sort")), _last(values, "tab")
        return cls(
            listing=listing,
            order=order,
            tab=tab if tab in listing.tabs(actor) else "",
            query=query,
            state=state,
            misread=misread,
            retyped=stated and filters.retyped(listing.filters_offered(actor), values, state),
            size=next((size for size in SIZES if str(size) == _last(values, "size")), DEFAULT_SIZE),
            is_compact=_last(values, "rows") == COMPACT,
            columns=listing.known_columns(_last(values, "columns").split(","), actor),
            view=str(as_uuid(_last(values, "view")) or ""),
            shown=min(whole_number(_last(values, "shown")) or 0, MAX_SHOWN),
            after=cursor.parse(_last(values, "after"), order.sort),
            stated=stated,
        )

    @classmethod
    def at(cls, listing: Listing, address: str, actor: Actor) -> ListQuery:
        """Read the query from an address that a form field or another address contains."""
        try:
            return cls.of(listing, values(QueryDict(address.removeprefix("?"))), actor)
        except SuspiciousOperation:  # thousands of fields
            return cls(listing, listing.order())

    @property
    def is_elsewhere(self) -> bool:
        """Whether its page has another address: the same for everybody, in whichever language a filter was typed."""
        return self.retyped and not self.misread

    @property
    def is_narrowed(self) -> bool:
        return bool(self.state or self.query)

    def kept(self) -> dict[str, str]:
        """What is remembered of the query: filters, order and page size."""
        kept = dict(self.state)
        if str(self.order) != self.listing.default_sort:
            kept["sort"] = str(self.order)
        if self.size != DEFAULT_SIZE:
            kept["size"] = str(self.size)
        if self.is_compact:
            kept["rows"] = COMPACT
        return kept

    def params(self) -> dict[str, str]:
        """All parameters of the query's address."""
        return {
            **({"tab": self.tab} if self.tab else {}),
            **({"q": self.query} if self.query else {}),
            **self.kept(),
            **({"columns": ",".join(self.columns)} if self.columns else {}),
            **({"view": self.view} if self.view else {}),
            **({"after": str(self.after)} if self.after else {}),
            **({"shown": str(self.shown)} if self.shown > self.size or self.after else {}),
            EXACT: "1",
        }

    def address(self, **changes: Any) -> str:
        """The address of this query with some changes; it starts at the top of the list unless `after` is given."""
        return "?" + urlencode(replace(self, **{"after": None, "shown": 0, **changes}).params(), safe=",:@")

    def without_view(self) -> str:
        """What a view keeps of the query."""
        return self.address(view="")

    def without(self, item: Filter) -> str:
        """The address without one of the filters."""
        return self.address(state={name: value for name, value in self.state.items() if name not in item.names})


def values(params: QueryDict) -> dict[str, Sequence[str]]:
    return {name: [value for value in found if isinstance(value, str)] for name, found in params.lists()}


def _last(found: Values, name: str) -> str:
    return (found.get(name) or [""])[-1]


def _listed(params: Mapping[str, str]) -> dict[str, Sequence[str]]:
    return {name: [value] for name, value in params.items() if isinstance(value, str)}
