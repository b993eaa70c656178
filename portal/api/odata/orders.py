"""`$orderby`, and pages by key: a page begins below the last row sent, so rows that come or go shift nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core import signing
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import OrderBy

from portal import paging
from portal.api.odata.errors import QueryError
from portal.api.odata.fields import NOTHING, Column, Resource
from portal.api.odata.grammar import check_text

MAX_KEYS, MAX_ORDER, MAX_TOKEN = 5, 1_000, 8_000
_PART = re.compile(r"\s*([A-Za-z_][\w/]*)(?:\s+(asc|desc))?\s*", re.IGNORECASE | re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9_:-]+", re.ASCII)


@dataclass(frozen=True)
class Key:
    column: Column
    descending: bool
    #: Where the query keeps its value.
    name: str

    def __str__(self) -> str:
        return f"{self.column.path} {'desc' if self.descending else 'asc'}"

    @property
    def order(self) -> OrderBy:
        """Nulls come before everything else, as OData has it; plain where there are none, for the indexes' sake."""
        if not self.column.may_be_null:
            return F(self.name).desc() if self.descending else F(self.name).asc()
        return F(self.name).desc(nulls_last=True) if self.descending else F(self.name).asc(nulls_first=True)

    def equal(self, value: Any) -> Q:
        return Q((f"{self.name}__isnull", True)) if value is None else Q((self.name, value))

    def beyond(self, value: Any) -> Q:
        """The rows that this key alone puts after the value."""
        if value is None:
            return NOTHING if self.descending else Q((f"{self.name}__isnull", False))
        if not self.descending:
            return Q((f"{self.name}__gt", value))
        below = Q((f"{self.name}__lt", value))
        return below | Q((f"{self.name}__isnull", True)) if self.column.may_be_null else below


@dataclass(frozen=True)
class Place:
    """The last row of a page: its keys, its number, and the count that the first page gave, if it was asked to."""

    values: tuple[Any, ...]
    pk: int
    count: int | None


@dataclass(frozen=True)
class Order:
    """The keys, then the row's number in the direction of the last, so that no two rows are equal."""

    keys: tuple[Key, ...]

    def __str__(self) -> str:
        return ",".join(map(str, self.keys))

    @property
    def descending(self) -> bool:
        return self.keys[-1].descending

    def apply(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = rows.annotate(**{key.name: key.column.key for key in self.keys})
        return rows.order_by(*(key.order for key in self.keys), "-pk" if self.descending else "pk")

    def beyond(self, rows: QuerySet[Any], place: Place) -> QuerySet[Any]:
        """The rows of `apply` after the place. One key without nulls is one row comparison, as an index can do."""
        first = self.keys[0]
        if len(self.keys) == 1 and not first.column.may_be_null:
            last = (place.values[0], place.pk)
            return paging.beyond(rows, first.column.key, last, descending=self.descending)
        reached, found = Q(), Q()
        for key, value in zip(self.keys, place.values, strict=True):
            found |= reached & key.beyond(value)
            reached &= key.equal(value)
        found |= reached & Q(("pk__lt" if self.descending else "pk__gt", place.pk))
        return rows.filter(found & self._bound(first, place.values[0]))

    @staticmethod
    def _bound(key: Key, value: Any) -> Q:
        """Follows from the rest, but an index can use it."""
        if key.column.may_be_null:
            return Q()
        return Q((f"{key.name}__{'lte' if key.descending else 'gte'}", value))


def read(text: str, resource: Resource) -> Order:
    """Read `$orderby`; without one the resource's own order. Raises QueryError."""
    check_text(text, "$orderby", MAX_ORDER)
    keys: dict[str, Key] = {}
    at = 0
    for part in (text if text.strip() else resource.order).split(","):
        found = _PART.fullmatch(part)
        if found is None:
            raise QueryError("Expected a property, and “asc” or “desc”.", at, "$orderby")
        start = at + found.start(1)
        column = resource.by_path.get(found[1].lower())
        if not isinstance(column, Column) or not column.sortable:
            raise QueryError(f"{found[1][:100]} is not sortable; {_sortable(resource)} are.", start, "$orderby")
        if column.path in keys or len(keys) == MAX_KEYS:
            raise QueryError(f"At most {MAX_KEYS} properties, each once.", start, "$orderby")
        keys[column.path] = Key(column, (found[2] or "").lower() == "desc", f"odata_key_{len(keys)}")
        at += len(part) + 1
    return Order(tuple(keys.values()))


def _sortable(resource: Resource) -> str:
    return ", ".join(field.path for field in resource.fields if isinstance(field, Column) and field.sortable)


# Tokens. They are signed for one resource, filter and order, so what they hold can be taken as it is.


def token(place: Place, order: Order, salt: str) -> str:
    values = [None if value is None else _text(value) for value in place.values]
    return signing.dumps([values, place.pk, place.count], salt=f"{salt} {order}")


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def place(text: str, order: Order, salt: str) -> Place:
    """Read a `$skiptoken`. Raises QueryError."""
    try:
        if len(text) > MAX_TOKEN or not _TOKEN.fullmatch(text):
            raise signing.BadSignature
        values, pk, count = signing.loads(text, salt=f"{salt} {order}")
    except signing.BadSignature as error:
        message = "It is none of ours, or of another $filter or $orderby. Follow @odata.nextLink as it is."
        raise QueryError(message, None, "$skiptoken") from error
    read = (None if value is None else key.column.parse(value) for key, value in zip(order.keys, values, strict=True))
    return Place(tuple(read), pk, count)


def last(row: Any, order: Order, count: int | None) -> Place:
    """The place of a row that `apply` fetched, as a model or as its values."""
    values: Mapping[str, Any] = row if isinstance(row, dict) else vars(row)
    return Place(tuple(values[key.name] for key in order.keys), values["pk"] if "pk" in values else values["id"], count)
