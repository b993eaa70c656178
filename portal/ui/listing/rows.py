"""The rows that match a query of a list, page by page (REF-20)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from portal.accounts.rules import Actor
from portal.ui.listing import filters
from portal.ui.listing.cursor import Cursor
from portal.ui.listing.query import ListQuery


def listed(actor: Actor, asked: ListQuery) -> QuerySet[Any]:
    """All rows that the actor may see and that match search and filters, in any tab (ORG-2, ORG-4)."""
    listing = asked.listing
    rows = listing.visible(actor)
    if listing.is_long_enough(asked.query):
        rows = listing.search(rows, asked.query, actor)
    return rows.filter(filters.q(listing.filters_offered(actor), actor, asked.state))


def in_order(actor: Actor, asked: ListQuery, found: QuerySet[Any] | None = None) -> QuerySet[Any]:
    """The tab's rows in the query's order, from the first page on; pass `found` to reuse the result of listed()."""
    found = listed(actor, asked) if found is None else found
    tab = asked.tab or asked.listing.default_tab(actor)
    return asked.order.apply(asked.listing.of_tab(found, tab, actor))


@dataclass(frozen=True)
class Page:
    """One page of rows, the cursor of the next page, if there is one, and how many rows stand there up to it."""

    items: list[Any]
    next: Cursor | None
    shown: int


def page(actor: Actor, asked: ListQuery, found: QuerySet[Any] | None = None) -> Page:
    """One page of rows; the number of queries doesn't depend on their number."""
    fetched = list(page_query(in_order(actor, asked, found), asked))
    shown = fetched[: _length(asked)]
    more = asked.order.cursor(shown[-1]) if len(fetched) > len(shown) else None
    return Page(asked.listing.rows(shown, actor), more, len(shown) + (asked.shown if asked.after else 0))


def _length(asked: ListQuery) -> int:
    """A page; on the way back, all rows that had been loaded."""
    return asked.size if asked.after else max(asked.size, asked.shown)


def page_query(found: QuerySet[Any], asked: ListQuery) -> QuerySet[Any]:
    """The rows of one page and one more.

    Their keys are selected first and the rows are fetched afterwards: where no index gives the order, the database
    sorts a million keys instead of a million rows.
    """
    if asked.after is not None:
        found = asked.order.beyond(found, asked.after)
    chosen = found.values("pk")[: _length(asked) + 1]
    return asked.listing.with_context(asked.order.apply(asked.listing.model._default_manager.filter(pk__in=chosen)))
