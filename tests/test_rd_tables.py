"""The programme's own tables of deal registration (RD), row by row: the form's fields, eligibility, pay-as-you-go, and
what keeps a registration from being approved by itself. Each row is named by the rule that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from dealreg.models import Registration
from dealreg.rules import RegistrationFacts, RegistrationInput, judge, violations
from dealreg.rules.acv import add_years
from dealreg.rules.eligibility import eligibility
from tests.test_dealreg_rules import DEAL, FACTS, FORM, PAYG_FORM, POLICY, TODAY, days, usd

Changes = Mapping[str, Any]
SHARED = TODAY - days(30)
#: The vendor was let in thirty days ago, into a deal that was created before.
RECENT = replace(FACTS, created=TODAY - days(50), vendor_invited=SHARED)
PERPETUAL: Changes = {"term": "perpetual", "end": None, "tcv": usd("150000.06")}


def codes(changes: Changes, *, form: RegistrationInput = FORM, facts: RegistrationFacts = FACTS) -> list[str]:
    return [b.code for b in violations(replace(form, **changes), facts, POLICY)]


@dataclass(frozen=True)
class Field:
    """A row of the form's table: in which forms the field may not be left empty, what is taken, and what is refused."""

    rule: str
    name: str
    required: tuple[tuple[Changes, str], ...]
    optional: tuple[Changes, ...] = ()
    taken: tuple[Changes, ...] = ()
    refused: tuple[tuple[Changes, str], ...] = ()
    facts: RegistrationFacts = field(default=FACTS)


NO_CHANGE: Changes = {}
FIELDS = [
    Field(
        "REG-1",
        "marketplace",
        required=((NO_CHANGE, "marketplace_required"),),
        taken=({"marketplace": False}, {"marketplace": True, "marketplace_date": TODAY}),
    ),
    Field(
        "REG-1",
        "marketplace_date",
        required=(({"marketplace": True}, "marketplace_date_required"),),
        optional=({"marketplace": False},),
        taken=({"marketplace": True, "marketplace_date": TODAY + days(90)},),
    ),
    Field(
        "REG-2",
        "deployment",
        required=((NO_CHANGE, "deployment_required"),),
        taken=({"deployment": "azure"},),
        refused=(({"deployment": "other"}, "not_deployed_on_azure"),),
    ),
    Field(
        "REG-3",
        "term",
        required=((NO_CHANGE, "term_required"),),
        taken=({"term": "finite"}, PERPETUAL),
        refused=(({**PERPETUAL, "tcv": usd(150_000)}, "acv_not_above_minimum"),),
    ),
    Field(
        "REG-4",
        "tcv",
        required=((NO_CHANGE, "tcv_required"),),
        taken=({"tcv": usd("50000.02"), "solution_value": usd(1)},),
        refused=(({"tcv": usd(50_000), "solution_value": usd(1)}, "acv_not_above_minimum"),),
    ),
    Field(
        "REG-4",
        "solution_value",
        required=((NO_CHANGE, "solution_value_required"),),
        taken=({"solution_value": FORM.tcv}, {"solution_value": usd("0.01")}),
        refused=(({"solution_value": usd("120000.01")}, "solution_value_exceeds_tcv"),),
    ),
    Field(
        "REG-7",
        "signed",
        required=((NO_CHANGE, "signed_required"),),
        taken=({"signed": TODAY}, {"signed": TODAY - days(60)}),
        refused=(
            ({"signed": TODAY - days(61)}, "signed_too_old"),
            ({"signed": TODAY + days(1)}, "signed_in_future"),
        ),
    ),
    Field(
        "REG-7",
        "signed",
        required=(),
        taken=({"signed": SHARED},),
        refused=(({"signed": SHARED - days(1)}, "signed_before_referral"),),
        facts=RECENT,
    ),
    Field(
        "REG-8",
        "start",
        required=((NO_CHANGE, "start_required"),),
        taken=({"start": TODAY - days(90)}, {"signed": TODAY, "start": TODAY - days(1)}),
        refused=(({"start": TODAY - days(91)}, "start_too_old"),),
    ),
    Field(
        "REG-9",
        "end",
        required=(({"term": "finite"}, "end_date_required"),),
        optional=(PERPETUAL,),
        taken=({"end": FORM.start},),
        refused=(({"end": TODAY - days(6)}, "end_before_start"),),
    ),
    Field("REG-10", "tenant", required=((NO_CHANGE, "tenant_required"),), taken=({"tenant": "partner"},)),
    Field("REG-10", "pricing", required=((NO_CHANGE, "pricing_required"),), taken=({"pricing": "other"},)),
]


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: f"{row.rule} {row.name}")
def test_reg_1_to_reg_10_the_forms_table(row: Field) -> None:
    """REG-1, REG-2, REG-3, REG-4, REG-7, REG-8, REG-9, REG-10: required or not, and between which values."""
    for changes, code in row.required:
        assert codes({**changes, row.name: None}, facts=row.facts) == [code]
    for changes in row.optional:
        assert codes({**changes, row.name: None}, facts=row.facts) == []
    for changes in row.taken:
        assert codes(changes, facts=row.facts) == []
    for changes, code in row.refused:
        assert codes(changes, facts=row.facts) == [code]


def test_reg_1_to_reg_10_every_question_of_the_table_has_its_column() -> None:
    """And the form asks nothing that the table doesn't, but for what this programme decided or names elsewhere."""
    asked = set(RegistrationInput.__dataclass_fields__)
    elsewhere = {"solution", "renews", "payg_year_value", "contract_names_confirmed"}  # REG-21, 18, 6, 17
    assert {row.name for row in FIELDS} == asked - elsewhere
    assert all(Registration._meta.get_field(name) for name in asked)


@pytest.mark.parametrize("since", [date(2024, 2, 29), date(2026, 1, 1)])
def test_reg_5_a_perpetual_contract_is_spread_over_six_years(since: date) -> None:
    """Its end is assumed six years after its start: both ways come to the same annual value."""
    assumed = {"term": "finite", "start": since, "end": add_years(since, 6) - days(1)}
    tcv = usd(600_000)
    spread = judge(replace(FORM, term="perpetual", start=since, tcv=tcv), FACTS, POLICY)
    assert spread.acv == judge(replace(FORM, **assumed, tcv=tcv), FACTS, POLICY).acv == usd("100000.00")


#: Pay-as-you-go: what is taken, what is refused, and the day the vendor was let in.
FIRST = TODAY - days(300)
INVOICES: Changes = {"signed": FIRST, "start": FIRST, "end": TODAY}
PAYG = [
    ("REG-6 equal to the minimum", {"tcv": usd(25_000)}, [], FIRST),
    ("REG-6 below the minimum", {"tcv": usd("24999.99"), "solution_value": usd(1)}, ["acv_not_above_minimum"], FIRST),
    ("REG-7 shared on the first invoice's day", {}, [], FIRST),
    ("REG-7 shared after the first invoice", {}, ["signed_before_referral"], FIRST + days(1)),
    ("REG-11 starts with the first invoice", {"start": FIRST + days(1)}, ["payg_dates_differ"], FIRST),
    ("REG-11 ends with the latest invoice", {"end": TODAY + days(1)}, ["payg_end_in_future"], FIRST),
    ("REG-11 never perpetual", {"term": "perpetual", "tcv": usd(300_000)}, ["payg_perpetual"], FIRST),
    ("REG-11 a year after sharing", {}, [], add_years(FIRST, -1)),
    ("REG-11 more than a year after sharing", {}, ["payg_signed_too_late"], add_years(FIRST, -1) - days(1)),
]


@pytest.mark.parametrize(("changes", "expected", "shared"), [row[1:] for row in PAYG], ids=[row[0] for row in PAYG])
def test_reg_11_the_pay_as_you_go_rows(changes: Changes, expected: list[str], shared: date) -> None:
    facts = replace(FACTS, created=shared, vendor_invited=shared)
    assert codes({**INVOICES, **changes}, form=PAYG_FORM, facts=facts) == expected


#: The criteria of eligibility: what meets each, and what doesn't.
ELIGIBILITY: list[tuple[str, list[Changes], list[Changes]]] = [
    ("ELIG-1", [{"deal_type": "co_sell"}], [{"deal_type": "solution_assessment"}]),
    ("ELIG-2", [{"deal_type": "co_sell"}, {"deal_type": "partner_led"}], [{"deal_type": "private"}]),
    ("ELIG-3", [{"value_usd": Decimal(25_000)}], [{"value_usd": Decimal("24999.99")}]),
    ("ELIG-4", [{"customer_managed": True}], [{"customer_managed": False}]),
    ("ELIG-5", [{"azure_ip_solutions": ("Atlas", "Beacon")}], [{"azure_ip_solutions": ()}]),
    ("ELIG-6", [{"substatus": "Won"}], [{"substatus": s} for s in ("Accepted", "Received", "Lost", "Error")]),
    (
        "ELIG-7",
        [
            {"vendor_substatus": "Accepted"},
            {"vendor_substatus": "Won"},
            {"vendor_substatus": "Lost", "vendor_accepted": True},
            {"deal_type": "partner_led", "vendor_substatus": None},
        ],
        [{"vendor_substatus": s} for s in ("Received", "Declined", "Expired", None)],
    ),
]


@pytest.mark.parametrize(("rule", "meets", "fails"), ELIGIBILITY, ids=[row[0] for row in ELIGIBILITY])
def test_elig_1_to_elig_7_the_criteria(rule: str, meets: list[Changes], fails: list[Changes]) -> None:
    for changes, state in [*((c, True) for c in meets), *((c, False) for c in fails)]:
        (found,) = [c for c in eligibility(replace(DEAL, **changes), POLICY).criteria if c.rule == rule]
        assert (found.state == "met") is state, changes
    assert eligibility(DEAL, POLICY).eligible


#: What keeps a registration from being approved by itself, and what just doesn't.
EXCLUSIONS: list[tuple[str, Changes, Changes, bool]] = [
    ("AUTO-1", {"tcv": usd("2000000.02")}, {}, True),
    ("AUTO-1", {"tcv": usd(2_000_000)}, {}, False),
    ("AUTO-2", {}, {"partner_count": 2, "known_partners": 2}, True),
    ("AUTO-2", {}, {"partner_count": 1}, False),
    ("AUTO-3", vars(PAYG_FORM), {}, True),
    ("AUTO-3", {"pricing": "other"}, {}, False),
    ("AUTO-4", {}, {"won_early": True}, True),
    ("AUTO-4", {}, {"won_early": False}, False),
]


@pytest.mark.parametrize(("rule", "form", "facts", "excluded"), EXCLUSIONS)
def test_auto_1_to_auto_4_what_is_not_approved_by_itself(
    rule: str, form: Changes, facts: Changes, excluded: bool
) -> None:
    """AUTO-1, AUTO-2, AUTO-3, AUTO-4: one of them alone leads to review, and without any it is approved."""
    route = judge(replace(FORM, **form), replace(FACTS, **facts), POLICY).route
    assert route is not None
    expected = ("review_pending", [rule]) if excluded else ("approved", [])
    assert (route.state, [reason.rule for reason in route.reasons]) == expected


def test_rd_every_row_is_named_by_a_rule() -> None:
    """REG-1 to REG-11, ELIG-1 to ELIG-7, AUTO-1 to AUTO-4."""
    named = {row.rule for row in FIELDS} | {name.split()[0] for name, *_rest in PAYG}
    assert named == {f"REG-{n}" for n in (1, 2, 3, 4, 6, 7, 8, 9, 10, 11)}
    assert [rule for rule, *_rest in ELIGIBILITY] == [f"ELIG-{n}" for n in range(1, 8)]
    assert {rule for rule, *_rest in EXCLUSIONS} == {f"AUTO-{n}" for n in range(1, 5)}
