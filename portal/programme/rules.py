"""What the office says of the policy's numbers: their names, units and rules, and how two versions differ (FLOW-7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.policy.rules import Policy
from portal.registry import Registry
from portal.workflow.blockers import Blocker, _

DAYS, HOURS, MONTHS, YEARS = _("days"), _("hours"), _("months"), _("years")
MINUTES = _("minutes")
BUSINESS_DAYS, CHARACTERS, MEGABYTES, MONTH = _("business days"), _("characters"), _("MB"), _("month of the year")
#: As msgids, in which a percent sign is written twice.
DOLLARS, PERCENT = "USD", "%%"
AMOUNT, WHOLE, LIST, DAY, PERIODS, CALENDAR = "amount", "whole", "list", "day", "periods", "calendar"


@dataclass(frozen=True)
class Number:
    """One number of the policy as a person reads it. `label` and `unit` are msgids."""

    name: str
    label: str
    unit: str = ""
    rule: str = ""

    @property
    def kind(self) -> str:
        default = getattr(Policy, self.name)
        if self.name == "blackouts":
            return PERIODS
        if self.name == "holiday_calendar":
            return CALENDAR
        kinds: dict[type, str] = {Decimal: AMOUNT, int: WHOLE, tuple: LIST, date: DAY}
        return kinds[type(default)]

    @property
    def is_share(self) -> bool:
        return self.unit == PERCENT

    @property
    def is_month(self) -> bool:
        return self.unit == MONTH

    @property
    def default(self) -> Any:
        return getattr(Policy, self.name)


#: By group, in the order of the page.
GROUPS: Mapping[str, Sequence[Number]] = {
    _("Deals"): (
        Number("answer_days", _("Time to answer a deal received"), DAYS, "REF-13"),
        Number("safe_win_hours", _("A win counts as early for"), HOURS, "REF-18"),
        Number("reminder_days", _("Reminders before a deadline"), DAYS, "FLOW-8"),
        Number("max_team_members", _("People on a deal's team, at most"), "", "REF-7"),
        Number("max_solutions", _("Solutions on a deal, at most"), "", "REF-8"),
        Number("max_note_length", _("Length of notes, at most"), CHARACTERS, "REF-6"),
        Number(
            "responsiveness_months", _("Answers counted for a partner's responsiveness, of the last"), MONTHS, "REF-22"
        ),
        Number("invitations_per_day", _("Invitations a company sends in a day, at most"), "", "REF-24"),
        Number("search_min_letters", _("Letters a search needs"), "", "REF-20"),
        Number("invitation_link_days", _("An invitation's link is good for"), DAYS, "ORG-2"),
        Number("api_secret_overlap_hours", _("An API client's earlier secret stays good for"), HOURS, "ORG-2"),
    ),
    _("Eligibility"): (Number("minimum_deal_value_usd", _("A deal's value, at least"), DOLLARS, "ELIG-3"),),
    _("Registration"): (
        Number("minimum_acv_usd", _("Annual contract value, above"), DOLLARS, "REG-6"),
        Number("perpetual_years", _("A perpetual contract counts as"), YEARS, "REG-5"),
        Number("registration_window_days", _("Time to register after signing"), DAYS, "REG-7"),
        Number("start_window_days", _("Time to register after the start"), DAYS, "REG-8"),
        Number("payg_signing_window_years", _("Pay-as-you-go: signed at most this long ago"), YEARS, "REG-11"),
        Number("marketplace_max_months", _("Marketplace date ahead, at most"), MONTHS, "REG-1"),
        Number("pracr_since", _("Only partner-reported consumption since"), "", "REG-1"),
        Number("duplicate_months", _("The same sale is looked for in the last"), MONTHS, "AUTO-5"),
        Number("max_documents", _("Documents of a deal, at most"), "", "REG-16"),
        Number("max_document_mb", _("Size of a document, at most"), MEGABYTES, "REG-16"),
        Number("blackouts", _("Periods without registration"), "", "REG-13"),
    ),
    _("Review and closing"): (
        Number("review_above_acv_usd", _("To review above an annual contract value of"), DOLLARS, "AUTO-1"),
        Number("review_days", _("What reaches the desk is decided within"), BUSINESS_DAYS, "FLOW-12"),
        Number("claim_hours", _("A claim without work ends after"), HOURS, "FLOW-13"),
        Number("close_after_days", _("An approval closes after"), DAYS, "FLOW"),
        Number("close_decided_hours", _("A decision closes, and can be retracted, for"), HOURS, "FLOW"),
        Number("action_days", _("Time to correct what was sent back"), DAYS, "FLOW"),
        Number("sample_percent", _("Random sample for further review"), PERCENT, "FLOW-4"),
        Number("selection_days", _("Selection for further review before closing, at most"), DAYS, "FLOW-4"),
        Number("fiscal_year_starts_month", _("The fiscal year begins in"), MONTH, "FLOW-6"),
        Number("revalidation_above_tcv_usd", _("Revalidation above a total contract value of"), DOLLARS, "FLOW-6"),
        Number("marketplace_match_days", _("A transaction matches around the estimated date"), DAYS, "FLOW-3"),
        Number("marketplace_wait_days", _("A marketplace transaction is waited for"), DAYS, "FLOW-3"),
    ),
    _("Exceptions"): (
        Number("exception_decision_days", _("The council decides within"), BUSINESS_DAYS, "EXC-7"),
        Number("exception_evidence_days", _("Time to send evidence"), BUSINESS_DAYS, "EXC-11"),
        Number("exception_open_days", _("What an approval opens stays open for"), DAYS, "EXC-12"),
        Number("exception_quorum", _("Votes that decide, at least"), "", "EXC-8"),
        Number("exception_after_registration_days", _("Time to ask after the first registration"), DAYS, "EXC-2"),
        Number(
            "exception_after_rejection_days", _("Time to ask after the rejection, where that is later"), DAYS, "EXC-2"
        ),
        Number("exception_max_length", _("Length of a justification, at most"), CHARACTERS, "EXC-3"),
        Number("holiday_calendar", _("Holidays of"), "", "EXC-7"),
    ),
    _("ISV Connect"): (Number("isv_minimum_value_usd", _("An ISV Connect deal's value, above"), DOLLARS, "ISV-1"),),
    _("Licences"): (
        Number("consent_link_days", _("A customer's invitation is good for"), DAYS, "LIC-1"),
        Number("email_code_minutes", _("A code by e-mail is good for"), MINUTES, "LIC-8"),
        Number("email_code_attempts", _("Tries for one code, at most"), "", "LIC-8"),
        Number("email_codes_per_invitation", _("Codes for one invitation, at most"), "", "LIC-8"),
        Number("licence_link_hours", _("A link to the licence page is good for"), HOURS, "LIC-4"),
        Number("licence_links_per_day", _("Links a customer gets in a day, at most"), "", "LIC-8"),
        Number("licence_session_minutes", _("The licence page stays open for"), MINUTES, "LIC-4"),
        Number("customer_mails_per_day", _("Codes and links of one company in a day, at most"), "", "LIC-8"),
        Number("max_licences", _("Licences of one plan, at most"), "", "LIC-2"),
    ),
    _("Forecast"): (
        Number("forecast_created_percent", _("A deal at Created / accepted counts for"), PERCENT, "REF-14"),
        Number("forecast_qualified_percent", _("A deal at Qualified counts for"), PERCENT, "REF-14"),
        Number("forecast_developed_percent", _("A deal at Developed counts for"), PERCENT, "REF-14"),
        Number("forecast_proposed_percent", _("A deal at Proposed counts for"), PERCENT, "REF-14"),
        Number("forecast_negotiated_percent", _("A deal at Negotiated counts for"), PERCENT, "REF-14"),
    ),
    _("Insights"): (Number("idle_days", _("Open deals are told apart that have not moved for"), DAYS, "REF-17"),),
    _("Currency"): (
        Number("rate_max_age_months", _("A rate is used for at most"), MONTHS, "FX-2"),
        Number("rate_jump_percent", _("A rate is asked about when it jumps by more than"), PERCENT, "FX-1"),
    ),
}
OTHER = _("Other numbers")


def groups() -> dict[str, Sequence[Number]]:
    """Every number of the policy; one that nobody named yet stands under its field's name, so that none is lost."""
    named = {number.name for numbers in GROUPS.values() for number in numbers}
    rest = [Number(f.name, f.name) for f in fields(Policy) if f.name not in {*named, "version"}]
    return {**GROUPS, **({OTHER: rest} if rest else {})}


def numbers() -> Iterator[Number]:
    for group in groups().values():
        yield from group


@dataclass(frozen=True)
class Difference:
    """A number that two versions don't share."""

    number: Number
    was: Any
    becomes: Any


def differences(before: Policy, after: Policy) -> list[Difference]:
    pairs = [(number, getattr(before, number.name), getattr(after, number.name)) for number in numbers()]
    return [Difference(*pair) for pair in pairs if pair[1] != pair[2]]


# What other apps add: how their decisions would have gone under numbers that are not in force yet


@dataclass(frozen=True)
class Case:
    """A record that would have gone another way; `url` leads to its page."""

    name: str
    whose: str
    url: str
    was: str
    becomes: str
    reasons: Sequence[Blocker] = ()


@dataclass(frozen=True)
class Simulated:
    """What was looked at, and what would have gone another way. `title` is a msgid."""

    title: str
    looked_at: int
    cases: Sequence[Case]


#: By code; under a policy that is tried, at an instant.
SIMULATIONS: Registry[Callable[[Policy, datetime], Simulated]] = Registry()
