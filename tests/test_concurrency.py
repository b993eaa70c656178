"""Two at once, on real connections: one wins, the other is told, and everything happens once."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from dealreg import sweeps as dealreg_sweeps
from dealreg import tasks
from dealreg.models import Registration
from dealreg.services import registration as dealreg
from portal.catalog import services as catalog
from portal.customers import services as customers
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.notify.models import Notice
from portal.workflow.blockers import RuleViolation
from referrals import sweeps, verbs
from referrals.models import Engagement, Referral
from referrals.services import creation
from tests import build, do
from tests.build import CONTOSO, DAY, NOW, REVIEWER, SELLER
from tests.factories import add_member

pytestmark = pytest.mark.django_db(transaction=True)

Call = Callable[[], Any]
PATIENCE_SECONDS = 20


@contextmanager
def held(statement: str, *params: Any) -> Iterator[None]:
    """Another connection has run this statement and goes on holding what it locked."""
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(statement, params)
        yield
    finally:
        other.rollback()
        other.close()


@contextmanager
def waiting_for_nobody() -> Iterator[None]:
    """Whatever waits for a lock in here fails."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '1s'")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")


def wait_for(number: int) -> None:
    """Until so many connections wait for a lock."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _waiting() < number:
        assert time.monotonic() < deadline, f"fewer than {number} came to wait"
        time.sleep(0.005)


def _waiting() -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees the same activity otherwise
        cursor.execute(query)
        return int(cursor.fetchone()[0])


def at_once(statement: str, params: list[Any], *calls: Call, in_turn: bool = False) -> list[Any]:
    """Run the calls on a connection each. All come to wait for what the statement locks before the first goes on.

    `in_turn`: they come, and so go on, in their order. Returns what each returned, or the codes with which the rules
    refused it.
    """
    results: list[Any] = [None] * len(calls)

    def run(place: int, call: Call) -> None:
        try:
            results[place] = call()
        except RuleViolation as violation:
            results[place] = violation.codes
        except Exception as error:  # a thread's error would otherwise be lost
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    with held(statement, *params):
        for number, thread in enumerate(threads, 1):
            thread.start()
            if in_turn:
                wait_for(number)
        wait_for(len(calls))
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert not any(thread.is_alive() for thread in threads)
    return results


def one_of(results: list[Any]) -> Any:
    """What the one that won returned; the others were told that the state is another one by now."""
    refused = [r for r in results if r == ["wrong_state"]]
    (winner,) = [r for r in results if r != ["wrong_state"]]
    assert len(refused) == len(results) - 1
    assert not isinstance(winner, Exception), winner
    return winner


ROW = "SELECT 1 FROM dealreg_registration WHERE id = %s FOR UPDATE"
ENGAGEMENT = "SELECT 1 FROM referrals_engagement WHERE id = %s FOR UPDATE"
COPY = "SELECT 1 FROM referrals_referral WHERE id = %s FOR UPDATE"


def verbs_of(subject: Any) -> list[str]:
    return [e.verb for e in Event.objects.all().of_subject(subject).order_by("pk")]


def test_two_reviewers_deciding_at_once(cast: Cast) -> None:
    """FLOW, FLOW-7: one wins, the other is told; one event, and it is the winner's."""
    add_member(user=cast.users["council1@vendor.example"], company=cast.companies["vendor"], roles=["reviewer"])
    pending = build.in_review(cast)
    rita, clara = cast.actor(REVIEWER), cast.actor("council1@vendor.example")
    reason = {"reason_code": "other", "comment": "See."}
    winner = one_of(
        at_once(
            ROW,
            [pending.pk],
            lambda: dealreg.decide(pending, "pass_review", actor=rita, now=NOW, validated_by="poe"),
            lambda: dealreg.decide(pending, "fail_review", actor=clara, now=NOW, **reason),
        )
    )
    stored = Registration.objects.get(pk=pending.pk)
    assert stored.status == winner.status
    decided = Event.objects.get(verb__in=["registration.passed", "registration.failed"])
    assert decided.actor_user_id == (rita if stored.status == "review_passed" else clara).user_id


def test_winning_while_the_vendor_accepts(cast: Cast) -> None:
    """ELIG-9, ELIG-7: whichever comes second opens the registration; there is exactly one."""
    deal = build.deal(cast)
    copy = build.vendor_copy(deal)
    won, accepted = at_once(
        ENGAGEMENT,
        [deal.engagement_id],
        lambda: do.win(deal, actor=cast.actor(CONTOSO), now=NOW),
        lambda: build.accept(cast, copy, at=NOW),
    )
    assert (won.substatus, accepted.substatus) == ("Won", "Accepted")
    registration = Registration.objects.get()
    assert (registration.referral, verbs_of(registration)) == (deal, ["registration.opened"])


def test_winning_while_the_customer_becomes_managed(cast: Cast) -> None:
    """ELIG-9, ELIG-4: neither sees the other's change; what both missed is opened by the sweep, once."""
    deal = build.accepted(cast, customer=cast.customers["spree"])
    manager = cast.actor("manager@vendor.example")
    flagged, won = threading.Event(), threading.Event()

    def flag() -> None:
        try:
            with transaction.atomic():
                customers.set_managed(cast.customers["spree"], managed=True, actor=manager, now=NOW)
                flagged.set()
                won.wait(PATIENCE_SECONDS)
        finally:
            connection.close()

    thread = threading.Thread(target=flag)
    thread.start()
    flagged.wait(PATIENCE_SECONDS)
    do.win(deal, actor=cast.actor(CONTOSO), now=NOW)
    won.set()
    thread.join(PATIENCE_SECONDS)
    assert not Registration.objects.exists()
    lock = "LOCK TABLE dealreg_registration IN EXCLUSIVE MODE"
    results = at_once(lock, [], *[lambda: dealreg_sweeps.open_missed(now=NOW)] * 2)
    assert sorted(results) == [0, 1]
    assert verbs_of(Registration.objects.get()) == ["registration.opened"]


def test_correcting_a_solution_while_its_deals_are_opened(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """ELIG-9: the correction would open them as well, and waits for the sweep, which has yet to commit."""
    with monkeypatch.context() as patched:
        patched.setattr("dealreg.reactions.services.open_registrations", lambda _deals, now: [])
        deals = [build.won(cast) for _number in range(3)]
    opened, swept = threading.Event(), list[Any]()

    def sweep() -> None:
        try:
            with transaction.atomic():
                swept.append(dealreg_sweeps.open_missed(now=NOW))
                opened.set()
                wait_for(1)
        except Exception as error:  # a thread's error would otherwise be lost
            swept.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=sweep)
    thread.start()
    assert opened.wait(PATIENCE_SECONDS)
    solution, manager = cast.solutions["factory"], cast.actor("manager@vendor.example")
    same = {"code": solution.code, "publisher": solution.publisher, "kind": solution.kind}
    assert catalog.correct(solution, name="Factory", **same, actor=manager, now=NOW).name == "Factory"
    thread.join(PATIENCE_SECONDS)
    assert swept == [len(deals)]
    assert [verbs_of(registration) for registration in Registration.objects.all()] == [["registration.opened"]] * 3


def test_filing_twice_at_once(cast: Cast) -> None:
    """FLOW-1, REG-14: a double click files once."""
    deal = build.won(cast)
    registration = Registration.objects.get(referral=deal)
    filed = one_of(at_once(ROW, [registration.pk], *[lambda: build.submitted(cast, deal)] * 2))
    assert filed.submitted_at == NOW
    assert verbs_of(registration) == ["registration.opened", "registration.submitted"]


def test_workers_routing_at_once(cast: Cast) -> None:
    """FLOW-1: the task and the sweep meet; it is routed once, with one event."""
    filed = build.submitted(cast, build.won(cast))
    results = at_once(
        ROW,
        [filed.pk],
        lambda: dealreg_sweeps.route_submitted(now=NOW),
        lambda: dealreg_sweeps.route_once(filed, now=NOW),
        lambda: tasks.route(registration_id=filed.pk),
    )
    assert sorted(map(int, results)) == [0, 0, 1]
    assert verbs_of(filed)[-1] == "registration.routed"
    assert Event.objects.filter(verb="registration.routed").count() == 1


def test_creating_with_one_key_at_once(cast: Cast) -> None:
    """REF-10: both clicks get the same deal; there is one engagement, one vendor copy, one event each."""
    key, given, admin = uuid.uuid4(), build.deal_input(cast), cast.actor(CONTOSO)
    place = (
        "INSERT INTO referrals_engagement (public_id, customer_id, started_by_id, creation_key, created_at, help_code,"
        " vendor_may_view, p2p, assessment_location, contact_name, contact_phone, contact_email, contact_consent)"
        " VALUES (%s, %s, %s, %s, now(), 'Unknown', false, false, '', '', '', '', false)"
    )
    first, second = at_once(
        place,
        [uuid.uuid4(), given.customer.pk, admin.company_id, key],
        *[lambda: creation.create_deal(replace(given, key=key), actor=admin, now=NOW)] * 2,
    )
    assert first == second
    assert Engagement.objects.get().creation_key == key
    assert Event.objects.filter(verb__in=["referral.created", "referral.received"]).count() == 2


def test_winning_and_losing_at_once(cast: Cast) -> None:
    """REF-11, REF-18: two people, or a person and the worker of a planned win: one end, one event."""
    deal, admin = build.deal(cast, at=NOW - 2 * DAY), cast.actor(CONTOSO)
    do.schedule_win(deal, actor=admin, now=NOW)
    later = NOW + DAY
    results = at_once(
        ENGAGEMENT,
        [deal.engagement_id],
        lambda: do.lose(deal, actor=admin, now=later, reason_code="budget"),
        lambda: sweeps.win_planned(now=later),
        lambda: sweeps.win_planned(now=later),
    )
    ended = Referral.objects.get(pk=deal.pk)
    ends = [v for v in verbs_of(deal) if v in {"referral.won", "referral.lost"}]
    assert ends == ["referral.won" if ended.substatus == "Won" else "referral.lost"]
    assert results[1] + results[2] == (ended.substatus == "Won")


def test_cancelling_a_planned_win_that_a_worker_has_found_due(cast: Cast) -> None:
    """REF-18: cancelled is cancelled, though the worker had the deal on its list by then."""
    deal, admin = build.deal(cast, at=NOW - 2 * DAY), cast.actor(CONTOSO)
    do.schedule_win(deal, actor=admin, now=NOW)
    later = NOW + DAY
    cancelled, won = at_once(
        ENGAGEMENT,
        [deal.engagement_id],
        lambda: do.cancel_win(deal, actor=admin, now=later),
        lambda: sweeps.win_planned(now=later),
        in_turn=True,
    )
    assert (cancelled.win_at, won) == (None, 0)
    assert verbs_of(deal)[-1] == "referral.win_cancelled"


def test_answering_while_it_expires(cast: Cast) -> None:
    """REF-13, REF-11: the answer or the end, never both; a sweep leaves what is being answered."""
    copy = build.vendor_copy(build.deal(cast, at=NOW - 14 * DAY + timedelta(seconds=1)))
    one_of(
        at_once(
            COPY,
            [copy.pk],
            lambda: build.accept(cast, copy, at=NOW),
            lambda: do.expire(copy, now=NOW),
        )
    )
    assert len(verbs_of(copy)) == 2
    other = build.vendor_copy(build.deal(cast, at=NOW - 14 * DAY))
    with held(COPY, other.pk):
        assert sweeps.expire_due(now=NOW) == 0


def test_answering_what_a_sweep_has_just_expired(cast: Cast) -> None:
    """REF-13, REF-11: the sweep hasn't committed yet; the answer waits for it and is refused then."""
    copy = build.vendor_copy(build.deal(cast, at=NOW - 14 * DAY))
    expired = threading.Event()

    def sweep() -> None:
        try:
            with transaction.atomic():
                sweeps.expire_due(now=NOW)
                expired.set()
                wait_for(1)
        finally:
            connection.close()

    thread = threading.Thread(target=sweep)
    thread.start()
    assert expired.wait(PATIENCE_SECONDS)
    with pytest.raises(RuleViolation) as refused:
        build.accept(cast, copy, at=NOW)
    thread.join(PATIENCE_SECONDS)
    assert refused.value.codes == ["wrong_state"]
    assert verbs_of(copy) == ["referral.received", "referral.expired"]


def test_sweeps_at_once_share_the_work(cast: Cast) -> None:
    """REF-13, REF-24, JOB: many workers, each row once, one event each, and one notice for each person and event."""
    team = [build.member(), build.member(CONTOSO), build.member("viewer@contoso.example")]
    deal = build.deal(cast, at=NOW - 14 * DAY, team=team)
    copies = [build.vendor_copy(deal), *build.multiply(deal, 59)[1]]

    def sweep() -> int:
        total = 0
        while moved := sweeps.expire_due(now=NOW, limit=7):
            total += moved
        return total

    results = at_once("LOCK TABLE referrals_referral IN ACCESS EXCLUSIVE MODE", [], sweep, sweep, sweep)
    left = sweep()
    assert sum(results) + left == 60
    assert [verbs_of(c)[-1:] for c in copies] == [["referral.expired"]] * 60
    expired = Event.objects.filter(verb="referral.expired")
    assert expired.count() == 60
    heard = Notice.objects.filter(event__in=expired).values_list("event__subject_id", "email")
    assert sorted(heard) == sorted((copy.pk, person.email) for copy in copies for person in team)


def test_inviting_one_partner_twice_at_once(cast: Cast) -> None:
    """REF-9: one copy; the second is told that the partner has the deal."""
    deal, admin = build.deal(cast), cast.actor(CONTOSO)
    invitation = verbs.Invitation(
        partner=cast.companies["fabrikam"],
        close_date=(NOW + DAY).date(),
        value=deal.money,
        help_code=build.HELP,
        team=[build.member()],
        solutions=[cast.solutions["twin"]],
    )
    call = [lambda: do.invite_partner(deal, invitation, actor=admin, now=NOW)] * 2
    results = at_once(ENGAGEMENT, [deal.engagement_id], *call)
    assert ["already_invited"] in results
    assert Referral.objects.filter(engagement=deal.engagement, company=cast.companies["fabrikam"]).count() == 1


def test_editing_one_field_at_once(cast: Cast) -> None:
    """REF-21: the second to come is shown what the first wrote."""
    deal = build.deal(cast)
    people = [(CONTOSO, "Ann's"), ("user@contoso.example", "Bob's")]

    def edit(email: str, name: str) -> Call:
        return lambda: do.edit_details(deal, name=name, actor=cast.actor(email), now=NOW)

    results = at_once(ENGAGEMENT, [deal.engagement_id], *(edit(*person) for person in people))
    assert ["conflict"] in results
    (kept,) = [r for r in results if r != ["conflict"]]
    assert Referral.objects.get(pk=deal.pk).name == kept.name


def test_the_vendor_and_the_partner_at_once_never_deadlock(cast: Cast) -> None:
    """REF-11, REF-12: verbs on copies of one engagement take their turn, each in full."""
    deal = build.deal(cast)
    copy, sam, admin = build.vendor_copy(deal), cast.actor(SELLER), cast.actor(CONTOSO)
    results = at_once(
        ENGAGEMENT,
        [deal.engagement_id],
        lambda: do.decline(copy, actor=sam, now=NOW, reason_code="budget"),
        lambda: do.set_stage(deal, actor=admin, now=NOW, stage=40),
        lambda: do.add_note(deal, text="Well?", actor=admin, now=NOW + timedelta(seconds=1)),
    )
    assert not [r for r in results if isinstance(r, Exception)]
    assert (Referral.objects.get(pk=copy.pk).substatus, Referral.objects.get(pk=deal.pk).stage) == ("Declined", 40)


@pytest.mark.parametrize("end", ["open", "won"])
def test_valuing_waits_for_nobody(cast: Cast, end: str) -> None:
    """FX-2, FX-3: somebody who changes one copy goes on to the others; the sweep must not hold those and wait."""
    deal = build.accepted(cast, at=NOW - 10 * DAY)
    if end == "won":
        do.win(deal, actor=cast.actor(CONTOSO), now=NOW)
        do.win(build.vendor_copy(deal), actor=cast.actor(SELLER), now=NOW)
    value = sweeps.value_won if end == "won" else sweeps.revalue_open
    Referral.objects.update(value_usd=None, usd_rate_month=None)
    with held(COPY, deal.pk), waiting_for_nobody():
        assert value(now=NOW) == 1
    assert value(now=NOW) == 1
    assert not Referral.objects.filter(value_usd=None).exists()
