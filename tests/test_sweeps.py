"""Sweeps: what workers do to many rows is what the single verb does to one, in no more statements for many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import factory
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dealreg import sweeps as dealreg_sweeps
from dealreg import tasks as dealreg_tasks
from dealreg.models import Registration
from dealreg.services import registration as dealreg
from portal import bulk
from portal.demo.cast import ANKARA, Cast
from portal.events.models import Event
from portal.notify import services as notify
from portal.notify.models import Notice
from portal.workflow.blockers import Money
from referrals import rules, sweeps, tasks, verbs
from referrals.models import Referral
from tests import build, do
from tests.build import CONTOSO, DAY, NOW, REVIEWER

SECOND = timedelta(seconds=1)
FORTNIGHT = 14 * DAY
ANKARAS = "ankara@contoso.example"
#: Who is on the teams that people() makes, and what each reads.
LANGUAGES = {"user@contoso.example": "en", ANKARAS: "tr", "viewer@contoso.example": "en"}
#: What differs between two rows that are otherwise the same.
OWN = {"id", "public_id", "engagement_id", "referral_id", "search_text", "search_vector"}
#: The version, too: of two copies of one engagement that end in one batch neither was first.
OF_EVENT = {"version", "id", "public_id", "subject_id"}
OF_NOTICE = {"id", "event_id"}


def columns(rows: Iterable[dict[str, Any]], without: set[str], ids: Mapping[UUID, str]) -> list[dict[str, Any]]:
    return [{name: named(value, ids) for name, value in row.items() if name not in without} for row in rows]


def named(value: Any, ids: Mapping[UUID, str]) -> Any:
    """The value with these ids replaced by what they are of."""
    if isinstance(value, str):
        for public_id, what in ids.items():
            value = value.replace(str(public_id), what)
    return ids.get(value, value) if isinstance(value, UUID) else value


def everything_about(rows: Iterable[Any]) -> list[Any]:
    """The rows in order, every column, with their events and notices, as far as two of a kind agree in them."""
    found = []
    for row in rows:
        told = Event.objects.all().of_subject(row).order_by("pk")
        told = told.exclude(verb__in=["referral.received", "registration.opened"])
        heard = Notice.objects.filter(event__in=told).order_by("email", "pk")
        copies = Referral.objects.filter(engagement__public_id=row.event_group)
        ids = {row.event_group: "engagement", **dict(copies.values_list("public_id", "company__name"))}
        found.append(
            (
                columns(type(row)._default_manager.filter(pk=row.pk).values(), OWN, ids),
                columns(told.values(), OF_EVENT, ids),
                columns(heard.values(), OF_NOTICE, ids),
            )
        )
    return found


@pytest.fixture
def by_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rows are written as many are, one row as one is."""
    monkeypatch.setattr(bulk, "MANY", 2)


def people() -> list[rules.Member]:
    """Somebody who reads English, somebody who reads Turkish, and somebody without an account."""
    return [build.member(email) for email in LANGUAGES]


def prepare_received(cast: Cast) -> list[Referral]:
    """Copies to answer of different senders, values, ages and teams; the last two aren't due at `now`."""
    old, admin = NOW - 20 * DAY, cast.actor(CONTOSO)
    notify.set_preferences(cast.users[ANKARAS], {"answer": "digest"})
    own = build.deal(cast, at=old, value=Money(Decimal("77.70"), "TRY"), location=cast.locations[ANKARA], team=people())
    invitation = verbs.Invitation(
        partner=cast.companies["fabrikam"],
        close_date=NOW.date(),
        value=Money(Decimal(500), "CHF"),
        help_code=build.HELP,
        team=[build.member()],
        solutions=[cast.solutions["twin"]],
        notes="Please.",
    )
    ages = (NOW - 17 * DAY, NOW - FORTNIGHT, NOW - FORTNIGHT + SECOND, NOW - DAY)
    copies = [build.vendor_copy(build.deal(cast, at=at)) for at in ages]
    return [build.vendor_copy(own), do.invite_partner(own, invitation, actor=admin, now=old), *copies]


def test_expiring_many_is_expiring_each(cast: Cast, by_copy: None) -> None:
    """REF-13: the sweep and the single verb leave the same rows, events and notices, column by column; exactly at 14
    days, not a second before."""
    one_by_one, swept = prepare_received(cast), prepare_received(cast)
    for copy in one_by_one[:-2]:
        do.expire(copy, now=NOW)
    texts = dict(Referral.objects.values_list("pk", "search_text"))
    assert sweeps.expire_due(now=NOW) == 4
    assert sweeps.expire_due(now=NOW) == 0
    assert dict(Referral.objects.values_list("pk", "search_text")) == texts
    found = everything_about(swept)
    assert found == everything_about(one_by_one)
    assert [row["substatus"] for (row,), _events, _notices in found] == ["Expired"] * 4 + ["Received"] * 2
    assert [len(told) for _row, told, _notices in found] == [1] * 4 + [0] * 2
    assert {e["verb"] for _row, told, _notices in found for e in told} == {"referral.expired"}
    assert [len(heard) for _row, _told, heard in found] == [3, 3, 1, 1, 0, 0]
    assert {n["link"] for _row, _told, heard in found for n in heard} == {"/co-sell/Contoso Yazılım/"}
    assert {n["mail"] for _row, _told, heard in found for n in heard} == {"now", "digest"}


def prepare_decided(cast: Cast) -> list[Registration]:
    """One of every decided state, and one approved a second too late to be due at `now`."""
    reviewer, reason = cast.actor(REVIEWER), {"reason_code": "other", "comment": "See."}
    market: dict[str, Any] = {"marketplace": True, "marketplace_date": NOW.date()}

    def approved(at: datetime) -> Registration:
        return do.route(build.submitted(cast, build.won(cast)), now=at)

    def matching(verb: str) -> Registration:
        pending = do.route(build.submitted(cast, build.won(cast), **market), now=NOW)
        return dealreg.decide(pending, verb, actor=reviewer, now=NOW, **reason)

    return [
        approved(NOW),
        dealreg.decide(build.in_review(cast), "pass_review", actor=reviewer, now=NOW + DAY, validated_by="poe"),
        dealreg.decide(build.in_review(cast), "fail_review", actor=reviewer, now=NOW + DAY, **reason),
        matching("match"),
        matching("no_match"),
        approved(NOW + SECOND),
    ]


def test_closing_many_is_closing_each(cast: Cast, by_copy: None) -> None:
    """FLOW, close: the sweep and the single verb leave the same rows and events, each with its own outcome."""
    one_by_one, swept = prepare_decided(cast), prepare_decided(cast)
    due = NOW + 7 * DAY
    for registration in one_by_one[:-1]:
        do.close(registration, now=due)
    assert dealreg_sweeps.close_decided(now=due) == 5
    assert dealreg_sweeps.close_decided(now=due) == 0
    found = everything_about(swept)
    assert found == everything_about(one_by_one)
    outcomes = ["approved", "review_passed", "review_failed", "marketplace_passed", "marketplace_failed"]
    assert [(row["status"], row["outcome"]) for (row,), _events, _notices in found] == [
        *(("closed", outcome) for outcome in outcomes),
        ("approved", ""),
    ]
    assert [told[-1]["verb"] for _row, told, _notices in found] == ["registration.closed"] * 5 + ["registration.routed"]


# Many ------------------------------------------------------------------------------------------------------------


def statements(sweep: Callable[[], int], expected: int) -> int:
    with CaptureQueriesContext(
        connection,
    ) as context:
        assert sweep() == expected
    return len(context)


def test_expiring_takes_as_many_statements_for_many_as_for_few(cast: Cast) -> None:
    """REF-13, REF-24, JOB: with events and notices, 250 deals in two batches take as many statements as 1,000 in two,
    and 500 in four take twice as many; oldest first."""
    deal = build.deal(cast, at=NOW - DAY, location=cast.locations[ANKARA], team=people())
    due = [build.multiply(deal, number)[1] for number in (1000, 500, 250)]
    for age, copies in enumerate(due):
        Referral.objects.filter(pk__in=[c.pk for c in copies]).update(expires_at=NOW - age * DAY)

    def swept(rows: int, limit: int) -> int:
        return sum(statements(lambda: sweeps.expire_due(now=NOW, limit=limit), limit) for _ in range(rows // limit))

    few = swept(250, 125)
    assert set(Referral.objects.filter(substatus="Expired")) == set(due[2])
    assert swept(500, 125) == 2 * few
    assert swept(1000, 500) == few
    assert sweeps.expire_due(now=NOW) == 0
    assert_told_once([c for copies in due for c in copies], LANGUAGES)


def assert_told_once(copies: Iterable[Referral], people: dict[str, str]) -> None:
    """Each deal has ended with one event, and each of these people has one notice of it, in their language."""
    expired = Event.objects.filter(verb="referral.expired")
    assert sorted(expired.values_list("subject_id", flat=True)) == sorted(copy.pk for copy in copies)
    heard = Notice.objects.filter(event__in=expired).values_list("event_id", "email", "language")
    assert sorted(heard) == sorted((pk, *who) for pk in expired.values_list("pk", flat=True) for who in people.items())


def test_closing_takes_as_many_statements_for_many_as_for_few(cast: Cast) -> None:
    """FLOW, JOB: one statement more an outcome, whatever the number of rows."""
    approved = do.route(build.submitted(cast, build.won(cast)), now=NOW)
    won, _copies = build.multiply(approved.referral, 310)
    build.alike(approved, 310, referral_id=factory.Iterator([r.pk for r in won]))
    due = NOW + 7 * DAY
    few = statements(lambda: dealreg_sweeps.close_decided(now=due, limit=10), 10)
    assert statements(lambda: dealreg_sweeps.close_decided(now=due), 301) == few
    assert Event.objects.filter(verb="registration.closed").count() == 311


@pytest.mark.django_db(transaction=True)
def test_rows_that_someone_holds_are_left_for_the_next_turn(cast: Cast) -> None:
    """REF-13, FLOW, JOB: a sweep waits for nobody, and takes the rest."""
    copies = [build.vendor_copy(build.deal(cast, at=NOW - FORTNIGHT)) for _ in range(3)]
    given = {"actor": cast.actor(REVIEWER), "now": NOW, "validated_by": "poe"}
    done = [dealreg.decide(build.in_review(cast), "pass_review", **given) for _ in range(2)]
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT id FROM referrals_referral WHERE id = %s FOR UPDATE", [copies[1].pk])
            cursor.execute("SELECT id FROM dealreg_registration WHERE id = %s FOR UPDATE", [done[0].pk])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")
        assert sweeps.expire_due(now=NOW) == 2
        assert dealreg_sweeps.close_decided(now=NOW + DAY) == 1
    finally:
        other.rollback()  # closing alone lets go of the rows some time later
        other.close()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    assert [Referral.objects.get(pk=c.pk).substatus for c in copies] == ["Expired", "Received", "Expired"]
    assert sweeps.expire_due(now=NOW) == 1
    assert dealreg_sweeps.close_decided(now=NOW + DAY) == 1


# The workers' edge -----------------------------------------------------------------------------------------------


def test_tasks_go_on_until_nothing_is_due(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """JOB: each task sweeps batch after batch at the present instant, and can be called at any time again."""
    now = timezone.now()
    for age in (15, 14, 13):
        build.deal(cast, at=now - age * DAY, close_date=now.date())
    batches: list[int] = []
    sweep = sweeps.expire_due

    def one_at_a_time(*, now: datetime) -> int:
        batches.append(sweep(now=now, limit=1))
        return batches[-1]

    monkeypatch.setattr(sweeps, "expire_due", one_at_a_time)
    assert tasks.expire_due() == 2
    assert batches == [1, 1, 0]
    assert tasks.expire_due() == 0
    planned = build.deal(cast, at=now - 4 * DAY, close_date=now.date(), help_code=rules.NO_HELP)
    do.schedule_win(planned, actor=cast.actor(CONTOSO), now=now - 3 * DAY)
    assert (tasks.win_scheduled(), tasks.win_scheduled()) == (1, 0)
    assert tasks.revalue_open() == 0
    assert (dealreg_tasks.route_submitted(), dealreg_tasks.close_decided()) == (0, 0)
    assert dealreg_tasks.route(registration_id=0) is False


def test_the_route_task_routes_what_was_filed(cast: Cast) -> None:
    """FLOW-1: the task after the commit and the sweep behind it, whichever comes first."""
    first, second = (build.submitted(cast, build.won(cast)) for _ in range(2))
    assert dealreg_tasks.route(registration_id=first.pk) is True
    assert dealreg_tasks.route(registration_id=first.pk) is False
    assert dealreg_sweeps.route_submitted(now=NOW, limit=5) == 1
    assert dealreg_tasks.route(registration_id=second.pk) is False
    assert Event.objects.filter(verb="registration.routed").count() == 2
