"""The reviewers' page: what it was decided on, what comes back refused, and who may decide at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dealreg.models import Registration, Status
from portal.events.models import Event
from portal.notify.models import Notice
from portal.workflow.blockers import Money
from referrals import verbs
from tests import build, do
from tests.edge import BIG, Element, Live, parse
from tests.factories import add_member

COUNCIL, MANAGER = "council1@vendor.example", "manager@vendor.example"


@pytest.fixture
def reviewer(live: Live) -> Client:
    return live.browser(build.REVIEWER)


def url(registration: Registration) -> str:
    return reverse("admin:dealreg_registration_change", args=[registration.pk])


def panel(page: Element, verb: str) -> Element:
    """The panel of this decision."""
    panels = page.one("section", id="decision").all("details")
    return next(found for found in panels if found.one("form").fields()["verb"] == verb)


def opened(page: Element) -> list[str]:
    panels = page.one("section", id="decision").all("details", open="")
    return [found.one("form").fields()["verb"] for found in panels]


def send(client: Client, registration: Registration, page: Element, verb: str, **answers: str) -> Any:
    """The decision's form as the page shows it, with these answers."""
    return client.post(url(registration), {**panel(page, verb).one("form").fields(), **answers})


def look(client: Client, registration: Registration) -> Element:
    return parse(client.get(url(registration)))


@pytest.mark.parametrize("verb", ["require_action", "fail_review"])
def test_flow_5_a_refused_decision_comes_back_open_with_its_errors(live: Live, reviewer: Client, verb: str) -> None:
    """Browsers open one panel of those that are named alike, and it must be the refused one."""
    registration = live.in_review()
    page = look(reviewer, registration)
    assert opened(page) == ["pass_review"]
    refused = parse(send(reviewer, registration, page, verb, comment="See page 2."))
    assert opened(refused) == [verb]
    shown = panel(refused, verb)
    assert "Choose the reason." in shown.text
    assert shown.one("textarea").text == "See page 2."


def test_flow_7_a_decision_is_refused_when_the_figures_changed_meanwhile(live: Live, reviewer: Client) -> None:
    """The page showed 2,000,000; meanwhile it was sent back and filed again with 3,000,000."""
    registration = live.in_review()
    seen = look(reviewer, registration)
    live.decided(registration, "require_action", "value_does_not_match_contract", "Three.")
    more = live.form(tcv=Money(Decimal(3_000_000), "EUR"))
    do.resubmit(Registration.objects.get(), more, actor=live.cast.actor(build.CONTOSO), now=timezone.now())
    answer = send(reviewer, registration, seen, "pass_review", validated_by="figures")
    assert answer.status_code == 200
    assert Registration.objects.get().status == Status.REVIEW_PENDING
    told = parse(answer)
    assert opened(told) == ["pass_review"]
    assert "Total contract value: 2,000,000 EUR → 3,000,000 EUR" in panel(told, "pass_review").text
    again = send(reviewer, registration, told, "pass_review", validated_by="figures")
    assert again.status_code == 302
    assert Registration.objects.get().status == Status.REVIEW_PASSED


def test_flow_7_a_decision_that_names_no_version_is_refused(live: Live, reviewer: Client) -> None:
    registration = live.in_review()
    for version in ("", "x", "-1"):
        answer = reviewer.post(url(registration), {"verb": "pass_review", "validated_by": "poe", "version": version})
        assert answer.status_code == 200
    assert Registration.objects.get().status == Status.REVIEW_PENDING


def test_flow_4_what_is_written_on_selecting_is_kept_and_told(live: Live, reviewer: Client) -> None:
    registration = live.approved()
    send(reviewer, registration, look(reviewer, registration), "select_for_review", comment="A large customer.")
    assert Registration.objects.get().comment == "A large customer."
    event = Event.objects.latest("pk")
    assert (event.verb, event.comment) == ("registration.selected", "A large customer.")
    notice = Notice.objects.filter(event=event).first()
    assert notice is not None
    assert notice.params["comment"] == "A large customer."
    page = parse(live.browser(build.CONTOSO).get(reverse("deal", args=[registration.referral.public_id])))
    banner = page.one("div", class_="o-banner--info").text
    assert "A large customer." in banner
    assert "Nothing is asked of you now." in banner


def test_flow_10_a_pass_says_by_what(live: Live, reviewer: Client) -> None:
    registration = live.in_review()
    refused = parse(send(reviewer, registration, look(reviewer, registration), "pass_review"))
    assert "Say what you validated it by." in panel(refused, "pass_review").text
    assert send(reviewer, registration, refused, "pass_review", validated_by="poe").status_code == 302
    assert Registration.objects.get().validated_by == "poe"
    assert Event.objects.latest("pk").after["validated_by"] == "poe"


def test_flow_9_a_manager_retracts_with_a_reason_on_the_page(live: Live) -> None:
    registration = live.decided(live.in_review(), "fail_review", "other", "No.")
    manager = live.browser(MANAGER)
    page = look(manager, registration)
    assert opened(page) == ["retract"]
    refused = parse(send(manager, registration, page, "retract"))
    assert "Write the comment the partner will read." in panel(refused, "retract").text
    assert send(manager, registration, refused, "retract", comment="The wrong deal.").status_code == 302
    assert Registration.objects.get().status == Status.REVIEW_PENDING


def test_org_2_who_may_not_decide_is_not_told_that_there_is_nothing_to_decide(live: Live, reviewer: Client) -> None:
    registration = live.in_review()
    for person in (COUNCIL, MANAGER):
        said = look(live.browser(person), registration).one("section", id="decision").text
        assert "Reviewers decide on this registration; you can read it." in said
        assert "Nothing to decide" not in said
    done = live.decided(registration, "pass_review")
    assert "Nothing to decide in this state." in look(reviewer, done).one("section", id="decision").text


def test_flow_7_nobody_decides_on_a_deal_of_their_own_company(live: Live, reviewer: Client) -> None:
    registration = live.in_review()
    add_member(user=live.cast.users[build.REVIEWER], company=live.cast.companies["contoso"], roles=["referrals_admin"])
    reviewer.post(reverse("switch_company"), {"company": live.cast.companies["vendor"].public_id})
    given = {"verb": "pass_review", "validated_by": "poe", "version": str(registration.version)}
    answer = reviewer.post(url(registration), given)
    assert "You belong to the company that registered this deal" in parse(answer).text
    assert Registration.objects.get().status == Status.REVIEW_PENDING


def test_reg_17_the_engagements_other_registrations_are_shown(live: Live, reviewer: Client) -> None:
    """In a deal of several partners the reviewer sees who else registers it."""
    first = live.accepted(days=9)
    invitation = verbs.Invitation(
        partner=live.cast.companies["fabrikam"],
        close_date=live.day(20),
        value=BIG,
        help_code=build.HELP,
        team=[build.member()],
        solutions=[live.cast.solutions["twin"]],
    )
    inviter, invitee = live.cast.actor(build.CONTOSO), live.cast.actor("referrals@fabrikam.example")
    copy = do.invite_partner(first, invitation, actor=inviter, now=live.ago(8))
    build.accept(live.cast, copy, at=live.ago(7), by="referrals@fabrikam.example")
    do.win(copy, actor=invitee, now=live.ago(2))
    theirs = Registration.objects.get(referral=copy)
    do.win(first, actor=inviter, now=live.ago(1))
    ours = live.approved(first)
    others = look(reviewer, ours).one("section", id="others")
    assert others.one("a").attrs["href"] == url(theirs)
    assert "Fabrikam GmbH" in others.text
    assert look(reviewer, live.in_review()).all("section", id="others") == []


def test_ref_12_only_who_can_answer_is_told_to_answer(live: Live) -> None:
    """Managers, the council and reviewers see the vendor's deals and can't answer them; nor can a viewer."""
    live.deal()
    live.received()
    may = {build.SELLER: True, MANAGER: False, COUNCIL: False, build.REVIEWER: False, build.CONTOSO: True}
    may |= {"viewer@contoso.example": False, "admin@contoso.example": False}
    for person, told in may.items():
        home = parse(live.browser(person).get(reverse("home")))
        asked = home if person.endswith("@vendor.example") else home.one("section", id="needs")
        assert ("Answer this deal" in asked.text) is told, person


def test_flow_only_who_can_correct_or_register_is_told_to(live: Live) -> None:
    live.sent_back()
    live.won()
    for person, told in {build.CONTOSO: True, "viewer@contoso.example": False}.items():
        page = parse(live.browser(person).get(reverse("home"))).one("section", id="needs").text
        assert ("Correct the registration and resubmit" in page) is told
        assert ("Register this won deal" in page) is told


def test_flow_5_the_admin_lists_closed_registrations_by_outcome(live: Live, reviewer: Client) -> None:
    """A closed registration shows, and is found, with its outcome."""
    registration = live.approved()
    do.close(registration, now=registration.close_due_at)
    listed = reverse("admin:dealreg_registration_changelist")
    for outcome, found in {"approved": True, "review_failed": False}.items():
        page = parse(reviewer.get(listed, {"status": "closed", "outcome": outcome}))
        assert bool(page.all("td", class_="field-state")) is found
    page = parse(reviewer.get(listed, {"status": "closed"}))
    assert page.one("td", class_="field-state").text == "Closed: Approved"
