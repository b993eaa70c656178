"""Done when 2: what a dead worker left is done, once; of two reviewers at once one decides and the other is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import current_app
from django.db import connection
from django.db.models import Model
from django.utils import timezone
from playwright.sync_api import Page, expect

from dealreg.models import Registration, Status
from portal.accounts.models import User
from portal.demo.cast import ANKARA, Cast
from portal.events.models import Event
from portal.notify.models import Notice
from referrals.models import Referral
from tests import build
from tests.e2e import deals
from tests.e2e.conftest import Visit
from tests.e2e.portal import Portal, tasks_left, wait_for
from tests.factories import add_member

UMUT, RUYA, ISIL = "user@contoso.example", build.CONTOSO, "ankara@contoso.example"


@contextmanager
def held(row: Model) -> Iterator[None]:
    """Somebody else holds the row, as long as this lasts."""
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(f"SELECT 1 FROM {row._meta.db_table} WHERE id = %s FOR UPDATE", [row.pk])  # noqa: S608
        yield
    finally:
        other.close()


def waiting_for_locks() -> int:
    """How many of the portal's transactions wait for somebody."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def redeliver() -> None:
    """Have the broker give the dead worker's tasks to the next one, as it does after its visibility timeout."""
    with current_app.connection_for_write(transport_options={"visibility_timeout": 0}) as broker:
        broker.default_channel.qos.restore_visible()


def assert_routed_once(portal: Portal, registration: Registration) -> None:
    """FLOW-1: by the task and by the sweep, both come twice; one route, one event, one mail to each of the team."""
    for _turn in range(2):
        portal.beat("dealreg.tasks.route_submitted")
        current_app.send_task("dealreg.tasks.route", kwargs={"registration_id": registration.pk})
    wait_for(Event.objects.filter(verb="registration.routed").exists, "the route")
    wait_for(lambda: tasks_left() == 0, "the worker to finish all tasks")
    assert Registration.objects.get().status == Status.APPROVED
    assert Event.objects.filter(verb="registration.routed").count() == 1
    assert Notice.objects.filter(event__verb="registration.routed").count() == 1


def test_a_worker_killed_before_the_filing_routes_it_once_when_it_is_back(portal: Portal, cast: Cast) -> None:
    """FLOW-1, JOB: until then it is *checking*."""
    portal.worker.kill()
    registration = deals.filed(cast, deals.won(cast))
    assert Registration.objects.get().is_being_routed
    portal.worker.start()
    assert_routed_once(portal, registration)


def test_a_worker_killed_while_it_routes_leaves_nothing_half_done(portal: Portal, cast: Cast) -> None:
    """FLOW-1, JOB: kill -9 in the middle of the task; it is routed by the sweep or by the task that comes back."""
    portal.worker.kill()
    registration = deals.filed(cast, deals.won(cast))
    with held(registration):
        portal.worker.start()
        wait_for(lambda: waiting_for_locks() == 1, "the worker to be in the middle of the task")
        portal.worker.kill()
    wait_for(lambda: waiting_for_locks() == 0, "the dead worker's transaction to end")
    assert Registration.objects.get().is_being_routed
    assert not Event.objects.filter(verb="registration.routed").exists()
    portal.worker.start()
    redeliver()
    assert_routed_once(portal, registration)


def test_a_worker_killed_while_it_expires_deals_loses_and_repeats_nothing(portal: Portal, cast: Cast) -> None:
    """REF-13, REF-24, JOB: kill -9 between the events and the notices of the second batch, then in its very commit.
    Each deal ends with one event, and each person has one notice of it."""
    portal.worker.kill()
    done, begun = due(cast, 1000, days=20, team=[UMUT, RUYA]), due(cast, 300, days=15, team=[UMUT, ISIL])
    with notices_held(ISIL):
        portal.worker.start()
        portal.beat("referrals.tasks.expire_due")
        wait_for(lambda: waiting_for_locks() == 1, "the worker to be in the middle of its second batch")
        assert_expired(done, [UMUT, RUYA])
        portal.worker.kill()
    wait_for(lambda: in_transactions() == 0, "the dead worker's transaction to end")
    assert_expired(done, [UMUT, RUYA])  # the first batch stays, of the second there is nothing
    with held(User.objects.get(email=ISIL)):  # whether what refers to her row may be committed is asked at the end
        portal.worker.start()
        redeliver()
        wait_for(lambda: waiting_for_locks() == 1, "the next worker to commit")
        portal.worker.kill()
    wait_for(lambda: in_transactions() == 0, "the dead worker's commit")
    portal.worker.start()
    redeliver()
    for _turn in range(2):
        portal.beat("referrals.tasks.expire_due")
    wait_for(lambda: tasks_left() == 0, "the worker to finish all tasks")
    assert_expired(done, [UMUT, RUYA], begun, [UMUT, ISIL])


@contextmanager
def notices_held(email: str) -> Iterator[None]:
    """Whoever writes a notice to this address waits in the middle of the transaction, as long as this lasts."""
    other = connection.copy()
    try:
        with other.cursor() as cursor, connection.cursor() as own:
            cursor.execute("SELECT pg_advisory_lock(1)")
            own.execute(
                "CREATE FUNCTION wait_a_while() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END'"
            )
            own.execute(
                "CREATE TRIGGER wait_a_while BEFORE INSERT ON notify_notice FOR EACH ROW WHEN (NEW.email = %s) "
                "EXECUTE FUNCTION wait_a_while()",
                [email],
            )
        yield
    finally:
        other.close()
        with connection.cursor() as own:
            own.execute("DROP FUNCTION wait_a_while CASCADE")


def due(cast: Cast, count: int, *, days: int, team: list[str]) -> list[Referral]:
    """Deals of Ankara's that the vendor should have answered by now, sent so many days ago; its copies."""
    people, place = [build.member(email) for email in team], cast.locations[ANKARA]
    deal = build.deal(cast, at=timezone.now() - days * build.DAY, location=place, team=people)
    _own, copies = build.multiply(deal, count - 1)
    return [build.vendor_copy(deal), *copies]


def assert_expired(*expected: list[Any]) -> None:
    """Exactly these deals have ended, with one event each, and one notice of it for each of these people."""
    pairs = list(zip(expected[::2], expected[1::2], strict=True))
    ended = {copy.pk: people for copies, people in pairs for copy in copies}
    assert set(Referral.objects.filter(substatus="Expired").values_list("pk", flat=True)) == set(ended)
    events = Event.objects.filter(verb="referral.expired")
    assert sorted(events.values_list("subject_id", flat=True)) == sorted(ended)
    heard = Notice.objects.filter(event__in=events).values_list("event__subject_id", "email")
    assert sorted(heard) == sorted((pk, email) for pk, people in ended.items() for email in people)


def in_transactions() -> int:
    """How many of the portal's connections are in the middle of a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND backend_type = 'client backend' AND xact_start IS NOT NULL "
            "AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def test_of_two_reviewers_deciding_at_once_the_second_is_told_who_was_first(cast: Cast, visit: Visit) -> None:
    """FLOW-7: both have the page open and press at the same time; one decision, one event."""
    second = User.objects.create_user("rolf@vendor.example", "ortak-demo", first_name="Rolf", last_name="Second")
    add_member(user=second, company=cast.companies["vendor"], roles=["reviewer"])
    registration = deals.in_review(cast, deals.won(cast))
    rita, rolf = (review(visit(email), registration) for email in (build.REVIEWER, second.email))
    rita.get_by_label("Validated by").select_option("figures")
    with held(registration):
        rita.get_by_role("button", name="Pass the review").click(no_wait_after=True)
        wait_for(lambda: waiting_for_locks() == 1, "the first decision to be under way")
        send_back(rolf)
        wait_for(lambda: waiting_for_locks() == 2, "the second decision to be under way")
    expect(rita.locator(".messagelist")).to_contain_text("was decided")
    told = rolf.locator("#decision .errorlist")
    expect(told).to_contain_text(re.compile(r"now in the state “Review \(Passed\)”.*Rita Reviewer decided on it"))
    assert Registration.objects.get().status == Status.REVIEW_PASSED
    assert Event.objects.filter(verb__in=["registration.passed", "registration.action_required"]).count() == 1


def review(page: Page, registration: Registration) -> Page:
    page.goto(f"/admin/dealreg/registration/{registration.pk}/change/")
    return page


def send_back(page: Page) -> None:
    page.locator("summary", has_text="Send back for correction").click()
    form = page.locator("form", has=page.get_by_role("button", name="Send back for correction"))
    form.get_by_label("Reason").select_option("other")
    form.get_by_label("Comment for the partner").fill("Please look again.")
    form.get_by_role("button", name="Send back for correction").click(no_wait_after=True)
