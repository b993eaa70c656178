"""Who is told that there is work on the review desk, when, and of what (FLOW-14)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dealreg.models import Registration
from portal.demo.cast import Cast
from portal.desk import sweeps
from portal.desk.models import Case
from portal.desk.notifications import DUE, NEW_CASE
from portal.desk.timeline import TOLD
from portal.events.models import Event
from portal.notify import services
from portal.notify.models import Notice
from portal.notify.selectors import rendered
from tests import build, do
from tests.edge import BIG, Live
from tests.factories import add_member

MANAGER, COUNCIL = "manager@vendor.example", "council1@vendor.example"


@pytest.fixture
def live(cast: Cast) -> Live:
    return Live(cast)


def told(category: str) -> dict[str, str]:
    """The subjects of the notices of this kind, by their addresses."""
    found = Notice.objects.filter(category=category).order_by("pk")
    return {notice.email: rendered(notice).subject for notice in found}


def test_flow_14_who_asked_for_it_is_told_of_a_new_case(live: Live) -> None:
    live.in_review()
    assert told(NEW_CASE) == {}
    for person in (build.REVIEWER, MANAGER, COUNCIL, build.CONTOSO):
        services.set_preferences(live.cast.users[person], {NEW_CASE: "digest"})
    registration = live.in_review(live.won(name="Fırın"))
    assert told(NEW_CASE) == {build.REVIEWER: "New on the review desk: Fırın"}
    notice = Notice.objects.get(category=NEW_CASE)
    assert notice.link == f"/admin/dealreg/registration/{registration.pk}/change/"
    assert notice.mail == "digest"
    assert "of Contoso Yazılım, Deal registrations. Decide by" in rendered(notice).body

    live.decided(registration, "require_action", "other", "Correct it.")
    assert len(Notice.objects.filter(category=NEW_CASE)) == 1
    do.resubmit(Registration.objects.get(pk=registration.pk), live.form(tcv=BIG), **who(live))
    assert len(Notice.objects.filter(category=NEW_CASE)) == 2
    add_member(user=live.cast.users[build.REVIEWER], company=live.cast.companies["contoso"], roles=["viewer"])
    live.in_review()
    assert len(Notice.objects.filter(category=NEW_CASE)) == 2
    services.set_preferences(live.cast.users[build.REVIEWER], {NEW_CASE: "off"})
    assert services.preferences(live.cast.users[MANAGER])[NEW_CASE] == "digest"


def who(live: Live) -> dict[str, object]:
    return {"actor": live.cast.actor(build.CONTOSO), "now": live.now}


def test_flow_14_once_a_day_reviewers_are_told_what_is_due_and_managers_what_is_late(live: Live) -> None:
    first, second = live.in_review(live.won(name="Fırın")), live.in_review(live.won(name="Depo"))
    case = Case.objects.of("registration", first.pk).get()
    Case.objects.of("registration", second.pk).update(due_on=case.due_on + timedelta(days=1))
    at = live.now.replace(hour=8)
    due = at + (case.due_on - live.now.date())
    assert sweeps.tell_due(now=due - timedelta(days=1)) == 0
    assert told(DUE) == {}

    assert sweeps.tell_due(now=due) == 1
    assert told(DUE) == {build.REVIEWER: "Review desk: 1 due today, 0 overdue"}
    assert "Fırın · Contoso Yazılım" in rendered(Notice.objects.get(category=DUE)).body
    assert sweeps.tell_due(now=due + timedelta(hours=3)) == 0
    assert Notice.objects.get(category=DUE).mail == "digest"

    assert sweeps.tell_due(now=due + timedelta(days=1)) == 2
    assert told(DUE) == {
        build.REVIEWER: "Review desk: 1 due today, 1 overdue",
        MANAGER: "Review desk: 0 due today, 1 overdue",
    }
    event = Event.objects.filter(verb=TOLD).latest("pk")
    assert (event.company_id, event.after["overdue"]) == (None, 1)

    live.decided(first, "pass_review")
    add_member(user=live.cast.users[build.REVIEWER], company=live.cast.companies["contoso"], roles=["viewer"])
    Notice.objects.filter(category=DUE).delete()
    assert sweeps.tell_due(now=due + timedelta(days=2)) == 1
    assert told(DUE) == {MANAGER: "Review desk: 0 due today, 1 overdue"}
