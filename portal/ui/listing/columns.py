"""The columns that a list can show, and those that it shows until somebody chooses (REF-20)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from portal.accounts.rules import Actor

#: F6.1; a table with more can't be read.
MAX_COLUMNS = 9


@dataclass(frozen=True)
class Column:
    """A column of a list.

    `sort`: the sort that a click on its heading selects. `for_vendor`, `for_partner`: whether it is useful to the
    vendor's people, and to partners'. `rank`: on narrow screens the columns with the lowest ranks stay. `is_short`: it
    never needs a second line.
    """

    code: str
    label: str
    sort: str = ""
    is_number: bool = False
    for_vendor: bool = True
    for_partner: bool = True
    rank: int = 5
    is_short: bool = False


class _ForSome(Protocol):
    @property
    def for_vendor(self) -> bool: ...
    @property
    def for_partner(self) -> bool: ...


T = TypeVar("T", bound=_ForSome)


def offered(things: Iterable[T], actor: Actor) -> list[T]:
    """The columns or filters that are useful to this person."""
    return [thing for thing in things if (thing.for_vendor if actor.is_vendor else thing.for_partner)]


def chosen(codes: Iterable[str], columns: Sequence[Column], usual: Collection[str]) -> list[Column]:
    """The columns to show of those offered: the first, which leads to the record, and the first valid ones of those
    chosen; by default the usual ones."""
    title, *others = columns
    wanted = set(codes)
    found = [column for column in others if column.code in wanted]
    return [title, *(found[: MAX_COLUMNS - 1] or [column for column in others if column.code in usual])]
