"""Two at once around one request for an exception, on real connections: one decision, once (EXC-1, EXC-6, EXC-8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dealreg import sweeps as registration_sweeps
from dealreg.models import Registration, Waiver
from dealreg.services.replay import replay
from exceptions_council import sweeps
from exceptions_council.models import DecisionLetter, EvidenceRequest, ExceptionRequest, Vote
from exceptions_council.rules import states
from portal.accounts import services as accounts
from portal.accounts.rules import SYSTEM, Actor, Grant
from portal.demo.cast import Cast
from portal.events.models import Event
from tests import do, exceptions
from tests.exceptions import CONTOSO, COUNCIL, DAY, NOW, asked, asking, vote
from tests.test_concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)

REQUEST = "SELECT 1 FROM exceptions_council_exceptionrequest WHERE id = %s FOR UPDATE"
REGISTRATION = "SELECT 1 FROM dealreg_registration WHERE id = %s FOR UPDATE"


def voting(request: ExceptionRequest, choice: str, actor: Actor) -> Callable[[], Any]:
    return lambda: do.vote(request, choice, "So it is.", actor=actor, now=NOW).status


def decisions(request: ExceptionRequest) -> list[str]:
    found = Event.objects.of_subject(request).filter(verb__in=["exception.approved", "exception.denied"])
    return list(found.values_list("verb", flat=True))


def test_exc_8_two_votes_reach_the_quorum_at_once(cast: Cast) -> None:
    """EXC-8: one of them decides; one decision, one letter per language, one waiver, one opened registration."""
    deal = exceptions.ineligible(cast)
    request = asked(cast, deal)
    one, two = (voting(request, "approve", cast.actor(email)) for email in COUNCIL[:2])
    assert sorted(at_once(REQUEST, [request.pk], one, two)) == ["approved", "in_review"]
    assert decisions(request) == ["exception.approved"]
    assert (DecisionLetter.objects.count(), Waiver.objects.count(), Vote.objects.count()) == (2, 1, 2)
    assert Event.objects.filter(verb="registration.opened", group=deal.event_group).count() == 1


def test_exc_6_a_vote_too_many_finds_it_decided(cast: Cast) -> None:
    """EXC-6: one vote was given; of the two that come at once the first decides, the other is refused."""
    request = vote(cast, asked(cast, exceptions.ineligible(cast)), "approve")
    yes, no = voting(request, "approve", cast.actor(COUNCIL[1])), voting(request, "deny", cast.actor(COUNCIL[2]))
    assert at_once(REQUEST, [request.pk], yes, no, in_turn=True) == ["approved", ["wrong_state"]]
    assert decisions(request) == ["exception.approved"]
    assert Vote.objects.count() == 2


@pytest.mark.parametrize("first", ["vote", "evidence"])
def test_exc_11_evidence_against_a_vote(cast: Cast, first: str) -> None:
    """EXC-11: whichever comes first counts, and the other is told."""
    request = vote(cast, asked(cast, exceptions.ineligible(cast)), "deny")
    reviewer, member = cast.actor(exceptions.REVIEWER), cast.actor(COUNCIL[1])

    def ask() -> str:
        return do.ask_evidence(request, "The contract?", actor=reviewer, now=NOW).status

    calls = [voting(request, "deny", member), ask]
    found = at_once(REQUEST, [request.pk], *(calls if first == "vote" else calls[::-1]), in_turn=True)
    assert found == (["denied", ["wrong_state"]] if first == "vote" else ["evidence_requested", ["wrong_state"]])
    assert EvidenceRequest.objects.count() == (first == "evidence")


def test_exc_11_the_answer_against_the_end_of_the_time(cast: Cast) -> None:
    """EXC-11, JOB: the worker and the partner at once; it is answered or unanswered, once."""
    request = asked(cast, exceptions.ineligible(cast))
    request = do.ask_evidence(request, "What?", actor=cast.actor(COUNCIL[0]), now=NOW)
    assert request.evidence_due_at is not None
    due, partner = request.evidence_due_at, cast.actor(CONTOSO)

    def answer() -> str:
        return do.answer_evidence(request, "Here.", actor=partner, now=due).status

    def worker() -> str:
        return do.evidence_unanswered(request, now=due).status

    assert at_once(REQUEST, [request.pk], answer, worker, in_turn=True) == ["in_review", ["wrong_state"]]
    assert sweeps.end_evidence(now=due) == 0
    (question,) = EvidenceRequest.objects.all()
    assert (question.answer, question.unanswered_at) == ("Here.", None)


@pytest.mark.parametrize("first", ["vote", "leave"])
def test_exc_8_a_vote_against_the_withdrawal_of_the_members_role(cast: Cast, first: str) -> None:
    """EXC-8, EXC-10: who was a member when the page was opened, and is none when the vote is counted, doesn't vote."""
    request = vote(cast, asked(cast, exceptions.ineligible(cast)), "approve")
    member, vendor, grants = cast.actor(COUNCIL[1]), cast.companies["vendor"], [Grant("seller")]

    def leave() -> str:
        user = cast.users[COUNCIL[1]]
        accounts.set_membership(user=user, company=vendor, grants=grants, actor=SYSTEM, now=NOW)
        return "left"

    calls = [voting(request, "approve", member), leave]
    found = at_once(REQUEST, [request.pk], *(calls if first == "vote" else calls[::-1]), in_turn=True)
    assert found == (["approved", "left"] if first == "vote" else ["left", ["not_of_council"]])
    assert decisions(request) == (["exception.approved"] if first == "vote" else [])


@pytest.mark.parametrize("first", ["reopen", "close"])
def test_exc_9_reopen_against_close(cast: Cast, first: str) -> None:
    """EXC-9, EXC-12, FLOW: the council approves an update at the moment in which the registration closes."""
    pending = exceptions._in_review(cast, at=NOW - 2 * DAY)
    passed = do.decide(
        pending, "pass_review", actor=cast.actor(exceptions.REVIEWER), now=NOW - 2 * DAY, validated_by="poe"
    )
    request = vote(cast, asked(cast, passed.referral, states.UPDATE), "approve")
    calls = [voting(request, "approve", cast.actor(COUNCIL[1])), lambda: do.close(passed, now=NOW).status]
    found = at_once(REGISTRATION, [passed.pk], *(calls if first == "reopen" else calls[::-1]), in_turn=True)
    assert found == (["approved", ["wrong_state"]] if first == "reopen" else ["closed", "approved"])
    back = exceptions.registration_of(passed.referral)
    assert (back.status, back.outcome, (back.previous or {})["outcome"]) == ("action_required", "", "review_passed")
    assert registration_sweeps.close_decided(now=NOW + DAY) == 0
    assert replay(Registration.objects.all())[1] == []


def test_exc_1_two_people_ask_at_once(cast: Cast) -> None:
    """EXC-1: one request; the other is told that there is one."""
    deal = exceptions.ineligible(cast)
    who = [cast.actor(email) for email in (CONTOSO, "user@contoso.example")]

    def ask(actor: Actor) -> Callable[[], str]:
        return lambda: do.ask_exception(deal, asking(), actor=actor, now=NOW).status

    statement = "SELECT 1 FROM referrals_engagement WHERE id = %s FOR UPDATE"
    found = at_once(statement, [deal.engagement_id], ask(who[0]), ask(who[1]), in_turn=True)
    assert found == ["submitted", ["exception_asked_already"]]
    assert ExceptionRequest.objects.count() == 1
