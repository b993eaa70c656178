"""The programme's numbers, as one immutable value. Every number of programme.md is a field here, never a literal."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Blackout:
    """A period, both days included, in which nothing can be registered (REG-13)."""

    first: date
    last: date


@dataclass(frozen=True)
class Policy:
    """The numbers in force at one instant. Amounts are USD, times are days or hours of UTC."""

    version: int = 0

    # referrals
    answer_days: int = 14  # REF-13
    safe_win_hours: int = 72  # REF-18
    max_team_members: int = 50  # REF-7
    max_solutions: int = 50  # REF-8
    max_note_length: int = 10_000  # REF-6
    reminder_days: tuple[int, ...] = (14, 7, 3, 1)  # FLOW-8

    # eligibility
    minimum_deal_value_usd: Decimal = Decimal(25_000)  # ELIG-3

    # registration
    minimum_acv_usd: Decimal = Decimal(25_000)  # REG-6
    perpetual_years: int = 6  # REG-5
    registration_window_days: int = 60  # REG-7
    start_window_days: int = 90  # REG-8
    payg_signing_window_years: int = 1  # REG-11
    pracr_since: date = date(2023, 7, 1)  # REG-1
    blackouts: tuple[Blackout, ...] = ()  # REG-13

    # flow
    review_above_acv_usd: Decimal = Decimal(1_000_000)  # AUTO-1
    close_after_days: int = 7  # FLOW, close
    fiscal_year_starts_month: int = 7  # FLOW-6
    revalidation_above_tcv_usd: Decimal = Decimal(1_000_000)  # FLOW-6

    # currency
    rate_max_age_months: int = 3  # FX-2

    @property
    def answer_within(self) -> timedelta:
        return timedelta(days=self.answer_days)

    @property
    def safe_win_after(self) -> timedelta:
        return timedelta(hours=self.safe_win_hours)


_DEFAULTS = Policy()


def from_values(values: dict[str, Any], *, version: int) -> Policy:
    """A policy from stored overrides. Raises ValueError naming the field that is unknown or of the wrong kind."""
    known = {f.name for f in fields(Policy)} - {"version"}
    if unknown := sorted(set(values) - known):
        raise ValueError(f"{', '.join(unknown)}: not a field of the policy")
    return Policy(version=version, **{name: _parse(name, value) for name, value in values.items()})


def _parse(name: str, value: Any) -> Any:
    default = getattr(_DEFAULTS, name)
    try:
        if name == "blackouts":
            return tuple(Blackout(date.fromisoformat(b["first"]), date.fromisoformat(b["last"])) for b in value)
        if isinstance(default, tuple):
            return tuple(int(v) for v in value)
        if isinstance(default, date):
            return date.fromisoformat(str(value))
        parsed = type(default)(str(value))
    except (ArithmeticError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{name}: {value!r} does not fit") from error
    if parsed < 0:
        raise ValueError(f"{name}: must not be negative")
    return parsed
