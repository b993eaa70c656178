"""The template context of a list's page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext

from portal.accounts.rules import Actor
from portal.ui.listing import cells, columns, filters, lists, rows
from portal.ui.listing.columns import Column
from portal.ui.listing.cursor import Order
from portal.ui.listing.query import SIZES, ListQuery
from portal.workflow import text


def context(actor: Actor, asked: ListQuery, chosen: Sequence[str]) -> dict[str, Any]:
    """The context of the whole page; the number of queries doesn't depend on the number of rows or columns."""
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
        "menus": _menus(actor, asked),
        "said_at": _said_at(actor, asked),
        "active": _active(actor, asked),
        "cleared_url": asked.address(state={}, query=""),
        "unsearched_url": asked.address(query=""),
        "top_url": asked.address(),
        "shortest_search": listing.shortest() if too_short else 0,
        "too_short": too_short,
        "orders": [_column(column, asked) for column in listing.columns_offered(actor) if column.sort],
        "columns_offered": _offered_columns(actor, asked, chosen),
        "most_columns": columns.MAX_COLUMNS,
        "sizes": [{"size": size, "url": asked.address(size=size), "current": size == asked.size} for size in SIZES],
        "densities": _densities(asked),
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
        "columns": [_column(column, asked) for column in shown],
        "widths": [columns.LEAD, *(column.width for column in shown)],
        "is_wide": width > columns.ROOM,
        "width": len(shown) + 1,
        "items": page.items,
        "rows": [cells.row(asked.listing, item, shown, address) for item in page.items if asked.listing.cells],
        "shown": page.shown,
        "more_url": asked.address(after=page.next, shown=page.shown) if page.next else "",
        "is_vendor": actor.is_vendor,
    }


def _densities(asked: ListQuery) -> list[dict[str, Any]]:
    labels = ((False, gettext("Comfortable")), (True, gettext("Compact")))
    return [
        {"label": label, "url": asked.address(is_compact=compact), "current": asked.is_compact == compact}
        for compact, label in labels
    ]


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


def _menus(actor: Actor, asked: ListQuery) -> list[dict[str, Any]]:
    """The filters as menus: each has a menu of its own, or shares the one that the list names."""
    listing, found = asked.listing, dict[str, dict[str, Any]]()
    near = listing.near(actor)
    for item in listing.filters_offered(actor):
        code = listing.menus.get(item.name, item.name)
        label = text.phrase(listing.menu_labels.get(code, item.label))
        empty = {
            "label": label,
            "filters": [],
            "active": False,
            "is_wrong": False,
            "is_last": code in listing.last_menus,
        }
        menu = found.setdefault(code, empty)
        menu["filters"].append(_field(item, asked, near))
        listing.describe(menu["filters"][-1], actor)
        menu["active"] |= filters.is_active(item, asked.state)
        menu["is_wrong"] |= any(name in asked.misread for name in item.names)
    return list(found.values())


def _said_at(actor: Actor, asked: ListQuery) -> str:
    """Where it is said of each range that it can't be read, as htmx takes it: the fields themselves stay."""
    ranges = (item for item in asked.listing.filters_offered(actor) if isinstance(item, filters.Range))
    return "".join(f",#filter-{name}-error" for item in ranges for name in item.names)


def _field(item: filters.Filter, asked: ListQuery, near: Collection[str]) -> dict[str, Any]:
    """One filter's context within its menu."""
    shown: dict[str, Any] = {"name": item.name, "kind": item.kind, "label": text.phrase(item.label)}
    match item:
        case filters.Choices():
            shown |= {"choices": item.choices(asked.state, near), "is_long": item.is_long}
        case filters.Range():
            shown["fields"] = item.fields(asked.state, asked.misread)
        case filters.Text():
            shown |= {"value": item.value(asked.state), "hint": gettext(item.hint)}
    return shown


def _active(actor: Actor, asked: ListQuery) -> list[dict[str, str]]:
    """The active filters, each with its summary and the address without it."""
    return [
        {"label": text.phrase(item.label), "summary": item.summary(asked.state), "url": asked.without(item)}
        for item in asked.listing.filters_offered(actor)
        if filters.is_active(item, asked.state)
    ]


def _column(column: Column, asked: ListQuery) -> dict[str, Any]:
    """A column's heading; a click sorts by it, a second click reverses the order."""
    heading = {"code": column.code, "label": text.phrase(column.label), "css": column.css}
    if not column.sort:
        return heading
    current, sort = asked.order.sort.code == column.sort, asked.listing.sorts[column.sort]
    order = asked.order.reversed() if current else Order(sort, sort.last_first)
    direction = ("descending" if asked.order.descending else "ascending") if current else ""
    return {**heading, "url": asked.address(order=order), "direction": direction}


def _offered_columns(actor: Actor, asked: ListQuery, chosen: Sequence[str]) -> list[dict[str, Any]]:
    """The columns to choose from, without the first, which is always shown."""
    shown = asked.listing.columns_chosen(chosen, actor, asked.tab)
    return [
        {"code": column.code, "label": text.phrase(column.label), "shown": column in shown}
        for column in asked.listing.columns_offered(actor)[1:]
    ]
