"""Until when a won deal can be registered (FLOW-8), and the periods in which nothing can be (REG-13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from portal.policy.rules import Blackout, Policy

DAY = timedelta(days=1)
#: Later days count as this one: so many days more, in any time zone, still lie in the calendar.
FAR = date(9990, 1, 1)


@dataclass(frozen=True)
class SigningFacts:
    """What is known of the contract's signing before it is filed; all days are UTC.

    `signed`, `start` come from the draft or, the former, from the win (REF-18); `start` is None for a renewal (REG-18).
    `payg`: pay-as-you-go. `won`: the day of the win. `waived_until`: the last day of a granted exception (EXC-12).
    """

    won: date
    signed: date | None = None
    start: date | None = None
    payg: bool = False
    waived_until: date | None = None


@dataclass(frozen=True)
class Window:
    """The last day to register, None where there is none; `exact` unless it only supposes that the contract was signed
    on the day of the win."""

    last_day: date | None
    exact: bool


def register_until(facts: SigningFacts, policy: Policy) -> Window:
    """The registration window: so many days from the signing, or from the start where that is earlier (FLOW-8).

    Pay-as-you-go has none (REG-11). One that ends in a closed period ends the day before it (REG-13). A granted
    exception sets its own (EXC-12).
    """
    if facts.waived_until is not None:
        return Window(facts.waived_until, exact=True)
    if facts.payg:
        return Window(None, exact=True)
    last = min(facts.signed or facts.won, FAR) + policy.register_within
    if facts.start is not None:
        last = min(last, min(facts.start, FAR) + timedelta(days=policy.start_window_days))
    for period in closed_periods(policy):
        if period.first <= last <= period.last:
            last = period.first - DAY
    return Window(last, exact=facts.signed is not None)


def closed_periods(policy: Policy) -> list[Blackout]:
    """The policy's closed periods by their first day; those that overlap or follow on each other are one."""
    found: list[Blackout] = []
    for period in sorted(policy.blackouts, key=lambda p: p.first):
        if found and (found[-1].last == date.max or period.first <= found[-1].last + DAY):
            found[-1] = Blackout(found[-1].first, max(found[-1].last, period.last))
        else:
            found.append(period)
    return found
