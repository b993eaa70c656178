"""Deal registration's pure rules: ELIG, REG, AUTO and FLOW-3 by plain values, without a database."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dealreg import rules
from dealreg.rules import RegistrationFacts, RegistrationInput, judge, states, violations
from dealreg.rules.acv import UsdRate, acv, add_years, contract_years, round_cents
from dealreg.rules.criteria import Criterion, EligibilityFacts, Granted
from dealreg.rules.eligibility import eligibility
from portal.policy.rules import Blackout, Policy
from portal.workflow.blockers import Blocker, Money

POLICY = Policy()
TODAY = date(2026, 6, 15)
CENT = Decimal("0.01")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def usd(amount: str | int | Decimal) -> Money:
    return Money(Decimal(amount), "USD")


def days(count: int) -> timedelta:
    return timedelta(days=count)


# Eligibility ---------------------------------------------------------------------------------------------------

DEAL = EligibilityFacts(
    deal_type="co_sell",
    value=usd(40_000),
    value_usd=Decimal(40_000),
    rate_month=date(2026, 6, 1),
    customer_managed=True,
    azure_ip_solutions=("Atlas",),
    substatus="Won",
    safe_win_at=NOON,
    vendor_substatus="Accepted",
    vendor_expires_at=NOON + days(14),
    won_at=NOON + days(5),
)


GRANTED = Granted("The council", NOON)


def criterion(rule: str, **changes: object) -> Criterion:
    (found,) = [c for c in eligibility(replace(DEAL, **changes), POLICY).criteria if c.rule == rule]
    return found


def test_eligible_deal() -> None:
    """ELIG-1 to ELIG-7 hold, in that order, each by its code."""
    result = eligibility(DEAL, POLICY)
    assert result.eligible
    assert result.unmet == ()
    assert [(c.rule, c.code, c.state) for c in result.criteria] == [
        ("ELIG-1", "not_assessment", "met"),
        ("ELIG-2", "deal_type", "met"),
        ("ELIG-3", "minimum_value", "met"),
        ("ELIG-4", "managed_customer", "met"),
        ("ELIG-5", "ip_solution", "met"),
        ("ELIG-6", "won", "met"),
        ("ELIG-7", "vendor_accepted", "met"),
    ]
    assert {(c.settled_by, c.settled_at) for c in result.criteria} == {("", None)}


#: What breaks exactly these criteria: rules, changes, state and who can settle it while open, after winning, and once
#: the deal is closed otherwise.
BROKEN = [
    (["ELIG-1", "ELIG-2"], {"deal_type": "solution_assessment"}, "notMet", ["nobody", "nobody", "nobody"]),
    (["ELIG-2"], {"deal_type": "private"}, "notMet", ["you", "nobody", "nobody"]),
    (["ELIG-3"], {"value_usd": Decimal("24999.99")}, "notMet", ["you", "nobody", "nobody"]),
    (["ELIG-3"], {"value_usd": None, "rate_month": None}, "notYet", ["time", "time", "time"]),
    (["ELIG-4"], {"customer_managed": False}, "notMet", ["nobody", "nobody", "nobody"]),
    (["ELIG-5"], {"azure_ip_solutions": ()}, "notMet", ["you", "nobody", "nobody"]),
    (["ELIG-7"], {"vendor_substatus": "Received"}, "notYet", ["vendor", "vendor", "vendor"]),
    (["ELIG-7"], {"vendor_substatus": None}, "notMet", ["you", "nobody", "nobody"]),
    (["ELIG-7"], {"vendor_substatus": "Declined"}, "notMet", ["nobody", "nobody", "nobody"]),
    (["ELIG-7"], {"vendor_substatus": "Expired"}, "notMet", ["nobody", "nobody", "nobody"]),
    (["ELIG-7"], {"vendor_substatus": "Lost"}, "notMet", ["nobody", "nobody", "nobody"]),
    (["ELIG-7"], {"vendor_substatus": "Error"}, "notMet", ["nobody", "nobody", "nobody"]),
]


@pytest.mark.parametrize(("phase", "substatus"), [(0, "Accepted"), (1, "Won"), (2, "Lost")])
@pytest.mark.parametrize(("broken", "changes", "state", "settled_by"), BROKEN)
def test_one_thing_missing(
    broken: list[str], changes: dict, state: str, settled_by: list[str], phase: int, substatus: str
) -> None:
    """ELIG-1, ELIG-2, ELIG-3, ELIG-4, ELIG-5, ELIG-7: each alone is told, with who can settle it."""
    facts = replace(DEAL, substatus=substatus, **changes)
    result = eligibility(facts, POLICY)
    assert not result.eligible
    unmet = [c for c in result.criteria if c.state != "met" and c.rule != "ELIG-6"]
    assert [c.rule for c in unmet] == broken
    assert {(c.state, c.settled_by) for c in unmet} == {(state, settled_by[phase])}
    assert [c.message for c in result.criteria if c.state != "met"] == list(result.unmet)


def test_private_deal_needs_no_vendor_acceptance() -> None:
    """ELIG-7 is about co-sell only; ELIG-2: partner-led fits as well."""
    assert criterion("ELIG-7", deal_type="partner_led", vendor_substatus="Declined").state == "met"
    assert criterion("ELIG-7", deal_type="private", vendor_substatus=None).state == "met"
    assert eligibility(replace(DEAL, deal_type="partner_led", vendor_substatus=None), POLICY).eligible


@pytest.mark.parametrize("vendor_substatus", ["Accepted", "Won"])
def test_vendor_accepted(vendor_substatus: str) -> None:
    """ELIG-7: accepted or won."""
    assert criterion("ELIG-7", vendor_substatus=vendor_substatus).state == "met"


@pytest.mark.parametrize("seller", ["", "Ada Lovelace"])
def test_vendor_not_answered(seller: str) -> None:
    """ELIG-7: not yet, until the vendor's copy expires; the seller is named where known."""
    waiting = criterion("ELIG-7", vendor_substatus="Received", vendor_seller=seller)
    assert waiting.settled_at == DEAL.vendor_expires_at
    assert waiting.message.params["until"] == DEAL.vendor_expires_at
    assert waiting.message.params.get("seller", "") == seller
    assert criterion("ELIG-7", vendor_substatus="Received", vendor_expires_at=None).settled_at is None


@pytest.mark.parametrize(
    ("value_usd", "state"), [("25000", "met"), ("25000.01", "met"), ("24999.99", "notMet"), ("24999.999", "met")]
)
def test_minimum_value_edge(value_usd: str, state: str) -> None:
    """ELIG-3: 25,000 itself is enough, compared in cents, as it is shown."""
    found = criterion("ELIG-3", value_usd=Decimal(value_usd))
    assert found.state == state
    assert found.needed.params["minimum"] == usd(25_000)
    if state == "notMet":
        assert found.message.params["usd"] == usd("24999.99")


def test_minimum_value_comes_from_policy() -> None:
    """ELIG-3: the number is the policy's."""
    result = eligibility(DEAL, replace(POLICY, minimum_deal_value_usd=Decimal(40_001)))
    assert [b.code for b in result.unmet] == ["minimum_value"]


def test_missing_rate() -> None:
    """ELIG-3 can't be judged without a rate (FX-2): not yet, by its own code."""
    found = criterion("ELIG-3", value=Money(Decimal(40_000), "TRY"), value_usd=None, rate_month=None)
    assert (found.state, found.code, found.message.code) == ("notYet", "minimum_value", "fx_rate_missing")
    assert found.message.params["currency"] == "TRY"


def test_foreign_value_shows_usd_and_month() -> None:
    """ELIG-3 shows the actual value, in USD, and the rate's month."""
    found = criterion("ELIG-3", value=Money(Decimal(40_000), "EUR"), value_usd=Decimal("43210.5"))
    assert found.actual.params == {
        "value": Money(Decimal(40_000), "EUR"),
        "usd": usd("43210.50"),
        "month": "2026-06",
    }
    unknown_month = criterion("ELIG-3", value=Money(Decimal(1), "EUR"), value_usd=Decimal(1), rate_month=None)
    assert "month" not in unknown_month.actual.params


@pytest.mark.parametrize(
    ("substatus", "state", "settled_by"),
    [
        ("Received", "notYet", "you"),
        ("Accepted", "notYet", "you"),
        ("Won", "met", ""),
        ("Lost", "notMet", "nobody"),
        ("Declined", "notMet", "nobody"),
        ("Expired", "notMet", "nobody"),
        ("Error", "notMet", "nobody"),
    ],
)
def test_won(substatus: str, state: str, settled_by: str) -> None:
    """ELIG-6: not yet while the deal is open, never once it is closed otherwise; names the safe hour (REF-18)."""
    found = criterion("ELIG-6", substatus=substatus, won_at=NOON if substatus == "Won" else None)
    assert (found.state, found.settled_by) == (state, settled_by)
    if state == "notYet":
        assert found.message.params["safe"] == DEAL.safe_win_at
        assert found.message.message.startswith("Accept") == (substatus == "Received")
    if state == "met":
        assert found.actual.params["won_at"] == NOON
    assert criterion("ELIG-6", won_at=None).state == "met"


@pytest.mark.parametrize(("broken", "changes", "_state", "_settled"), BROKEN)
def test_exception_replaces(broken: list[str], changes: dict, _state: str, _settled: list[str]) -> None:
    """ELIG-8: an approved exception replaces ELIG-2, 3, 4, 5 and 7, never ELIG-1 and 6."""
    result = eligibility(replace(DEAL, exception=GRANTED, **changes), POLICY)
    assert [b.code for b in result.unmet] == (["not_assessment"] if "ELIG-1" in broken else [])
    replaced = [c for c in result.criteria if c.message.rule == "ELIG-8"]
    assert [c.rule for c in replaced] == [rule for rule in broken if rule != "ELIG-1"]
    assert {(c.settled_by, c.settled_at) for c in replaced} == {("", None)}


@pytest.mark.parametrize("substatus", ["Accepted", "Lost"])
def test_exception_does_not_win_a_deal(substatus: str) -> None:
    """ELIG-8 leaves ELIG-6 alone, and says nothing of what is met anyway."""
    result = eligibility(replace(DEAL, exception=GRANTED, substatus=substatus), POLICY)
    assert [b.code for b in result.unmet] == ["won"]
    assert not [c for c in result.criteria if c.message.rule == "ELIG-8"]


@given(
    deal_type=st.sampled_from(["private", "partner_led", "co_sell", "solution_assessment"]),
    value_usd=st.none() | st.decimals(min_value=0, max_value=100_000, places=2),
    customer_managed=st.booleans(),
    names=st.lists(st.text(min_size=1), max_size=2),
    substatus=st.sampled_from(["Received", "Accepted", "Won", "Lost", "Declined", "Expired", "Error"]),
    vendor_substatus=st.sampled_from([None, "Received", "Accepted", "Won", "Lost", "Declined", "Expired", "Error"]),
    exception=st.booleans(),
)
def test_eligibility_in_one_line(
    deal_type: str,
    value_usd: Decimal | None,
    customer_managed: bool,
    names: list[str],
    substatus: str,
    vendor_substatus: str | None,
    exception: bool,
) -> None:
    """ELIG-1 to ELIG-8 together, against the law in one expression; every text renders."""
    facts = replace(
        DEAL,
        deal_type=deal_type,
        value_usd=value_usd,
        customer_managed=customer_managed,
        azure_ip_solutions=tuple(names),
        substatus=substatus,
        vendor_substatus=vendor_substatus,
        exception=GRANTED if exception else None,
    )
    result = eligibility(facts, POLICY)
    replaceable = (
        deal_type in ("co_sell", "partner_led")
        and value_usd is not None
        and value_usd >= 25_000
        and customer_managed
        and bool(names)
        and (deal_type != "co_sell" or vendor_substatus in ("Accepted", "Won"))
    )
    expected = deal_type != "solution_assessment" and substatus == "Won" and (replaceable or exception)
    assert result.eligible == expected
    for c in result.criteria:
        assert (c.state == "met") == (c.settled_by == "")
        for text in (c.needed, c.actual, c.message):
            assert text.code
            assert rendered(text)


# The annual contract value -------------------------------------------------------------------------------------

some_day = st.dates(min_value=date(1990, 1, 1), max_value=date(2090, 12, 31))
some_amount = st.decimals(min_value=CENT, max_value=10**12, places=2)


@given(tcv=some_amount, start=some_day, years=st.integers(1, 40))
def test_whole_years(tcv: Decimal, start: date, years: int) -> None:
    """REG-5: to the day before an anniversary it is TCV / n exactly, 29 February included."""
    end = add_years(start, years) - days(1)
    assert contract_years(start, end) == years
    assert acv(tcv, "finite", start, end, POLICY) == Fraction(tcv) / years


@given(start=some_day, years=st.integers(1, 40))
def test_one_day_off(start: date, years: int) -> None:
    """REG-5: a day more is one day's part of the year it lies in, a day less is less than n years."""
    last = add_years(start, years) - days(1)
    after = last + days(1)
    days_in_year = (date(after.year + 1, 1, 1) - date(after.year, 1, 1)).days
    assert contract_years(start, after) == years + Fraction(1, days_in_year)
    if last > start:
        assert years - Fraction(2, 365) < contract_years(start, last - days(1)) < years


@given(tcv=some_amount, start=some_day, length=st.integers(0, 6000), more=st.integers(1, 800))
def test_longer_is_never_more(tcv: Decimal, start: date, length: int, more: int) -> None:
    """REG-5: the years grow strictly with the term, so the ACV never grows; it is never above the TCV."""
    end = start + days(length)
    assert contract_years(start, end) < contract_years(start, end + days(more))
    shorter, longer = (acv(tcv, "finite", start, e, POLICY) for e in (end, end + days(more)))
    assert longer <= shorter <= Fraction(tcv)


@given(tcv=some_amount, start=some_day, length=st.integers(0, 364))
def test_no_uplift_under_a_year(tcv: Decimal, start: date, length: int) -> None:
    """REG-5: a term under one year counts as one year."""
    assert acv(tcv, "finite", start, start + days(length), POLICY) == Fraction(tcv)


@given(tcv=some_amount, start=st.none() | some_day, end=st.none() | some_day)
def test_perpetual(tcv: Decimal, start: date | None, end: date | None) -> None:
    """REG-5: perpetual is a sixth, whatever the dates; six is the policy's."""
    assert acv(tcv, "perpetual", start, end, POLICY) == Fraction(tcv) / 6
    assert acv(tcv, "perpetual", start, end, replace(POLICY, perpetual_years=5)) == Fraction(tcv) / 5


@pytest.mark.parametrize(
    ("start", "end", "years"),
    [
        (date(2024, 2, 29), date(2025, 2, 27), Fraction(1)),
        (date(2024, 2, 29), date(2028, 2, 28), Fraction(4)),
        (date(2096, 2, 29), date(2100, 2, 27), Fraction(4)),
        (date(2025, 1, 1), date(2026, 7, 2), 1 + Fraction(183, 365)),
        (date(2027, 1, 1), date(2028, 1, 31), 1 + Fraction(31, 366)),
        (date(2025, 7, 1), date(2026, 6, 30), Fraction(1)),
        (date(2022, 12, 1), date(2024, 1, 10), 1 + Fraction(31, 365) + Fraction(10, 366)),
        (date(2026, 5, 5), date(2026, 5, 5), Fraction(1, 365)),
        (date(9999, 1, 1), date.max, Fraction(364, 365)),
        (date(1, 1, 1), date(2000, 12, 31), Fraction(2000)),
    ],
)
def test_years_by_hand(start: date, end: date, years: Fraction) -> None:
    """REG-5: worked examples; each leftover day counts over the days of its own calendar year."""
    assert contract_years(start, end) == years


def test_impossible_terms() -> None:
    """REG-5, REG-9: without dates, or ending before the start, there is no annual value."""
    for start, end in [(None, TODAY), (TODAY, None), (TODAY, TODAY - days(1))]:
        with pytest.raises(ValueError, match=r"term|ends"):
            acv(Decimal(1), "finite", start, end, POLICY)


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [
        (Fraction(1, 200), "0.01"),
        (Fraction(49, 10_000), "0.00"),
        (Fraction(-1, 200), "-0.01"),
        (Fraction(2_499_999_999, 100_000), "25000.00"),
        (Fraction(10**40 + 1), f"{10**40 + 1}.00"),
    ],
)
def test_cents(amount: Fraction, rounded: str) -> None:
    """REG-5: half-up to cents, at the end, without losing digits."""
    assert str(round_cents(amount)) == rounded


@given(st.fractions())
def test_rounding_is_nearest(amount: Fraction) -> None:
    """REG-5."""
    assert abs(Fraction(round_cents(amount)) - amount) <= Fraction(1, 200)


# The form ------------------------------------------------------------------------------------------------------

FORM = RegistrationInput(
    marketplace=False,
    deployment="azure",
    term="finite",
    tcv=usd(120_000),
    solution_value=usd(100_000),
    signed=TODAY - days(10),
    start=TODAY - days(5),
    end=add_years(TODAY - days(5), 2) - days(1),
    tenant="customer",
    pricing="other",
    contract_names_confirmed=True,
)
PAYG_FORM = replace(
    FORM, pricing="payg", signed=TODAY - days(100), start=TODAY - days(100), end=TODAY, solution_value=usd(25_000)
)
EUR = UsdRate(Decimal("1.1"), date(2026, 6, 1))
FACTS = RegistrationFacts(
    today=TODAY,
    created=TODAY - days(200),
    vendor_invited=TODAY - days(190),
    eligibility=eligibility(DEAL, POLICY),
    rates={"EUR": EUR},
    solutions=(1,),
)


def codes(inp: RegistrationInput, facts: RegistrationFacts = FACTS, policy: Policy = POLICY) -> list[str]:
    return [b.code for b in violations(inp, facts, policy)]


def test_valid_forms() -> None:
    """REG-1 to REG-17: nothing to object to, so there is a route (REG-15)."""
    for form in (FORM, PAYG_FORM, replace(FORM, term="perpetual", end=None, tcv=usd("150000.03"))):
        judgement = judge(form, FACTS, POLICY)
        assert judgement.violations == ()
        assert judgement.route is not None


PERPETUAL = {"term": "perpetual", "end": None, "tcv": usd(300_000)}

#: From a valid form: what is changed, and the one violation it makes: code, rule, field.
ONE_VIOLATION = [
    ({"marketplace": None}, "marketplace_required", "REG-1", "marketplace"),
    ({"marketplace": True}, "marketplace_date_required", "REG-1", "marketplace_date"),
    ({"deployment": None}, "deployment_required", "REG-2", "deployment"),
    ({"deployment": ""}, "deployment_required", "REG-2", "deployment"),
    ({"deployment": "other"}, "not_deployed_on_azure", "REG-2", "deployment"),
    ({"term": None}, "term_required", "REG-3", "term"),
    ({"end": None}, "end_date_required", "REG-3", "end"),
    ({"tcv": None}, "tcv_required", "REG-4", "tcv"),
    ({"tcv": usd(0)}, "tcv_not_positive", "REG-4", "tcv"),
    ({"tcv": usd(-1)}, "tcv_not_positive", "REG-4", "tcv"),
    ({"solution_value": None}, "solution_value_required", "REG-4", "solution_value"),
    ({"solution_value": usd(0)}, "solution_value_not_positive", "REG-4", "solution_value"),
    ({"solution_value": usd("120000.01")}, "solution_value_exceeds_tcv", "REG-4", "solution_value"),
    (
        {"solution_value": Money(Decimal("109090.92"), "EUR")},
        "solution_value_exceeds_tcv",
        "REG-4",
        "solution_value",
    ),
    ({"solution_value": Money(Decimal(1), "TRY")}, "fx_rate_missing", "FX-2", "solution_value"),
    (
        {"tcv": Money(Decimal(9_000_000), "TRY"), "solution_value": Money(Decimal(1), "TRY")},
        "fx_rate_missing",
        "FX-2",
        "tcv",
    ),
    ({"tcv": Money(Decimal(9_000_000), "TRY")}, "fx_rate_missing", "FX-2", "tcv"),
    ({"tcv": usd(50_000), "solution_value": usd(1)}, "acv_not_above_minimum", "REG-6", "tcv"),
    ({**PERPETUAL, "tcv": usd(150_000)}, "acv_not_above_minimum", "REG-6", "tcv"),
    ({"signed": None}, "signed_required", "REG-7", "signed"),
    ({"signed": TODAY + days(1)}, "signed_in_future", "REG-7", "signed"),
    ({"signed": TODAY - days(61)}, "signed_too_old", "REG-7", "signed"),
    ({"start": None}, "start_required", "REG-8", "start"),
    ({"start": TODAY - days(91)}, "start_too_old", "REG-8", "start"),
    ({"end": FORM.start - days(1)}, "end_before_start", "REG-9", "end"),
    ({"tenant": None}, "tenant_required", "REG-10", "tenant"),
    ({"pricing": None}, "pricing_required", "REG-10", "pricing"),
    ({"contract_names_confirmed": False}, "contract_names_missing", "REG-17", "contract_names_confirmed"),
]


@pytest.mark.parametrize(("changes", "code", "rule", "field"), ONE_VIOLATION)
def test_one_violation(changes: dict, code: str, rule: str, field: str) -> None:
    """REG-1, REG-2, REG-3, REG-4, REG-6, REG-7, REG-8, REG-9, REG-10, REG-17: each alone, at its field; no route."""
    judgement = judge(replace(FORM, **changes), FACTS, POLICY)
    assert [(b.code, b.rule, b.field) for b in judgement.violations] == [(code, rule, field)]
    assert judgement.route is None
    assert rendered(judgement.violations[0])


PAYG_VIOLATION = [
    ({"term": "perpetual", "end": None, "tcv": usd(300_000)}, "payg_perpetual", "term"),
    ({"start": TODAY - days(99)}, "payg_dates_differ", "start"),
    ({"end": TODAY + days(1)}, "payg_end_in_future", "end"),
    ({"tcv": usd("24999.99"), "solution_value": usd(1)}, "acv_not_above_minimum", "tcv"),
]


@pytest.mark.parametrize(("changes", "code", "field"), PAYG_VIOLATION)
def test_one_payg_violation(changes: dict, code: str, field: str) -> None:
    """REG-11, and REG-6 for pay-as-you-go: each alone, at its field."""
    found = violations(replace(PAYG_FORM, **changes), FACTS, POLICY)
    assert [(b.code, b.field) for b in found] == [(code, field)]
    assert rendered(found[0])


def test_everything_at_once_in_the_forms_order() -> None:
    """REG-1 to REG-17: an empty form is told every open question, not only the first."""
    assert codes(RegistrationInput()) == [
        "marketplace_required",
        "deployment_required",
        "term_required",
        "tcv_required",
        "solution_value_required",
        "signed_required",
        "start_required",
        "tenant_required",
        "pricing_required",
        "contract_names_missing",
    ]
    wrong = replace(
        FORM,
        marketplace=True,
        deployment="other",
        solution_value=usd(200_000),
        signed=TODAY - days(300),
        start=TODAY - days(300),
        end=TODAY - days(400),
    )
    assert codes(wrong) == [
        "marketplace_date_required",
        "not_deployed_on_azure",
        "solution_value_exceeds_tcv",
        "signed_before_referral",
        "signed_too_old",
        "start_too_old",
        "end_before_start",
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"signed": TODAY}, []),
        ({"signed": TODAY - days(60)}, []),
        ({"signed": TODAY - days(61)}, ["signed_too_old"]),
        ({"start": TODAY - days(90)}, []),
        ({"start": TODAY - days(91)}, ["start_too_old"]),
        ({"start": TODAY + days(300)}, []),
        ({"start": FORM.signed - days(1)}, []),  # type: ignore[operator]
        ({"end": FORM.start}, []),
        ({"solution_value": usd(120_000)}, []),
        ({"solution_value": Money(Decimal("109090.90"), "EUR")}, []),
        ({"tcv": usd(110_000), "solution_value": Money(Decimal(100_000), "EUR")}, []),
        ({"tcv": usd("50000.01"), "solution_value": usd(1)}, []),  # 25,000.005, shown as 25,000.01
        ({"tcv": usd(50_000), "solution_value": usd(1)}, ["acv_not_above_minimum"]),
        ({"tcv": Money(Decimal("45454.55"), "EUR"), "solution_value": usd(1)}, ["acv_not_above_minimum"]),
        ({"tcv": Money(Decimal("45454.56"), "EUR"), "solution_value": usd(1)}, []),
        ({**PERPETUAL, "tcv": usd("150000.03")}, []),
        ({**PERPETUAL, "tcv": usd("150000.02")}, ["acv_not_above_minimum"]),
    ],
)
def test_edges(changes: dict, expected: list[str]) -> None:
    """REG-4, REG-6, REG-7, REG-8, REG-9: the last value that is allowed, and the first that isn't."""
    assert codes(replace(FORM, **changes)) == expected


def test_messages_name_the_limits() -> None:
    """REG-6, REG-7, REG-8: numbers, days and amounts come from the policy and are told."""
    policy = replace(POLICY, registration_window_days=5, start_window_days=3, minimum_acv_usd=Decimal(70_000))
    low, signed, start = violations(FORM, FACTS, policy)
    assert low.params == {"acv": usd("60000.00"), "minimum": usd(70_000)}
    assert signed.params == {"days": 5, "last_day": TODAY - days(5)}
    assert start.params == {"days": 3, "earliest": TODAY - days(3)}
    assert "pay-as-you-go" not in low.message
    (payg,) = violations(replace(PAYG_FORM, tcv=usd(60_000)), FACTS, policy)
    assert "pay-as-you-go" in payg.message


@pytest.mark.parametrize(
    ("created", "invited", "signed", "expected"),
    [
        (10, None, 10, []),
        (10, None, 11, ["signed_before_referral"]),
        (10, 5, 5, []),
        (10, 5, 6, ["signed_before_referral"]),
        (10, 20, 10, []),
        (10, 20, 11, ["signed_before_referral"]),
    ],
)
def test_signed_after_sharing(created: int, invited: int | None, signed: int, expected: list[str]) -> None:
    """REG-7: on or after the later of creation and invitation (days ago)."""
    facts = replace(
        FACTS,
        created=TODAY - days(created),
        vendor_invited=None if invited is None else TODAY - days(invited),
    )
    assert codes(replace(FORM, signed=TODAY - days(signed)), facts) == expected
    payg = replace(PAYG_FORM, signed=TODAY - days(signed), start=TODAY - days(signed))
    assert codes(payg, facts) == expected


def test_reg_6_amounts_are_compared_in_the_cents_that_are_shown() -> None:
    """REG-6: 24,999.998 is shown as 25,000.00 and so is it; 25,000.002 is no more than that."""
    payg = replace(PAYG_FORM, tcv=Money(Decimal("22727.27"), "EUR"), solution_value=usd(1), end=TODAY)
    rate = replace(FACTS, rates={"EUR": UsdRate(Decimal("1.10000012"), EUR.month)})
    assert judge(payg, rate, POLICY).acv_usd == Decimal("25000.00")
    assert codes(payg, rate) == []
    barely = replace(FORM, term="perpetual", end=None, tcv=usd("150000.01"), solution_value=usd(1))
    (refused,) = violations(barely, FACTS, POLICY)
    assert (refused.code, refused.params["acv"]) == ("acv_not_above_minimum", usd("25000.00"))
    assert codes(replace(barely, tcv=usd("150000.03"))) == []


def test_payg_edges() -> None:
    """REG-6: 25,000 itself is enough for pay-as-you-go; REG-11: the end may be today, REG-7's and REG-8's limits
    are for other contracts only."""
    assert codes(replace(PAYG_FORM, tcv=usd(25_000), end=TODAY)) == []
    other = replace(PAYG_FORM, tcv=usd(25_000), pricing="other")
    assert codes(other) == ["acv_not_above_minimum", "signed_too_old", "start_too_old"]
    undecided = replace(PAYG_FORM, tcv=usd(25_000), pricing=None)
    assert codes(undecided) == ["pricing_required"]


@pytest.mark.parametrize(
    ("created", "invited", "signed", "expected"),
    [
        (date(2025, 6, 10), None, date(2026, 6, 10), []),
        (date(2025, 6, 10), None, date(2026, 6, 11), ["payg_signed_too_late"]),
        (date(2025, 1, 1), date(2025, 6, 10), date(2026, 6, 10), []),
        (date(2025, 1, 1), date(2025, 6, 10), date(2026, 6, 11), ["payg_signed_too_late"]),
        (date(2024, 2, 29), None, date(2025, 2, 28), []),
        (date(2024, 2, 29), None, date(2025, 3, 1), ["payg_signed_too_late"]),
    ],
)
def test_payg_first_invoice_within_a_year(
    created: date, invited: date | None, signed: date, expected: list[str]
) -> None:
    """REG-11: at most one year after the later of creation and invitation, instead of REG-7's and REG-8's limits."""
    facts = replace(FACTS, created=created, vendor_invited=invited)
    assert codes(replace(PAYG_FORM, signed=signed, start=signed), facts) == expected


def test_exception_waives_four_rules() -> None:
    """REG-12: signed_too_old, signed_before_referral, start_too_old, payg_signed_too_late, and nothing else."""
    late = replace(FORM, signed=TODAY - days(300), start=TODAY - days(300))
    facts = replace(FACTS, exception_granted=True)
    assert codes(late) == ["signed_before_referral", "signed_too_old", "start_too_old"]
    assert codes(late, facts) == []
    old = replace(facts, created=TODAY - days(900), vendor_invited=None)
    assert codes(PAYG_FORM, replace(old, exception_granted=False)) == ["payg_signed_too_late"]
    assert codes(PAYG_FORM, old) == []
    for changes, code, _rule, _field in ONE_VIOLATION:
        if code not in rules.WAIVED:
            assert codes(replace(FORM, **changes), facts) == [code]
    for changes, code, _field in PAYG_VIOLATION:
        assert codes(replace(PAYG_FORM, **changes), facts) == [code]


@pytest.mark.parametrize(
    ("blackouts", "opens"),
    [
        ([(1, 5)], None),
        ([(-5, -1)], None),
        ([(0, 0)], 1),
        ([(-5, 0)], 1),
        ([(0, 13)], 14),
        ([(-1, 2), (3, 4), (6, 9)], 5),
        ([(-1, 2), (0, 7)], 8),
    ],
)
def test_closed_period(blackouts: list[tuple[int, int]], opens: int | None) -> None:
    """REG-13: both days of a period count; the message names the first day that is open again."""
    periods = tuple(Blackout(TODAY + days(first), TODAY + days(last)) for first, last in blackouts)
    found = violations(FORM, FACTS, replace(POLICY, blackouts=periods))
    assert [b.code for b in found] == ([] if opens is None else ["registration_closed_period"])
    if opens is not None:
        assert found[0].rule == "REG-13"
        assert found[0].params == {"opens": TODAY + days(opens)}


def test_closed_until_further_notice() -> None:
    """REG-13: a period without an end names no day."""
    (found,) = violations(FORM, FACTS, replace(POLICY, blackouts=(Blackout(TODAY, date.max),)))
    assert found.params == {}
    assert rendered(found)


def test_not_eligible_comes_first_and_the_rest_is_judged() -> None:
    """REG-14: the unmet criteria come with it; a dry run before winning still judges the form (REG-15)."""
    open_deal = eligibility(replace(DEAL, substatus="Accepted", customer_managed=False), POLICY)
    facts = replace(FACTS, eligibility=open_deal)
    first, second = violations(replace(FORM, tenant=None), facts, POLICY)
    assert (first.code, first.rule, first.field) == ("not_eligible", "REG-14", "")
    assert [b.code for b in first.details] == ["managed_customer", "won"]
    assert second.code == "tenant_required"
    judgement = judge(FORM, facts, POLICY)
    assert judgement.acv == usd("60000.00")
    assert judgement.route is None
    assert codes(FORM, replace(FACTS, eligibility=None)) == []


def test_wrong_state_stands_alone() -> None:
    """REG-14: in the wrong state nothing else is judged."""
    wrong = Blocker("wrong_state", "Too late.", "REG-14")
    facts = replace(FACTS, wrong_state=wrong, eligibility=eligibility(replace(DEAL, substatus="Lost"), POLICY))
    assert violations(RegistrationInput(), facts, POLICY) == (wrong,)
    assert judge(FORM, facts, POLICY).route is None


# Judgement and route -------------------------------------------------------------------------------------------


def test_judgement_values() -> None:
    """REG-5, REG-15: ACV in the contract's currency and in USD, the rates and their months."""
    judgement = judge(
        replace(FORM, tcv=Money(Decimal("100000.01"), "EUR"), solution_value=Money(Decimal(5), "EUR")), FACTS, POLICY
    )
    assert judgement.acv == Money(Decimal("50000.01"), "EUR")
    assert judgement.acv_usd == Decimal("55000.01")
    assert judgement.tcv_usd == Decimal("110000.01")
    assert judgement.solution_value_usd == Decimal("5.50")
    assert judgement.rate_month == EUR.month
    assert judgement.rates_used == {"EUR": EUR}
    assert judge(FORM, FACTS, POLICY).rates_used == {}
    assert judge(FORM, FACTS, POLICY).rate_month is None


def test_judgement_of_an_unfinished_form() -> None:
    """REG-15: what can be computed is given although there are violations, what can't is None."""
    only_value = RegistrationInput(term="perpetual", tcv=Money(Decimal(600), "TRY"), signed=TODAY)
    judgement = judge(only_value, FACTS, POLICY)
    assert judgement.acv == Money(Decimal("100.00"), "TRY")
    assert (judgement.acv_usd, judgement.tcv_usd, judgement.rates_used) == (None, None, {})
    assert judge(replace(FORM, end=FORM.start), FACTS, POLICY).acv == usd("120000.00")
    for changes in ({"tcv": None}, {"tcv": usd(0)}, {"term": None}, {"end": None}, {"end": FORM.start - days(1)}):
        assert judge(replace(FORM, **changes), FACTS, POLICY).acv is None


@pytest.mark.parametrize(
    ("signed", "left", "last_day"),
    [
        (TODAY, 60, TODAY + days(60)),
        (TODAY - days(60), 0, TODAY),
        (TODAY - days(63), -3, TODAY - days(3)),
        (TODAY + days(1), None, None),
        (date.max, None, None),
        (None, None, None),
    ],
)
def test_days_left(signed: date | None, left: int | None, last_day: date | None) -> None:
    """REG-7, REG-15: the days left of the window after signing; on day 0 it is still open."""
    judgement = judge(replace(FORM, signed=signed), FACTS, POLICY)
    assert (judgement.days_left, judgement.last_day) == (left, last_day)
    assert ("signed_too_old" in [b.code for b in judgement.violations]) == (left is not None and left < 0)


def test_no_window() -> None:
    """REG-11, REG-12: pay-as-you-go and a granted exception have no window to run out."""
    assert judge(PAYG_FORM, FACTS, POLICY).days_left is None
    assert judge(FORM, replace(FACTS, exception_granted=True), POLICY).last_day is None


def test_marketplace_note() -> None:
    """REG-1: the PRACR note comes with a marketplace sale only, and violates nothing."""
    judgement = judge(replace(FORM, marketplace=True, marketplace_date=TODAY), FACTS, POLICY)
    assert [(n.code, n.rule) for n in judgement.notes] == [("marketplace_pracr_only", "REG-1")]
    assert rendered(judgement.notes[0])
    assert judgement.violations == ()
    assert judge(FORM, FACTS, POLICY).notes == ()


MILLION = {"tcv": usd("2000000.01")}
ROUTES = [
    ({}, {}, "approved", []),
    ({"tcv": usd(2_000_000)}, {}, "approved", []),
    ({"tcv": usd("2000000.02")}, {}, "review_pending", ["AUTO-1"]),
    ({}, {"partner_count": 2, "known_partners": 2}, "review_pending", ["AUTO-2"]),
    ({}, {"won_early": True}, "review_pending", ["AUTO-4"]),
    (
        MILLION,
        {"partner_count": 3, "known_partners": 3, "won_early": True},
        "review_pending",
        ["AUTO-1", "AUTO-2", "AUTO-4"],
    ),
    ({"marketplace": True, "marketplace_date": TODAY}, {}, "marketplace_pending", ["FLOW-3"]),
    ({"marketplace": False, "marketplace_date": TODAY}, {}, "approved", []),
    ({"marketplace": True, "marketplace_date": TODAY}, {"won_early": True}, "review_pending", ["AUTO-4"]),
]


@pytest.mark.parametrize(("changes", "facts", "state", "reasons"), ROUTES)
def test_route(changes: dict, facts: dict, state: str, reasons: list[str]) -> None:
    """FLOW-2, FLOW-3, AUTO-1, AUTO-2, AUTO-4: where it goes and why; 1,000,000 itself is approved."""
    route = judge(replace(FORM, **changes), replace(FACTS, **facts), POLICY).route
    assert route is not None
    assert route.state == state
    assert [r.rule for r in route.reasons] == reasons
    assert all(rendered(r) for r in route.reasons)
    assert route.state in states.REGISTRATION_STATES


def test_payg_goes_to_review() -> None:
    """AUTO-3, FLOW-2: also when it is a marketplace sale."""
    for form in (PAYG_FORM, replace(PAYG_FORM, marketplace=True, marketplace_date=TODAY)):
        route = judge(form, FACTS, POLICY).route
        assert route is not None
        assert (route.state, [r.rule for r in route.reasons]) == ("review_pending", ["AUTO-3"])


@given(cents=st.integers(-10, 10))
def test_route_by_the_stored_value_is_the_same(cents: int) -> None:
    """AUTO-1, REG-15: the worker routes by the ACV kept in cents and finds what the dry run found."""
    exact = Fraction(1_000_000) + Fraction(cents, 500)
    found = judge(replace(FORM, tcv=Money(round_cents(2 * exact), "USD")), FACTS, POLICY)
    assert found.acv_usd is not None
    assert found.route == rules.route_for(found.claim, FACTS, found.acv_usd, POLICY)


# What holds of any form ----------------------------------------------------------------------------------------

near = st.integers(-500, 200).map(lambda n: TODAY + days(n))
money = st.builds(
    Money,
    st.decimals(min_value=-1000, max_value=3_000_000, places=2),
    st.sampled_from(["USD", "EUR", "TRY"]),
)
forms = st.builds(
    RegistrationInput,
    marketplace=st.sampled_from([None, True, False]),
    marketplace_date=st.none() | near,
    deployment=st.sampled_from([None, "azure", "other"]),
    term=st.sampled_from([None, "perpetual", "finite"]),
    tcv=st.none() | money,
    solution_value=st.none() | money,
    signed=st.none() | near,
    start=st.none() | near,
    end=st.none() | st.dates(min_value=TODAY - days(500)),
    tenant=st.sampled_from([None, "customer", "partner"]),
    pricing=st.sampled_from([None, "payg", "other"]),
    contract_names_confirmed=st.booleans(),
)


@given(form=forms, exception=st.booleans(), early=st.booleans())
def test_any_form(form: RegistrationInput, exception: bool, early: bool) -> None:
    """REG-15: never an error; a route exactly when nothing is violated; no code twice at a field; texts render."""
    facts = replace(FACTS, exception_granted=exception, won_early=early)
    judgement = judge(form, facts, POLICY)
    assert judgement.violations == violations(form, facts, POLICY)
    assert (judgement.route is None) == bool(judgement.violations)
    assert judgement.route in (None, judgement.expected)  # what was certain before stays so
    places = [(b.code, b.field) for b in judgement.violations]
    assert len(set(places)) == len(places)
    names = {f.name for f in fields(RegistrationInput)}
    for blocker in (*judgement.violations, *judgement.notes):
        assert blocker.field in names
        assert re.fullmatch(r"(REG|FX)-\d+", blocker.rule)
        assert rendered(blocker)


@given(form=forms, whole=forms, created=near)
def test_open_questions_accuse_nobody(form: RegistrationInput, whole: RegistrationInput, created: date) -> None:
    """REG-15: what is refused while a question is open stays refused however it is answered."""
    facts = replace(FACTS, created=created, vendor_invited=None)
    answers = {
        f.name: getattr(whole, f.name)
        for f in fields(form)
        if getattr(form, f.name) in (None, False) and f.name != "end"
    }
    answers.pop("marketplace", None)
    filled = replace(form, **answers)
    assume(form.term is not None or form.end is None)
    certain = {c for c in codes(form, facts) if not c.endswith(("_required", "_missing"))}
    assert certain <= set(codes(filled, facts))


# Words ---------------------------------------------------------------------------------------------------------


def rendered(blocker: Blocker) -> str:
    """The English text, as far as it can be had without Django; fails on a param that isn't given."""
    text = blocker.message % {"vendor": "Contoso", **blocker.params}
    assert "Microsoft" not in blocker.message
    assert not re.search(r"\d{2,}", blocker.message), "numbers are params"
    return text


def test_messages_are_sentences() -> None:
    """REG-1 to REG-17, AUTO-1 to AUTO-4: every message starts with a capital and ends with a full stop."""
    found = [b for changes, *_ in ONE_VIOLATION for b in violations(replace(FORM, **changes), FACTS, POLICY)]
    found += [b for changes, *_ in PAYG_VIOLATION for b in violations(replace(PAYG_FORM, **changes), FACTS, POLICY)]
    for changes, facts, _state, _reasons in ROUTES:
        found += judge(replace(FORM, **changes), replace(FACTS, **facts), POLICY).route.reasons  # type: ignore[union-attr]
    for _rules, changes, *_ in BROKEN:
        for substatus in ("Accepted", "Won", "Lost"):
            found += [c.message for c in eligibility(replace(DEAL, substatus=substatus, **changes), POLICY).criteria]
    for blocker in found:
        assert re.fullmatch(r"[A-Z].*\.", rendered(blocker), re.DOTALL), rendered(blocker)


def test_words_of_the_states() -> None:
    """FLOW-2, FLOW-3: ten states, each with a name and a wire token; reasons have a code and an open *other*."""
    assert list(states.REGISTRATION_STATES) == list(states.WIRE_TOKENS)
    assert len(states.REGISTRATION_STATES) == 10
    assert states.WIRE_TOKENS["marketplace_pending"] == "MarketplaceValidationPending"
    assert states.WIRE_TOKENS["registration_pending"] == "None"
    for reasons in (states.FAIL_REASONS, states.ACTION_REASONS):
        assert "other" in reasons
        assert all(text.endswith(".") for text in reasons.values())
