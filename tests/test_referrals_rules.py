"""The referrals' pure rules (REF) by plain values, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Money
from referrals import rules
from referrals.rules import Contact, Member, NewDeal, creation_blockers

POLICY = Policy()
TODAY = date(2026, 6, 15)
CREATED = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)

ANN = Member("Ann", "Ay", "+90 212", "ann@contoso.example")
CONTACT = Contact("Deniz", "+90 532", "deniz@customer.example", consent=True)
DEAL = NewDeal(
    name="Plant",
    value=Money(Decimal(40_000), "EUR"),
    close_date=TODAY,
    help_code="ProofOfConceptOrDemo",
    vendor_may_view=True,
    contact=CONTACT,
    team=[ANN],
    solution_count=1,
)
ASSESSMENT = replace(DEAL, solution_count=0, has_assessment=True, assessment_location=True)


def crowd(count: int) -> list[Member]:
    return [replace(ANN, email=f"p{n}@contoso.example") for n in range(count)]


def found(deal: NewDeal, policy: Policy = POLICY) -> list[tuple[str, str, str]]:
    return [(b.code, b.rule, b.field) for b in creation_blockers(deal, today=TODAY, policy=policy)]


def codes(blockers: Any) -> list[str]:
    return [b.code for b in blockers]


# Deal types and help ---------------------------------------------------------------------------------------------


@given(st.sampled_from(sorted(rules.HELP)), st.booleans(), st.booleans())
def test_deal_type_follows_from_the_answers(help_code: str, view: bool, assessment: bool) -> None:
    """REF-1: an assessment is one; any help makes co-sell, whatever was said of viewing; else viewing decides."""
    asks = help_code != "Unknown"
    law = {(False, False): "private", (False, True): "partner_led"}.get((asks, view), "co_sell")
    found = rules.deal_type(help_code=help_code, vendor_may_view=view, assessment=assessment)
    assert found == ("solution_assessment" if assessment else law)


def test_there_are_four_deal_types_and_two_can_be_registered() -> None:
    """REF-1: partner to partner is no fifth type."""
    assert list(rules.DEAL_TYPES) == ["private", "partner_led", "co_sell", "solution_assessment"]
    assert sorted(rules.REGISTRABLE) == ["co_sell", "partner_led"]


def test_help_options() -> None:
    """REF-2: no help and six kinds of it, by their wire tokens, each with words of its own."""
    assert list(rules.HELP) == [
        "Unknown",
        "WorkloadSpecificValueProposition",
        "CustomerTechnicalArchitecture",
        "ProofOfConceptOrDemo",
        "QuotesOrLicensing",
        "PostSalesCustomerSuccess",
        "GeneralOrOther",
    ]
    assert len(set(rules.HELP.values())) == len(rules.HELP)


# Creating --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "deal",
    [
        DEAL,
        ASSESSMENT,
        replace(DEAL, help_code="Unknown", vendor_may_view=False, contact=Contact()),
        replace(DEAL, value=Money(Decimal("0.01"), "TRY"), team=crowd(50), solution_count=50, notes="x" * 10_000),
        replace(DEAL, value=Money(Decimal("9999999999999999.99"), "TRY")),
    ],
)
def test_a_good_deal_can_be_created(deal: NewDeal) -> None:
    """REF-5, REF-6, REF-7, REF-8: closing today, and at the very limits; no contact where no help is asked for."""
    assert found(deal) == []


WRONG = [
    ({"name": " \n"}, "name_required", "REF-6", "name"),
    ({"value": Money(Decimal(0), "EUR")}, "value_not_positive", "REF-6", "value"),
    ({"value": Money(Decimal("-0.01"), "EUR")}, "value_not_positive", "REF-6", "value"),
    ({"value": Money(Decimal(10) ** 16, "EUR")}, "value_too_large", "REF-6", "value"),
    ({"notes": "ş" * 10_001}, "notes_too_long", "REF-6", "notes"),
    ({"close_date": TODAY - timedelta(days=1)}, "close_date_past", "REF-6", "close_date"),
    ({"location_in_scope": False}, "foreign_location", "REF-6", "location"),
    ({"team": []}, "team_required", "REF-7", "team"),
    ({"team": crowd(51)}, "team_too_large", "REF-7", "team"),
    ({"team": [ANN, replace(ANN, email="ANN@Contoso.example")]}, "member_twice", "REF-7", "team"),
    *(
        (
            {"team": [ANN, replace(ANN, **{"email": "b@contoso.example", part: ""})]},
            "member_incomplete",
            "REF-7",
            "team",
        )
        for part in ("first_name", "last_name", "phone", "email")
    ),
    ({"solution_count": 0}, "solution_required", "REF-8", "solutions"),
    ({"solution_count": 51}, "too_many_solutions", "REF-8", "solutions"),
    ({"contact": Contact()}, "contact_required", "REF-5", "contact_name"),
    ({"contact": replace(CONTACT, consent=False)}, "consent_required", "REF-5", "contact_consent"),
    *(
        ({"contact": replace(CONTACT, **{part: ""})}, "contact_required", "REF-5", "contact_name")
        for part in ("name", "phone", "email")
    ),
    ({"help_code": "Money"}, "unknown_help", "REF-2", "help_code"),
]


@pytest.mark.parametrize(("changes", "code", "rule", "field"), WRONG)
def test_one_thing_wrong(changes: dict[str, Any], code: str, rule: str, field: str) -> None:
    """REF-2, REF-5, REF-6, REF-7, REF-8: each violation alone, at its field, with its rule."""
    expected = [(code, rule, field)]
    if changes.get("contact") == Contact():  # nobody named has agreed to anything either
        expected.append(("consent_required", "REF-5", "contact_consent"))
    assert found(replace(DEAL, **changes)) == expected


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"solution_count": 1}, "assessment_alone", "assessment"),
        ({"assessment_location": False}, "assessment_location_required", "assessment_location"),
    ],
)
def test_an_assessment_stands_alone_and_has_a_location(changes: dict[str, Any], code: str, field: str) -> None:
    """REF-8: exactly one solution assessment and nothing else, with its location."""
    assert found(replace(ASSESSMENT, **changes)) == [(code, "REF-8", field)]


def test_everything_wrong_is_told_at_once() -> None:
    """REF-5, REF-6, REF-7, REF-8: all violations together, in the order of the form."""
    deal = NewDeal(
        name="",
        value=Money(Decimal(0), "EUR"),
        close_date=TODAY - timedelta(days=1),
        help_code="nonsense",
        vendor_may_view=False,
        contact=Contact(),
        team=[replace(ANN, phone="")] * 51,
        solution_count=51,
        has_assessment=True,
        location_in_scope=False,
        notes="x" * 10_001,
    )
    assert [code for code, _rule, _field in found(deal)] == [
        "name_required",
        "value_not_positive",
        "notes_too_long",
        "close_date_past",
        "foreign_location",
        "team_too_large",
        "member_incomplete",
        "member_twice",
        "too_many_solutions",
        "assessment_alone",
        "assessment_location_required",
        "contact_required",
        "consent_required",
        "unknown_help",
    ]


def test_limits_are_the_policys() -> None:
    """REF-6, REF-7, REF-8: another policy, other limits, and the messages name them."""
    strict = Policy(max_team_members=1, max_solutions=2, max_note_length=3)
    deal = replace(DEAL, team=crowd(2), solution_count=3, notes="four")
    given = {b.code: b.params for b in creation_blockers(deal, today=TODAY, policy=strict)}
    assert given == {
        "notes_too_long": {"limit": 3, "length": 4},
        "team_too_large": {"limit": 1, "count": 2},
        "too_many_solutions": {"limit": 2, "count": 3},
    }


def maybe(good: Any, *others: Any) -> st.SearchStrategy[Any]:
    """A field of a form: right, or one of its wrong values."""
    return st.sampled_from([good, *others])


DEALS = st.builds(
    NewDeal,
    name=maybe("Plant", "", "  "),
    value=st.builds(Money, maybe(Decimal(1), Decimal(0), Decimal(10) ** 17), st.just("EUR")),
    close_date=st.dates(TODAY - timedelta(days=2), TODAY + timedelta(days=2)),
    help_code=maybe("GeneralOrOther", "Unknown", "?"),
    vendor_may_view=st.booleans(),
    contact=st.builds(Contact, maybe("D", ""), maybe("1", ""), maybe("d@x", ""), st.booleans()),
    team=st.lists(
        st.builds(Member, maybe("A", ""), maybe("B", ""), maybe("1", ""), maybe("a@x", "A@X", "")), max_size=3
    ),
    solution_count=maybe(1, 0, 50, 51),
    has_assessment=st.booleans(),
    assessment_location=st.booleans(),
    location_in_scope=st.booleans(),
    notes=maybe("", "x" * 10_001),
)


def law(deal: NewDeal) -> set[str]:
    """REF-2, REF-5 to REF-8 in one table."""
    emails = [m.email.lower() for m in deal.team if m.email]
    asks = deal.help_code != "Unknown"
    table = {
        "name_required": not deal.name.strip(),
        "value_not_positive": deal.value.amount <= 0,
        "value_too_large": deal.value.amount >= 10**16,
        "notes_too_long": len(deal.notes) > 10_000,
        "close_date_past": deal.close_date < TODAY,
        "foreign_location": not deal.location_in_scope,
        "team_required": not deal.team,
        "member_incomplete": not all(m.first_name and m.last_name and m.phone and m.email for m in deal.team),
        "member_twice": len(emails) != len(set(emails)),
        "solution_required": deal.solution_count == 0 and not deal.has_assessment,
        "too_many_solutions": deal.solution_count > 50,
        "assessment_alone": deal.solution_count > 0 and deal.has_assessment,
        "assessment_location_required": deal.has_assessment and not deal.assessment_location,
        "contact_required": asks and not (deal.contact.name and deal.contact.phone and deal.contact.email),
        "consent_required": asks and not deal.contact.consent,
        "unknown_help": deal.help_code not in rules.HELP,
    }
    return {code for code, broken in table.items() if broken}


@given(DEALS)
def test_any_deal_against_the_law(deal: NewDeal) -> None:
    """REF-2, REF-5, REF-6, REF-7, REF-8: exactly the broken rules, each once, in words that render."""
    blockers = list(creation_blockers(deal, today=TODAY, policy=POLICY))
    assert sorted(codes(blockers)) == sorted(law(deal))
    assert all(sentence(b) for b in blockers)


def sentence(blocker: Blocker) -> str:
    """The English text; fails on a place that no param fills."""
    text = blocker.message % {"vendor": "Microsoft", **blocker.params}
    assert text[0].isupper()
    assert text.endswith(".")
    return text


# Status ----------------------------------------------------------------------------------------------------------


def test_status_follows_from_substatus() -> None:
    """REF-11: New, Active, Closed, with the API's tokens."""
    assert {token: rules.status_of(token) for token in rules.SUBSTATUSES} == {
        "Received": "New",
        "Accepted": "Active",
        "Won": "Closed",
        "Lost": "Closed",
        "Declined": "Closed",
        "Expired": "Closed",
        "Error": "Closed",
    }


def test_what_is_terminal_and_who_is_gone() -> None:
    """REF-11: closed means terminal; FLOW-2 (AUTO-2): declined, expired and error copies take no part."""
    assert {token for token in rules.SUBSTATUSES if rules.status_of(token) == "Closed"} == rules.TERMINAL
    assert sorted(rules.GONE) == ["Declined", "Error", "Expired"]


def test_times_are_the_policys() -> None:
    """REF-13: 14 days to answer; REF-18: 72 hours."""
    assert POLICY.answer_within == timedelta(days=14)
    assert POLICY.safe_win_after == timedelta(hours=72)


# Stages ----------------------------------------------------------------------------------------------------------

ACTIVE = [10, 20, 40, 60, 80]


def test_stages_and_their_wire_names() -> None:
    """REF-10: born at 10 %; REF-14, REF-15: the same percentages, other names; REF-16: four have wire names."""
    assert rules.FIRST_STAGE == 10
    assert list(rules.STAGES) == list(rules.ASSESSMENT_STAGES) == [*ACTIVE, 100]
    assert rules.STAGES[20] == "Qualified"
    assert rules.ASSESSMENT_STAGES[20] == "Secure customer LOE"
    assert rules.stages_for(assessment=True) is rules.ASSESSMENT_STAGES
    assert rules.stages_for(assessment=False) is rules.STAGES
    assert rules.STAGE_NAMES == {"Qualify": 20, "Develop": 40, "Propose": 60, "Close": 80}


@given(st.integers(-10, 110) | st.sampled_from([*ACTIVE, 100]), st.sampled_from(ACTIVE))
def test_a_sales_stage_may_be_skipped_or_corrected(stage: int, current: int) -> None:
    """REF-14: to any other stage, forwards or back; 100 % is reached by winning alone."""
    expected = [] if stage in ACTIVE and stage != current else ["same_stage" if stage == current else "unknown_stage"]
    assert codes(rules.stage_blockers(stage, current=current, assessment=False)) == expected


@given(st.integers(-10, 110) | st.sampled_from([*ACTIVE, 100]), st.sampled_from(ACTIVE))
def test_an_assessments_stages_are_marked_in_order(stage: int, current: int) -> None:
    """REF-15: only the next one, or back; what is refused names the next."""
    blockers = list(rules.stage_blockers(stage, current=current, assessment=True))
    if stage not in ACTIVE or stage == current:
        assert codes(blockers) == ["same_stage" if stage == current else "unknown_stage"]
    elif stage < current or ACTIVE.index(stage) == ACTIVE.index(current) + 1:
        assert blockers == []
    else:
        (blocker,) = blockers
        following = ACTIVE[ACTIVE.index(current) + 1]
        assert (blocker.code, blocker.rule) == ("stage_out_of_order", "REF-15")
        assert blocker.params == {"next": rules.ASSESSMENT_STAGES[following]}


@pytest.mark.parametrize("stage", [*ACTIVE, 100])
def test_an_assessment_is_won_after_all_its_stages(stage: int) -> None:
    """REF-15: Won stays refused until all are marked; REF-14: a sale may be won from any stage."""
    assert codes(rules.win_blockers(stage=stage, assessment=True)) == (["stages_incomplete"] if stage < 80 else [])
    assert codes(rules.win_blockers(stage=stage, assessment=False)) == []


# Reasons ---------------------------------------------------------------------------------------------------------


def test_reason_codes() -> None:
    """REF-12, REF-17: the codes of declining and losing, and those of errors."""
    assert list(rules.CLOSE_REASONS) == [
        "budget",
        "no_response",
        "other_vendor",
        "requirement_not_met",
        "not_a_customer",
        "timeline",
        "spam",
        "other",
    ]
    assert list(rules.ERROR_REASONS) == [
        "duplicate_upload",
        "duplicate",
        "duplicate_from_vendor",
        "connector",
        "customer_match",
        "solution",
        "test",
        "data",
        "other",
    ]


@given(
    st.sampled_from(["", "nonsense", *rules.CLOSE_REASONS, *rules.ERROR_REASONS]),
    st.sampled_from(["", " \t", "Because."]),
    st.sampled_from([rules.CLOSE_REASONS, rules.ERROR_REASONS]),
    st.sampled_from(["REF-12", "REF-17"]),
)
def test_a_reason_of_the_list(code: str, note: str, reasons: dict[str, str], rule: str) -> None:
    """REF-12, REF-17: a code of the right list; *other* and *solution issue* in words of one's own."""
    expected: list[tuple[str, str]] = []
    if code not in reasons:
        expected = [("reason_required", "reason_code")]
    elif code in {"other", "solution"} and not note.strip():
        expected = [("reason_note_required", "comment")]
    blockers = list(rules.reason_blockers(code, note, reasons, rule=rule))
    assert [(b.code, b.field) for b in blockers] == expected
    assert all(b.rule == rule and sentence(b) for b in blockers)


# Winning early ---------------------------------------------------------------------------------------------------

TICK = timedelta(microseconds=1)
HOURS = st.integers(0, 200)


@pytest.mark.parametrize(
    ("after", "early"),
    [
        (timedelta(0), True),
        (timedelta(hours=72) - TICK, True),
        (timedelta(hours=72), False),
        (timedelta(hours=72) + TICK, False),
    ],
)
def test_exactly_72_hours_are_safe(after: timedelta, early: bool) -> None:
    """REF-18: less than 72 hours is early; at the very instant it is safe."""
    assert rules.is_early(created=CREATED, now=CREATED + after, policy=POLICY) is early
    assert rules.safe_win_at(CREATED, POLICY) == datetime(2026, 6, 4, 9, 30, tzinfo=UTC)


@given(st.timedeltas(timedelta(0), timedelta(days=9000)), st.timedeltas(timedelta(0), timedelta(days=9)), HOURS)
def test_early_is_before_the_safe_hour(age: timedelta, after: timedelta, hours: int) -> None:
    """REF-18: the hours are the policy's, and the named hour is the first that isn't early."""
    created, policy = CREATED + age, Policy(safe_win_hours=hours)
    safe = rules.safe_win_at(created, policy)
    assert rules.is_early(created=created, now=created + after, policy=policy) is (after < timedelta(hours=hours))
    assert not rules.is_early(created=created, now=safe, policy=policy)
    assert rules.is_early(created=created, now=safe - TICK, policy=policy)
