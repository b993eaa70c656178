"""What the registration form asks beyond single fields: renewals, twelve months' payments, corrections, the window."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dealreg.rules import (
    Duplicate,
    RegistrationFacts,
    RegistrationInput,
    SigningFacts,
    Window,
    answers_asked,
    judge,
    register_until,
    violations,
)
from dealreg.rules.acv import add_months
from dealreg.rules.criteria import criteria_from_json, criteria_to_json
from dealreg.rules.eligibility import eligibility
from dealreg.rules.window import closed_periods
from portal.policy.rules import Blackout, Policy
from portal.workflow.blockers import Money
from tests.test_dealreg_rules import DEAL, FACTS, FORM, GRANTED, PAYG_FORM, POLICY, TODAY, codes, days, usd

CORRECTION = replace(FACTS, first_filed=TODAY - days(100))


def reasons(form: RegistrationInput, facts: RegistrationFacts) -> list[str]:
    route = judge(form, facts, POLICY).route
    assert route is not None
    return [f"{r.rule} {r.code}" for r in route.reasons]


# Questions that others make superfluous


def test_reg_1_a_marketplace_date_is_at_most_twelve_months_ahead() -> None:
    """The number is the policy's; without a marketplace sale the date isn't judged, nor kept."""
    last = add_months(TODAY, 12)
    market = replace(FORM, marketplace=True, marketplace_date=last)
    assert codes(market) == []
    late = replace(market, marketplace_date=last + days(1))
    (refused,) = violations(late, FACTS, POLICY)
    assert (refused.code, refused.rule, refused.field) == ("marketplace_date_too_far", "REG-1", "marketplace_date")
    assert refused.params == {"months": 12, "latest": last}
    assert codes(late, policy=replace(POLICY, marketplace_max_months=13)) == []
    other = replace(late, marketplace=False)
    assert (codes(other), judge(other, FACTS, POLICY).claim.marketplace_date) == ([], None)


def test_reg_1_org_8_the_note_on_marketplace_sales_follows_the_top_tier_flag() -> None:
    market = replace(FORM, marketplace=True, marketplace_date=TODAY)
    for top_tier, words in ((False, "you need not register"), (True, "as a top-tier partner")):
        (note,) = judge(market, replace(FACTS, top_tier=top_tier), POLICY).notes
        assert (note.code, note.params) == ("marketplace_pracr_only", {"since": date(2023, 7, 1)})
        assert words in note.message


def test_reg_3_a_perpetual_contracts_end_is_dropped() -> None:
    perpetual = replace(FORM, term="perpetual", tcv=usd(300_000), end=FORM.start - days(9))  # type: ignore[operator]
    judgement = judge(perpetual, FACTS, POLICY)
    assert (judgement.violations, judgement.claim.end, judgement.acv) == ((), None, usd("50000.00"))


def test_reg_21_the_form_names_one_solution_of_the_deal() -> None:
    """The only one fills itself in; of several one is chosen; another deal's hides nothing else that is wrong."""
    assert judge(FORM, FACTS, POLICY).claim.solution == 1
    several = replace(FACTS, solutions=(1, 2))
    assert codes(FORM, several) == ["solution_required"]
    assert codes(replace(FORM, solution=2), several) == []
    foreign = replace(FORM, solution=3, tenant=None, tcv=usd(1), solution_value=usd(1))
    for facts in (FACTS, several):
        assert codes(foreign, facts) == ["foreign_solution", "acv_not_above_minimum", "tenant_required"]


# Pay-as-you-go: what was paid in twelve months

TWO_YEARS = replace(
    PAYG_FORM, tcv=usd(40_000), signed=TODAY - days(730), start=TODAY - days(730), end=TODAY, solution_value=usd(1)
)
LONG_AGO = replace(FACTS, created=TODAY - days(800), vendor_invited=None)


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        (None, [("acv_not_above_minimum", "payg_year_value")]),
        ("24999.99", [("acv_not_above_minimum", "payg_year_value")]),
        ("25000", []),
        ("40000", []),
        ("40000.01", [("payg_year_value_exceeds_tcv", "payg_year_value")]),
        ("0", [("payg_year_value_not_positive", "payg_year_value"), ("acv_not_above_minimum", "payg_year_value")]),
    ],
)
def test_reg_6_what_was_paid_in_twelve_months_counts(year: str | None, expected: list[tuple[str, str]]) -> None:
    form = replace(TWO_YEARS, payg_year_value=Decimal(year) if year else None)
    assert [(b.code, b.field) for b in violations(form, LONG_AGO, POLICY)] == expected


def test_reg_6_the_year_is_asked_for_only_where_it_can_settle_it() -> None:
    """Not of another pricing model, nor where all that was paid is too little."""
    too_little = replace(TWO_YEARS, tcv=usd("24999.99"))
    assert [b.field for b in violations(too_little, LONG_AGO, POLICY)] == ["tcv"]
    other = replace(FORM, tcv=usd(40_000), solution_value=usd(1), payg_year_value=Decimal(30_000))
    assert [b.field for b in violations(other, FACTS, POLICY)] == ["tcv"]
    assert judge(other, FACTS, POLICY).claim.payg_year_value is None
    assert codes(replace(TWO_YEARS, pricing=None), LONG_AGO) == ["pricing_required"]
    euros = replace(TWO_YEARS, tcv=Money(Decimal(40_000), "EUR"), payg_year_value=Decimal("22727.27"))
    assert codes(euros, LONG_AGO) == []  # 24,999.997, shown as 25,000.00


# Renewals, duplicates, and who takes part


def test_reg_18_a_renewal_may_start_when_the_earlier_contract_did() -> None:
    """Of the same solution only; the person reads what to raise and extend; other limits stay."""
    facts = replace(FACTS, solutions=(1, 2), renewable={70: 1})
    long_ago = replace(FORM, solution=1, start=TODAY - days(700))
    assert codes(long_ago, facts) == ["start_too_old"]
    renewal = replace(long_ago, renews=70)
    judgement = judge(renewal, facts, POLICY)
    assert (judgement.violations, [n.rule for n in judgement.notes]) == ((), ["REG-18"])
    assert codes(replace(renewal, signed=TODAY - days(61)), facts) == ["signed_too_old"]
    for wrong in (replace(renewal, solution=2), replace(renewal, renews=71)):
        assert codes(wrong, facts) == ["foreign_renewal", "start_too_old"]


def test_auto_5_a_company_reads_of_its_own_earlier_registration_only() -> None:
    """ORG-6: of another's it reads that the registration was chosen for additional review, and not by which rule."""
    own, others = Duplicate(5, own=True), Duplicate(6, own=False)
    assert reasons(FORM, replace(FACTS, duplicates=(own,))) == ["AUTO-5 registered_before"]
    assert reasons(FORM, replace(FACTS, duplicates=(others,))) == ["FLOW-2 additional_review"]
    both = replace(FACTS, duplicates=(own, others), partner_count=2)
    assert reasons(FORM, both) == ["AUTO-5 registered_before", "FLOW-2 additional_review"]


def test_auto_2_org_6_only_known_companies_are_counted() -> None:
    """Three take part, and this one knows of one other: its words count two. Of an unknown one they say nothing."""
    (told,) = judge(FORM, replace(FACTS, partner_count=3, known_partners=2), POLICY).route.reasons  # type: ignore[union-attr]
    assert (told.rule, told.params) == ("AUTO-2", {"count": 2})
    assert reasons(FORM, replace(FACTS, partner_count=2)) == ["FLOW-2 additional_review"]


def test_flow_2_reg_15_a_correction_goes_to_review_with_the_reasons_there_are_now() -> None:
    market = replace(FORM, marketplace=True, marketplace_date=TODAY)
    for form in (FORM, market):
        assert reasons(form, CORRECTION) == ["FLOW-2 corrected"]
        assert judge(form, CORRECTION, POLICY).route.state == "review_pending"  # type: ignore[union-attr]
    assert reasons(FORM, replace(CORRECTION, won_early=True)) == ["AUTO-4 won_early"]


def test_reg_20_what_counts_for_a_correction() -> None:
    """REG-20: the windows count to the first filing, the future to today; closed periods aren't asked about again."""
    edge = replace(FORM, signed=TODAY - days(160), start=TODAY - days(190))
    assert codes(edge, CORRECTION) == []
    too_old = replace(edge, signed=edge.signed - days(1), start=edge.start - days(1))  # type: ignore[operator]
    assert codes(too_old, CORRECTION) == ["signed_too_old", "start_too_old"]
    assert codes(replace(FORM, signed=TODAY), CORRECTION) == []
    assert codes(replace(FORM, signed=TODAY + days(1)), CORRECTION) == ["signed_in_future"]
    closed = replace(POLICY, blackouts=(Blackout(TODAY, TODAY),))
    assert codes(FORM, FACTS, closed) == ["registration_closed_period"]
    assert codes(FORM, CORRECTION, closed) == []


# The window

SIGNED = date(2026, 3, 2)
KNOWN = SigningFacts(won=date(2026, 1, 1), signed=SIGNED)


@pytest.mark.parametrize(
    ("changes", "last_day", "exact"),
    [
        ({}, date(2026, 5, 1), True),
        ({"signed": None}, date(2026, 3, 2), False),
        ({"start": SIGNED - days(30)}, date(2026, 5, 1), True),
        ({"start": SIGNED - days(31)}, date(2026, 4, 30), True),
        ({"payg": True}, None, True),
        ({"waived_until": date(2026, 9, 9)}, date(2026, 9, 9), True),
        ({"waived_until": date(2026, 9, 9), "payg": True, "signed": None}, date(2026, 9, 9), True),
    ],
)
def test_flow_8_the_window_counts_from_the_signing(changes: dict, last_day: date | None, exact: bool) -> None:
    """EXC-12, REG-11: 60 days, or 90 from an earlier start; pay-as-you-go has none, an exception sets its own."""
    assert register_until(replace(KNOWN, **changes), POLICY) == Window(last_day, exact)


@pytest.mark.parametrize(
    ("periods", "last_day"),
    [
        ([((4, 20), (5, 1))], date(2026, 4, 19)),
        ([((5, 1), (5, 9))], date(2026, 4, 30)),
        ([((5, 2), (5, 9))], date(2026, 5, 1)),
        ([((4, 10), (4, 20)), ((4, 21), (5, 5))], date(2026, 4, 9)),
        ([((4, 25), (5, 5)), ((4, 10), (4, 30))], date(2026, 4, 9)),
        ([((4, 10), (4, 20)), ((4, 22), (5, 5))], date(2026, 4, 21)),
    ],
)
def test_flow_8_reg_13_a_window_ends_the_day_before_a_closed_period(periods: list, last_day: date) -> None:
    closed = tuple(Blackout(date(2026, *first), date(2026, *last)) for first, last in periods)
    assert register_until(KNOWN, replace(POLICY, blackouts=closed)).last_day == last_day


def test_reg_13_a_period_without_an_end_joins_what_follows() -> None:
    closed = (Blackout(date(2026, 1, 1), date.max), Blackout(date(2026, 5, 5), date(2026, 6, 6)))
    assert closed_periods(replace(POLICY, blackouts=closed)) == [closed[0]]


@given(
    signed=st.integers(0, 90).map(lambda n: TODAY - days(n)), start=st.integers(-20, 120).map(lambda n: TODAY - days(n))
)
def test_flow_8_the_windows_last_day_is_the_last_that_the_form_takes(signed: date, start: date) -> None:
    """REG-7, REG-8: on the last day it is taken, and on the day after it is refused."""
    form = replace(FORM, signed=signed, start=start, end=TODAY + days(300), tcv=usd(900_000))
    last = register_until(SigningFacts(won=TODAY, signed=signed, start=start), POLICY).last_day
    assert last is not None
    facts = replace(FACTS, created=TODAY - days(500), vendor_invited=None)
    late = {"signed_too_old", "start_too_old"}
    assert not late & set(codes(form, replace(facts, today=last)))
    assert late & set(codes(form, replace(facts, today=last + days(1))))


# What is kept


def test_elig_8_flow_7_the_criteria_are_kept_as_they_were() -> None:
    """ELIG-10: with their values and, where an exception stands in, by whom and when."""
    found = eligibility(replace(DEAL, customer_managed=False, exception=GRANTED), POLICY)
    assert criteria_from_json(criteria_to_json(found)) == found
    (excepted,) = [c for c in found.criteria if c.is_excepted]
    assert (excepted.code, excepted.message.params) == ("managed_customer", {"by": GRANTED.by, "at": GRANTED.at})


def test_elig_7_what_the_vendor_once_accepted_stays_accepted() -> None:
    """Also where its copy was lost or closed as an error afterwards; what it never accepted is not."""
    for substatus in ("Lost", "Error", "Won"):
        assert eligibility(replace(DEAL, vendor_substatus=substatus, vendor_accepted=True), POLICY).eligible
    assert not eligibility(replace(DEAL, vendor_substatus="Lost"), POLICY).eligible


def test_reg_15_what_is_asked_is_asked_once() -> None:
    """Judging what was judged changes nothing, so a submission and its dry run hold the same answers."""
    form = replace(FORM, term="perpetual", marketplace=False, marketplace_date=TODAY, payg_year_value=Decimal(1))
    asked = answers_asked(form, FACTS)
    assert answers_asked(asked, FACTS) == asked
    assert judge(asked, FACTS, Policy()) == judge(form, FACTS, Policy())
