"""What an approval opens: registrations to file, to correct, and to replace others (EXC-9, EXC-12, EXC-13, EXC-14)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from dealreg.models import Registration, Waiver
from dealreg.rules import states as registrations
from dealreg.selectors.routing import registered_before
from dealreg.selectors.waivers import compared
from dealreg.services import registration as dealreg
from dealreg.services.replay import replay
from exceptions_council.rules import states
from portal.demo.cast import Cast
from portal.policy.rules import Policy
from portal.workflow.blockers import Money, RuleViolation
from portal.workflow.services import available_actions
from tests import build, do, exceptions
from tests.exceptions import CONTOSO, DAY, NOW, REVIEWER, TODAY, day

pytestmark = pytest.mark.django_db


def refused(call: object) -> list[str]:
    with pytest.raises(RuleViolation) as error:
        call()  # type: ignore[operator]
    return error.value.codes


def consistent() -> None:
    """Every decision follows from what was kept (FLOW-7)."""
    assert replay(Registration.objects.all())[1] == []


# A registration to file ---------------------------------------------------------------------------------------------


def test_exc_9_pre_registration_opens_the_registration_of_an_ineligible_deal(cast: Cast) -> None:
    """EXC-9, ELIG-8, REG-12: with old dates, approved at once where they are those of the request."""
    deal = exceptions.ineligible(cast)
    request = exceptions.approved(cast, exceptions.asked(cast, deal))
    registration = exceptions.registration_of(deal)
    assert registration.status == "registration_pending"
    found = dealreg.eligibility(deal, registration, now=NOW)
    (excepted,) = [c for c in found.criteria if c.is_excepted]
    assert (excepted.rule, excepted.message.params["by"]) == ("ELIG-4", states.COUNCIL)
    form = build.form(signed=request.signed, start=request.start, end=request.end)
    filed = do.submit(registration, form, actor=cast.actor(CONTOSO), now=NOW)
    assert do.route(filed, now=NOW).status == "approved"
    consistent()


def test_auto_6_other_dates_than_those_approved_go_to_review(cast: Cast) -> None:
    """AUTO-6, EXC-9."""
    deal = exceptions.ineligible(cast)
    request = exceptions.approved(cast, exceptions.asked(cast, deal))
    form = build.form(signed=request.signed, start=request.start, end=request.end + DAY)
    dry = dealreg.check(deal, form, actor=cast.actor(CONTOSO), now=NOW)
    assert dry.route
    assert [reason.rule for reason in dry.route.reasons] == ["AUTO-6"]
    filed = do.submit(exceptions.registration_of(deal), form, actor=cast.actor(CONTOSO), now=NOW)
    routed = do.route(filed, now=NOW)
    assert (routed.status, [r.code for r in routed.reasons]) == ("review_pending", ["dates_not_approved"])
    consistent()


def test_auto_6_a_perpetual_request_and_a_finite_contract_differ(cast: Cast) -> None:
    """AUTO-6: no end was approved, and one is stated."""
    deal = exceptions.ineligible(cast)
    request = exceptions.approved(cast, exceptions.asked(cast, deal, term="perpetual", end=None))
    assert request.end is None
    finite = build.form(signed=request.signed, start=request.start, end=request.start + timedelta(days=364))
    perpetual = build.form(
        signed=request.signed, start=request.start, term="perpetual", end=None, tcv=Money(Decimal(200_000), "EUR")
    )
    for form, rules in ((finite, ["AUTO-6"]), (perpetual, [])):
        route = dealreg.check(deal, form, actor=cast.actor(CONTOSO), now=NOW).route
        assert route
        assert [reason.rule for reason in route.reasons] == rules


def test_exc_9_open_anew_what_was_closed_unregistered(cast: Cast) -> None:
    """EXC-9, FLOW open_anew: never submitted, so the whole form."""
    deal = build.won(cast)
    do.close_unregistered(exceptions.registration_of(deal), actor=cast.actor(CONTOSO), now=NOW)
    exceptions.approved(cast, exceptions.asked(cast, deal))
    registration = exceptions.registration_of(deal)
    assert (registration.status, registration.outcome, registration.closed_at) == ("registration_pending", "", None)
    assert registration.reopened_at is None


def test_exc_12_the_waiver_ends_sixty_days_after_the_decision(cast: Cast) -> None:
    """EXC-12: within them REG-12 waives; what was submitted then goes on being waived; afterwards it is as ever."""
    deal = exceptions.ineligible(cast)
    request = exceptions.approved(cast, exceptions.asked(cast, deal))
    assert request.open_until == day(60)
    form = build.form(signed=request.signed, start=request.start, end=request.end, tcv=Money(Decimal(2_000_000), "EUR"))
    late = dealreg.check(deal, form, actor=cast.actor(CONTOSO), now=NOW + 61 * DAY)
    assert {b.code for b in late.violations} == {"signed_too_old", "signed_before_referral", "start_too_old"}
    last = NOW + 60 * DAY
    pending = do.route(do.submit(exceptions.registration_of(deal), form, actor=cast.actor(CONTOSO), now=last), now=last)
    for n in (1, 2):  # sent back twice, long after
        at = last + 10 * n * DAY
        given = {"reason_code": "other", "comment": "Look again."}
        back = do.decide(pending, "require_action", actor=cast.actor(REVIEWER), now=at, **given)
        pending = exceptions.resubmit(cast, back, now=at + DAY)
        assert pending.status == "review_pending"
    consistent()


# A registration to correct ------------------------------------------------------------------------------------------


def reopened(cast: Cast, registration: Registration, kind: str = states.UPDATE, **asked: object) -> Registration:
    exceptions.approved(cast, exceptions.asked(cast, registration.referral, kind, **asked))
    return exceptions.registration_of(registration.referral)


def test_exc_9_a_rejected_registration_is_corrected_and_passes(cast: Cast) -> None:
    """EXC-9, EXC-14, FLOW-10, REG-12: rejected, reopened, corrected with an old date and a proof, passed, closed."""
    failed = exceptions.rejected(cast)
    assert (failed.status, failed.outcome) == ("closed", "review_failed")
    back = reopened(cast, failed, states.REJECTED)
    assert (back.status, back.outcome, back.closed_at) == ("action_required", "", None)
    assert back.action_due_at is not None
    assert back.action_due_at.date() == day(60)
    assert back.reason == "The exception council approved a correction of the contract details."
    old = day(-200)
    assert refused(lambda: exceptions.resubmit(cast, back, signed=old, start=old)) == ["proof_required"]
    exceptions.documented(cast, back.referral)
    sent = exceptions.resubmit(cast, back, signed=old, start=old)
    assert (sent.status, sent.signed) == ("review_pending", old)
    passing = {"actor": cast.actor(REVIEWER), "now": NOW}
    assert refused(lambda: do.decide(sent, "pass_review", validated_by="figures", **passing)) == ["poe_required"]
    assert refused(lambda: do.decide(sent, "pass_review", validated_by="", **passing)) == ["validated_by_required"]
    done = do.close(do.decide(sent, "pass_review", validated_by="poe", **passing), now=NOW + DAY)
    assert (done.outcome, done.signed, done.reopened_at, done.previous) == ("review_passed", old, None, None)
    consistent()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("solution_value", Money(Decimal(10), "EUR")),
        ("tenant", "partner"),
        ("pricing", "payg"),
        ("marketplace", True),
        ("deployment", "other"),
    ],
)
def test_exc_9_only_five_fields_are_open(cast: Cast, field: str, value: object) -> None:
    """EXC-4, EXC-9: all others stay as they were submitted."""
    back = reopened(cast, exceptions.passed(cast))
    exceptions.documented(cast, back.referral)
    assert "not_opened_by_exception" in refused(lambda: exceptions.resubmit(cast, back, **{field: value}))


def test_exc_9_the_five_fields_are_open(cast: Cast) -> None:
    """EXC-4, EXC-9: term, contract value and the three dates, a currency of its own included."""
    back = reopened(cast, exceptions.passed(cast), tcv=Money(Decimal(3_000_000), "GBP"))
    exceptions.documented(cast, back.referral)
    changes = {"term": "perpetual", "end": None, "tcv": Money(Decimal(9_000_000), "GBP")}
    sent = exceptions.resubmit(cast, back, signed=day(-9), start=day(-8), **changes)
    assert (sent.term, sent.end, sent.tcv_currency, sent.signed) == ("perpetual", None, "GBP", day(-9))
    consistent()


STARTS = ("passed", "rejected", "approved", "withdrawn")


def decided(cast: Cast, start: str) -> Registration:
    if start == "passed":
        return exceptions.passed(cast)
    if start == "rejected":
        return exceptions.rejected(cast)
    if start == "approved":
        return build.submitted(cast, build.won(cast), routed=True)
    sent = exceptions._in_review(cast, at=NOW - 2 * DAY)
    given = {"reason_code": "other", "comment": "Look again."}
    back = do.decide(sent, "require_action", actor=cast.actor(REVIEWER), now=NOW - DAY, **given)
    return do.withdraw(back, actor=cast.actor(CONTOSO), now=NOW - DAY)


KEPT = ("tcv", "tcv_currency", "signed", "start", "end", "term", "acv", "acv_usd", "validated_by", "reason_code")


@pytest.mark.parametrize("end", ["withdraw", "unanswered", "sent back and withdrawn"])
@pytest.mark.parametrize("start", STARTS)
def test_exc_12_what_is_not_decided_anew_keeps_its_outcome(cast: Cast, start: str, end: str) -> None:
    """EXC-12: asking for a correction never costs an approval, nor its figures."""
    before = decided(cast, start)
    had = {name: getattr(Registration.objects.get(pk=before.pk), name) for name in KEPT}
    back = reopened(cast, before, states.REJECTED if start == "rejected" else states.UPDATE)
    if end == "sent back and withdrawn":
        exceptions.documented(cast, back.referral)
        sent = exceptions.resubmit(cast, back, tcv=Money(Decimal(3_000_000), "EUR"), signed=day(-5))
        given = {"reason_code": "other", "comment": "No."}
        back = do.decide(sent, "require_action", actor=cast.actor(REVIEWER), now=NOW, **given)
    if end == "unanswered":
        closed = do.fail_unanswered(back, now=NOW + 61 * DAY)
    else:
        closed = do.withdraw(back, actor=cast.actor(CONTOSO), now=NOW)
    assert (closed.status, closed.outcome) == ("closed", before.outcome or before.status)
    assert {name: getattr(Registration.objects.get(pk=before.pk), name) for name in KEPT} == had
    assert closed.reopened_at is None
    consistent()


def test_exc_9_the_reviewer_sees_what_was_approved_beside_what_was_entered(cast: Cast) -> None:
    """EXC-9: of the five fields those that were asked for."""
    back = reopened(cast, exceptions.passed(cast), signed=day(-9), tcv=Money(Decimal(3_000_000), "EUR"))
    exceptions.documented(cast, back.referral)
    sent = exceptions.resubmit(cast, back, signed=day(-9), tcv=Money(Decimal(4_000_000), "EUR"))
    found = [(row.field, row.approved, row.entered, row.differs) for row in compared(sent)]
    assert found == [
        ("tcv", Money(Decimal(3_000_000), "EUR"), Money(Decimal(4_000_000), "EUR"), True),
        ("signed", day(-9), day(-9), False),
    ]
    assert compared(exceptions.rejected(cast)) == []


def test_exc_12_a_new_decision_counts(cast: Cast) -> None:
    """EXC-12: once a reviewer failed the correction, that is the outcome."""
    back = reopened(cast, exceptions.passed(cast))
    exceptions.documented(cast, back.referral)
    sent = exceptions.resubmit(cast, back, signed=day(-5))
    given = {"reason_code": "evidence_missing", "comment": "The contract says otherwise."}
    failed = do.decide(sent, "fail_review", actor=cast.actor(REVIEWER), now=NOW, **given)
    assert do.close(failed, now=NOW + DAY).outcome == "review_failed"
    consistent()


def test_flow_reopen_in_progress_ends_as_any_other(cast: Cast) -> None:
    """EXC-12: nothing was decided, so nothing comes back."""
    back = reopened(cast, exceptions._in_review(cast, at=NOW))
    assert (back.status, back.previous) == ("action_required", None)
    failed = do.fail_unanswered(back, now=NOW + 61 * DAY)
    assert failed.status == "review_failed"
    assert do.close(failed, now=NOW + 63 * DAY).outcome == "review_failed"
    consistent()


def test_flow_nobody_reopens_by_a_button(cast: Cast) -> None:
    """FLOW: reopen, open_anew and replace are the council's and the worker's, and no surface offers them."""
    registration = exceptions.passed(cast)
    for email in (CONTOSO, REVIEWER, *exceptions.COUNCIL, exceptions.MANAGER):
        names = {action.name for action in available_actions(registration, cast.actor(email), NOW)}
        assert not names & {"reopen", "open_anew", "replace"}


def test_reg_16_what_the_council_decides_on_stays(cast: Cast) -> None:
    """REG-16: documents that were there when the partner asked can't be removed; council and managers see them."""
    deal = exceptions.ineligible(cast)
    exceptions.documented(cast, deal, now=NOW - timedelta(hours=1))
    document = deal.documents.get()
    assert document.is_removable
    exceptions.asked(cast, deal)
    document = deal.documents.model.objects.get(pk=document.pk)
    assert [b.code for b in document.removal_blockers()] == ["document_is_evidence"]


# Re-registration ----------------------------------------------------------------------------------------------------


def replacing(cast: Cast, old: Registration, **asked: object) -> Registration:
    """A new deal whose approved exception names the old one's."""
    deal = build.won(cast, customer=old.referral.engagement.customer)
    old_deal = old.referral.public_id
    exceptions.approved(cast, exceptions.asked(cast, deal, states.REREGISTRATION, old_deal=old_deal, **asked))
    return exceptions.registration_of(deal)


def test_exc_13_the_new_registration_takes_the_old_ones_place(cast: Cast) -> None:
    """EXC-13, AUTO-5: closed as replaced when the new one closes approved; no duplicate, before and after."""
    old = exceptions.passed(cast, at=NOW - 40 * DAY)
    new = replacing(cast, old)
    filed = do.route(do.submit(new, build.form(), actor=cast.actor(CONTOSO), now=NOW), now=NOW)
    assert filed.status == "approved"  # the one it replaces is no duplicate
    assert exceptions.registration_of(old.referral).outcome == "review_passed"
    closed = do.close(filed, now=NOW + 7 * DAY)
    assert closed.outcome == "approved"
    gone = exceptions.registration_of(old.referral)
    assert (gone.status, gone.outcome) == ("closed", registrations.REPLACED)
    customer, solution = old.referral.engagement.customer_id, old.solution_id
    assert solution is not None
    counted = registered_before(customer, solution, day=TODAY, now=NOW + 8 * DAY, policy=Policy())
    assert list(counted) == [closed]
    assert not Registration.objects.approved().filter(pk=old.pk).exists()
    enabled = [a.name for a in available_actions(gone, cast.actor(CONTOSO), NOW) if a.enabled]
    assert enabled == []
    consistent()


@pytest.mark.parametrize("verb", ["fail_review", "withdraw"])
def test_exc_13_nothing_is_replaced_without_success(cast: Cast, verb: str) -> None:
    """EXC-13: a re-registration that fails, or is given up, costs the old one nothing."""
    old = exceptions.passed(cast, at=NOW - 40 * DAY)
    new = replacing(cast, old)
    form = build.form(tcv=Money(Decimal(2_000_000), "EUR"))
    pending = do.route(do.submit(new, form, actor=cast.actor(CONTOSO), now=NOW), now=NOW)
    given = {"reason_code": "other", "comment": "No.", "actor": cast.actor(REVIEWER), "now": NOW}
    if verb == "fail_review":
        do.close(do.decide(pending, "fail_review", **given), now=NOW + DAY)
    else:
        do.withdraw(do.decide(pending, "require_action", **given), actor=cast.actor(CONTOSO), now=NOW)
    assert exceptions.registration_of(old.referral).outcome == "review_passed"


def test_exc_13_the_tenant_type_stays(cast: Cast) -> None:
    """EXC-13: RD refuses a re-registration with another tenant."""
    old = exceptions.passed(cast, at=NOW - 40 * DAY)
    new = replacing(cast, old)
    form = build.form(tenant="partner")
    codes = refused(lambda: do.submit(new, form, actor=cast.actor(CONTOSO), now=NOW))
    assert codes == ["tenant_changed"]


def test_exc_13_replaced_whatever_its_state(cast: Cast) -> None:
    """EXC-13, FLOW replace: from any state, one that was never submitted included."""
    old = exceptions.registration_of(build.won(cast, at=NOW - 30 * DAY, created=NOW - 40 * DAY))
    assert old.status == "registration_pending"
    new = replacing(cast, old)
    filed = do.route(do.submit(new, build.form(), actor=cast.actor(CONTOSO), now=NOW), now=NOW)
    do.close(filed, now=NOW + 7 * DAY)
    assert exceptions.registration_of(old.referral).outcome == registrations.REPLACED


def test_exc_13_what_was_replaced_is_no_longer_approved_for_a_change(cast: Cast) -> None:
    """EXC-13: a request about a registration that was replaced meanwhile can only be denied."""
    old = exceptions.passed(cast, at=NOW - 40 * DAY)
    request = exceptions.asked(cast, old.referral, states.UPDATE)
    new = replacing(cast, old)
    filed = do.route(do.submit(new, build.form(), actor=cast.actor(CONTOSO), now=NOW), now=NOW)
    do.close(filed, now=NOW + 7 * DAY)
    assert refused(lambda: exceptions.vote(cast, request, "approve")) == ["exception_replaced"]
    assert exceptions.denied(cast, request, now=NOW + 8 * DAY).status == "denied"


def test_flow_constraints_know_what_is_possible(cast: Cast) -> None:
    """FLOW: closed as replaced without a submission is possible, *approved* without one is not."""
    deal = build.won(cast)
    rows = Registration.objects.filter(referral=deal)
    rows.update(status="closed", outcome="replaced", closed_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(outcome="approved")
    assert Waiver.objects.count() == 0
