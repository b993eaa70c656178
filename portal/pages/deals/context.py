"""The template context of the list."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Case, IntegerField, Value, When
from django.utils.translation import gettext

from portal.accounts.models import User
from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.pages.deals import columns, filters, rows
from portal.pages.deals.columns import Column
from portal.pages.deals.cursor import SORTS, Order
from portal.pages.deals.query import FAVORITES, INBOUND, OUTBOUND, PARTNER_LED, SIZES, DealListQuery, tabs
from portal.workflow import text
from portal.workflow.blockers import _
from referrals.models import Referral, ReferralQuerySet
from referrals.selectors import search
from referrals.services import stage_names
from referrals.verbs import new_deal_blockers

#: Counting goes on to here; of more, nobody asks how many exactly.
MAX_COUNTED = 1_000
#: So many columns fit beside an open rail on a small screen.
MAX_NARROW = 6
#: A field suggests so many values at most.
MAX_SUGGESTED = 200
TAB_LABELS = {
    INBOUND: _("Inbound"),
    OUTBOUND: _("Outbound"),
    PARTNER_LED: _("Partner-led"),
    FAVORITES: _("Favorites"),
}
#: Which filters share a menu.
_MENUS = {"value": "value", "created": "dates", "close": "dates", "solution": "more", "member": "more", "crm": "more"}
#: These stand at the end of their line; their panels open towards its beginning.
_LAST_MENUS = frozenset({"value", "dates", "more"})
_MENU_LABELS = {"value": _("Value"), "dates": _("Dates"), "more": _("More")}


def context(actor: Actor, asked: DealListQuery, chosen: Sequence[str]) -> dict[str, Any]:
    """The context of the whole page; the number of queries doesn't depend on the number of deals or columns."""
    found = rows.listed(actor, asked)
    too_short = bool(asked.query) and not search.is_long_enough(asked.query)
    counts = {tab: count(rows.of_tab(found, tab, actor)) for tab in tabs(actor)}
    asked = replace(asked, tab=asked.tab or _tab(actor, asked, counts))
    return {
        **more(actor, asked, chosen, found),
        "tabs": [_tab_link(tab, counts[tab], actor, asked) for tab in tabs(actor)],
        "count": counts[asked.tab],
        "most_counted": MAX_COUNTED,
        "menus": menus(actor, asked, _near_countries(actor)),
        "active": _active(actor, asked),
        "cleared_url": asked.address(state={}, query=""),
        "unsearched_url": asked.address(query=""),
        "top_url": asked.address(),
        "shortest_search": search.shortest() if too_short else 0,
        "too_short": too_short,
        "orders": [_column(column, asked) for column in columns.offered(actor) if column.sort],
        "columns_offered": _offered_columns(actor, chosen),
        "most_columns": columns.MAX_COLUMNS,
        "sizes": [{"size": size, "url": asked.address(size=size), "current": size == asked.size} for size in SIZES],
        "new_deal_blockers": [] if actor.is_vendor else new_deal_blockers(actor),
        "suggested": _suggested(actor),
    }


def more(
    actor: Actor, asked: DealListQuery, chosen: Sequence[str], found: ReferralQuerySet | None = None
) -> dict[str, Any]:
    """The context of one page of deals, which *Load more* appends to those shown."""
    page = rows.page(actor, asked, found)
    return {
        "asked": asked,
        "address": asked.address().removeprefix("?"),
        "columns": _columns(columns.chosen(chosen, actor), asked),
        "width": len(columns.chosen(chosen, actor)) + 2,
        "items": page.items,
        "more_url": asked.address(after=page.next) if page.next else "",
        "is_vendor": actor.is_vendor,
    }


def count(found: ReferralQuerySet) -> int:
    """The number of deals, counted up to one more than MAX_COUNTED."""
    return found.order_by()[: MAX_COUNTED + 1].count()


def _tab(actor: Actor, asked: DealListQuery, counts: dict[str, int]) -> str:
    """The default tab; for a search that finds nothing there, the first tab that has a match."""
    usual = rows.default_tab(actor)
    if not asked.query or counts[usual]:
        return usual
    return next((tab for tab in tabs(actor) if counts[tab]), usual)


def _tab_link(tab: str, found: int, actor: Actor, asked: DealListQuery) -> dict[str, Any]:
    return {
        "code": tab,
        "label": gettext(TAB_LABELS[tab]),
        "url": asked.address(tab=tab),
        "count": min(found, MAX_COUNTED),
        "and_more": found > MAX_COUNTED,
        "active": asked.tab == tab,
    }


def favorites_tab(actor: Actor, asked: DealListQuery) -> dict[str, Any]:
    """The favorites tab with its count, which changes with every star."""
    found = count(rows.of_tab(rows.listed(actor, asked), FAVORITES, actor))
    return _tab_link(FAVORITES, found, actor, asked)


def menus(actor: Actor, asked: DealListQuery, near: Collection[str]) -> list[dict[str, Any]]:
    """The filters as menus: each choice has a menu of its own; dates and typed filters share one each."""
    found: dict[str, dict[str, Any]] = {}
    for item in filters.offered(actor):
        code = _MENUS.get(item.name, item.name)
        label = text.phrase(_MENU_LABELS.get(code, item.label))
        empty = {"label": label, "filters": [], "active": False, "is_last": code in _LAST_MENUS}
        menu = found.setdefault(code, empty)
        menu["filters"].append(_field(item, asked, near))
        if item.name == "stage" and not actor.is_vendor:
            _name_stages(menu["filters"][-1], actor)
        menu["active"] |= filters.is_active(item, asked.state)
    return list(found.values())


def _name_stages(field: dict[str, Any], actor: Actor) -> None:
    """Beside each stage what the company's own CRM calls it (REF-16); one query."""
    own = stage_names.of_company(actor.own_company_id)
    field["choices"] = [
        (code, " · ".join([label, *(name.name for name in own.get(int(code), ()))]), on)
        for code, label, on in field["choices"]
    ]


def _near_countries(actor: Actor) -> set[str]:
    """The countries of the company's latest deals."""
    own = Referral.objects.visible_to(actor).filter(company_id=actor.own_company_id)
    latest = own.newest_first()[:MAX_SUGGESTED]
    return set(latest.values_list("engagement__customer__country", flat=True))


def _field(item: filters.Filter, asked: DealListQuery, near: Collection[str]) -> dict[str, Any]:
    """One filter's context within its menu."""
    shown: dict[str, Any] = {"name": item.name, "kind": item.kind, "label": text.phrase(item.label)}
    match item:
        case filters.Choices():
            shown |= {"choices": item.choices(asked.state, near), "is_long": item.is_long}
        case filters.Range():
            shown["fields"] = item.fields(asked.state)
        case filters.Text():
            shown |= {"value": item.value(asked.state), "hint": gettext(item.hint)}
    return shown


def _active(actor: Actor, asked: DealListQuery) -> list[dict[str, str]]:
    """The active filters, each with its summary and the address without it."""
    return [
        {
            "label": text.phrase(item.label),
            "summary": item.summary(asked.state),
            "url": asked.without(item),
        }
        for item in filters.offered(actor)
        if filters.is_active(item, asked.state)
    ]


def _columns(shown: Sequence[Column], asked: DealListQuery) -> list[dict[str, Any]]:
    """The columns as the table heads them; on a narrow screen only the most important ones stay."""
    kept = sorted(shown, key=lambda column: column.rank)[:MAX_NARROW]
    return [{**_column(column, asked), "is_low": column not in kept, "is_short": column.is_short} for column in shown]


def _column(column: Column, asked: DealListQuery) -> dict[str, Any]:
    """A column's heading; a click sorts by it, a second click reverses the order."""
    heading = {"code": column.code, "label": text.phrase(column.label), "is_number": column.is_number}
    if not column.sort:
        return heading
    current = asked.order.sort.code == column.sort
    # What grows is looked at from its end first: the newest, the largest.
    first = Order(SORTS[column.sort], column.sort in {"created", "value"})
    order = asked.order.reversed() if current else first
    direction = ("descending" if asked.order.descending else "ascending") if current else ""
    return {**heading, "url": asked.address(order=order), "direction": direction}


def _offered_columns(actor: Actor, chosen: Sequence[str]) -> list[dict[str, Any]]:
    """The columns to choose from, without the deal's name, which is always shown."""
    shown = columns.chosen(chosen, actor)
    return [
        {"code": column.code, "label": text.phrase(column.label), "shown": column in shown}
        for column in columns.offered(actor)
        if column is not columns.TITLE
    ]


def _suggested(actor: Actor) -> dict[str, list[str]]:
    """Suggestions for the typed filters: solutions (the company's own and the vendor's first) and colleagues."""
    near = Case(
        When(publisher_id=actor.own_company_id, then=Value(0)),
        When(publisher__kind="vendor", then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    solutions = Solution.objects.choosable().order_by(near, "name").values_list("name", flat=True)
    people = User.objects.filter(memberships__company_id=actor.own_company_id, memberships__is_active=True)
    return {
        "country": list(filters.countries().values()),
        "solution": list(dict.fromkeys(solutions[:MAX_SUGGESTED])),
        "member": list(people.order_by("email").values_list("email", flat=True)[:MAX_SUGGESTED]),
    }
