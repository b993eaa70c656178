"""The two machines: their exact topology, what guards it, and a random walk through them that asks for its history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, models, transaction
from django_fsm import RETURN_VALUE, FSMField, can_proceed
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dealreg import services as dealreg
from dealreg import states
from dealreg.machine import MACHINE as REGISTRATION_MACHINE
from dealreg.machine import REASONS
from dealreg.models import DECIDED, Registration, Status
from portal.accounts.rules import Actor
from portal.catalog.models import AssessmentType
from portal.events import services as events
from portal.events.models import Event
from portal.pages.demo.cast import Cast
from portal.workflow.blockers import Money, RuleViolation
from referrals import rules, services
from referrals.machine import MACHINE as REFERRAL_MACHINE
from referrals.models import Engagement, Referral, TeamMember
from tests import build

Moves = set[tuple[str, str, str]]

# Topology --------------------------------------------------------------------------------------------------------

#: REF-11; set_stage is REF-14 and REF-15, planning a win REF-18: they leave the state as it is.
REFERRAL_MOVES: Moves = {
    ("Received", "accept", "Accepted"),
    ("Received", "decline", "Declined"),
    ("Received", "expire", "Expired"),
    ("Received", "close_as_error", "Error"),
    ("Accepted", "win", "Won"),
    ("Accepted", "lose", "Lost"),
    ("Accepted", "close_as_error", "Error"),
    ("Accepted", "set_stage", "Accepted"),
    ("Accepted", "schedule_win", "Accepted"),
    ("Accepted", "cancel_win", "Accepted"),
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
    ("approved", "revalidate", "review_pending"),
    ("closed", "revalidate", "review_pending"),
}

MACHINES = [
    pytest.param(REFERRAL_MACHINE, Referral._meta.get_field("substatus"), REFERRAL_MOVES, set(), id="referral"),
    pytest.param(
        REGISTRATION_MACHINE,
        Registration._meta.get_field("status"),
        REGISTRATION_MOVES,
        {"reopen", "revalidate"},  # of the exception council and of FLOW-6: no verb offers them yet
        id="registration",
    ),
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
    assert {verb for _source, verb, _target in expected} == set(machine.by_name) | unused
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
    """REF-11: whatever is closed stays closed. FLOW: a registration leaves *closed* by the council or FLOW-6 only."""
    assert {source for source, _verb, _target in REFERRAL_MOVES} == set(rules.SUBSTATUSES) - rules.TERMINAL
    assert {verb for source, verb, _target in REGISTRATION_MOVES if source == "closed"} == {"reopen", "revalidate"}


@pytest.mark.parametrize("state", sorted(states.REGISTRATION_STATES))
def test_reopening_and_revalidating_clear_the_end(state: str) -> None:
    """FLOW, reopen and revalidate: the record is open again, and no sweep closes it; FLOW-6 has a source less."""
    closed = state == Status.CLOSED
    row = Registration(status=state, outcome="approved" if closed else "", close_due_at=build.NOW)
    reopens = state in DECIDED or closed
    assert can_proceed(row.reopen) is reopens
    assert can_proceed(row.revalidate) is (state in {"approved", "closed"})
    if reopens:
        row.closed_at = build.NOW if closed else None
        row.reopen(now=build.NOW, comment="The council agreed.")
        assert (row.status, row.outcome, row.closed_at, row.close_due_at) == ("action_required", "", None, None)
        assert (row.action_required_at, row.comment) == (build.NOW, "The council agreed.")


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


class Walk:
    """One deal, its vendor copy and its registration, moved by random verbs of the services."""

    def __init__(self, cast: Cast, data: st.DataObject) -> None:
        self.cast, self.data = cast, data
        self.now: datetime = build.NOW - 10 * build.DAY
        self.deal = build.deal(cast, at=self.now, **self.kind())
        self.at_birth = {self.key(row): events.snapshot(row) for row in self.rows()}

    def kind(self) -> dict[str, Any]:
        """Co-sell mostly, as only that has a copy; partner-led; or a solution assessment."""
        kind = self.data.draw(st.sampled_from(["co_sell", "co_sell", "partner_led", "assessment"]), "kind of deal")
        if kind == "assessment":
            return {"solutions": [], "assessment": AssessmentType.objects.first(), "assessment_location": "Ankara"}
        return {"help_code": rules.NO_HELP} if kind == "partner_led" else {}

    @staticmethod
    def key(row: models.Model) -> tuple[str, int]:
        return row._meta.label_lower, row.pk

    def rows(self) -> list[Any]:
        """The records as they are in the database."""
        copies = Referral.objects.filter(engagement=self.deal.engagement).order_by("pk")
        return [*copies, *Registration.objects.filter(referral__in=copies).order_by("pk")]

    def actor_of(self, row: Referral) -> Actor:
        return self.cast.actor(build.SELLER if row.company.is_vendor else build.CONTOSO)

    def events(self) -> list[Event]:
        return list(Event.objects.filter(group=self.deal.event_group).order_by("pk"))

    def step(self, *, allowed: bool) -> None:
        """Do one verb that the machine allows in this state, or try one that it doesn't."""
        self.now += timedelta(hours=self.data.draw(st.integers(1, 60), "hours later"))
        verbs = [
            (row, verb)
            for row in self.rows()
            for verb in VERBS[type(row)]
            if can_proceed(getattr(row, verb)) is allowed
        ]
        if not verbs:
            return
        row, verb = self.data.draw(st.sampled_from(verbs), "verb")
        before, told = self.state(), len(self.events())
        refusal = self.tried(row, verb)
        if refusal is not None:
            assert allowed or refusal == ["wrong_state"]
            assert self.state() == before
            assert len(self.events()) == told
        else:
            assert allowed
            self.one_event(row, verb, before, self.events()[told:])

    def tried(self, row: Any, verb: str) -> list[str] | None:
        """Do the verb; None, or the codes of what refused it."""
        try:
            VERBS[type(row)][verb](self, row)
        except RuleViolation as violation:
            return violation.codes
        return None

    def state(self) -> dict[tuple[str, int], dict[str, Any]]:
        return {self.key(row): events.snapshot(row) for row in self.rows()}

    def one_event(self, row: Any, verb: str, before: Any, new: list[Event]) -> None:
        """The verb's event says what changed, and nothing changed that no event tells."""
        for opened in [e for e in new if e.verb == "registration.opened"]:
            key = (opened.subject_type, opened.subject_id)
            self.at_birth[key] = self.state()[key]
            new.remove(opened)
        (event,) = new
        machine = REFERRAL_MACHINE if isinstance(row, Referral) else REGISTRATION_MACHINE
        assert (event.verb, event.subject_type, event.subject_id) == (machine.by_name[verb].event, *self.key(row))
        changed = {key: (before[key], now) for key, now in self.state().items() if key in before and before[key] != now}
        assert changed == {self.key(row): (before[self.key(row)], before[self.key(row)] | event.after)}
        assert event.before == {name: before[self.key(row)][name] for name in event.after}

    def replay(self) -> None:
        """The events alone lead from what was born to what there is."""
        state = {key: dict(values) for key, values in self.at_birth.items()}
        for event in self.events():
            row = state[event.subject_type, event.subject_id]
            if event.before:
                assert {name: row[name] for name in event.before} == event.before
                row.update(event.after)
        assert state == self.state()


def _accept(walk: Walk, copy: Referral) -> None:
    services.accept(
        copy,
        actor=walk.actor_of(copy),
        now=walk.now,
        name="Accepted",
        value=Money(Decimal(walk.data.draw(st.sampled_from([0, 50_000, "0.5"]), "value")), "GBP"),
        close_date=date(2027, 1, 1),
        crm_id="CRM-1",
        notes=walk.data.draw(st.sampled_from(["", "Gladly."]), "notes"),
        team=[build.member("seller@vendor.example")],
    )


def _reason(service: Callable[..., Referral]) -> Callable[[Walk, Referral], None]:
    def do(walk: Walk, row: Referral) -> None:
        code = walk.data.draw(st.sampled_from(["budget", "duplicate", "other"]), "reason")
        service(row, actor=walk.actor_of(row), now=walk.now, reason_code=code, comment="So it is.")

    return do


def _plain(service: Callable[..., Referral]) -> Callable[[Walk, Referral], None]:
    return lambda walk, row: service(row, actor=walk.actor_of(row), now=walk.now)


def _stage(walk: Walk, row: Referral) -> None:
    stage = walk.data.draw(st.sampled_from([10, 20, 40, 60, 80]), "stage")
    services.set_stage(row, actor=walk.actor_of(row), now=walk.now, stage=stage)


def _file(service: Callable[..., Registration]) -> Callable[[Walk, Registration], None]:
    def do(walk: Walk, row: Registration) -> None:
        today = walk.now.date()
        changes = walk.data.draw(st.sampled_from(FORMS), "form")
        form = build.form(signed=today, start=today, end=today + timedelta(days=364), **changes)
        if form.marketplace:
            form = replace(form, marketplace_date=today)
        service(row, form, actor=walk.cast.actor(build.CONTOSO), now=walk.now)

    return do


def _decide(verb: str) -> Callable[[Walk, Registration], None]:
    def do(walk: Walk, row: Registration) -> None:
        code = walk.data.draw(st.sampled_from([*REASONS.get(verb, ()), ""]), "reason")
        dealreg.decide(
            row, verb, actor=walk.cast.actor(build.REVIEWER), now=walk.now, reason_code=code, comment="Read this."
        )

    return do


#: Approved, to review, to the marketplace, refused.
FORMS: list[dict[str, Any]] = [
    {},
    {"tcv": Money(Decimal(2_000_000), "EUR")},
    {"marketplace": True},
    {"deployment": "other"},
]

VERBS: dict[type[models.Model], dict[str, Callable[[Walk, Any], Any]]] = {
    Referral: {
        "accept": _accept,
        "decline": _reason(services.decline),
        "expire": lambda walk, row: services.expire(row, now=walk.now),
        "win": _plain(services.win),
        "lose": _reason(services.lose),
        "close_as_error": _reason(services.close_as_error),
        "set_stage": _stage,
        "schedule_win": _plain(services.schedule_win),
        "cancel_win": _plain(services.cancel_win),
    },
    Registration: {
        "submit": _file(dealreg.submit),
        "resubmit": _file(dealreg.resubmit),
        "route": lambda walk, row: dealreg.route(row, now=walk.now),
        "close_unregistered": lambda walk, row: dealreg.close_unregistered(
            row, actor=walk.cast.actor(build.CONTOSO), now=walk.now
        ),
        "close": lambda walk, row: dealreg.close(row, now=walk.now),
        **{
            verb: _decide(verb)
            for verb in ("select_for_review", "pass_review", "fail_review", "require_action", "match", "no_match")
        },
    },
}


def test_the_walk_knows_every_verb() -> None:
    """REF-11, FLOW: a verb added to a machine is walked too."""
    assert set(VERBS[Referral]) == set(REFERRAL_MACHINE.by_name)
    assert set(VERBS[Registration]) == set(REGISTRATION_MACHINE.by_name)


@settings(
    max_examples=30,
    deadline=None,
    phases=set(Phase) - {Phase.explain},  # a step takes a transaction: explaining would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_history_is_what_happened(cast: Cast, data: st.DataObject) -> None:
    """REF-11, FLOW-7: whatever is done in whatever order, every change has exactly one event, a refusal leaves no
    trace, and the events replayed give the rows."""
    walk = Walk(cast, data)
    for _step in range(data.draw(st.integers(1, 12), "steps")):
        walk.step(allowed=True)
        walk.step(allowed=False)
    walk.replay()
