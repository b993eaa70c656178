"""Requests for exceptions from asking to the decision, with who may, who is told, and what workers do (EXC)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from dealreg.policies import may_read_documents
from exceptions_council import sweeps
from exceptions_council.models import (
    DecisionLetter,
    EvidenceRequest,
    ExceptionDraft,
    ExceptionRequest,
    LetterTemplate,
    Vote,
)
from exceptions_council.rules import standing, states
from exceptions_council.selectors import requests as selectors
from exceptions_council.selectors.changes import changes_of
from exceptions_council.selectors.council import council_of, tally_of
from exceptions_council.services import drafts, requests
from portal.accounts import services as accounts
from portal.accounts.models import Company
from portal.accounts.rules import SYSTEM, Grant
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.notify.models import Notice
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy
from portal.ui.deadlines import DeadlineQuery, first
from portal.workflow import services as workflow
from portal.workflow.blockers import RuleViolation
from referrals import rules as referral_rules
from referrals.models import Referral
from tests import build, do, exceptions
from tests.exceptions import CONTOSO, COUNCIL, DAY, MANAGER, NOW, REVIEWER, TODAY, asked, asking, day, vote
from tests.factories import add_member

pytestmark = pytest.mark.django_db
FABRIKAM, VIEWER, USER = "referrals@fabrikam.example", "viewer@contoso.example", "user@contoso.example"


def refused(call: Callable[[], object]) -> list[str]:
    with pytest.raises(RuleViolation) as error:
        call()
    return error.value.codes


def told(verb: str) -> set[str]:
    events = Event.objects.filter(verb=verb)
    return set(Notice.objects.filter(event__in=events).values_list("email", flat=True))


# Asking -------------------------------------------------------------------------------------------------------------


def test_exc_2_exc_7_asking_keeps_what_was_refused_and_sets_the_day(cast: Cast) -> None:
    """EXC-2, EXC-7, FLOW-7: the criteria and limits as they were, the policy, and 14 business days."""
    deal = exceptions.ineligible(cast)
    request = asked(cast, deal)
    assert (request.status, request.kind, request.due_on) == ("submitted", "pre_registration", date(2026, 12, 9))
    assert [reason.rule for reason in request.reasons] == ["ELIG-4", "REG-7", "REG-7", "REG-8"]
    (event,) = Event.objects.of_subject(request)
    assert (event.verb, event.comment, event.company_id) == ("exception.asked", exceptions.WHY, deal.company_id)
    assert told("exception.asked") == set(COUNCIL)


def test_exc_1_one_request_per_deal_ever(cast: Cast) -> None:
    """EXC-1: by the rules, and by the database."""
    request = exceptions.denied(cast, asked(cast, exceptions.ineligible(cast)))
    assert refused(lambda: asked(cast, request.referral)) == ["exception_asked_already"]
    offers = selectors.kind_offers(request.referral, now=NOW)
    assert {b.code for offer in offers for b in offer.blockers} == {"exception_asked_already"}
    columns = {f.attname: getattr(request, f.attname) for f in ExceptionRequest._meta.concrete_fields}
    twice = {**columns, "id": None, "public_id": uuid4(), "status": "submitted", "decided_at": None}
    with pytest.raises(IntegrityError, match="referral_id"), transaction.atomic():
        ExceptionRequest.objects.bulk_create([ExceptionRequest(**twice)])


@pytest.mark.parametrize(
    ("email", "may"), [(CONTOSO, True), (USER, True), (VIEWER, False), (FABRIKAM, False), (COUNCIL[0], False)]
)
def test_exc_10_who_may_register_the_deal_asks(cast: Cast, email: str, may: bool) -> None:
    """EXC-10, ORG-3: a referrals admin in scope, or a referrals user on the team."""
    deal = exceptions.ineligible(cast)
    if may:
        assert do.ask_exception(deal, asking(), actor=cast.actor(email), now=NOW).status == "submitted"
        return
    with pytest.raises(PermissionDenied):
        do.ask_exception(deal, asking(), actor=cast.actor(email), now=NOW)
    assert not ExceptionRequest.objects.exists()


def test_exc_1_a_lost_deal_and_an_open_one_offer_none(cast: Cast) -> None:
    """EXC-1, EXC-2."""
    lost = do.lose(build.accepted(cast), actor=cast.actor(CONTOSO), now=NOW, reason_code="budget")
    assert selectors.first_offer(selectors.kind_offers(lost, now=NOW)).blockers[0].code == "exception_not_won"
    assert refused(lambda: asked(cast, lost)) == ["exception_not_won"]
    assert refused(lambda: asked(cast, build.accepted(cast))) == ["exception_deal_open"]


def test_exc_2_dates_that_are_refused_open_a_pre_registration(cast: Cast) -> None:
    """EXC-2: eligible and waiting to be filed; only what REG-12 waives makes an exception of it."""
    deal = build.won(cast)
    assert (
        selectors.first_offer(selectors.kind_offers(deal, now=NOW)).kind == "pre_registration"
    )  # the dates are not known yet
    fresh = asking(signed=day(-1), start=day(-1), end=day(90))
    assert [b.code for b in requests.check(deal, fresh, now=NOW)] == ["exception_not_needed"]
    assert requests.check(deal, asking(), now=NOW) == ()
    assert [b.rule for b in asked(cast, deal).reasons] == ["REG-7", "REG-7", "REG-8"]


def test_exc_2_the_rejection_is_what_was_refused(cast: Cast) -> None:
    """EXC-2, FLOW-7."""
    failed = exceptions.rejected(cast)
    request = asked(cast, failed.referral, states.REJECTED)
    assert [reason.code for reason in request.reasons] == ["evidence_missing"]
    assert request.values_then["tcv"] == "2000000.00"
    assert request.rates


def test_exc_2_a_dry_run_and_the_request_agree(cast: Cast) -> None:
    """EXC-2 to EXC-5: one function; a dry run writes nothing."""
    deal = exceptions.passed(cast, validated_by="dcf").referral
    form = asking(states.UPDATE, justification="", other_fields=("tenant",))
    dry = [b.code for b in requests.check(deal, form, now=NOW)]
    assert dry == ["exception_dcf", "justification_required", "field_not_changeable"]
    assert refused(lambda: do.ask_exception(deal, form, actor=cast.actor(CONTOSO), now=NOW)) == dry
    assert not ExceptionRequest.objects.exists()


def test_exc_13_org_6_another_companys_deal_is_as_unknown_as_none(cast: Cast) -> None:
    deal = exceptions.ineligible(cast)
    foreign = build.vendor_copy(build.deal(cast))
    for old in (foreign.public_id, uuid4()):
        form = asking(states.REREGISTRATION, old_deal=old)
        assert [b.code for b in requests.check(deal, form, now=NOW)] == ["old_deal_unknown"]
    form = asking(states.REREGISTRATION, old_deal=deal.public_id)
    assert [b.code for b in requests.check(deal, form, now=NOW)] == ["old_deal_same"]


def test_drafts_are_kept_until_the_request_is_sent(cast: Cast) -> None:
    """EXC-3: one draft for the company; another's newer one isn't overwritten unseen."""
    deal, who = exceptions.ineligible(cast), {"actor": cast.actor(CONTOSO), "now": NOW}
    draft = drafts.keep(deal, {"justification": "Beca"}, **who)
    with pytest.raises(drafts.SavedMeanwhile):
        drafts.keep(deal, {"justification": "B"}, base="", **who)
    drafts.keep(deal, {"justification": "Because"}, base=drafts.stamp(draft), **who)
    with pytest.raises(PermissionDenied):
        drafts.keep(deal, {}, actor=cast.actor(VIEWER), now=NOW)
    asked(cast, deal)
    assert not ExceptionDraft.objects.exists()
    assert refused(lambda: drafts.keep(deal, {}, **who)) == ["exception_asked_already"]


# Votes --------------------------------------------------------------------------------------------------------------


def test_exc_6_exc_8_the_deciding_vote_decides(cast: Cast) -> None:
    """EXC-6, EXC-8, EXC-11: the first vote takes it in review, the second makes the quorum, and it is final."""
    request = vote(cast, asked(cast, exceptions.ineligible(cast)), "approve")
    assert (request.status, request.in_review_at, request.decided_at) == ("in_review", NOW, None)
    request = do.vote(request, "approve", "Agreed.", actor=cast.actor(COUNCIL[1]), now=NOW + DAY)
    assert (request.status, request.decided_at, request.open_until) == ("approved", NOW + DAY, day(61))
    assert refused(lambda: vote(cast, request, "deny")) == ["wrong_state"]
    decisions = Event.objects.filter(verb__in=["exception.approved", "exception.denied"])
    (decision,) = decisions
    assert (decision.actor_kind, decision.version) == ("system", request.version)


def test_exc_8_a_tie_stays_open_until_a_vote_is_changed(cast: Cast) -> None:
    """EXC-8: another member's vote breaks it, or one changes theirs; each has one vote."""
    request = vote(cast, asked(cast, exceptions.ineligible(cast)), "approve", "deny")
    assert request.status == "in_review"
    assert "tie" in standing(tally_of(request, Policy())).message.lower()
    request = do.vote(request, "deny", "I read it again.", actor=cast.actor(COUNCIL[0]), now=NOW + DAY)
    assert request.status == "denied"
    changed = Vote.objects.get(request=request, member=cast.users[COUNCIL[0]])
    assert (changed.choice, changed.given_at, changed.changed_at) == ("deny", NOW, NOW + DAY)
    assert Vote.objects.count() == 2


def test_exc_8_a_vote_has_a_choice_and_a_rationale(cast: Cast) -> None:
    request = asked(cast, exceptions.ineligible(cast))
    who = {"actor": cast.actor(COUNCIL[0]), "now": NOW}
    assert refused(lambda: do.vote(request, "maybe", " ", **who)) == ["choice_required", "rationale_required"]


@pytest.mark.parametrize("email", [REVIEWER, MANAGER, CONTOSO, "seller@vendor.example"])
def test_exc_10_only_the_council_votes(cast: Cast, email: str) -> None:
    request = asked(cast, exceptions.ineligible(cast))
    with pytest.raises(PermissionDenied):
        do.vote(request, "approve", "Yes.", actor=cast.actor(email), now=NOW)


def test_exc_8_nobody_votes_on_their_own_companys_deal(cast: Cast) -> None:
    """EXC-8."""
    request = asked(cast, exceptions.ineligible(cast))
    who = {"actor": cast.actor(COUNCIL[0]), "now": NOW}
    add_member(user=cast.users[COUNCIL[0]], company=cast.companies["contoso"], roles=["viewer"])
    assert refused(lambda: do.vote(request, "approve", "Yes.", **who)) == ["own_companys_deal"]
    assert refused(lambda: do.ask_evidence(request, "What?", **who)) == ["own_companys_deal"]


def test_exc_15_who_decided_the_registration_keeps_out(cast: Cast) -> None:
    """EXC-15: the reviewer is of the council as well."""
    failed = exceptions.rejected(cast)
    add_member(user=cast.users[REVIEWER], company=cast.companies["vendor"], roles=["council_member"])
    request = asked(cast, failed.referral, states.REJECTED)
    assert refused(lambda: vote(cast, request, "deny", members=(REVIEWER,))) == ["decided_registration"]
    assert tally_of(request, Policy()).able == 3


def test_exc_8_a_conflict_of_interest_excludes_and_takes_the_vote_out(cast: Cast) -> None:
    """EXC-8: declared by the member; a vote given before no longer counts, and it is shown."""
    request = vote(cast, asked(cast, exceptions.ineligible(cast)), "approve")
    who = {"actor": cast.actor(COUNCIL[0]), "now": NOW}
    assert refused(lambda: do.declare_conflict(request, " ", **who)) == ["conflict_reason_required"]
    request = do.declare_conflict(request, "My brother works there.", **who)
    assert refused(lambda: do.declare_conflict(request, "Again.", **who)) == ["conflict_declared"]
    assert refused(lambda: do.vote(request, "approve", "Yes.", **who)) == ["conflict_declared"]
    count = tally_of(request, Policy())
    assert (count.approve, count.able) == (0, 2)
    excluded = [m.user.email for m in council_of(request) if not m.may_vote]
    assert excluded == [COUNCIL[0]]
    assert exceptions.vote(cast, request, "approve", members=COUNCIL[1:]).status == "in_review"


def test_exc_8_the_vote_of_who_left_the_council_counts_no_more(cast: Cast) -> None:
    """EXC-8, EXC-10: whoever holds the role when the majority is counted."""
    request = vote(cast, asked(cast, exceptions.ineligible(cast)), "approve")
    _leave(cast, COUNCIL[0])
    request = vote(cast, request, "approve", members=COUNCIL[1:])
    assert request.status == "in_review"
    gone = next(m for m in council_of(request) if m.user.email == COUNCIL[0])
    assert [b.code for b in gone.blockers] == ["not_of_council"]


def _leave(cast: Cast, email: str) -> None:
    vendor = cast.companies["vendor"]
    accounts.set_membership(user=cast.users[email], company=vendor, grants=[Grant("seller")], actor=SYSTEM, now=NOW)


def test_exc_15_managers_are_told_when_too_few_may_vote(cast: Cast) -> None:
    """EXC-15: at once, when a member leaves; once for each request."""
    request = asked(cast, exceptions.ineligible(cast))
    _leave(cast, COUNCIL[0])
    assert told("exception.too_few") == set()
    _leave(cast, COUNCIL[1])
    assert told("exception.too_few") == {MANAGER}
    request = exceptions.reload(request)
    assert request.too_few_at == NOW
    assert "needed" in standing(tally_of(request, Policy())).message
    assert sweeps.note_too_few(now=NOW) == 0
    assert Event.objects.filter(verb="exception.too_few").count() == 1


def test_exc_15_managers_are_told_when_a_conflict_leaves_too_few(cast: Cast) -> None:
    _leave(cast, COUNCIL[0])
    request = asked(cast, exceptions.ineligible(cast))
    do.declare_conflict(request, "Shares.", actor=cast.actor(COUNCIL[1]), now=NOW)
    assert told("exception.too_few") == {MANAGER}


def test_exc_15_the_sweep_walks_on_past_what_enough_may_vote_on(cast: Cast) -> None:
    """However many such requests there are: in batches of one they hide none behind them."""
    asked(cast, exceptions.ineligible(cast))
    request = asked(cast, exceptions.ineligible(cast))
    for email in COUNCIL[:2]:
        do.declare_conflict(request, "Shares.", actor=cast.actor(email), now=NOW)
    ExceptionRequest.objects.update(too_few_at=None)  # as if no event had told of it
    assert [sweeps.note_too_few(now=NOW, limit=1) for _turn in range(2)] == [1, 0]
    assert exceptions.reload(request).too_few_at == NOW


def test_exc_8_the_quorum_is_the_policys(cast: Cast) -> None:
    PolicyVersion.objects.create(number=1, effective_from=NOW, values={"exception_quorum": 3})
    request = vote(cast, asked(cast, exceptions.ineligible(cast)), "approve", "approve")
    assert request.status == "in_review"
    assert vote(cast, request, "deny", members=COUNCIL[2:]).status == "approved"


# Evidence -----------------------------------------------------------------------------------------------------------


def test_exc_11_evidence_is_asked_for_and_answered(cast: Cast) -> None:
    """EXC-11, EXC-7: a member's question takes it in review; the answer returns it; votes stay; the clock goes on."""
    request = vote(cast, asked(cast, exceptions.ineligible(cast)), "approve")
    request = do.ask_evidence(request, "The signed order?", actor=cast.actor(REVIEWER), now=NOW)
    assert (request.status, request.evidence_due_at) == ("evidence_requested", _end_of(date(2026, 11, 30)))
    assert request.due_on == date(2026, 12, 9)
    assert told("exception.evidence_asked") >= {CONTOSO, USER}
    assert refused(lambda: vote(cast, request, "deny", members=COUNCIL[1:])) == ["wrong_state"]
    with pytest.raises(PermissionDenied):
        do.answer_evidence(request, "Here.", actor=cast.actor(VIEWER), now=NOW)
    assert refused(lambda: do.answer_evidence(request, " ", actor=cast.actor(CONTOSO), now=NOW)) == ["answer_required"]
    request = do.answer_evidence(request, "It is attached.", actor=cast.actor(USER), now=NOW + DAY)
    assert (request.status, request.evidence_due_at, request.last_sent_at) == ("in_review", None, NOW + DAY)
    (question,) = EvidenceRequest.objects.all()
    assert (question.answer, question.answered_at, question.is_open) == ("It is attached.", NOW + DAY, False)
    assert told("exception.evidence_answered") == set(COUNCIL)
    assert vote(cast, request, "approve", members=COUNCIL[1:]).status == "approved"


def _end_of(last: date) -> Any:
    return NOW.replace(year=last.year, month=last.month, day=last.day, hour=23, minute=59, second=59)


def test_exc_11_the_day_may_be_chosen(cast: Cast) -> None:
    request = asked(cast, exceptions.ineligible(cast))
    who = {"actor": cast.actor(COUNCIL[0]), "now": NOW}
    assert refused(lambda: do.ask_evidence(request, "What?", due_on=TODAY, **who)) == ["evidence_day"]
    assert refused(lambda: do.ask_evidence(request, "What?", due_on=day(30), **who)) == ["evidence_day"]
    request = do.ask_evidence(request, "What?", due_on=day(2), **who)
    assert (request.evidence_due_at, request.in_review_at) == (_end_of(day(2)), NOW)


def test_exc_11_the_worker_goes_on_without_an_answer(cast: Cast) -> None:
    """EXC-11, JOB: on that day, noted as unanswered; idempotent, and alone as in a batch."""
    request = asked(cast, exceptions.ineligible(cast))
    request = do.ask_evidence(request, "What?", actor=cast.actor(COUNCIL[0]), now=NOW)
    assert request.evidence_due_at is not None
    assert refused(lambda: do.evidence_unanswered(request, now=NOW + DAY)) == ["evidence_still_time"]
    assert sweeps.end_evidence(now=request.evidence_due_at - timedelta(seconds=1)) == 0
    assert sweeps.end_evidence(now=request.evidence_due_at) == 1
    assert sweeps.end_evidence(now=request.evidence_due_at) == 0
    again = exceptions.reload(request)
    assert (again.status, again.evidence_due_at, again.version) == ("in_review", None, request.version + 1)
    (question,) = EvidenceRequest.objects.all()
    assert (question.unanswered_at, question.answered_at) == (request.evidence_due_at, None)
    assert told("exception.evidence_unanswered") == set(COUNCIL)
    assert Event.objects.of_subject(request).filter(verb="exception.evidence_unanswered").count() == 1


# What workers note, and deadlines -----------------------------------------------------------------------------------


def test_exc_7_what_is_overdue_is_noted_once(cast: Cast) -> None:
    """EXC-7, EXC-10: council and programme managers are told."""
    request = asked(cast, exceptions.ineligible(cast))
    last = NOW + (request.due_on - TODAY).days * DAY
    assert sweeps.note_overdue(now=last) == 0
    assert (sweeps.note_overdue(now=last + DAY), sweeps.note_overdue(now=last + DAY)) == (1, 0)
    assert told("exception.overdue") == {*COUNCIL, MANAGER}
    assert exceptions.reload(request).is_overdue(last.date() + DAY)


def test_flow_8_evidence_and_the_time_to_ask_remind(cast: Cast) -> None:
    """FLOW-8: who can act, once for each lead."""
    request = asked(cast, exceptions.ineligible(cast))
    request = do.ask_evidence(request, "What?", actor=cast.actor(COUNCIL[0]), now=NOW)
    assert request.evidence_due_at is not None
    assert sweeps.remind_of_evidence(now=NOW) == 0
    near = request.evidence_due_at - 3 * DAY
    assert (sweeps.remind_of_evidence(now=near), sweeps.remind_of_evidence(now=near)) == (1, 0)
    assert told("exception.evidence_reminded") == {CONTOSO, USER}

    failed = exceptions.rejected(cast)
    assert failed.first_submitted_at is not None
    last = failed.first_submitted_at.date() + 60 * DAY
    assert selectors.last_day(selectors.deal_facts(failed.referral, now=NOW), now=NOW) == last
    near = _end_of(last) - 7 * DAY
    assert (sweeps.remind_of_asking(now=near), sweeps.remind_of_asking(now=near)) == (1, 0)
    assert told("exception.asking_reminded") == {CONTOSO, USER}
    asked(cast, failed.referral, states.REJECTED)
    assert sweeps.remind_of_asking(now=_end_of(last) - 3 * DAY) == 0


def test_flow_8_the_days_stand_among_the_deadlines(cast: Cast) -> None:
    """FLOW-8, EXC-7, EXC-12: evidence and the time to ask for the partner, decisions for the council."""
    failed = exceptions.rejected(cast)
    request = asked(cast, exceptions.ineligible(cast))
    do.ask_evidence(request, "What?", actor=cast.actor(COUNCIL[0]), now=NOW)

    def kinds(email: str) -> dict[str, date]:
        query = DeadlineQuery(cast.actor(email), NOW, kinds=("evidence", "ask_exception", "decide_exception"))
        return {d.kind: d.day for d in first(query, 10, people=True)}

    last = selectors.last_day(selectors.deal_facts(failed.referral, now=NOW), now=NOW)
    assert kinds(CONTOSO) == {"evidence": date(2026, 11, 30), "ask_exception": last}
    assert kinds(COUNCIL[1]) == {"decide_exception": request.due_on}
    assert kinds(FABRIKAM) == kinds(REVIEWER) == {}


# Letters ------------------------------------------------------------------------------------------------------------


def test_letters_are_written_in_both_languages_and_stay(cast: Cast) -> None:
    """EXC-6, EXC-9: what changes field by field, the reasons, and what is open; each reader in their language."""
    registration = exceptions.passed(cast)
    request = exceptions.approved(cast, asked(cast, registration.referral, states.UPDATE, signed=day(-7)))
    (change,) = changes_of(request)
    assert (change.field, change.was, change.asked) == ("signed", "14 Nov 2026", "11 Nov 2026")
    english, turkish = DecisionLetter.objects.filter(request=request).order_by("language")
    assert (english.language, turkish.language) == ("en", "tr")
    assert "Contract signed: 14 Nov 2026 → 11 Nov 2026" in english.body
    assert "As the contract shows." in english.body
    assert "until 17 Jan 2027" in english.body
    assert english.body != turkish.body
    assert told("exception.approved") >= {CONTOSO, USER}
    notice = Notice.objects.get(event__verb="exception.approved", email=CONTOSO)
    assert (notice.params["subject"], notice.params["body"]) == (english.subject, english.body)
    LetterTemplate.objects.create(outcome="approved", language="en", subject="New", body="New")
    assert DecisionLetter.objects.get(pk=english.pk).body == english.body


def test_letters_follow_the_edited_template(cast: Cast) -> None:
    LetterTemplate.objects.create(outcome="denied", language="en", subject="No: {deal}", body="{reasons}\n\n{effect}")
    request = exceptions.denied(cast, asked(cast, exceptions.ineligible(cast)))
    letter = DecisionLetter.objects.get(request=request, language="en")
    assert letter.subject == f"No: {request.referral.name}"
    assert letter.body == "– As the contract shows.\n– As the contract shows."
    with pytest.raises(ValidationError, match="password"):
        LetterTemplate(outcome="denied", language="tr", subject="{password}", body="x").clean()


# What nobody else sees, and what is final ---------------------------------------------------------------------------


def test_org_6_exc_10_who_sees_a_request(cast: Cast) -> None:
    """EXC-10, ORG-2, ORG-6: the deal's company; of the vendor's people council, reviewers and managers."""
    asked(cast, exceptions.ineligible(cast))
    sees = [e for e in cast.users if ExceptionRequest.objects.visible_to(cast.actor(e)).exists()]
    partners = {"admin@contoso.example", CONTOSO, USER, VIEWER}
    assert set(sees) == {*partners, *COUNCIL, REVIEWER, MANAGER}


def test_exc_8_partners_see_no_votes(cast: Cast) -> None:
    """EXC-8: votes, conflicts and delays are on nobody's timeline."""
    request = vote(cast, asked(cast, exceptions.ineligible(cast)), "approve")
    do.declare_conflict(request, "Shares.", actor=cast.actor(COUNCIL[1]), now=NOW)
    for company in Company.objects.all():
        seen = Event.objects.filter(company=company, subject_type="exceptions_council.exceptionrequest")
        assert set(seen.values_list("verb", flat=True)) <= {"exception.asked"}


def test_exc_10_asking_shows_a_private_deals_documents_to_who_decides(cast: Cast) -> None:
    """EXC-10, REG-16, REF-3: who asks for an exception on a private deal shows it to the council, and nobody else."""
    private = {"help_code": referral_rules.NO_HELP, "vendor_may_view": False}
    deal = build.deal(cast, **private)
    deal = do.win(deal, actor=cast.actor(CONTOSO), now=NOW)
    deciding = [cast.actor(email) for email in (COUNCIL[0], REVIEWER, MANAGER)]
    assert [may_read_documents(actor, deal) for actor in deciding] == [False] * 3
    asked(cast, deal)
    deal = Referral.objects.with_context().get(pk=deal.pk)
    assert [may_read_documents(actor, deal) for actor in deciding] == [True] * 3
    assert not may_read_documents(cast.actor("seller@vendor.example"), deal)


def test_exc_6_final_means_final_in_the_database(cast: Cast) -> None:
    """EXC-6: neither the request nor a vote on it can be changed, by anyone, in SQL."""
    request = exceptions.denied(cast, asked(cast, exceptions.ineligible(cast)))
    rows, votes = ExceptionRequest.objects.filter(pk=request.pk), Vote.objects.filter(request=request)
    fresh = Vote(request=request, member=cast.users[COUNCIL[2]], choice="approve", rationale="?", given_at=NOW)
    for change in (
        lambda: rows.update(status="approved", open_until=TODAY),
        lambda: rows.update(status="in_review", decided_at=None),
        lambda: rows.update(justification="Better."),
        lambda: rows._raw_delete(rows.db),
        lambda: votes.update(choice="approve"),
        lambda: votes.delete(),
        lambda: Vote.objects.bulk_create([fresh]),
    ):
        with pytest.raises(IntegrityError, match="council"), transaction.atomic():
            change()


def test_exc_6_the_database_knows_what_a_request_can_be(cast: Cast) -> None:
    """EXC-1, EXC-2, EXC-6, EXC-13: garbage does not even come in by a bulk update."""
    request = asked(cast, exceptions.ineligible(cast))
    rows = ExceptionRequest.objects.filter(pk=request.pk)
    for constraint, values in [
        ("exceptions_request_status", {"status": "wished"}),
        ("exceptions_request_decided", {"status": "denied"}),
        ("exceptions_request_open_until", {"status": "approved", "decided_at": NOW}),
        ("exceptions_request_evidence", {"status": "evidence_requested"}),
        ("exceptions_request_dates", {"signed": None}),
        ("exceptions_request_replaces", {"kind": "reregistration"}),
        ("exceptions_request_kind", {"kind": "wish"}),
        ("exceptions_request_justified", {"justification": ""}),
    ]:
        with pytest.raises(IntegrityError) as error, transaction.atomic():
            rows.update(**values)
        assert error.value.__cause__.diag.constraint_name == constraint  # type: ignore[union-attr]


def test_exc_6_denied_offers_nothing(cast: Cast) -> None:
    """EXC-6: no verb, to nobody."""
    request = exceptions.denied(cast, asked(cast, exceptions.ineligible(cast)))
    for email in cast.users:
        actions = workflow.available_actions(request, cast.actor(email), NOW)
        assert [action.name for action in actions if action.enabled] == []
    assert {b.code for offer in selectors.kind_offers(request.referral, now=NOW) for b in offer.blockers} == {
        "exception_asked_already"
    }


def test_exc_6_who_is_offered_what(cast: Cast) -> None:
    """EXC-10: the same list for pages, admin and API."""
    request = asked(cast, exceptions.ineligible(cast))

    def enabled(email: str) -> list[str]:
        found = workflow.available_actions(request, cast.actor(email), NOW)
        return [action.name for action in found if action.enabled]

    assert enabled(COUNCIL[0]) == ["vote", "ask_evidence", "declare_conflict"]
    assert enabled(REVIEWER) == ["ask_evidence"]
    assert enabled(MANAGER) == enabled(CONTOSO) == []
    request = do.ask_evidence(request, "What?", actor=cast.actor(REVIEWER), now=NOW)
    assert enabled(CONTOSO) == ["answer_evidence"]
