"""The menus of a list's page (REF-20). What one holds is made when it is opened, as most visits open none: a script
asks for its panel, and without one a link leads to the same page with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from portal.accounts.rules import Actor
from portal.ui.listing import columns, filters
from portal.ui.listing.columns import Column
from portal.ui.listing.cursor import Order
from portal.ui.listing.query import SIZES, ListQuery
from portal.workflow import text

#: What an address names to find a menu open: one of these, or of the filters' menus; without a script all of those.
VIEW, EXPORT, FILTERS = "view", "export", "filters"


def panel(actor: Actor, asked: ListQuery, chosen: Sequence[str], code: str) -> tuple[str, dict[str, Any]] | None:
    """The template of a menu's panel and its context; None for what is no menu of the list."""
    base = {"listing": asked.listing, "list_url": reverse(asked.listing.url), "is_vendor": actor.is_vendor}
    if code == VIEW:
        return "listing/_view_panel.html", {**base, **view(actor, asked, chosen)}
    if code == EXPORT:
        return "listing/_export_panel.html", base
    found = [menu for menu in filter_menus(actor, asked, code) if menu["code"] == code]
    return ("listing/_filter_panel.html", {**base, "menu": found[0]}) if found else None


def view(actor: Actor, asked: ListQuery, chosen: Sequence[str]) -> dict[str, Any]:
    """How the list looks: its order, its rows, its columns."""
    return {
        "address": asked.address().removeprefix("?"),
        "orders": [heading(column, asked) for column in asked.listing.columns_offered(actor) if column.sort],
        "sizes": [{"size": size, "url": asked.address(size=size), "current": size == asked.size} for size in SIZES],
        "densities": _densities(asked),
        "columns_offered": _offered_columns(actor, asked, chosen),
        "most_columns": columns.MAX_COLUMNS,
    }


def heading(column: Column, asked: ListQuery) -> dict[str, Any]:
    """A column's heading; a click sorts by it, a second click reverses the order."""
    shown = {"code": column.code, "label": text.phrase(column.label), "css": column.css}
    if not column.sort:
        return shown
    current, sort = asked.order.sort.code == column.sort, asked.listing.sorts[column.sort]
    order = asked.order.reversed() if current else Order(sort, sort.last_first)
    direction = ("descending" if asked.order.descending else "ascending") if current else ""
    return {**shown, "url": asked.address(order=order), "direction": direction}


def _densities(asked: ListQuery) -> list[dict[str, Any]]:
    labels = ((False, gettext("Comfortable")), (True, gettext("Compact")))
    return [
        {"label": label, "url": asked.address(is_compact=compact), "current": asked.is_compact == compact}
        for compact, label in labels
    ]


def _offered_columns(actor: Actor, asked: ListQuery, chosen: Sequence[str]) -> list[dict[str, Any]]:
    """The columns to choose from, without the first, which is always shown."""
    shown = asked.listing.columns_chosen(chosen, actor, asked.tab)
    return [
        {"code": column.code, "label": text.phrase(column.label), "shown": column in shown}
        for column in asked.listing.columns_offered(actor)[1:]
    ]


def filter_menus(actor: Actor, asked: ListQuery, opened: str = "") -> list[dict[str, Any]]:
    """The filters as menus: each has one of its own, or shares the one that the list names. One that is not opened has
    nothing to choose from, and what it says already (`kept`), so that its form says it still. One that can't be read is
    opened."""
    listing, found = asked.listing, dict[str, dict[str, Any]]()
    offered, last = listing.filters_offered(actor), list(listing.last_menus)
    wrong = {listing.menus.get(i.name, i.name) for i in offered if any(name in asked.misread for name in i.names)}
    for item in offered:
        code = listing.menus.get(item.name, item.name)
        label = text.phrase(listing.menu_labels.get(code, item.label))
        empty = {"code": code, "label": label, "filters": [], "kept": {}, "is_last": code in last}
        menu = found.setdefault(code, {**empty, "active": False, "is_wrong": code in wrong})
        menu["active"] |= filters.is_active(item, asked.state)
        if code in wrong or opened in (code, FILTERS):
            menu["filters"].append(_field(item, asked, actor))
        else:
            menu["kept"] |= {name: asked.state[name] for name in item.names if name in asked.state}
    return sorted(found.values(), key=lambda menu: last.index(menu["code"]) if menu["is_last"] else -1)


def _field(item: filters.Filter, asked: ListQuery, actor: Actor) -> dict[str, Any]:
    """One filter's context within its menu."""
    shown: dict[str, Any] = {"name": item.name, "kind": item.kind, "label": text.phrase(item.label)}
    match item:
        case filters.Choices():
            near = asked.listing.near(actor) if item.is_long else ()
            shown |= {"choices": item.choices(asked.state, near), "is_long": item.is_long}
        case filters.Range():
            shown["fields"] = item.fields(asked.state, asked.misread)
        case filters.Text():
            shown |= {"value": item.value(asked.state), "hint": gettext(item.hint)}
    asked.listing.describe(shown, actor)
    return shown
