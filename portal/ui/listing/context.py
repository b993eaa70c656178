"""The template context of a list's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext

from portal.accounts.rules import Actor
from portal.ui.listing import cells, columns, filters, lists, menus, rows
from portal.ui.listing.query import ListQuery
from portal.workflow import text


def context(actor: Actor, asked: ListQuery, chosen: Sequence[str], opened: str = "") -> dict[str, Any]:
    """The context of the whole page; the number of queries doesn't depend on the number of rows or columns.

    `opened`: the menu that the page shows open (portal.ui.listing.menus).
    """
    listing = asked.listing
    found = rows.listed(actor, asked)
    too_short = bool(asked.query) and not listing.is_long_enough(asked.query)
    counts = listing.counts(actor, asked, found)
    asked = replace(asked, tab=asked.tab or _tab(actor, asked, counts))
    return {
        **more(actor, asked, chosen, found),
        "list_url": reverse(listing.url),
        "title": text.phrase(listing.title),
        "hint": text.phrase(listing.hint),
        "tabs": [tab_link(actor, asked, tab, counts[tab]) for tab in counts],
        "counted": _counted(counts[asked.tab], asked),
        "totals": listing.totals(actor, asked, listing.of_tab(found, asked.tab, actor)),
        "menus": menus.filter_menus(actor, asked, opened),
        "opened": opened,
        "active": _active(actor, asked),
        "cleared_url": asked.address(state={}, query=""),
        "unsearched_url": asked.address(query=""),
        "top_url": asked.address(),
        "shortest_search": listing.shortest() if too_short else 0,
        "too_short": too_short,
        **(menus.view(actor, asked, chosen) if opened == menus.VIEW else {}),
    }


def more(actor: Actor, asked: ListQuery, chosen: Sequence[str], found: QuerySet[Any] | None = None) -> dict[str, Any]:
    """The context of one page of rows, which *Load more* appends to those shown."""
    page, shown = rows.page(actor, asked, found), asked.listing.columns_chosen(chosen, actor, asked.tab)
    address = asked.address().removeprefix("?")
    width = columns.LEAD + sum(column.width for column in shown)
    return {
        "listing": asked.listing,
        "asked": asked,
        "address": address,
        "columns": [menus.heading(column, asked) for column in shown],
        "widths": [columns.LEAD, *(column.width for column in shown)],
        "is_wide": width > columns.ROOM,
        "width": len(shown) + 1,
        "items": page.items,
        "rows": [cells.row(asked.listing, item, shown, address) for item in page.items if asked.listing.cells],
        "shown": page.shown,
        "more_url": asked.address(after=page.next, shown=page.shown) if page.next else "",
        "is_vendor": actor.is_vendor,
    }


def _counted(number: int, asked: ListQuery) -> str:
    """How many rows the tab has, in words."""
    if number > lists.MAX_COUNTED:
        return gettext("more than %(counted)s") % {"counted": asked.listing.counted(lists.MAX_COUNTED)}
    return asked.listing.counted(number)


def _tab(actor: Actor, asked: ListQuery, counts: dict[str, int]) -> str:
    """The default tab; for a search that finds nothing there, the first tab that has a match."""
    usual = asked.listing.default_tab(actor)
    if not asked.query or counts[usual]:
        return usual
    return next((tab for tab in counts if counts[tab] and tab not in asked.listing.elsewhere), usual)


def tab_link(actor: Actor, asked: ListQuery, tab: str, found: int) -> dict[str, Any]:
    return {
        "code": tab,
        "label": text.phrase(asked.listing.tabs(actor)[tab]),
        "url": asked.address(tab=tab),
        "count": min(found, lists.MAX_COUNTED),
        "and_more": found > lists.MAX_COUNTED,
        "active": asked.tab == tab,
    }


def _active(actor: Actor, asked: ListQuery) -> list[dict[str, str]]:
    """The active filters, each with its summary and the address without it."""
    return [
        {"label": text.phrase(item.label), "summary": item.summary(asked.state), "url": asked.without(item)}
        for item in asked.listing.filters_offered(actor)
        if filters.is_active(item, asked.state)
    ]
