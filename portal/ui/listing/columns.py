"""The columns that a list can show, and those that it shows until somebody chooses (REF-20)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from portal.accounts.rules import Actor

#: F6.1; a table with more can't be read.
MAX_COLUMNS = 9
#: Widths in pixels. A cell has one line; what is longer is cut, and its title says all of it.
TITLE, NAME, BADGE, NUMBER, DAY, ID = 194, 160, 168, 124, 110, 280
#: The cell before them, with the box that ticks the row and what else the list has there.
LEAD = 72
#: What fits beside an open rail on a screen of 1440 pixels; a wider table scrolls inside itself.
ROOM = 1156
#: Classes of cells.
RIGHT, STATE = "o-num", "is-badge"


@dataclass(frozen=True)
class Column:
    """A column of a list.

    `sort`: the sort that a click on its heading selects. `width` in pixels. `css`: the class of its cells. `is_named`:
    on phones, which show no headings, its cells say what they are. `for_vendor`, `for_partner`: whether it is useful to
    the vendor's people, and to partners'.
    """

    code: str
    label: str
    sort: str = ""
    width: int = NAME
    css: str = ""
    is_named: bool = False
    for_vendor: bool = True
    for_partner: bool = True


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
