"""Pages by key instead of number: a page begins below the last row shown, so rows that come or go shift nothing."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import BooleanField, F, Func, Model, QuerySet, Value
from django.db.models.expressions import Combinable

Row = TypeVar("Row", bound=Model)
Rows = TypeVar("Rows", bound=QuerySet[Any])


def beyond(rows: Rows, key: Combinable, last: tuple[Any, int], *, descending: bool) -> Rows:
    """What follows the row of that key and number, in the order of both: one row comparison, as an index can do."""
    there = _row(Value(last[0]), Value(last[1]))
    sign = " < " if descending else " > "
    compared = Func(_row(key, F("pk")), there, template="%(expressions)s", arg_joiner=sign, output_field=BooleanField())
    return rows.filter(compared)


def _row(*parts: Combinable) -> Func:
    return Func(*parts, template="(%(expressions)s)")


def newest(rows: QuerySet[Row], moment: str, *, after: int | None, limit: int) -> tuple[list[Row], int]:
    """A page of the rows, the latest `moment` first, and the number of the row to go on from; 0 at the end.

    `after`: the number that the page before gave; from the top where none of the rows has it.
    """
    last = rows.filter(pk=after).first() if after else None
    rows = rows.order_by(f"-{moment}", "-pk")
    if last is not None:
        rows = beyond(rows, F(moment), (getattr(last, moment), last.pk), descending=True)
    found = list(rows[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else 0
