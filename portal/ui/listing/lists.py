"""What a list says of itself, once; its page, its file and its addresses are made of that (REF-20)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import Model, QuerySet

from portal.accounts.rules import Actor
from portal.registry import Registry
from portal.ui.listing import columns, filters
from portal.ui.listing.columns import Column
from portal.ui.listing.cursor import Order, Sort
from portal.ui.listing.files import Field
from portal.ui.listing.filters import Filter, Misread, Values

if TYPE_CHECKING:
    from portal.ui.listing.cells import Shown
    from portal.ui.listing.query import ListQuery


#: Counting goes on to here; of more, nobody asks how many exactly.
MAX_COUNTED = 1_000


def count(found: QuerySet[Any]) -> int:
    """The number of rows, counted up to one more than MAX_COUNTED."""
    return found.order_by()[: MAX_COUNTED + 1].count()


@dataclass(frozen=True)
class Total:
    """What the rows found come to: `value`, and how it is read. Figures that lead to the list name it by its code."""

    code: str
    value: Decimal | int
    shown: str

    @property
    def figure(self) -> str:
        return str(self.value)


class Listing:
    """One list. `code` is in the addresses of its columns and files, and keeps how people left it.

    Labels are msgids. What the methods return without being overridden is right for most lists.
    """

    code: ClassVar[str]
    model: ClassVar[type[Model]]
    #: Name of its page's URL.
    url: ClassVar[str]
    title: ClassVar[str]
    #: What its search looks through.
    hint: ClassVar[str]
    #: What the cells of each column show of a row, by the column's code; of the first, a text. None where the page
    #: draws its rows itself.
    cells: ClassVar[Mapping[str, Callable[[Any], Shown]]] = {}
    #: The first leads to the record and is always shown.
    columns: ClassVar[Sequence[Column]]
    #: The columns shown until somebody chooses; all of them if none is named.
    usual: ClassVar[Collection[str]] = ()
    filters: ClassVar[Sequence[Filter]]
    sorts: ClassVar[Mapping[str, Sort]]
    default_sort: ClassVar[str] = "-created"
    #: The file's columns, its sheet, and what the notice says when it is ready.
    fields: ClassVar[Sequence[Field]]
    sheet: ClassVar[str]
    file_ready: ClassVar[str]
    #: The menu of each filter that shares one, and those menus' labels.
    menus: ClassVar[Mapping[str, str]] = {}
    menu_labels: ClassVar[Mapping[str, str]] = {}
    #: Tabs that stand there only while they are open: figures elsewhere lead to them.
    hidden: ClassVar[Collection[str]] = ()
    #: Tabs whose rows another list holds, on the same page.
    elsewhere: ClassVar[Collection[str]] = ()
    #: The tab that leads to this list, where its page holds several lists.
    own_tab: ClassVar[str] = ""
    #: These stand at the end of their line, in this order; their panels open towards its beginning.
    last_menus: ClassVar[Sequence[str]] = ()

    def tabs(self, actor: Actor) -> Mapping[str, str]:
        """The tabs by code, with their labels."""
        raise NotImplementedError

    def default_tab(self, actor: Actor) -> str:
        return next(iter(self.tabs(actor)))

    def visible(self, actor: Actor) -> QuerySet[Any]:
        """All rows that the actor may see in this list (ORG-2, ORG-6)."""
        raise NotImplementedError

    def of_tab(self, found: QuerySet[Any], tab: str, actor: Actor) -> QuerySet[Any]:
        raise NotImplementedError

    def counts(self, actor: Actor, asked: ListQuery, found: QuerySet[Any]) -> dict[str, int]:
        """How many of the rows found each tab has, as count() counts."""
        shown = [tab for tab in self.tabs(actor) if tab not in self.hidden or tab == asked.tab]
        return {tab: count(self.of_tab(found, tab, actor)) for tab in shown}

    def totals(self, actor: Actor, asked: ListQuery, found: QuerySet[Any]) -> Sequence[Total]:
        """What the rows of the tab come to, besides their number."""
        return ()

    # Search

    def is_long_enough(self, text: str) -> bool:
        """Whether the list searches for this."""
        raise NotImplementedError

    def shortest(self) -> int:
        """The letters at which search starts."""
        raise NotImplementedError

    def search(self, found: QuerySet[Any], query: str, actor: Actor) -> QuerySet[Any]:
        raise NotImplementedError

    # Filters and columns

    def clean(self, values: Values, actor: Actor) -> dict[str, str]:
        """The state of the filters, from an address."""
        return filters.clean(self.filters_offered(actor), values)

    def misread(self, values: Values, actor: Actor) -> dict[str, Misread]:
        """What an address says that the filters can't read."""
        return filters.misread(self.filters_offered(actor), values)

    def filters_offered(self, actor: Actor) -> list[Filter]:
        return columns.offered(self.filters, actor)

    def columns_offered(self, actor: Actor) -> list[Column]:
        return columns.offered(self.columns, actor)

    def usual_columns(self, actor: Actor, tab: str) -> Collection[str]:
        return self.usual or [column.code for column in self.columns]

    def columns_chosen(self, codes: Iterable[str], actor: Actor, tab: str = "") -> list[Column]:
        usual = self.usual_columns(actor, tab or self.default_tab(actor))
        return columns.chosen(codes, self.columns_offered(actor), usual)

    def known_columns(self, codes: Iterable[str], actor: Actor) -> tuple[str, ...]:
        """Those of the codes that this person can choose."""
        offered = {column.code for column in self.columns_offered(actor)}
        return tuple(dict.fromkeys(code for code in codes if code in offered))

    def near(self, actor: Actor) -> Collection[str]:
        """The values of long filters that are worth listing."""
        return ()

    def suggested(self, actor: Actor) -> Mapping[str, Sequence[str]]:
        """Suggestions for the fields in which one types, by the filter's name."""
        return {}

    def describe(self, field: dict[str, Any], actor: Actor) -> None:
        """Add to how a filter is shown."""

    # Rows

    def with_context(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """With the related rows that columns and file read."""
        return rows.with_context()  # type: ignore[attr-defined]

    def rows(self, records: Sequence[Any], actor: Actor) -> list[Any]:
        """What cells and file read of each record."""
        return list(records)

    def record(self, item: Any) -> Any:
        """The record of a row, which has the row's public id."""
        return item

    def link(self, item: Any, address: str) -> str:
        """Where a row leads; `address` is the list's own, for pages that lead along it."""
        raise NotImplementedError

    def lead(self, item: Any) -> str:
        """What stands beside the box that ticks the row."""
        return ""

    def counted(self, number: int) -> str:
        """That many rows in words, as "5 deals"."""
        raise NotImplementedError

    # Orders

    def order(self, text: str = "") -> Order:
        return Order.of(text, self.sorts, self.default_sort)


#: By code; added by the apps whose rows they list.
LISTS: Registry[Listing] = Registry()
