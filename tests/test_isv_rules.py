"""The rules of ISV Connect on plain values: the form row by row, and the schedule of invoices (ISV-1, ISV-3, ISV-6)."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dealreg.rules import UsdRate
from dealreg.rules.acv import add_years, contract_years
from isvconnect.rules.checks import violations
from isvconnect.rules.criteria import ReferralFacts, criteria
from isvconnect.rules.schedule import fee, years
from isvconnect.rules.values import IsvDealInput, IsvFacts, OfReferral, answers_asked
from portal.policy.rules import Policy
from portal.workflow.blockers import Money

TODAY = date(2026, 11, 18)
DAY = timedelta(days=1)
EUR = UsdRate(Decimal("1.10"), date(2026, 11, 1))
FACTS = IsvFacts(today=TODAY, rates={"EUR": EUR}, locations={1}, solutions={3})
FORM = IsvDealInput(
    location=1,
    customer=2,
    solution=3,
    tcv=Money(Decimal(10_000), "EUR"),
    solution_value=Money(Decimal(8_000), "EUR"),
    deployment="azure",
    tenant="customer",
    tenant_guid=uuid.UUID(int=7),
    signed=TODAY,
    start=TODAY,
    end=TODAY + 364 * DAY,
    contact_first_name="Umut",
    contact_last_name="Öztürk",
    contact_phone="+90 212 555 01 00",
    contact_email="umut@contoso.example",
)


def found(form: IsvDealInput, facts: IsvFacts = FACTS, policy: Policy | None = None) -> list[tuple[str, str, str]]:
    form = answers_asked(form, facts)
    return [(b.code, b.field, b.rule) for b in violations(form, facts, policy or Policy())]


def test_isv_3_a_complete_form_is_taken() -> None:
    assert found(FORM) == []


def test_isv_3_every_question_is_asked_at_once_in_its_order() -> None:
    """ISV-3: everything that is missing, each at its field; the tenant's id only of a customer's tenant."""
    asked = [(field, code) for code, field, _rule in found(IsvDealInput())]
    assert asked == [
        ("location", "location_required"),
        ("customer", "customer_required"),
        ("solution", "solution_required"),
        ("tcv", "tcv_required"),
        ("solution_value", "solution_value_required"),
        ("deployment", "deployment_required"),
        ("tenant", "tenant_required"),
        ("signed", "signed_required"),
        ("start", "start_required"),
        ("end", "end_required"),
        ("contact_first_name", "contact_first_name_required"),
        ("contact_last_name", "contact_last_name_required"),
        ("contact_phone", "contact_phone_required"),
        ("contact_email", "contact_email_required"),
    ]


EURO = "EUR"
#: RD, *Her iki yöntem de sizi Anlaşma Kaydı formuna getirir*, row by row: what is stated, and what is refused of it.
ROWS: list[tuple[str, dict[str, Any], list[tuple[str, str, str]]]] = [
    ("customer: in the directory", {"customer": None}, [("customer_required", "customer", "ISV-3")]),
    ("solution: tagged", {"solution": 4}, [("solution_not_tagged", "solution", "ISV-1")]),
    ("location: in scope", {"location": 9}, [("location_not_yours", "location", "ISV-7")]),
    ("TCV: above zero", {"tcv": Money(Decimal(0), EURO)}, [("tcv_not_positive", "tcv", "ISV-3")]),
    ("TCV: has a rate", {"tcv": Money(Decimal(9_000), "SEK")}, [
        ("fx_rate_missing", "tcv", "FX-2"),
    ]),
    ("TCV: 5,000.00 USD isn't above",
     {"tcv": Money(Decimal("5000.00"), "USD"), "solution_value": Money(Decimal(1), "USD")},
     [("isv_value_not_above_minimum", "tcv", "ISV-1")]),
    ("TCV: 5,000.01 USD is", {"tcv": Money(Decimal("5000.01"), "USD"), "solution_value": Money(Decimal(1), "USD")}, []),
    ("TCV: 4545.45 EUR are 5,000.00 USD to the cent",
     {"tcv": Money(Decimal("4545.45"), EURO), "solution_value": Money(Decimal(1), EURO)},
     [("isv_value_not_above_minimum", "tcv", "ISV-1")]),
    ("TCV: 4545.46 EUR are 5,000.01 USD",
     {"tcv": Money(Decimal("4545.46"), EURO), "solution_value": Money(Decimal(1), EURO)}, []),
    ("solution value: above zero", {"solution_value": Money(Decimal(-1), EURO)},
     [("solution_value_not_positive", "solution_value", "ISV-3")]),
    ("solution value: may be the TCV", {"solution_value": Money(Decimal(10_000), EURO)}, []),
    ("solution value: not above the TCV", {"solution_value": Money(Decimal("10000.01"), EURO)},
     [("solution_value_exceeds_tcv", "solution_value", "ISV-3")]),
    ("solution value: in another currency", {"solution_value": Money(Decimal(11_000), "USD")}, []),
    ("solution value: above it in another currency", {"solution_value": Money(Decimal("11000.01"), "USD")},
     [("solution_value_exceeds_tcv", "solution_value", "ISV-3")]),
    ("solution value: has a rate", {"solution_value": Money(Decimal(1), "SEK")},
     [("fx_rate_missing", "solution_value", "FX-2")]),
    ("deployment: Azure or other", {"deployment": "other"}, []),
    ("tenant: the customer's, with its id", {"tenant_guid": None}, [("tenant_guid_required", "tenant_guid", "ISV-3")]),
    ("tenant: the partner's needs none", {"tenant": "partner", "tenant_guid": None}, []),
    ("signed: not after today", {"signed": TODAY + DAY, "start": TODAY + DAY},
     [("signed_in_future", "signed", "ISV-3")]),
    ("signed: long ago", {"signed": TODAY - 3000 * DAY}, []),
    ("start: on the day of the signing", {"start": TODAY}, []),
    ("start: not before it", {"start": TODAY - DAY}, [("start_before_signed", "start", "ISV-3")]),
    ("start: later", {"start": TODAY + 30 * DAY}, []),
    ("end: on the day of the start", {"end": TODAY}, []),
    ("end: not before it", {"end": TODAY - DAY}, [("end_before_start", "end", "ISV-3")]),
    ("contact: no more than spaces", {"contact_phone": "  "}, [("contact_phone_required", "contact_phone", "ISV-3")]),
    ("contact: as long as its column", {"contact_email": "a" * 255}, [("too_long", "contact_email", "REF-6")]),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_isv_1_isv_3_the_form_of_rd_row_by_row(changes: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    assert found(replace(FORM, **changes)) == expected


def test_isv_1_the_minimum_is_the_policys() -> None:
    policy = Policy(isv_minimum_value_usd=Decimal(11_000))
    assert found(FORM, policy=policy) == [("isv_value_not_above_minimum", "tcv", "ISV-1")]
    assert found(FORM, policy=replace(policy, isv_minimum_value_usd=Decimal("10999.99"))) == []


def test_isv_3_a_customer_that_the_company_does_not_see_is_none() -> None:
    assert found(FORM, replace(FACTS, customer_known=False)) == [("customer_unknown", "customer", "ISV-3")]


def test_isv_2_a_deal_from_a_referral_has_its_customer_and_location() -> None:
    """ISV-2: what isn't stated is the referral's, and nothing else is taken."""
    facts = replace(FACTS, of_referral=OfReferral(customer=2, location=1))
    assert answers_asked(replace(FORM, customer=None, location=None), facts) == FORM
    assert found(FORM, facts) == []
    assert [code for code, *_rest in found(replace(FORM, customer=8, location=5), facts)] == [
        "location_of_referral",
        "customer_of_referral",
    ]


def test_isv_3_what_is_not_asked_is_not_kept() -> None:
    kept = answers_asked(replace(FORM, tenant="partner", contact_first_name=" Umut "), FACTS)
    assert (kept.tenant_guid, kept.contact_first_name) == (None, "Umut")


# The banner


@pytest.mark.parametrize(
    ("solutions", "usd", "is_open", "expected"),
    [
        (("Retail",), Decimal("5000.01"), False, [("met", ""), ("met", "")]),
        (("Retail",), Decimal("5000.00"), True, [("met", ""), ("notMet", "you")]),
        (("Retail",), Decimal("5000.00"), False, [("met", ""), ("notMet", "nobody")]),
        ((), Decimal(9_000), True, [("notMet", "you"), ("met", "")]),
        (("Retail",), None, True, [("met", ""), ("notYet", "time")]),
    ],
)
def test_isv_1_isv_2_the_criterion_is_met_or_not(
    solutions: tuple[str, ...], usd: Decimal | None, is_open: bool, expected: list[tuple[str, str]]
) -> None:
    facts = ReferralFacts(solutions, Money(Decimal(5_000), "EUR"), usd, is_open)
    found = criteria(facts, Policy())
    assert [(c.state, c.settled_by) for c in found] == expected
    assert {c.rule for c in found} == {"ISV-1"}


# The schedule


def test_isv_6_three_years_and_a_half() -> None:
    """ISV-6: a year's share is its length as REG-5 measures it; the last is shorter, and takes the rest."""
    start, end = date(2026, 1, 1), date(2029, 6, 30)
    found = years(start, end, Decimal("10000.00"), Decimal(20), submitted=date(2026, 3, 1))
    assert [(y.number, y.first_day, y.last_day, y.due_on) for y in found] == [
        (1, date(2026, 1, 1), date(2026, 12, 31), date(2026, 3, 2)),
        (2, date(2027, 1, 1), date(2027, 12, 31), date(2027, 1, 1)),
        (3, date(2028, 1, 1), date(2028, 12, 31), date(2028, 1, 1)),
        (4, date(2029, 1, 1), date(2029, 6, 30), date(2029, 1, 1)),
    ]
    whole = Decimal("2860.50")  # 10000 / (3 + 181/365)
    assert [y.share for y in found] == [whole, whole, whole, Decimal("1418.50")]
    assert [y.fee for y in found] == [Decimal("572.10")] * 3 + [Decimal("283.70")]


def test_isv_6_a_contract_from_29_february_has_its_years_on_28_february() -> None:
    start = date(2024, 2, 29)
    found = years(start, date(2029, 2, 27), Decimal(500), None, submitted=start)
    firsts = [date(2024, 2, 29), date(2025, 2, 28), date(2026, 2, 28), date(2027, 2, 28), date(2028, 2, 29)]
    assert [y.first_day for y in found] == firsts
    assert [y.last_day for y in found] == [day - DAY for day in firsts[1:]] + [date(2029, 2, 27)]
    assert [y.share for y in found] == [Decimal(100)] * 5
    assert {y.fee for y in found} == {None}


def test_isv_6_nothing_falls_due_before_the_day_after_submission() -> None:
    found = years(TODAY - 800 * DAY, TODAY + 400 * DAY, Decimal(900), Decimal(3), submitted=TODAY)
    assert [y.due_on for y in found][:3] == [TODAY + DAY] * 3
    assert found[3].due_on == add_years(TODAY - 800 * DAY, 3)


def test_isv_6_a_share_is_never_below_zero() -> None:
    """ISV-6: three cents over six years are not six times one cent less three."""
    found = years(TODAY, add_years(TODAY, 6) - DAY, Decimal("0.03"), Decimal(50), submitted=TODAY)
    assert [y.share for y in found] == [Decimal("0.01")] * 3 + [Decimal(0)] * 3


days = st.dates(date(2000, 1, 1), date(2099, 12, 31))
amounts = st.decimals("0.01", "99999999.99", places=2)
percents = st.decimals(0, 100, places=3)


@given(start=days, length=st.integers(0, 20_000), value=amounts, percent=percents, submitted=days)
def test_isv_6_the_schedule_adds_up(
    start: date, length: int, value: Decimal, percent: Decimal, submitted: date
) -> None:
    """ISV-6: shares sum exactly to the value, years follow each other without a gap over leap years, none is longer
    than a year, a full year's share is the value over the length within a cent, and fees are half-up of it."""
    end = start + length * DAY
    found = years(start, end, value, percent, submitted=submitted)
    assert sum(y.share for y in found) == value
    assert (found[0].first_day, found[-1].last_day) == (start, end)
    assert [y.number for y in found] == list(range(1, len(found) + 1))
    for one, following in itertools.pairwise(found):
        assert following.first_day == one.last_day + DAY
        assert one.first_day == add_years(start, one.number - 1)
    assert found[-1].last_day < add_years(start, len(found))
    exact = value / Decimal(contract_years(start, end).numerator) * contract_years(start, end).denominator
    for y in found:
        assert y.share >= 0
        assert y.due_on == max(y.first_day, submitted + DAY)
        assert y.fee == fee(y.share, percent)
        assert abs(y.fee - y.share * percent / 100) <= Decimal("0.005")
    for number, y in enumerate(found[:-1], 1):
        used_up = sum(year.share for year in found[:number]) == value  # cents, over many years
        assert abs(y.share - exact) <= Decimal("0.005") or used_up


def test_isv_6_the_calendar_ends() -> None:
    """ISV-6: a slip of the pen in the year is a long schedule, and no error."""
    found = years(date(9998, 12, 31), date.max, Decimal(2), None, submitted=TODAY)
    assert [y.last_day for y in found] == [date(9999, 12, 30), date.max]
    assert len(years(date.max, date.max, Decimal(2), None, submitted=TODAY)) == 1
