"""Which invoices a contract leads to: one for each of its years (ISV-6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from dealreg.rules.acv import add_years, contract_years, round_cents

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Year:
    """A contract year, both days included, and its invoice: due on `due_on`, `fee` on `share` of the solution's value.

    `number` counts from 1. Amounts are in the solution value's currency; `fee` is None while no fee rate is known.
    """

    number: int
    first_day: date
    last_day: date
    due_on: date
    share: Decimal
    fee: Decimal | None


def years(start: date, end: date, value: Decimal, percent: Decimal | None, *, submitted: date) -> tuple[Year, ...]:
    """The contract's years from `start` to `end`, with `value` spread over them by their length (ISV-6).

    A share is rounded half-up to the cent, and the last year takes the rest, so the shares add up to `value`. Nothing
    falls due before the day after `submitted`. Raises ValueError if the contract ends before it starts.
    """
    length, rest, found = contract_years(start, end), value, []
    for number, (first, last) in enumerate(_periods(start, end), 1):
        share = rest if last == end else min(rest, round_cents(Fraction(value) / length))
        rest -= share
        due = max(first, submitted + _DAY)
        found.append(Year(number, first, last, due, share, None if percent is None else fee(share, percent)))
    return tuple(found)


def fee(share: Decimal, percent: Decimal) -> Decimal:
    """The fee on a year's share, half-up to the cent (ISV-6)."""
    return round_cents(Fraction(share) * Fraction(percent) / 100)


def _periods(start: date, end: date) -> Iterator[tuple[date, date]]:
    """The first and the last day of each contract year; the last may be shorter."""
    first, number = start, 0
    while True:
        number += 1
        following = add_years(start, number) if start.year + number <= date.max.year else None
        if following is None or following > end:
            yield first, end
            return
        yield first, following - _DAY
        first = following
