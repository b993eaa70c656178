"""RD's tables of exceptions row by row, and every rule of them on plain values (EXC-1 to EXC-8, EXC-15)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dealreg.rules.reopening import CORRECTED
from exceptions_council import rules
from exceptions_council.rules import letter, states
from exceptions_council.rules.evidence import answer_blockers, question_blockers
from exceptions_council.rules.form import CHANGEABLE, ExceptionInput, FormFacts, form_blockers
from exceptions_council.rules.kinds import DealFacts, RegistrationState, kind_blockers
from exceptions_council.rules.voting import Tally, VoterFacts, standing, tally, voter_blockers
from portal.policy.calendar import days_left, due_day, holidays_of, is_business_day
from portal.policy.rules import Policy
from portal.workflow.blockers import Money

POLICY = Policy()
TODAY = date(2026, 11, 18)
DAY = timedelta(days=1)


# Which kinds a deal may ask for (RD: two cases; EXC-1, EXC-2, EXC-5) -----------------------------------------------

WON = DealFacts("Won", assessment=False, today=TODAY)
NEW = RegistrationState("registration_pending", "registration_pending")
FILED = TODAY - 20 * DAY


def closed(result: str, **more: object) -> RegistrationState:
    given: dict[str, object] = {"first_submitted": FILED, "decided": FILED + 5 * DAY, **more}
    return RegistrationState("closed", result, **given)  # type: ignore[arg-type]


def in_state(status: str, **more: object) -> RegistrationState:
    return RegistrationState(status, status, first_submitted=FILED, **more)  # type: ignore[arg-type]


PRE, REJ, UPD, RE = states.KINDS
#: Facts, and what each kind says to them; an empty text where it may be asked for.
ENTRIES: list[tuple[str, DealFacts, str, str, str, str]] = [
    ("ineligible", WON, "", "exception_not_rejected", "exception_not_submitted", ""),
    ("pending, dates unknown", replace(WON, registration=NEW), "", "exception_not_rejected",
     "exception_not_submitted", ""),
    ("pending, dates too old", replace(WON, registration=NEW, refused_by_dates=True), "", "exception_not_rejected",
     "exception_not_submitted", ""),
    ("pending, nothing refused", replace(WON, registration=NEW, refused_by_dates=False), "exception_not_needed",
     "exception_not_rejected", "exception_not_submitted", ""),
    ("closed unregistered", replace(WON, registration=RegistrationState("closed", "not_registered")), "",
     "exception_not_rejected", "exception_not_submitted", ""),
    ("withdrawn", replace(WON, registration=closed("not_registered", decided=None)), "exception_submitted",
     "exception_not_rejected", "", "exception_submitted"),
    *[(state, replace(WON, registration=in_state(state)), "exception_submitted", "exception_not_rejected", "",
       "exception_submitted") for state in ("approved", "review_pending", "action_required", "review_passed",
                                            "marketplace_pending", "marketplace_passed")],
    *[(f"{state}, closed", replace(WON, registration=closed(state)), "exception_submitted", "exception_not_rejected",
       "", "exception_submitted") for state in ("approved", "review_passed", "marketplace_passed")],
    *[(f"{state}, not closed yet", replace(WON, registration=in_state(state, decided=FILED)), "exception_submitted",
       "exception_not_closed", "exception_failed", "exception_submitted")
      for state in ("review_failed", "marketplace_failed")],
    *[(f"{state}, closed", replace(WON, registration=closed(state)), "exception_submitted", "", "exception_failed",
       "exception_submitted") for state in ("review_failed", "marketplace_failed")],
    ("passed by DCF", replace(WON, registration=closed("review_passed", validated_by="dcf")), "exception_submitted",
     "exception_not_rejected", "exception_dcf", "exception_submitted"),
    ("replaced", replace(WON, registration=closed("replaced")), "exception_submitted", "exception_not_rejected",
     "exception_replaced", "exception_submitted"),
    ("replaced unfiled", replace(WON, registration=RegistrationState("closed", "replaced")), "exception_replaced",
     "exception_not_rejected", "exception_not_submitted", "exception_replaced"),
    *[(f"deal {state}", replace(WON, substatus=state), *["exception_not_won"] * 4) for state in ("Lost", "Error")],
    *[(f"deal {state}", replace(WON, substatus=state), *["exception_deal_open"] * 4)
      for state in ("Received", "Accepted", "Declined", "Expired")],
    ("assessment", replace(WON, assessment=True), *["exception_assessment"] * 4),
    ("asked before", replace(WON, asked=True), *["exception_asked_already"] * 4),
]  # fmt: skip


@pytest.mark.parametrize(("name", "facts", "pre", "rejected", "update", "again"), ENTRIES, ids=[e[0] for e in ENTRIES])
def test_exc_1_exc_2_exc_5_each_kind_has_its_entry(
    name: str, facts: DealFacts, pre: str, rejected: str, update: str, again: str
) -> None:
    """EXC-1, EXC-2, EXC-5: which kind may be asked for in which state, and the one reason why not."""
    found = {kind: [b.code for b in kind_blockers(kind, facts, POLICY)] for kind in states.KINDS}
    wanted = {PRE: pre, REJ: rejected, UPD: update, RE: again}
    assert found == {kind: [code] if code else [] for kind, code in wanted.items()}


@pytest.mark.parametrize(
    ("filed", "decided", "last"),
    [
        (0, 5, 60),  # 60 days from the first registration
        (0, 30, 60),  # or 30 from the rejection, the same day
        (0, 31, 61),  # or later, where the review was long
        (0, 200, 230),
    ],
)
def test_exc_2_a_rejection_may_be_asked_about_for_so_long(filed: int, decided: int, last: int) -> None:
    first = date(2026, 1, 1)
    failed = RegistrationState("closed", "review_failed", first + filed * DAY, first + decided * DAY)
    assert rules.last_day_to_ask(failed, POLICY) == first + last * DAY
    for day, codes in ((last, []), (last + 1, ["exception_too_late"])):
        facts = replace(WON, registration=failed, today=first + day * DAY)
        assert [b.code for b in kind_blockers(REJ, facts, POLICY)] == codes


def test_exc_2_an_update_has_no_time_limit() -> None:
    old = replace(WON, registration=closed("approved"), today=TODAY + 5_000 * DAY)
    assert list(kind_blockers(UPD, old, POLICY)) == []


# The form (EXC-2 to EXC-4) -----------------------------------------------------------------------------------------

FACTS = FormFacts(TODAY, current=rules.AskedValues("finite", Money(Decimal(50_000), "EUR"), TODAY, TODAY, TODAY + DAY))
GOOD = {
    PRE: ExceptionInput(PRE, "Why.", term="finite", signed=TODAY, start=TODAY, end=TODAY + 9 * DAY),
    REJ: ExceptionInput(REJ, "Why."),
    UPD: ExceptionInput(UPD, "Why.", signed=TODAY - DAY),
    RE: ExceptionInput(RE, "Why.", old_deal=uuid4()),
}


def codes(form: ExceptionInput, facts: FormFacts = FACTS) -> list[tuple[str, str]]:
    facts = replace(facts, old_deal="own") if form.old_deal and not facts.old_deal else facts
    return [(b.field, b.code) for b in form_blockers(form, facts, POLICY)]


@pytest.mark.parametrize("kind", states.KINDS)
def test_exc_2_what_each_kind_needs(kind: str) -> None:
    """EXC-2, EXC-3: the guidelines of RD, each required answer of each kind."""
    form = GOOD[kind]
    assert codes(form) == []
    assert codes(replace(form, justification="  ")) == [("justification", "justification_required")]
    needed = {PRE: ("signed", "start", "end"), UPD: (), REJ: (), RE: ()}[kind]
    for name in needed:
        code = "end_date_required" if name == "end" else f"{name}_required"
        assert codes(replace(form, **{name: None})) == [(name, code)]
    assert codes(replace(form, tooling_error=True)) == [("tickets", "tickets_required")]
    assert codes(replace(form, tooling_error=True, tickets="SR-1, SR-2")) == []


def test_exc_2_the_end_is_asked_for_unless_the_contract_is_perpetual() -> None:
    form = replace(GOOD[PRE], term="perpetual")
    assert codes(replace(form, end=None)) == []
    assert form.asked.end is None
    assert codes(replace(GOOD[PRE], term=None, end=None)) == [("end", "end_date_required")]


def test_exc_2_an_update_says_what_changes() -> None:
    same = replace(GOOD[UPD], signed=TODAY)
    assert codes(same) == [("kind", "nothing_to_change")]
    assert codes(replace(same, tcv=Money(Decimal(50_000), "USD"))) == []


def test_exc_13_a_re_registration_names_a_deal_of_the_company() -> None:
    """EXC-2, EXC-13, ORG-6: another company's is as unknown as none."""
    form = GOOD[RE]
    for old, code in (("", "old_deal_required"), ("same", "old_deal_same"), ("unknown", "old_deal_unknown")):
        found = form_blockers(form, replace(FACTS, old_deal=old), POLICY)  # type: ignore[arg-type]
        assert [(b.field, b.code) for b in found] == [("old_deal", code)]


def test_exc_3_the_justification_has_a_length() -> None:
    assert codes(replace(GOOD[REJ], justification="x" * 5_000)) == []
    assert codes(replace(GOOD[REJ], justification="x" * 5_001)) == [("justification", "justification_too_long")]
    assert codes(replace(GOOD[REJ], justification=" " + "ç" * 5_000 + "\n")) == []


def test_exc_2_no_exception_makes_dates_contradict_each_other() -> None:
    form = GOOD[PRE]
    assert codes(replace(form, signed=TODAY + DAY)) == [("signed", "signed_in_future")]
    assert codes(replace(form, end=TODAY - DAY)) == [("end", "end_before_start")]
    assert codes(replace(GOOD[UPD], end=TODAY - DAY)) == [("end", "end_before_start")]  # than the start there is
    assert codes(replace(form, tcv=Money(Decimal(0), "EUR"))) == [("tcv", "tcv_not_positive")]
    assert codes(replace(form, tcv=Money(Decimal(5), "euro"))) == [("tcv", "currency_unknown")]
    assert codes(replace(form, term="often")) == [("term", "term_unknown")]
    assert codes(replace(form, kind="wish")) == [("kind", "kind_required")]


#: RD: "the following fields of the registration can be updated through the exception process".
RD_CHANGEABLE = ("term", "tcv", "signed", "start", "end")
#: RD: "the following fields are not eligible and will be rejected", each with its mitigation, if there is one.
RD_REFUSED = [
    ("tenant", "can't be created again with another tenant type"),
    ("deployment", "no way around"),
    ("solution_value", "name the id of this deal"),
    ("marketplace_date", "name the id of this deal"),
    ("customer", "name the id of this deal"),
    ("marketplace", "name the id of this deal"),
    ("pricing", "name the id of this deal"),
]


def test_exc_4_the_fields_of_rds_first_table() -> None:
    assert CHANGEABLE == RD_CHANGEABLE == CORRECTED
    values = {
        "term": "perpetual", "tcv": Money(Decimal(60_000), "EUR"), "signed": TODAY - DAY,
        "start": TODAY - DAY, "end": TODAY + 5 * DAY,
    }  # fmt: skip
    for name in RD_CHANGEABLE:
        form = replace(GOOD[UPD], **{"signed": None, name: values[name]})
        assert codes(form) == [], name
        assert rules.changes(form.asked, FACTS.current or rules.AskedValues()) == (name,)


@pytest.mark.parametrize(("field", "mitigation"), RD_REFUSED)
def test_exc_4_the_fields_of_rds_second_table(field: str, mitigation: str) -> None:
    (found,) = form_blockers(replace(GOOD[UPD], other_fields=(field,)), FACTS, POLICY)
    assert (found.field, found.code, found.rule) == (field, "field_not_changeable", "EXC-4")
    assert mitigation in found.message


def test_exc_4_every_field_is_in_one_of_rds_tables() -> None:
    assert {name for name, _text in RD_REFUSED} == set(rules.MITIGATIONS) == set(rules.REFUSED_FIELDS)
    (found,) = rules.refused_fields(("payg_year_value", "tcv"))
    assert found.field == "payg_year_value"


# Business days (EXC-7, EXC-11) -------------------------------------------------------------------------------------


def test_exc_7_fourteen_business_days() -> None:
    """Weekends don't count, nor Thanksgiving, Christmas and New Year in the vendor's calendar."""
    assert due_day(date(2026, 11, 18), 14, POLICY) == date(2026, 12, 9)  # over Thanksgiving
    assert due_day(date(2026, 11, 18), 14, replace(POLICY, holiday_calendar="")) == date(2026, 12, 8)
    assert due_day(date(2026, 11, 18), 14, replace(POLICY, holiday_calendar="TR")) == date(2026, 12, 8)
    assert due_day(date(2026, 12, 24), 5, POLICY) == date(2027, 1, 4)  # over the turn of the year
    assert due_day(date(2026, 11, 21), 1, POLICY) == date(2026, 11, 23)  # asked on a Saturday
    assert holidays_of("", 2026, 2026) == frozenset()


@given(st.dates(date(2000, 1, 1), date(2060, 1, 1)), st.integers(1, 300))
def test_exc_7_counting_there_and_back(day: date, count: int) -> None:
    last = due_day(day, count, POLICY)
    assert is_business_day(last, holidays_of("US", last.year, last.year))
    assert days_left(day, last, POLICY) == count
    assert days_left(last, day, POLICY) == 0


# Evidence (EXC-11) --------------------------------------------------------------------------------------------------


def test_exc_11_a_question_has_a_text_and_a_day() -> None:
    latest = TODAY + 9 * DAY
    for text, due, wanted in [
        ("What?", None, []),
        ("What?", latest, []),
        ("What?", TODAY, ["evidence_day"]),
        ("What?", latest + DAY, ["evidence_day"]),
        (" ", None, ["evidence_required"]),
        ("x" * 5_001, None, ["text_too_long"]),
    ]:
        assert [b.code for b in question_blockers(text, due, TODAY, latest, POLICY)] == wanted
    assert [b.code for b in answer_blockers(" ", POLICY)] == ["answer_required"]
    assert list(answer_blockers("Here it is.", POLICY)) == []


# Voting (EXC-8, EXC-15) ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("votes", "quorum", "decision"),
    [
        ([], 2, None),
        (["approve"], 2, None),
        (["approve", "approve"], 2, "approved"),
        (["deny", "deny"], 2, "denied"),
        (["approve", "deny"], 2, None),  # a tie
        (["approve", "deny", "deny"], 2, "denied"),
        (["approve", "approve"], 3, None),
        (["deny"], 1, "denied"),
    ],
)
def test_exc_8_quorum_and_simple_majority(votes: list[str], quorum: int, decision: str | None) -> None:
    assert tally(votes, able=3, quorum=quorum).decision == decision


@given(st.integers(0, 9), st.integers(0, 9), st.integers(1, 9), st.integers(0, 20))
def test_exc_8_a_decision_has_quorum_and_majority(approve: int, deny: int, quorum: int, able: int) -> None:
    count = Tally(approve, deny, quorum, able)
    assert (count.decision is not None) == (approve + deny >= quorum and approve != deny)
    assert not (count.is_tie and count.decision)
    assert standing(count).message


@pytest.mark.parametrize(
    ("count", "says"),
    [
        (Tally(0, 0, 2, 3), "more are needed"),
        (Tally(1, 1, 2, 3), "another member's vote breaks it"),
        (Tally(1, 1, 2, 2), "all have voted"),
        (Tally(0, 0, 2, 1), "votes are needed"),
        (Tally(2, 1, 2, 3), "decides as soon as"),
    ],
)
def test_exc_8_what_settles_the_vote_is_said(count: Tally, says: str) -> None:
    assert says in standing(count).message


def test_exc_8_exc_15_who_keeps_out() -> None:
    for facts, wanted in [
        (VoterFacts(), []),
        (VoterFacts(is_member=False), ["not_of_council"]),
        (VoterFacts(own_company=True), ["own_companys_deal"]),
        (VoterFacts(decided=True), ["decided_registration"]),
        (VoterFacts(conflict=True), ["conflict_declared"]),
        (VoterFacts(own_company=True, conflict=True), ["own_companys_deal", "conflict_declared"]),
    ]:
        assert [b.code for b in voter_blockers(facts)] == wanted


# Letters ------------------------------------------------------------------------------------------------------------


def test_letters_fill_known_places_only() -> None:
    text = "{deal} for {customer}: {secret} {0} {{deal}}"
    assert letter.unknown_places(text) == ["0", "secret"]
    assert letter.fill("{deal} {secret}", {"deal": "A {customer}", "customer": "B"}) == "A {customer} {secret}"
    for template in letter.DEFAULTS.values():
        assert letter.unknown_places(template.subject + template.body) == []
