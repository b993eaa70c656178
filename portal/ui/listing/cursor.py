"""Orders of lists, and pages by key instead of number (REF-20).

A page begins after the key of the last row shown. Rows that come, go or move elsewhere in the list therefore shift
nothing: no row is shown twice, and none that kept its place is skipped.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Case, F, IntegerField, Model, QuerySet, Value, When
from django.db.models.expressions import Combinable

from portal import paging

#: Where a list's queries keep the key of their order.
KEY = "sort_key"

Rows = TypeVar("Rows", bound=QuerySet[Any])


# How a key is read from an address


def text(value: Any) -> str:
    """The value as text that PostgreSQL accepts. Raises ValueError."""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    value.encode()
    return value


def whole(value: Any) -> int:
    """Raises ValueError."""
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**31) <= value < 2**31:
        raise ValueError
    return value


def moment(value: Any) -> datetime:
    """Raises ValueError."""
    found = datetime.fromisoformat(text(value))
    if found.tzinfo is None:
        raise ValueError
    return found.astimezone(UTC)  # PostgreSQL knows fewer zones than an address


def day(value: Any) -> date:
    """Raises ValueError."""
    return date.fromisoformat(text(value))


def amount(value: Any) -> Decimal:
    """Raises ValueError or ArithmeticError."""
    found = Decimal(text(value))
    if not found.is_finite() or abs(found) >= Decimal(10) ** 20:
        raise ValueError
    return found.quantize(Decimal("0.01"))  # as the column holds it, however small it is written


@dataclass(frozen=True)
class Sort:
    """A sort order: its key, which is never null, and how to parse the key from an address.

    Rows with equal keys are sorted by primary key in the same direction, so that one index serves both directions.
    `last_first`: what grows is looked at from its end first: the newest, the largest.
    """

    code: str
    key: Combinable
    parse: Callable[[Any], Any]
    last_first: bool = False


def place(column: str, codes: Iterable[str]) -> Case:
    """A sort's key: where a row's code stands among the codes."""
    places = [When(**{column: code}, then=Value(number)) for number, code in enumerate(codes)]
    return Case(*places, default=Value(len(places)), output_field=IntegerField())


def by_code(sorts: Iterable[Sort]) -> dict[str, Sort]:
    return {sort.code: sort for sort in sorts}


@dataclass(frozen=True)
class Cursor:
    """The place of one row in an order; the next page starts after it."""

    key: Any
    pk: int

    def __str__(self) -> str:
        key = self.key if isinstance(self.key, int | str) else str(self.key)
        return base64.urlsafe_b64encode(json.dumps([key, self.pk]).encode()).decode().rstrip("=")


def parse(text: str, sort: Sort) -> Cursor | None:
    """Parse a cursor from an address; None if it doesn't fit this sort."""
    try:
        key, pk = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        found = Cursor(sort.parse(key), pk)
    except (binascii.Error, ValueError, TypeError, RecursionError, ArithmeticError):
        return None
    return found if type(pk) is int and 0 <= pk < 2**63 else None


@dataclass(frozen=True)
class Order:
    """A sort with its direction, in an address `name` or `-name`."""

    sort: Sort
    descending: bool

    @classmethod
    def of(cls, text: str, sorts: Mapping[str, Sort], default: str) -> Order:
        sort = sorts.get(text.removeprefix("-"))
        return cls(sort, text.startswith("-")) if sort else cls.of(default, sorts, default)

    def __str__(self) -> str:
        return f"{'-' * self.descending}{self.sort.code}"

    def reversed(self) -> Order:
        return Order(self.sort, not self.descending)

    def apply(self, rows: Rows) -> Rows:
        key = F(KEY).desc() if self.descending else F(KEY).asc()
        return rows.annotate(**{KEY: self.sort.key}).order_by(key, "-pk" if self.descending else "pk")

    def beyond(self, rows: Rows, there: Cursor) -> Rows:
        """The rows after the cursor: a single row comparison, which the order's index answers."""
        return paging.beyond(rows, self.sort.key, (there.key, there.pk), descending=self.descending)

    def cursor(self, row: Model) -> Cursor:
        """The cursor of a row that apply() fetched."""
        return Cursor(getattr(row, KEY), row.pk)
