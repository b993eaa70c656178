"""The machines: their exact topology, what guards it, and a random walk through them that asks for its history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models, transaction
from django_fsm import RETURN_VALUE, FSMField, can_proceed
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dealreg.models import Registration, Status
from dealreg.rules import states
from dealreg.services import registration as dealreg
from dealreg.services.replay import replay
from dealreg.verbs import MACHINE as REGISTRATION_MACHINE
from dealreg.verbs import Refusing
from exceptions_council.models import ExceptionRequest
from exceptions_council.verbs import MACHINE as EXCEPTION_MACHINE
from isvconnect.models import IsvDeal
from isvconnect.verbs import MACHINE as ISV_MACHINE
from licensing.models import Invitation, Relationship
from licensing.verbs import INVITATIONS, RELATIONSHIPS
from portal.accounts.rules import Actor
from portal.catalog.models import AssessmentType
from portal.demo.cast import Cast
from portal.events import services as events
from portal.events.models import Event
from portal.workflow.blockers import Money, RuleViolation
from referrals import rules, verbs
from referrals.models import Engagement, Referral, TeamMember
from referrals.models.sharing import Sharing
from referrals.verbs import MACHINE as REFERRAL_MACHINE
from tests import build, do

Moves = set[tuple[str, str, str]]

# Topology --------------------------------------------------------------------------------------------------------

#: REF-11. What leaves the state as it is: stages (REF-14, REF-15), planning a win (REF-18), sharing (REF-4), inviting
#: (REF-9), editing (REF-21).
REFERRAL_MOVES: Moves = {
    ("Received", "accept", "Accepted"),
    ("Received", "decline", "Declined"),
    ("Received", "expire", "Expired"),
    ("Received", "close_as_error", "Error"),
    ("Received", "set_references", "Received"),
    ("Accepted", "win", "Won"),
    ("Accepted", "lose", "Lost"),
    ("Accepted", "close_as_error", "Error"),
    ("Accepted", "set_stage", "Accepted"),
    ("Accepted", "schedule_win", "Accepted"),
    ("Accepted", "cancel_win", "Accepted"),
    ("Accepted", "end_win_plan", "Accepted"),
    ("Accepted", "share_with_vendor", "Accepted"),
    ("Accepted", "request_help", "Accepted"),
    ("Accepted", "invite_partner", "Accepted"),
    ("Accepted", "edit_details", "Accepted"),
    ("Accepted", "edit_team", "Accepted"),
    ("Accepted", "edit_solutions", "Accepted"),
    ("Accepted", "edit_contact", "Accepted"),
}

#: FLOW. Filing leaves the record registration_pending until it is routed (FLOW-1).
REGISTRATION_MOVES: Moves = {
    ("registration_pending", "submit", "registration_pending"),
    ("registration_pending", "route", "approved"),
    ("registration_pending", "route", "review_pending"),
    ("registration_pending", "route", "marketplace_pending"),
    ("registration_pending", "close_unregistered", "closed"),
    ("approved", "select_for_review", "review_pending"),
    ("review_pending", "pass_review", "review_passed"),
    ("review_pending", "fail_review", "review_failed"),
    ("review_pending", "require_action", "action_required"),
    ("action_required", "resubmit", "review_pending"),
    ("marketplace_pending", "match", "marketplace_passed"),
    ("marketplace_pending", "no_match", "marketplace_failed"),
    ("marketplace_pending", "require_action", "action_required"),
    ("approved", "close", "closed"),
    ("review_passed", "close", "closed"),
    ("review_failed", "close", "closed"),
    ("marketplace_passed", "close", "closed"),
    ("marketplace_failed", "close", "closed"),
    ("approved", "reopen", "action_required"),
    ("review_passed", "reopen", "action_required"),
    ("review_failed", "reopen", "action_required"),
    ("marketplace_passed", "reopen", "action_required"),
    ("marketplace_failed", "reopen", "action_required"),
    ("closed", "reopen", "action_required"),
    ("review_pending", "reopen", "action_required"),
    ("marketplace_pending", "reopen", "action_required"),
    ("action_required", "reopen", "action_required"),
    ("closed", "open_anew", "registration_pending"),
    *((state, "replace", "closed") for state in states.REGISTRATION_STATES),
    ("approved", "revalidate", "review_pending"),
    ("review_passed", "revalidate", "review_pending"),
    ("closed", "revalidate", "review_pending"),
    ("action_required", "withdraw", "closed"),
    ("action_required", "fail_unanswered", "review_failed"),
    ("action_required", "fail_unanswered", "closed"),
    ("review_passed", "retract", "review_pending"),
    ("review_failed", "retract", "review_pending"),
    ("review_failed", "retract", "action_required"),
    ("marketplace_passed", "retract", "marketplace_pending"),
    ("marketplace_failed", "retract", "marketplace_pending"),
    ("closed", "register_after_all", "registration_pending"),
}

#: EXC-6, EXC-11: a member's first vote or question takes a request in review; a quorum of one decides with it.
EXCEPTION_MOVES: Moves = {
    ("submitted", "vote", "in_review"),
    ("submitted", "vote", "approved"),
    ("submitted", "vote", "denied"),
    ("in_review", "vote", "in_review"),
    ("in_review", "vote", "approved"),
    ("in_review", "vote", "denied"),
    ("submitted", "ask_evidence", "evidence_requested"),
    ("in_review", "ask_evidence", "evidence_requested"),
    ("evidence_requested", "answer_evidence", "in_review"),
    ("evidence_requested", "evidence_unanswered", "in_review"),
    *(
        (state, verb, state)
        for state in ("submitted", "in_review", "evidence_requested")
        for verb in ("declare_conflict", "note_overdue", "note_too_few")
    ),
}

#: ISV-5. A contract of one year is completed with its first invoice.
ISV_MOVES: Moves = {
    ("submitted", "correct", "submitted"),
    ("submitted", "set_fees", "submitted"),
    ("submitted", "issue_invoices", "invoiced"),
    ("submitted", "issue_invoices", "completed"),
    ("invoiced", "issue_invoices", "invoiced"),
    ("invoiced", "issue_invoices", "completed"),
    *((state, "cancel", "cancelled") for state in ("submitted", "invoiced", "completed")),
}
#: LIC-1, LIC-7.
INVITATION_MOVES: Moves = {
    ("sent", "accept", "accepted"),
    ("sent", "refuse", "refused"),
    ("sent", "withdraw", "withdrawn"),
    ("sent", "expire", "expired"),
}
RELATIONSHIP_MOVES: Moves = {("consented", "revoke", "revoked")}

#: No move: what is noted asks no state of the deal (REF-23).
STATELESS = {"add_note", "add_private_note"}

MACHINES = [
    pytest.param(REFERRAL_MACHINE, Referral._meta.get_field("substatus"), REFERRAL_MOVES, set(), id="referral"),
    pytest.param(
        REGISTRATION_MACHINE, Registration._meta.get_field("status"), REGISTRATION_MOVES, set(), id="registration"
    ),
    pytest.param(EXCEPTION_MACHINE, ExceptionRequest._meta.get_field("status"), EXCEPTION_MOVES, set(), id="exception"),
    pytest.param(ISV_MACHINE, IsvDeal._meta.get_field("status"), ISV_MOVES, set(), id="isv deal"),
    pytest.param(INVITATIONS, Invitation._meta.get_field("state"), INVITATION_MOVES, set(), id="invitation"),
    pytest.param(RELATIONSHIPS, Relationship._meta.get_field("state"), RELATIONSHIP_MOVES, set(), id="relationship"),
]


def moves(field: FSMField) -> Moves:
    """(from, verb, to) as the decorators have it; a verb without a target leaves the state it found."""
    found = set()
    for t in field.get_all_transitions(field.model):
        if isinstance(t.target, RETURN_VALUE):
            found |= {(str(t.source), t.name, str(target)) for target in t.target.allowed_states}
        else:
            found.add((str(t.source), t.name, str(t.source if t.target is None else t.target)))
    return found


@pytest.mark.parametrize(("machine", "field", "expected", "unused"), MACHINES)
def test_exactly_these_moves_exist(machine: Any, field: FSMField, expected: Moves, unused: set[str]) -> None:
    """REF-11, FLOW-1 to FLOW-6: the decorators say what the programme says, and every move is some verb's."""
    assert moves(field) == expected
    assert {verb for _source, verb, _target in expected} == set(machine.by_name) - STATELESS | unused
    assert {state for source, _verb, target in expected for state in (source, target)} == set(dict(field.choices))


@pytest.mark.parametrize(("machine", "field", "expected", "unused"), MACHINES)
def test_the_decorators_hold_topology_only(machine: Any, field: FSMField, expected: Moves, unused: set[str]) -> None:
    """REF-11, FLOW: conditions, permissions and error states live in workflow.run, where they are all reported."""
    assert [t.name for t in field.get_all_transitions(field.model) if t.conditions or t.permission or t.on_error] == []


@pytest.mark.parametrize(("machine", "field", "expected", "unused"), MACHINES)
def test_a_state_is_never_assigned(machine: Any, field: FSMField, expected: Moves, unused: set[str]) -> None:
    """REF-11, FLOW: only a transition moves the state."""
    obj = field.model()
    before = getattr(obj, field.name)
    with pytest.raises(AttributeError):
        setattr(obj, field.name, field.choices[-1][0])
    assert getattr(obj, field.name) == before


def test_terminal_states_have_no_way_out() -> None:
    """REF-11, EXC-6, ISV-5, LIC-1: what is closed or decided stays so. FLOW: what happens to closed registrations."""
    assert {source for source, _verb, _target in REFERRAL_MOVES} == set(rules.SUBSTATUSES) - rules.TERMINAL
    assert {verb for source, verb, _target in REGISTRATION_MOVES if source == "closed"} == {
        "reopen",
        "revalidate",
        "register_after_all",
        "open_anew",
        "replace",
    }
    assert not {source for source, _verb, _target in EXCEPTION_MOVES} & {"approved", "denied"}
    assert not any(source == "cancelled" for source, _verb, _target in ISV_MOVES)
    assert {source for source, _verb, _target in INVITATION_MOVES} == {"sent"}
    assert {source for source, _verb, _target in RELATIONSHIP_MOVES} == {"consented"}


@pytest.mark.parametrize("state", sorted(states.REGISTRATION_STATES))
def test_reopening_and_revalidating_clear_the_end(state: str) -> None:
    """FLOW, reopen and revalidate: the record is open again; FLOW-6 knows only what passed, or may have."""
    closed = state == Status.CLOSED
    row = Registration(status=state, outcome="approved" if closed else "", close_due_at=build.NOW)
    reopens = state != Status.REGISTRATION_PENDING
    assert can_proceed(row.reopen) is reopens
    assert can_proceed(row.revalidate) is (state in {"approved", "review_passed", "closed"})
    if reopens:
        row.reopen()
        assert row.status == "action_required"


# What the database refuses ---------------------------------------------------------------------------------------


def refused(rows: models.QuerySet[Any], **values: Any) -> str:
    """The constraint that keeps these rows from being updated so."""
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        rows.update(**values)
    name: str = error.value.__cause__.diag.constraint_name  # type: ignore[union-attr]
    return name


def test_the_database_refuses_what_no_deal_can_be(cast: Cast) -> None:
    """REF-2, REF-3, REF-6, REF-7, REF-11, REF-13, REF-14: garbage does not even come in by a bulk update."""
    deal = build.deal(cast)
    rows, copies = Referral.objects.filter(pk=deal.pk), Referral.objects.filter(pk=build.vendor_copy(deal).pk)
    assert refused(rows, substatus="Wonderful") in {"referrals_referral_substatus", "referrals_referral_closed_at"}
    assert refused(rows, substatus="Won") == "referrals_referral_closed_at"
    assert refused(rows, closed_at=build.NOW) == "referrals_referral_closed_at"
    assert refused(copies, expires_at=None) == "referrals_referral_received_expires"
    assert refused(rows, stage=50) == "referrals_referral_stage"
    assert refused(rows, value=Decimal(0)) == "referrals_referral_value_positive"
    engagement = Engagement.objects.filter(pk=deal.engagement_id)
    assert refused(engagement, help_code="Money") == "referrals_engagement_help_code"
    assert refused(engagement, vendor_may_view=False) == "referrals_engagement_help_implies_view"
    assert (
        refused(TeamMember.objects.filter(referral=deal), email="User@Contoso.example") == "referrals_team_email_lower"
    )


def test_the_database_refuses_what_no_registration_can_be(cast: Cast) -> None:
    """FLOW, REG-4: a known state, an outcome exactly when closed, filed before it is judged, values above zero."""
    rows = Registration.objects.filter(referral=build.won(cast))
    assert refused(rows, status="lost") == "dealreg_registration_status"
    assert refused(rows, status="closed") == "dealreg_registration_outcome"
    assert refused(rows, status="closed", outcome="mystery", closed_at=build.NOW) == "dealreg_registration_outcome"
    assert refused(rows, outcome="approved") == "dealreg_registration_outcome"
    assert refused(rows, status="approved") == "dealreg_registration_submitted"
    assert refused(rows, tcv=Decimal(0)) == "dealreg_registration_values_positive"
    assert refused(rows, solution_value=Decimal(-1)) == "dealreg_registration_values_positive"


# A random walk ---------------------------------------------------------------------------------------------------


State = dict[tuple[str, int], dict[str, Any]]
Verb = Callable[..., Any]
T = TypeVar("T")
WHO = {"Contoso Yazılım": build.CONTOSO, "Fabrikam GmbH": "referrals@fabrikam.example"}
BIRTHS = {"referral.created", "referral.received", "registration.opened"}
#: Notes given with a verb belong to the engagement: an event of their own, and no column of a copy (REF-23).
NOTED = "referral.note_added"
#: How a deal is shared, which all its open copies hold (REF-11).
SHARING = {field.attname for field in Sharing._meta.local_fields}


class Walk:
    """One deal, everybody's copies and their registrations, moved by random verbs of the services."""

    def __init__(self, cast: Cast, data: st.DataObject) -> None:
        self.cast, self.data = cast, data
        self.now: datetime = build.NOW
        self.deal = self.start()
        self.rows, self.state = self.look()
        self.at_birth = dict(self.state)
        self.told = self.began = self.events()[-1].pk
        self.notes = self.deal.engagement.notes.count()

    def start(self) -> Referral:
        """A new deal of any type; or one further on, so that short walks get to every verb."""
        changes = {
            "co_sell": {},
            "partner_led": {"help_code": rules.NO_HELP},
            "private": {"help_code": rules.NO_HELP, "vendor_may_view": False},
            "assessment": {"solutions": [], "assessment": self.assessment(), "assessment_location": "Ankara"},
        }
        start = self.draw([*changes, "won", "in_review", "sent_back", "grown"], "start")
        if start in changes:
            return build.deal(self.cast, at=self.now, **changes[start])
        if start == "won":
            return build.won(self.cast)
        if start == "grown":
            return self.grown().referral
        pending = build.in_review(self.cast)
        if start == "sent_back":
            self.decide(pending, "require_action")
        return pending.referral

    def grown(self) -> Registration:
        """A pay-as-you-go registration that passed, and is revalidated."""
        small = Money(Decimal(40_000), "EUR")
        payg = {"tcv": small, "pricing": "payg", "end": (build.NOW - build.DAY).date()}
        filed = build.submitted(self.cast, build.won(self.cast), routed=True, **payg)
        passed = self.decide(filed, "pass_review")
        tcv = Decimal(2_000_000)
        end, actor = build.NOW.date(), self.cast.actor(build.CONTOSO)
        return do.revalidate(passed, actor=actor, now=self.now, tcv=tcv, solution_value=tcv, end=end)

    def decide(self, registration: Registration, verb: str) -> Registration:
        given = {"reason_code": "other", "comment": "Read this.", "validated_by": "figures"}
        return dealreg.decide(registration, verb, actor=self.cast.actor(build.REVIEWER), now=self.now, **given)

    @staticmethod
    def assessment() -> AssessmentType | None:
        return AssessmentType.objects.first()

    def draw(self, choices: Sequence[T], label: str) -> T:
        return self.data.draw(st.sampled_from(choices), label)

    def look(self) -> tuple[list[Any], State]:
        """The records as they are in the database, and their columns."""
        copies = Referral.objects.filter(engagement=self.deal.engagement).select_related("company").order_by("pk")
        filed = Registration.objects.filter(referral__in=copies).select_related("referral__company").order_by("pk")
        rows = [*copies, *filed]
        return rows, {key(row): columns_of(events.snapshot(row), row) for row in rows}

    def events(self, after: int = 0) -> list[Event]:
        return list(Event.objects.filter(group=self.deal.event_group, pk__gt=after).order_by("pk"))

    def actor_of(self, row: Any) -> Actor:
        company = row.company if isinstance(row, Referral) else row.referral.company
        return self.cast.actor(build.SELLER if company.is_vendor else WHO[company.name])

    def step(self) -> None:
        """Do one verb that the machine allows in this state, or now and then try one that it doesn't."""
        self.now += timedelta(hours=self.data.draw(st.integers(1, 60), "hours later"))
        verbs = [(row, verb) for row in self.rows for verb in VERBS[type(row)]]
        allowed = self.draw([True, True, True, False], "allowed")
        verbs = [(row, verb) for row, verb in verbs if can_proceed(getattr(row, verb)) is allowed]
        if verbs:
            row, verb = self.draw(verbs, "verb")
            refusal = self.tried(row, verb)
            assert allowed or refusal in (["wrong_state"], ["denied"])
            assert refusal != ["denied_to_partner"]
            before, (self.rows, self.state) = self.state, self.look()
            self.check(row, verb if refusal is None else None, before)

    def tried(self, row: Any, verb: str) -> list[str] | None:
        """Do the verb; None, or the codes of what refused it."""
        try:
            VERBS[type(row)][verb](self, row)
        except RuleViolation as violation:
            return violation.codes
        except PermissionDenied:  # the vendor's sellers neither share nor invite
            return ["denied" if row.company.is_vendor else "denied_to_partner"]
        return None

    def check(self, row: Any, verb: str | None, before: State) -> None:
        """One event tells what changed, one more whatever was born. Refused, or edited to what it was: none of both."""
        told = self.events(after=self.told)
        born = {key: columns for key, columns in self.state.items() if key not in before}
        changed = {key: self.state[key] for key in before if before[key] != self.state[key]}
        if verb is None or (verb == "edit_details" and not told):
            assert (changed, born, told) == ({}, {}, [])
            return
        births = [e for e in told if e.verb in BIRTHS]
        assert [(e.subject_type, e.subject_id) for e in births] == list(born)
        (event,) = [e for e in told if e not in births and e.verb != NOTED]
        assert len(told) - len(births) - 1 == self.new_notes()
        machine = REFERRAL_MACHINE if isinstance(row, Referral) else REGISTRATION_MACHINE
        assert (event.verb, event.subject_type, event.subject_id) == (machine.by_name[verb].event, *key(row))
        was, became = columns_of(event.before, row), columns_of(event.after, row)
        assert was == {name: before[key(row)][name] for name in became}
        after = spread(before, key(row), became)
        assert changed == {k: columns for k, columns in after.items() if columns != before[k]}
        self.at_birth |= born
        self.told = told[-1].pk

    def new_notes(self) -> int:
        """How many notes were written since this was asked last."""
        before, self.notes = self.notes, self.deal.engagement.notes.count()
        return self.notes - before

    def replay(self) -> None:
        """The events alone lead from what was born to what there is."""
        state = {key: dict(columns) for key, columns in self.at_birth.items()}
        rows = {key(row): row for row in self.rows}
        for event in [e for e in self.events(after=self.began) if e.verb not in BIRTHS | {NOTED}]:
            subject = (event.subject_type, event.subject_id)
            was = columns_of(event.before, rows[subject])
            assert {name: state[subject][name] for name in was} == was
            state = spread(state, subject, columns_of(event.after, rows[subject]))
        assert state == self.state


def spread(state: State, subject: tuple[str, int], became: dict[str, Any]) -> State:
    """What one event leads to: how a deal is shared is the same for all open copies (REF-11)."""
    shared = {name: value for name, value in became.items() if name in SHARING}
    return {
        k: columns | (became if k == subject else shared if is_open(k, columns) else {}) for k, columns in state.items()
    }


def is_open(subject: tuple[str, int], columns: dict[str, Any]) -> bool:
    return subject[0] == Referral._meta.label_lower and columns["closed_at"] is None


def columns_of(values: dict[str, Any], row: models.Model) -> dict[str, Any]:
    """The row's own columns; an event tells more than those, such as the team (REF-21). Which write was the last is no
    event's: a copy is touched with its registration, and with the other copies."""
    own = {f.attname for f in row._meta.concrete_fields} - row.bookkeeping  # type: ignore[attr-defined]
    return {name: value for name, value in values.items() if name in own}


def key(row: models.Model) -> tuple[str, int]:
    return row._meta.label_lower, row.pk


def _accept(walk: Walk, row: Referral) -> None:
    do.accept(
        row,
        actor=walk.actor_of(row),
        now=walk.now,
        name="Accepted",
        value=Money(Decimal(walk.draw([0, 50_000, "0.5"], "value")), "GBP"),
        close_date=date(2027, 1, 1),
        crm_id="CRM-1",
        notes=walk.draw(["", "Gladly."], "notes"),
        team=[build.member("seller@vendor.example")],
    )


def _reason(service: Verb) -> Verb:
    def do(walk: Walk, row: Referral) -> None:
        code = walk.draw(["budget", "duplicate", "other"], "reason")
        service(row, actor=walk.actor_of(row), now=walk.now, reason_code=code, comment="So it is.")

    return do


def _plain(service: Verb) -> Verb:
    return lambda walk, row: service(row, actor=walk.actor_of(row), now=walk.now)


def _by_worker(service: Verb) -> Verb:
    return lambda walk, row: service(row, now=walk.now)


def _stage(walk: Walk, row: Referral) -> None:
    stage = walk.draw([10, 20, 40, 60, 80], "stage")
    do.set_stage(row, actor=walk.actor_of(row), now=walk.now, stage=stage)


def _help(walk: Walk, row: Referral) -> None:
    contact = build.deal_input(walk.cast).contact
    do.request_help(row, actor=walk.actor_of(row), now=walk.now, help_code=build.HELP, contact=contact)


def _invite(walk: Walk, row: Referral) -> None:
    invitation = verbs.Invitation(
        partner=walk.cast.companies[walk.draw(["fabrikam", "contoso"], "partner")],
        close_date=date(2027, 1, 1),
        value=Money(Decimal(30_000), "CHF"),
        help_code=build.HELP,
        team=[build.member()],
        solutions=[walk.cast.solutions["twin"]],
    )
    do.invite_partner(row, invitation, actor=walk.actor_of(row), now=walk.now)


def _edit(walk: Walk, row: Referral) -> None:
    wanted = walk.draw([{"value": Decimal(5), "currency": "CHF"}, {"name": "Better"}, {"name": ""}], "edits")
    do.edit_details(row, **wanted, actor=walk.actor_of(row), now=walk.now)


def _edit_team(walk: Walk, row: Referral) -> None:
    team = walk.draw([[], [build.member("new@contoso.example")]], "team")
    do.edit_team(row, team, actor=walk.actor_of(row), now=walk.now)


def _edit_solutions(walk: Walk, row: Referral) -> None:
    wanted = [walk.cast.solutions[walk.draw(["factory", "retail"], "solution")]]
    do.edit_solutions(row, wanted, actor=walk.actor_of(row), now=walk.now)


def _file(service: Verb) -> Verb:
    def do(walk: Walk, row: Registration) -> None:
        today = walk.now.date()
        drawn = walk.draw(FORMS, "form").copy()
        end = today if drawn.pop("one_day", False) else today + timedelta(days=364)
        form = build.form(signed=today, start=today, end=end, **drawn)
        if form.marketplace:
            form = replace(form, marketplace_date=today)
        service(row, form, actor=walk.actor_of(row), now=walk.now)

    return do


def _decide(verb: str) -> Verb:
    def do(walk: Walk, row: Registration) -> None:
        asked = REGISTRATION_MACHINE.by_name[verb]
        code = walk.draw([*(asked.reasons if isinstance(asked, Refusing) else ()), ""], "reason")
        who = walk.cast.actor("manager@vendor.example" if verb == "retract" else build.REVIEWER)
        valid = walk.draw(["poe", ""], "validated by") if verb == "pass_review" else ""
        given = {"reason_code": code, "comment": "Read this.", "validated_by": valid}
        dealreg.decide(row, verb, actor=who, now=walk.now, **given)

    return do


def _close(walk: Walk, row: Registration) -> None:
    """When it is due."""
    walk.now = max(walk.now, row.close_due_at or walk.now)
    do.close(row, now=walk.now)


def _fail_unanswered(walk: Walk, row: Registration) -> None:
    """In time, or, now and then, when the time to correct it is over."""
    if row.action_due_at and walk.draw([True, False], "wait"):
        walk.now = max(walk.now, row.action_due_at)
    do.fail_unanswered(row, now=walk.now)


def _revalidate(walk: Walk, row: Registration) -> None:
    tcv = walk.draw([Decimal(1_500_000), Decimal(2_500_000), Decimal(1)], "grown to")
    end = row.end or walk.now.date()
    do.revalidate(row, actor=walk.actor_of(row), now=walk.now, tcv=tcv, solution_value=tcv, end=end)


#: Approved, to review, to review and then to be revalidated, to the marketplace, refused.
FORMS: list[dict[str, Any]] = [
    {},
    {"tcv": Money(Decimal(2_000_000), "EUR")},
    {"pricing": "payg", "one_day": True},
    {"marketplace": True},
    {"deployment": "other"},
]

VERBS: dict[type[models.Model], dict[str, Verb]] = {
    Referral: {
        "accept": _accept,
        "decline": _reason(do.decline),
        "expire": _by_worker(do.expire),
        "win": _plain(do.win),
        "lose": _reason(do.lose),
        "close_as_error": _reason(do.close_as_error),
        "set_stage": _stage,
        "schedule_win": _plain(do.schedule_win),
        "cancel_win": _plain(do.cancel_win),
        "end_win_plan": _by_worker(do.end_win_plan),
        "share_with_vendor": _plain(do.share_with_vendor),
        "request_help": _help,
        "invite_partner": _invite,
        "edit_details": _edit,
        "edit_team": _edit_team,
        "edit_solutions": _edit_solutions,
        "edit_contact": _plain(do.edit_contact),
        "set_references": _plain(do.set_references),
    },
    Registration: {
        "submit": _file(do.submit),
        "resubmit": _file(do.resubmit),
        "route": _by_worker(do.route),
        "close_unregistered": _plain(do.close_unregistered),
        "close": _close,
        "withdraw": _plain(do.withdraw),
        "register_after_all": _plain(do.register_after_all),
        "fail_unanswered": _fail_unanswered,
        "revalidate": _revalidate,
        **{
            verb: _decide(verb)
            for verb in (
                "select_for_review",
                "pass_review",
                "fail_review",
                "require_action",
                "match",
                "no_match",
                "retract",
            )
        },
    },
}


def test_the_walk_knows_every_verb() -> None:
    """REF-11, FLOW: a verb added to a machine is walked too; the council's are in tests/test_exceptions_walk.py."""
    assert set(VERBS[Referral]) == set(REFERRAL_MACHINE.by_name) - STATELESS
    assert set(VERBS[Registration]) == set(REGISTRATION_MACHINE.by_name) - {"reopen", "open_anew", "replace"}


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes; a walk reads well as it is
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_history_is_what_happened(cast: Cast, data: st.DataObject) -> None:
    """REF-11, FLOW-7: whatever is done in whatever order, every change has exactly one event, a refusal leaves no
    trace, the events replayed give the rows, and every decision follows from what was kept."""
    walk = Walk(cast, data)
    for _step in range(data.draw(st.integers(5, 15), "steps")):
        walk.step()
    walk.replay()
    assert replay(Registration.objects.all())[1] == []
