"""Which changes of fee rates are refused: what was invoiced stays at its rate (ISV-6)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from decimal import Decimal

from portal.workflow.blockers import Blocker, _

#: The rates of one tag in percent, by the day from which they are in force.
Rates = Mapping[date, Decimal]


def in_force(rates: Rates, signed: date) -> Decimal | None:
    """The rate for a contract signed on this day; None where none was in force yet."""
    begun = [day for day in rates if day <= signed]
    return rates[max(begun)] if begun else None


def rate_blockers(was: Rates, becomes: Rates, invoiced: Collection[date]) -> Iterator[Blocker]:
    """Why a tag's rates can't become these. `invoiced`: the days on which contracts with invoices were signed."""
    moved = sorted(day for day in invoiced if in_force(was, day) != in_force(becomes, day))
    if moved:
        message = _(
            "Contracts signed from %(first)s to %(last)s are invoiced already, at the rate in force then. "
            "It stays, as the invoices do; a rate that begins after %(last)s can still be set."
        )
        yield Blocker("fee_rate_in_use", message, "ISV-6", params={"first": moved[0], "last": moved[-1]})
