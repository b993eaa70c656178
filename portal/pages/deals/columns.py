"""The columns that the list can show, and the ones it shows until somebody chooses (REF-20)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from portal.accounts.rules import Actor
from portal.workflow.blockers import _

#: F6.1; a table with more can't be read.
MAX_COLUMNS = 9


@dataclass(frozen=True)
class Column:
    """A column of the list.

    `sort`: the sort that a click on its heading selects. `for_vendor`: whether it is useful to the vendor's people.
    `rank`: on narrow screens the columns with the lowest ranks stay. `is_short`: it never needs a second line.
    """

    code: str
    label: str
    sort: str = ""
    is_number: bool = False
    for_vendor: bool = True
    rank: int = 5
    is_short: bool = False


#: In the order in which they stand.
COLUMNS = (
    Column("name", _("Deal"), "name", rank=0),
    Column("customer", _("Customer"), "customer", rank=1),
    Column("country", _("Country"), is_short=True),
    Column("sender", _("From")),
    Column("status", _("Status"), "status", rank=1),
    Column("stage", _("Stage"), "stage", rank=3),
    Column("type", _("Deal type"), is_short=True),
    Column("vendor", _("%(vendor)s"), for_vendor=False),
    Column("value", _("Value"), "value", is_number=True, rank=1),
    Column("close", _("Close date"), "close", rank=2, is_short=True),
    Column("registration", _("Registration"), for_vendor=False),
    Column("solutions", _("Solutions")),
    Column("team", _("Team")),
    Column("location", _("Location"), is_short=True),
    Column("crm", _("CRM id")),
    Column("id", _("Deal id")),
    Column("created", _("Created"), "created", is_short=True),
    Column("updated", _("Changed"), is_short=True),
)
#: Always shown: it leads to the deal.
TITLE = COLUMNS[0]
_OF_PARTNER = ("name", "customer", "status", "stage", "type", "vendor", "value", "close", "registration")
_OF_VENDOR = ("name", "customer", "sender", "status", "stage", "type", "value", "close", "created")


def offered(actor: Actor) -> list[Column]:
    return [column for column in COLUMNS if column.for_vendor or not actor.is_vendor]


def chosen(codes: Iterable[str], actor: Actor) -> list[Column]:
    """The columns to show: the deal's name and the first valid ones of those chosen; by default the usual ones."""
    wanted = set(codes) - {TITLE.code}
    found = [column for column in offered(actor) if column.code in wanted]
    usual = _OF_VENDOR if actor.is_vendor else _OF_PARTNER
    rest = found[: MAX_COLUMNS - 1] or [column for column in offered(actor) if column.code in usual[1:]]
    return [TITLE, *rest]
