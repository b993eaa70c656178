"""The query options of a list, read and applied: one entry point for every list endpoint (F1.10).

    query = odata.read(request.query_params, resource)
    page = query.apply(rows)
    collection([query.selected(shown(row)) for row in page.rows], count=page.count, next_link=page.next_link(request))

`rows` is what the actor may see; nothing here widens it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.encoding import escape_uri_path

from portal.api.odata import filters, grammar, orders
from portal.api.odata.errors import QueryError
from portal.api.odata.fields import Column, Resource
from portal.params import whole_number

#: wire.md: rows of a page unless told, and at most.
PAGE, MOST = 100, 500
#: Skipped rows are read all the same; further on, pages are followed.
MAX_SKIPPED = 100_000
OPTIONS = ("$filter", "$select", "$orderby", "$top", "$skip", "$count", "$skiptoken", "$expand")
#: What the link to the next page says anew.
_OF_PAGE = ("$skip", "$skiptoken")


@dataclass(frozen=True)
class Page:
    """`rows` as the query set gives them; `count`: of all pages, if it was asked for; `token` of the next page."""

    rows: list[Any]
    count: int | None
    token: str | None

    def next_link(self, request: HttpRequest) -> str | None:
        """The absolute address of the next page, with whatever else was asked."""
        if self.token is None:
            return None
        asked = request.GET.copy()
        for name in [name for name in asked if _option(name) in _OF_PAGE]:
            del asked[name]
        asked["$skiptoken"] = self.token
        return f"{settings.BASE_URL}{escape_uri_path(request.path)}?{asked.urlencode(safe='$')}"


@dataclass(frozen=True)
class Query:
    """`select`: the chosen properties, as the resource spells them; none means all."""

    resource: Resource
    tree: grammar.Node | None
    condition: Q
    order: orders.Order
    select: tuple[str, ...]
    top: int
    skip: int
    counted: bool
    salt: str
    place: orders.Place | None

    def apply(self, rows: QuerySet[Any]) -> Page:
        """One query, and one more to count on the first page if it was asked for.

        `rows` gives models or dicts; dicts need the primary key, as `pk` or `id`.
        """
        found = rows.filter(self.condition)
        count = self._count(found)
        if not self.top:
            return Page([], count, None)
        ordered = self.order.apply(found)
        if self.place is not None:
            ordered = self.order.beyond(ordered, self.place)
        fetched = list(ordered[self.skip : self.skip + self.top + 1])
        shown = fetched[: self.top]
        more = len(fetched) > self.top
        token = orders.token(orders.last(shown[-1], self.order, count), self.order, self.salt) if more else None
        return Page([self._plain(row) for row in shown], count, token)

    def _count(self, found: QuerySet[Any]) -> int | None:
        if not self.counted:
            return None
        if self.place is not None and self.place.count is not None:
            return self.place.count
        return found.count()

    def _plain(self, row: Any) -> Any:
        if isinstance(row, dict):
            for key in self.order.keys:
                row.pop(key.name)
        return row

    def selected(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        """What `$select` leaves of a resource, which needn't have all properties."""
        return {name: item[name] for name in self.select if name in item} if self.select else item

    def pinned(self, path: str) -> Any:
        """The one value that the filter demands of the property (`engagementId eq …`), else None."""
        found, column = filters.pinned(self.tree, path), self.resource.by_path.get(path.lower())
        return column.read(found.literals[0]) if found and isinstance(column, Column) else None


def read(params: QueryDict, resource: Resource) -> Query:
    """Read the options. Raises QueryError for anything that isn't understood; parameters without `$` are not ours."""
    given = _given(params)
    asked = given.get("$filter", "")
    tree = grammar.parse(asked) if asked.strip() else None
    order = orders.read(given.get("$orderby", ""), resource)
    salt = f"odata {resource.name} {asked}"
    token = given.get("$skiptoken", "")
    return Query(
        resource=resource,
        tree=tree,
        condition=filters.condition(tree, resource) if tree else Q(),
        order=order,
        select=_select(given.get("$select", ""), resource),
        top=min(_number(given, "$top", PAGE), MOST),
        skip=_number(given, "$skip", 0, most=MAX_SKIPPED),
        counted=_count(given.get("$count", "false")),
        salt=salt,
        place=orders.place(token, order, salt) if token else None,
    )


def _option(name: str) -> str:
    return name.strip().lower()


def _given(params: QueryDict) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, values in params.lists():
        option = _option(name)
        if not option.startswith("$"):
            continue
        target = option[:50]
        if option not in OPTIONS:
            raise QueryError(f"Unknown; there is {', '.join(OPTIONS)}.", None, target)
        if option in found or len(values) != 1:
            raise QueryError("It is given more than once.", None, target)
        found[option] = values[0]
    return found


def _number(given: dict[str, str], option: str, otherwise: int, *, most: int | None = None) -> int:
    if option not in given:
        return otherwise
    number = whole_number(given[option].strip())
    if number is None:
        raise QueryError("It must be a whole number, 0 or more.", 0, option)
    if most is not None and number > most:
        raise QueryError(f"It can't be more than {most}; follow @odata.nextLink instead.", 0, option)
    return number


def _count(text: str) -> bool:
    word = text.strip().lower()
    if word not in ("true", "false"):
        raise QueryError("It must be true or false.", 0, "$count")
    return word == "true"


def _select(text: str, resource: Resource) -> tuple[str, ...]:
    grammar.check_text(text, "$select")
    found: dict[str, None] = {}
    at = 0
    for part in text.split(",") if text.strip() else ():
        name = part.strip().lower()
        if name == "*":
            return ()
        if name not in resource.by_property:
            start = at + len(part) - len(part.lstrip())
            raise QueryError(f"There is no property {part.strip()[:100]}.", start, "$select")
        found[resource.by_property[name]] = None
        at += len(part) + 1
    return tuple(found)
