"""Random walks over a deal, its registration, its request and the votes, asking for their history (EXC-1, EXC-6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django_fsm import can_proceed
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dealreg.models import Registration
from dealreg.services.replay import replay
from dealreg.verbs import MACHINE as REGISTRATION_MACHINE
from exceptions_council import sweeps
from exceptions_council.models import FINAL, OPEN, DecisionLetter, EvidenceRequest, ExceptionRequest, Vote
from exceptions_council.rules import ExceptionInput, states
from exceptions_council.verbs import MACHINE
from portal.accounts.rules import SYSTEM
from portal.demo.cast import Cast
from portal.events import services as events
from portal.events.models import Event
from portal.workflow.blockers import Money, RuleViolation
from portal.workflow.services import run
from referrals.models import Referral
from tests import build, do, exceptions

T = TypeVar("T")
Verb = Callable[["Walk", Any], object]
#: What the council's decision does to registrations, and what is noted in the same transaction.
ALONG = {"exception.approved", "exception.denied", "exception.too_few"}
OF_APPROVAL = {"registration.opened", "registration.opened_anew", "registration.reopened"}


class Walk:
    """One won deal, moved by random verbs of the partner, the reviewers, the council and the workers."""

    def __init__(self, cast: Cast, data: st.DataObject) -> None:
        self.cast, self.data, self.now = cast, data, build.NOW
        self.deal = self.start()
        self.told = self.last_event()
        self.request: dict[str, Any] | None = None

    def start(self) -> Referral:
        starts: dict[str, Callable[[], Referral]] = {
            "ineligible": lambda: exceptions.ineligible(self.cast),
            "to register": lambda: build.won(self.cast),
            "in review": lambda: exceptions._in_review(self.cast, at=build.NOW).referral,
            "passed": lambda: exceptions.passed(self.cast).referral,
            "rejected": lambda: exceptions.rejected(self.cast).referral,
            "lost": lambda: do.lose(build.accepted(self.cast), actor=self.partner, now=self.now, reason_code="budget"),
        }
        deal = starts[start := self.draw(list(starts), "start")]()
        kind = {"ineligible": states.PRE_REGISTRATION, "passed": states.UPDATE, "rejected": states.REJECTED}.get(start)
        if kind and self.draw([True, True, False], "asked"):  # short walks get to decisions, and beyond
            request = exceptions.asked(self.cast, deal, kind)
            exceptions.vote(self.cast, request, *self.draw([[], ["approve"], ["approve", "approve"]], "voted"))
        return deal

    @property
    def partner(self) -> Any:
        return self.cast.actor(build.CONTOSO)

    def draw(self, choices: Sequence[T], label: str) -> T:
        return self.data.draw(st.sampled_from(choices), label)

    def last_event(self) -> int:
        newest = Event.objects.filter(group=self.deal.event_group).order_by("pk").last()
        return newest.pk if newest else 0

    def look(self) -> list[Any]:
        filed = Registration.objects.with_context().filter(referral=self.deal)
        asked = ExceptionRequest.objects.with_context().filter(referral=self.deal)
        return [*filed, *asked]

    def step(self) -> None:
        self.now += timedelta(hours=self.data.draw(st.integers(1, 90), "hours later"))
        rows = self.look()
        moves: list[tuple[Any, str]] = [(row, verb) for row in rows for verb in VERBS[type(row)]]
        row, verb = self.draw([(self.deal, "ask"), *moves], "verb")
        allowed = verb == "ask" or can_proceed(getattr(row, verb))
        before = {type(r): events.snapshot(r) for r in rows}
        refusal = self.tried(row, verb)
        assert allowed or refusal == ["wrong_state"]
        if refusal is None:
            self.check_done(row, verb, before)
        else:
            self.check_refused(before)

    def tried(self, row: Any, verb: str) -> list[str] | None:
        """Do the verb; None, or the codes of what refused it."""
        try:
            {**VERBS.get(type(row), {}), "ask": _ask}[verb](self, row)
        except RuleViolation as violation:
            return violation.codes
        return None

    def check_refused(self, before: dict[type, Any]) -> None:
        """A refusal leaves no trace."""
        assert {type(r): events.snapshot(r) for r in self.look()} == before
        assert self.last_event() == self.told

    def check_done(self, row: Any, verb: str, before: dict[type, Any]) -> None:
        """One event of the verb, whatever happens along with it, and nothing else; events tell every change."""
        new = list(Event.objects.filter(group=self.deal.event_group, pk__gt=self.told).order_by("pk"))
        self.told = self.last_event()
        machine = REGISTRATION_MACHINE if isinstance(row, Registration) else MACHINE
        own = "exception.asked" if verb == "ask" else machine.by_name[verb].event
        verbs = [event.verb for event in new]
        assert verbs.count(own) == 1
        decided = "exception.approved" in verbs
        assert set(verbs) - {own} - ALONG <= (OF_APPROVAL if decided else set())
        after = {type(r): (r, events.snapshot(r)) for r in self.look()}
        for kind, (changed, columns) in after.items():
            if kind in before:
                told = {
                    name: value
                    for event in new
                    if event.subject_type == changed._meta.label_lower
                    for name, value in event.after.items()
                    if name in columns
                }
                assert columns == before[kind] | told

    def check(self) -> None:
        """What holds in every state (EXC-1, EXC-6, EXC-8, EXC-11)."""
        found = ExceptionRequest.objects.filter(referral__engagement=self.deal.engagement)
        assert found.count() <= 1
        request = found.first()
        if request is None:
            assert self.request is None
            return
        held = events.snapshot(request)
        if self.request and self.request["status"] in FINAL:
            assert held == self.request
        self.request = held
        votes = Vote.objects.filter(request=request)
        assert votes.values("member").distinct().count() == votes.count()
        assert DecisionLetter.objects.filter(request=request).count() == (2 if request.is_final else 0)
        open_questions = EvidenceRequest.objects.filter(request=request, answered_at=None, unanswered_at=None)
        assert open_questions.exists() == (request.status == "evidence_requested")


def _ask(walk: Walk, deal: Referral) -> None:
    kind = walk.draw(list(states.KINDS), "kind")
    form: ExceptionInput = exceptions.asking(kind, signed=walk.now.date() - timedelta(days=99))
    do.ask_exception(deal, form, actor=walk.partner, now=walk.now)


def _vote(walk: Walk, request: ExceptionRequest) -> None:
    member = walk.cast.actor(walk.draw(exceptions.COUNCIL, "member"))
    do.vote(request, walk.draw(["approve", "deny"], "choice"), "Because.", actor=member, now=walk.now)


def _ask_evidence(walk: Walk, request: ExceptionRequest) -> None:
    who = walk.cast.actor(walk.draw([exceptions.REVIEWER, *exceptions.COUNCIL], "who asks"))
    do.ask_evidence(request, "The contract?", actor=who, now=walk.now)


def _answer(walk: Walk, request: ExceptionRequest) -> None:
    do.answer_evidence(request, walk.draw(["Here.", " "], "answer"), actor=walk.partner, now=walk.now)


def _unanswered(walk: Walk, request: ExceptionRequest) -> None:
    if request.evidence_due_at and walk.draw([True, False], "wait"):
        walk.now = max(walk.now, request.evidence_due_at)
    do.evidence_unanswered(request, now=walk.now)


def _conflict(walk: Walk, request: ExceptionRequest) -> None:
    do.declare_conflict(request, "Shares.", actor=walk.cast.actor(exceptions.COUNCIL[2]), now=walk.now)


def _by_worker(verb: str) -> Verb:
    def do_it(walk: Walk, row: Any) -> None:
        run(row, MACHINE.by_name[verb], actor=SYSTEM, now=walk.now)

    return do_it


def _file(service: Callable[..., Any]) -> Verb:
    def do_it(walk: Walk, row: Registration) -> None:
        today = walk.now.date()
        old = today - timedelta(days=walk.draw([0, 99], "signed days ago"))
        tcv = Money(Decimal(walk.draw([40_000, 2_000_000], "tcv")), "EUR")
        form = build.form(signed=old, start=old, end=old + timedelta(days=364), tcv=tcv)
        if row.is_reopened:
            form = exceptions.claim(row, signed=old, start=old, end=old + timedelta(days=364), tcv=tcv)
            if not row.referral.documents.exists() and walk.draw([True, False], "adds proof"):
                exceptions.documented(walk.cast, row.referral, now=walk.now)
                walk.told = walk.last_event()
        service(row, form, actor=walk.partner, now=walk.now)

    return do_it


def _decide(verb: str) -> Verb:
    def do_it(walk: Walk, row: Registration) -> None:
        given = {"reason_code": "other", "comment": "Read this."}
        given |= {"validated_by": walk.draw(["poe", "figures"], "by")} if verb == "pass_review" else {}
        do.decide(row, verb, actor=walk.cast.actor(exceptions.REVIEWER), now=walk.now, **given)

    return do_it


def _close(walk: Walk, row: Registration) -> None:
    walk.now = max(walk.now, row.close_due_at or walk.now)
    do.close(row, now=walk.now)


def _fail_unanswered(walk: Walk, row: Registration) -> None:
    walk.now = max(walk.now, row.action_due_at or walk.now)
    do.fail_unanswered(row, now=walk.now)


VERBS: dict[type, dict[str, Verb]] = {
    ExceptionRequest: {
        "vote": _vote,
        "ask_evidence": _ask_evidence,
        "answer_evidence": _answer,
        "evidence_unanswered": _unanswered,
        "declare_conflict": _conflict,
        "note_overdue": _by_worker("note_overdue"),
        "note_too_few": _by_worker("note_too_few"),
    },
    Registration: {
        "submit": _file(do.submit),
        "resubmit": _file(do.resubmit),
        "route": lambda walk, row: do.route(row, now=walk.now),
        "close": _close,
        "close_unregistered": lambda walk, row: do.close_unregistered(row, actor=walk.partner, now=walk.now),
        "withdraw": lambda walk, row: do.withdraw(row, actor=walk.partner, now=walk.now),
        "fail_unanswered": _fail_unanswered,
        **{verb: _decide(verb) for verb in ("pass_review", "fail_review", "require_action")},
    },
}


def test_exc_6_the_walk_knows_every_verb() -> None:
    """EXC-6: a verb added to the council's machine is walked too."""
    assert set(VERBS[ExceptionRequest]) == set(MACHINE.by_name)
    assert {*OPEN, *FINAL} == set(states.STATES)


@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes; a walk reads well as it is
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_exc_1_exc_6_whatever_is_done_in_whatever_order(cast: Cast, data: st.DataObject) -> None:
    """EXC-1, EXC-6, EXC-8, EXC-12, FLOW-7: only listed verbs work, at most one request, final stays final, every change
    has its event, and every decision follows from what was kept."""
    walk = Walk(cast, data)
    for _step in range(data.draw(st.integers(5, 18), "steps")):
        walk.step()
        walk.check()
    sweeps.end_evidence(now=walk.now)
    assert replay(Registration.objects.all())[1] == []
