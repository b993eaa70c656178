"""What a resource lets be filtered and sorted, and how each property is compared in the database.

A property that isn't described can't be reached. A null equals null only, and is neither more nor less than anything;
`not` of such a comparison is true, as Django's `~Q` has it, not unknown as in SQL.
"""

from __future__ import annotations

import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import cached_property, reduce
from operator import or_
from typing import Any, ClassVar

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When
from django.db.models.expressions import Combinable

from portal.api.odata.errors import QueryError
from portal.api.odata.grammar import Comparison, Literal

NOTHING = Q(pk__in=())
ORDERED = frozenset({"gt", "ge", "lt", "le"})
_EQUAL = frozenset({"eq", "ne", "in"})
_LOOKUPS = {"gt": "gt", "ge": "gte", "lt": "lt", "le": "lte", "contains": "contains", "startswith": "startswith"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Property(ABC):
    """A property that may be filtered. `where`: the rows whose value may be read; of all others it is null."""

    path: str
    where: Q | None = None

    operators: ClassVar[frozenset[str]] = _EQUAL

    def condition(self, asked: Comparison) -> Q:
        """Raises QueryError."""
        if asked.operator not in self.operators:
            raise QueryError(f"{self.path} can't be compared with “{asked.operator}”.", asked.path.at)
        if asked.operator == "ne":
            return ~self.condition(replace(asked, operator="eq"))
        given = [literal for literal in asked.literals if not literal.is_null]
        found = self.matching(asked.operator, given) & (self.where or Q()) if given else NOTHING
        if asked.operator in _EQUAL and len(given) < len(asked.literals):
            found |= self.missing if self.where is None else self.missing | ~self.where
        return found

    @abstractmethod
    def matching(self, operator: str, literals: list[Literal]) -> Q:
        """The rows with one of these values, or beyond the one value. Raises QueryError."""

    @property
    def missing(self) -> Q:
        """The rows without a value."""
        return NOTHING


@dataclass(frozen=True, eq=False, kw_only=True)
class Choice(Property):
    """A property of few values, each a condition of its own: tokens of the wire, in any case."""

    #: By the token; or a function, for values that are known only to the database. It returns None for what is none.
    values: Mapping[str, Q] | Callable[[str], Q | None]
    #: The rows without a value.
    absent: Q = NOTHING

    @property
    def missing(self) -> Q:
        return self.absent

    def matching(self, operator: str, literals: list[Literal]) -> Q:
        return reduce(or_, (self._one(literal) for literal in literals))

    def _one(self, literal: Literal) -> Q:
        if callable(self.values):
            found, known = self.values(literal.text), ""
        else:
            found = {name.lower(): value for name, value in self.values.items()}.get(literal.text.lower())
            known = f"; it is one of {', '.join(self.values)}"
        if found is None:
            raise QueryError(f"{self.path} has no such value{known}.", literal.at)
        return found


def flag(path: str, condition: Q, *, where: Q | None = None) -> Choice:
    """A property that is true or false."""
    return Choice(path=path, values={"true": condition, "false": ~condition}, where=where)


@dataclass(frozen=True, eq=False, kw_only=True)
class Column(Property):
    """A property that is a column, given as the ORM finds it."""

    column: str
    nullable: bool = False
    sortable: bool = False

    @abstractmethod
    def parse(self, text: str) -> Any:
        """The value that the text stands for. Raises ValueError, which says what is expected."""

    def read(self, literal: Literal) -> Any:
        try:
            return self.parse(literal.text)
        except ValueError as error:
            raise QueryError(f"{self.path} is {error}.", literal.at) from error

    def matching(self, operator: str, literals: list[Literal]) -> Q:
        values = [self.read(literal) for literal in literals]
        if operator in _LOOKUPS:
            return Q((f"{self.column}__{_LOOKUPS[operator]}", values[0]))
        return Q((self.column, values[0])) if len(values) == 1 else Q((f"{self.column}__in", values))

    @property
    def missing(self) -> Q:
        return Q((f"{self.column}__isnull", True)) if self.nullable else NOTHING

    @property
    def may_be_null(self) -> bool:
        return self.nullable or self.where is not None

    @property
    def key(self) -> Combinable:
        """What rows are sorted by: null where the value may not be read."""
        return F(self.column) if self.where is None else Case(When(self.where, then=F(self.column)))


@dataclass(frozen=True, eq=False, kw_only=True)
class Text(Column):
    """`folded`: the column holds lower case. Empty and null are one where a text may be empty."""

    folded: bool = False
    may_be_empty: bool = False

    operators = _EQUAL | {"contains", "startswith"}

    def parse(self, text: str) -> str:
        return text.lower() if self.folded else text

    @property
    def missing(self) -> Q:
        return super().missing | Q((self.column, "")) if self.may_be_empty else super().missing


_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def guid(text: str) -> uuid.UUID:
    """Raises ValueError."""
    if not _GUID.fullmatch(text):
        raise ValueError("a GUID")
    return uuid.UUID(text)


@dataclass(frozen=True, eq=False, kw_only=True)
class Guid(Column):
    def parse(self, text: str) -> uuid.UUID:
        return guid(text)


@dataclass(frozen=True, eq=False, kw_only=True)
class Number(Column):
    operators = _EQUAL | ORDERED
    #: A number has no more places than that, before and after the point.
    PLACES: ClassVar = 30

    def parse(self, text: str) -> Decimal:
        try:
            number = Decimal(text) if text.isascii() and "_" not in text else Decimal("NaN")
        except InvalidOperation:
            number = Decimal("NaN")
        if (
            not number.is_finite()
            or abs(number.adjusted()) > self.PLACES
            or len(number.as_tuple().digits) > self.PLACES
        ):
            raise ValueError(f"a number of at most {self.PLACES} places")
        return number


_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,12}))?)?(Z|[+-]\d\d:\d\d)?)?", re.IGNORECASE | re.ASCII
)


def moment(text: str) -> datetime:
    """The instant, to the microsecond; a day is its beginning, and UTC goes without saying. Raises ValueError."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError("a date as 2026-12-31 or 2026-12-31T23:59:59Z")
    day, minute, second, fraction, zone = found.groups()
    clock = f"{minute or '00:00'}:{second or '00'}.{(fraction or '0')[:6]:0<6}"
    try:
        read = datetime.fromisoformat(f"{day}T{clock}{(zone or 'Z').upper()}")
        return read.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("a date that exists, as 2026-12-31 or 2026-12-31T23:59:59Z") from error


@dataclass(frozen=True, eq=False, kw_only=True)
class Moment(Column):
    operators = _EQUAL | ORDERED

    def parse(self, text: str) -> datetime:
        return moment(text)


@dataclass(frozen=True, eq=False, kw_only=True)
class Day(Column):
    """A day, which on the wire is the instant at which it begins (UTC)."""

    operators = _EQUAL | ORDERED

    def parse(self, text: str) -> date:
        return moment(text).date()

    def matching(self, operator: str, literals: list[Literal]) -> Q:
        """Days begin at midnight: at any other time of a day it has begun, and the next one has not."""
        if operator not in ORDERED:
            literals = [literal for literal in literals if self._midnight(literal)]
            return super().matching(operator, literals) if literals else NOTHING
        if not self._midnight(literals[0]):
            operator = {"ge": "gt", "lt": "le"}.get(operator, operator)
        return super().matching(operator, literals)

    def _midnight(self, literal: Literal) -> bool:
        self.read(literal)
        return moment(literal.text).time() == time.min


@dataclass(frozen=True, eq=False, kw_only=True)
class Collection:
    """Rows of another table, of which `any(...)` asks. `link`: their foreign key to the resource's row."""

    path: str
    rows: QuerySet[Any]
    link: str
    fields: tuple[Property, ...]
    where: Q | None = None

    def having(self, condition: Q) -> Q:
        rows = self.rows.filter(condition, **{self.link: OuterRef("pk")})
        return Q(Exists(rows)) & (self.where or Q())


@dataclass(frozen=True, eq=False, kw_only=True)
class Flat(Property):
    """A property of a collection's rows that is asked for as if it were the resource's own."""

    collection: Collection
    column: Column

    def matching(self, operator: str, literals: list[Literal]) -> Q:
        return self.collection.having(self.column.matching(operator, literals))


@dataclass(frozen=True, eq=False, kw_only=True)
class Resource:
    """What a list endpoint lets be asked.

    `name`: as in `@odata.context`. `properties`: what `$select` may name. `order`: unless told, as in `$orderby`.
    """

    name: str
    fields: tuple[Property | Collection, ...]
    properties: tuple[str, ...]
    order: str = "createdDateTime desc"

    @cached_property
    def by_path(self) -> dict[str, Property | Collection]:
        return {field.path.lower(): field for field in self.fields}

    @cached_property
    def by_property(self) -> dict[str, str]:
        return {name.lower(): name for name in self.properties}
