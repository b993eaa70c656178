"""The reviewers' desk: a case for each stay, claims, and what is taken next (FLOW-12, FLOW-13)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from dealreg.models import Registration
from dealreg.services import registration as dealreg
from portal.accounts.rules import Actor
from portal.customers import services as customers
from portal.demo.cast import Cast
from portal.desk import services as desk
from portal.desk import tasks
from portal.desk.listing import queue_of
from portal.desk.models import Case
from portal.desk.selectors import case_of
from portal.policy import services as policies
from portal.workflow.blockers import RuleViolation
from tests import build, do, exceptions, isv
from tests.build import NOW, REVIEWER
from tests.edge import Live
from tests.factories import PersonFactory, add_member
from tests.test_concurrency import at_once, held, waiting_for_nobody

SECOND = "second@vendor.example"


@pytest.fixture
def live(cast: Cast) -> Live:
    return Live(cast)


def second(cast: Cast) -> Actor:
    user = PersonFactory(email=SECOND)
    add_member(user=user, company=cast.companies["vendor"], roles=["reviewer"])
    cast.users[SECOND] = user
    return cast.actor(SECOND)


def decide(registration: Registration, actor: Actor) -> Registration:
    return dealreg.decide(registration, "pass_review", actor=actor, now=timezone.now(), validated_by="figures")


def facts(case: Case) -> tuple[Any, ...]:
    decider = case.decider.email if case.decider else ""
    return case.kind, case.outcome, decider, case.is_returned, case.is_marketplace, case.reasons


def test_flow_12_each_stay_of_a_registration_is_a_case_of_its_own(live: Live) -> None:
    """Sent back, corrected, passed, retracted: three stays; approved at once: none."""
    live.approved()
    assert not Case.objects.exists()
    registration = live.in_review()
    live.decided(registration, "require_action", "dates_do_not_match_contract", "The start?")
    again = do.resubmit(registration, live.form(), actor=live.cast.actor(build.CONTOSO), now=timezone.now())
    live.decided(again, "pass_review")
    manager = live.cast.actor("manager@vendor.example")
    dealreg.decide(again, "retract", actor=manager, now=timezone.now(), comment="The wrong one.")
    assert [facts(case) for case in Case.objects.order_by("pk")] == [
        ("registration", "sent_back", REVIEWER, False, False, ["acv_above_review_limit"]),
        ("registration", "retracted", REVIEWER, True, False, ["corrected"]),
        ("registration", "", "", True, False, ["corrected"]),
    ]
    assert Case.objects.get(closed_at=None).due_on > live.now.date()


def test_flow_12_a_marketplace_sale_is_due_when_it_is_not_waited_for_any_more(live: Live) -> None:
    registration = live.marketplace()
    case = Case.objects.get()
    assert facts(case) == ("registration", "", "", False, True, ["marketplace_sale"])
    assert case.due_on == registration.marketplace_until.date()
    live.decided(registration, "match")
    assert Case.objects.get().outcome == "passed"


def test_flow_12_due_is_reckoned_in_business_days_of_the_policy_there_was(cast: Cast) -> None:
    """Thursday before Thanksgiving week: the Thursday holiday and two weekends are not counted."""
    registration = build.in_review(cast, at=datetime(2026, 11, 20, 12, tzinfo=UTC))
    assert Case.objects.get().due_on == date(2026, 11, 30)
    Case.objects.all().delete()
    policies.add_version(values={"review_days": 1}, effective_from=None, note="Faster", by=None, now=NOW)
    Registration.objects.filter(pk=registration.pk).update(review_pending_at=NOW + timedelta(days=1))
    assert tasks.open_missed() == 1
    assert tasks.open_missed() == 0
    assert (Case.objects.get().due_on - (NOW + timedelta(days=1)).date()).days <= 4


def test_flow_12_exceptions_and_isv_connect_deals_that_wait_are_on_the_desk(cast: Cast) -> None:
    request = exceptions.asked(cast, exceptions.ineligible(cast))
    deal = isv.deal(cast)
    found = {case.kind: case for case in Case.objects.all()}
    assert (found["exception"].due_on, found["exception"].reasons) == (request.due_on, ["pre_registration"])
    assert (found["isv_deal"].value_usd, found["isv_deal"].reasons) == (deal.solution_value_usd, ["fee_rate"])
    with pytest.raises(RuleViolation) as refused:
        desk.claim(found["exception"], actor=cast.actor("council1@vendor.example"), now=NOW)
    assert refused.value.codes == ["not_claimed"]
    exceptions.denied(cast, request)
    isv.rates(cast)
    do.set_fees(deal, now=NOW)
    assert sorted(Case.objects.values_list("kind", "outcome")) == [("exception", "failed"), ("isv_deal", "ended")]


def test_flow_13_one_reviewer_at_a_time_and_taking_over_on_purpose(live: Live) -> None:
    registration = live.in_review()
    case, now = Case.objects.get(), timezone.now()
    rita, other = live.cast.actor(REVIEWER), second(live.cast)
    desk.claim(case, actor=rita, now=now)
    with pytest.raises(RuleViolation) as refused:
        desk.claim(case, actor=other, now=now)
    assert refused.value.codes == ["claimed_by_another"]
    with pytest.raises(RuleViolation) as refused:
        decide(registration, other)
    assert refused.value.codes == ["claimed_by_another"]
    desk.release(case, actor=other, now=now)
    assert Case.objects.get().claimed_by_id == rita.user_id
    desk.claim(case, actor=other, now=now, take_over=True)
    with pytest.raises(RuleViolation):
        decide(registration, rita)
    decide(registration, other)
    with pytest.raises(RuleViolation) as refused:
        desk.claim(case, actor=rita, now=now)
    assert refused.value.codes == ["case_decided"]


def test_flow_13_an_idle_claim_ends_and_work_renews_it(live: Live) -> None:
    registration = live.in_review()
    case, now = Case.objects.get(), timezone.now()
    rita, other = live.cast.actor(REVIEWER), second(live.cast)
    desk.claim(case, actor=rita, now=now)
    desk.renew(case, actor=rita, now=now + timedelta(minutes=110))
    late = now + timedelta(minutes=200)
    assert case_of("registration", registration.pk).is_mine(rita, late)
    idle = late + timedelta(hours=1)
    desk.renew(case, actor=rita, now=idle)
    assert not case_of("registration", registration.pk).is_held(idle)
    desk.claim(case, actor=other, now=idle)
    assert case_of("registration", registration.pk).is_mine(other, idle)


def test_flow_7_nobody_claims_a_case_of_their_own_company(live: Live) -> None:
    live.in_review()
    rita = live.cast.actor(REVIEWER)
    add_member(user=live.cast.users[REVIEWER], company=live.cast.companies["contoso"], roles=["viewer"])
    with pytest.raises(RuleViolation) as refused:
        desk.claim(Case.objects.get(), actor=rita, now=timezone.now())
    assert refused.value.codes == ["own_companys_case"]
    assert desk.take_next(queue_of("", rita, timezone.now()).in_order(), actor=rita, now=timezone.now()) is None
    for email in ("council1@vendor.example", "manager@vendor.example", build.CONTOSO):
        with pytest.raises(PermissionDenied):
            desk.claim(Case.objects.get(), actor=live.cast.actor(email), now=timezone.now())


def test_flow_13_take_next_honours_the_queue_its_filters_and_its_order(live: Live) -> None:
    """Of several partners' deals, none of the marketplace; what a colleague has is passed over."""
    first, second_case, third = (live.in_review(live.won(name=name)) for name in ("One", "Two", "Three"))
    live.marketplace()
    for days, registration in enumerate((second_case, first, third)):
        Case.objects.of("registration", registration.pk).update(due_on=live.day(days + 1))
    rita, other, now = live.cast.actor(REVIEWER), second(live.cast), timezone.now()

    def take(address: str, actor: Actor = rita) -> str:
        found = desk.take_next(queue_of(address, actor, now).in_order(), actor=actor, now=now)
        return found.title if found else ""

    assert take("?tab=unassigned&exact=1", other) == "Two"
    assert take("?tab=registration.acv_above_review_limit&exact=1") == "One"
    assert take("?tab=unassigned&sort=-due&q=three&exact=1") == "Three"
    assert take("?tab=returned&exact=1") == ""
    assert take("?tab=mine&exact=1") == "One"
    queue = queue_of("?tab=open&kind=registration&exact=1", rita, now)
    case = Case.objects.get(title="One")
    assert (queue.before(case).title, queue.after(case).title) == ("Two", "Three")


def test_ref_5_a_merged_customers_cases_are_found_by_the_other_name(live: Live) -> None:
    live.in_review()
    case = Case.objects.get()
    kept = customers.Customer.objects.exclude(pk=case.customer_id).order_by("pk")[0]
    desk.move_customer(case.customer_id, kept.pk)
    rita = live.cast.actor(REVIEWER)
    assert queue_of(f"?q={kept.name}&exact=1", rita, timezone.now()).rows.get().customer_id == kept.pk


@pytest.mark.django_db(transaction=True)
def test_flow_13_two_who_take_next_at_once_never_get_the_same(cast: Cast) -> None:
    """On two connections: the second passes over the row that the first is just taking, and waits for nobody."""
    live = Live(cast)
    for name in ("One", "Two"):
        live.in_review(live.won(name=name))
    rita, other, now = cast.actor(REVIEWER), second(cast), timezone.now()

    def take(actor: Actor) -> str:
        found = desk.take_next(queue_of("", actor, now).in_order(), actor=actor, now=now)
        return found.title if found else ""

    first = Case.objects.open().order_by("due_on", "pk")[0]
    with held("SELECT 1 FROM desk_case WHERE id = %s FOR UPDATE", first.pk), waiting_for_nobody():
        assert take(other) == "Two"
    assert take(rita) == "One"
    results = at_once(
        "SELECT 1 FROM desk_case WHERE id = %s FOR UPDATE",
        [first.pk],
        lambda: desk.claim(first, actor=other, now=now, take_over=True).claimed_by_id,
        lambda: desk.claim(first, actor=rita, now=now).claimed_by_id,
        in_turn=True,
    )
    assert results == [other.user_id, ["claimed_by_another"]]
