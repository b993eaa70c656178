"""The programme's numbers, as one immutable value. Every number of programme.md is a field here, never a literal."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import holidays

from portal.workflow.blockers import Blocker, _


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
    responsiveness_months: int = 12  # REF-22
    invitations_per_day: int = 50  # REF-24, of one company, repeats included
    invitation_link_days: int = 14  # ORG-2
    search_min_letters: int = 3  # REF-20
    api_secret_overlap_hours: int = 72  # ORG-2, of an API client's secret before the newest

    # eligibility
    minimum_deal_value_usd: Decimal = Decimal(25_000)  # ELIG-3

    # registration
    minimum_acv_usd: Decimal = Decimal(25_000)  # REG-6
    perpetual_years: int = 6  # REG-5
    registration_window_days: int = 60  # REG-7
    start_window_days: int = 90  # REG-8
    payg_signing_window_years: int = 1  # REG-11
    marketplace_max_months: int = 12  # REG-1
    duplicate_months: int = 12  # AUTO-5
    pracr_since: date = date(2023, 7, 1)  # REG-1
    max_documents: int = 10  # REG-16, of one deal
    max_document_mb: int = 20  # REG-16
    blackouts: tuple[Blackout, ...] = ()  # REG-13

    # flow
    review_above_acv_usd: Decimal = Decimal(1_000_000)  # AUTO-1
    review_days: int = 5  # FLOW-12, business days
    claim_hours: int = 2  # FLOW-13, without work on it
    close_after_days: int = 7  # FLOW, close
    close_decided_hours: int = 24  # FLOW, close: until then a decision can be retracted
    action_days: int = 60  # FLOW, fail_unanswered
    sample_percent: int = 5  # FLOW-4
    selection_days: int = 7  # FLOW-4, before closing
    fiscal_year_starts_month: int = 7  # FLOW-6
    revalidation_above_tcv_usd: Decimal = Decimal(1_000_000)  # FLOW-6
    marketplace_match_days: int = 30  # FLOW-3, before and after the estimated date
    marketplace_wait_days: int = 60  # FLOW-3

    # exceptions
    exception_decision_days: int = 14  # EXC-7, business days
    exception_evidence_days: int = 7  # EXC-11, business days
    exception_open_days: int = 60  # EXC-12, from the decision
    exception_quorum: int = 2  # EXC-8
    exception_after_registration_days: int = 60  # EXC-2, from the first registration of what was rejected
    exception_after_rejection_days: int = 30  # EXC-2, from the rejection, where that is later
    exception_max_length: int = 5_000  # EXC-3
    holiday_calendar: str = "US"  # EXC-7: a country (ISO 3166-1), or none: weekends only

    # ISV Connect
    isv_minimum_value_usd: Decimal = Decimal(5_000)  # ISV-1: a sale is worth more than this

    # licences
    consent_link_days: int = 30  # LIC-1
    email_code_minutes: int = 15  # LIC-8
    email_code_attempts: int = 5  # LIC-8, of one code
    email_codes_per_invitation: int = 5  # LIC-8
    licence_link_hours: int = 24  # LIC-4
    licence_links_per_day: int = 10  # LIC-8, of one customer's consent
    licence_session_minutes: int = 60  # LIC-4, from opening a link
    customer_mails_per_day: int = 100  # LIC-8, codes and links of one company
    max_licences: int = 1_000_000  # LIC-2, of one plan of a deal

    # forecast
    forecast_created_percent: int = 10  # REF-14, so much of an open deal's value counts at this stage
    forecast_qualified_percent: int = 20  # REF-14
    forecast_developed_percent: int = 40  # REF-14
    forecast_proposed_percent: int = 60  # REF-14
    forecast_negotiated_percent: int = 80  # REF-14

    # Insights
    idle_days: tuple[int, ...] = (30, 60, 90)  # REF-17, what hasn't moved for longer than the first is looked at

    # currency
    rate_max_age_months: int = 3  # FX-2
    rate_jump_percent: int = 50  # FX-1, against the month before: more has to be confirmed

    @property
    def forecast_percents(self) -> dict[int, int]:
        """By the sales stage."""
        return {
            10: self.forecast_created_percent,
            20: self.forecast_qualified_percent,
            40: self.forecast_developed_percent,
            60: self.forecast_proposed_percent,
            80: self.forecast_negotiated_percent,
        }

    @property
    def idle_parts(self) -> tuple[int, ...]:
        """The days that part how long a deal hasn't moved, in order."""
        return tuple(sorted(set(self.idle_days))) or Policy.idle_days

    @property
    def answer_within(self) -> timedelta:
        return timedelta(days=self.answer_days)

    @property
    def invitation_link_time(self) -> timedelta:
        return timedelta(days=self.invitation_link_days)

    @property
    def consent_link_time(self) -> timedelta:
        return timedelta(days=self.consent_link_days)

    @property
    def email_code_time(self) -> timedelta:
        return timedelta(minutes=self.email_code_minutes)

    @property
    def licence_link_time(self) -> timedelta:
        return timedelta(hours=self.licence_link_hours)

    @property
    def licence_session_time(self) -> timedelta:
        return timedelta(minutes=self.licence_session_minutes)

    @property
    def register_within(self) -> timedelta:
        return timedelta(days=self.registration_window_days)

    @property
    def claimed_for(self) -> timedelta:
        return timedelta(hours=self.claim_hours)

    @property
    def close_decided_within(self) -> timedelta:
        return timedelta(hours=self.close_decided_hours)

    @property
    def act_within(self) -> timedelta:
        return timedelta(days=self.action_days)

    @property
    def select_within(self) -> timedelta:
        return timedelta(days=self.selection_days)

    @property
    def safe_win_after(self) -> timedelta:
        return timedelta(hours=self.safe_win_hours)

    def exception_until(self, filed: date, decided: date) -> date:
        """The last day to ask for an exception about what was rejected: the later of two ends (EXC-2)."""
        return max(
            filed + timedelta(days=self.exception_after_registration_days),
            decided + timedelta(days=self.exception_after_rejection_days),
        )


_DEFAULTS = Policy()
#: What a number may be at most, so that every date and amount made of it exists; some fields have a range of their own.
LARGEST = 100_000
LARGEST_AMOUNT = Decimal(10) ** 15
_FORECAST = ("created", "qualified", "developed", "proposed", "negotiated")
RANGES = {
    "max_team_members": (1, 200),
    "invitation_link_days": (1, 365),
    "search_min_letters": (1, 10),
    "perpetual_years": (1, 100),
    "payg_signing_window_years": (0, 100),
    "marketplace_max_months": (0, 120),
    "duplicate_months": (0, 120),
    "fiscal_year_starts_month": (1, 12),
    "rate_max_age_months": (0, 120),
    "responsiveness_months": (1, 120),
    "max_documents": (1, 100),
    "max_document_mb": (1, 22),  # the proxies before the portal take 25 MB (deploy/Caddyfile)
    "sample_percent": (0, 100),
    **dict.fromkeys((f"forecast_{stage}_percent" for stage in _FORECAST), (0, 100)),
    "idle_days": (2, 3_650),
    "review_days": (1, 1_000),
    "claim_hours": (1, 720),
    "exception_decision_days": (1, 1_000),
    "exception_evidence_days": (1, 1_000),
    "exception_open_days": (1, 3_650),
    "exception_quorum": (1, 100),
    "consent_link_days": (1, 365),
    "email_code_minutes": (1, 1_440),
    "email_code_attempts": (1, 10),
    "email_codes_per_invitation": (1, 100),
    "licence_link_hours": (1, 720),
    "licence_session_minutes": (1, 1_440),
    "max_licences": (1, 100_000_000),
}


#: How many numbers a list may have, where a table has a column for each.
MOST_NUMBERS = {"idle_days": 5}


class WrongValues(ValueError):
    """Stored values that make no policy; the blocker says what is wrong with them."""

    def __init__(self, message: str, **params: str | int | Decimal) -> None:
        self.blocker = Blocker("wrong_values", message, "FLOW-7", "values", params)
        super().__init__(message % params)


def from_values(values: dict[str, Any], *, version: int) -> Policy:
    """A policy from stored overrides. Raises WrongValues, naming the field that is unknown or doesn't fit."""
    if not isinstance(values, dict):
        raise WrongValues(_('Write the numbers that differ from the defaults as {"field": value}.'))
    known = {f.name for f in fields(Policy)} - {"version"}
    if unknown := sorted(set(values) - known):
        raise WrongValues(_("%(name)s is not a field of the policy."), name=", ".join(unknown))
    return Policy(version=version, **{name: _parse(name, value) for name, value in values.items()})


def _parse(name: str, value: Any) -> Any:
    default = getattr(_DEFAULTS, name)
    try:
        if name == "blackouts":
            return tuple(_blackout(period) for period in value)
        if isinstance(default, tuple):
            return tuple(_number(name, item, int) for item in _list(value, most=MOST_NUMBERS.get(name, LARGEST)))
        if name == "holiday_calendar":
            return _calendar(value)
        if isinstance(default, date):
            return date.fromisoformat(str(value))
        return _number(name, value, type(default))
    except WrongValues:
        raise
    except (ArithmeticError, ValueError, TypeError, KeyError) as error:
        raise WrongValues(_("%(name)s can't be %(value)s."), name=name, value=repr(value)) from error


def _number(name: str, value: Any, kind: type[int] | type[Decimal]) -> int | Decimal:
    number = kind(str(value))
    least, most = RANGES.get(name, (0, LARGEST if kind is int else LARGEST_AMOUNT))
    if not least <= number <= most:
        raise WrongValues(_("%(name)s must be from %(least)s to %(most)s."), name=name, least=least, most=most)
    return number


def _list(value: Any, *, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise TypeError
    return value


def _calendar(value: Any) -> str:
    if value and value not in holidays.list_supported_countries(include_aliases=False):
        raise ValueError
    return str(value)


def _blackout(period: Any) -> Blackout:
    first, last = date.fromisoformat(period["first"]), date.fromisoformat(period["last"])
    if last < first:
        raise ValueError
    return Blackout(first, last)
