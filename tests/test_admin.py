"""The reviewers' edge: the queue, the page with the claim beside the deal, and the decisions (FLOW)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dealreg.models import Registration, Status
from dealreg.rules import states
from portal.accounts.admin_site import site
from portal.events.models import Event
from portal.workflow import services as workflow
from portal.workflow import text
from tests import build, do
from tests.edge import STATES, Element, Live, parse

COUNCIL, MANAGER = "council1@vendor.example", "manager@vendor.example"
QUEUE = "/admin/dealreg/registration/"
#: The states of a deal that has a registration.
REGISTERED = list(STATES)[list(STATES).index("won") :]


@pytest.fixture
def reviewer(live: Live) -> Client:
    return live.browser(build.REVIEWER)


def review_url(registration: Registration) -> str:
    return reverse("admin:dealreg_registration_change", args=[registration.pk])


def listed(client: Client, **query: str) -> list[str]:
    """The deals in the list, in its order."""
    page = parse(client.get(QUEUE, query))
    return [cell.text for cell in page.all("th", class_="field-deal")]


def named(live: Live, name: str, **changes: Any) -> Registration:
    return live.in_review(live.won(name=name), **changes)


def test_the_queue_shows_what_waits_oldest_first_and_the_rest_when_asked(live: Live, reviewer: Client) -> None:
    second, first = named(live, "Second"), named(live, "First")
    Registration.objects.filter(pk=first.pk).update(review_pending_at=second.review_pending_at - timedelta(days=2))
    live.approved(live.won(name="Approved"))
    live.decided(named(live, "Passed"), "pass_review")
    early = live.accepted(days=1, name="Early")
    live.approved(do.win(early, actor=live.cast.actor(build.CONTOSO), now=live.now))
    market = live.approved(live.won(name="Market"), marketplace=True, marketplace_date=live.day(3))
    assert listed(reviewer) == ["First", "Second", "Early", "Market"]
    Registration.objects.filter(pk=market.pk).update(submitted_at=second.review_pending_at - timedelta(days=1))
    assert listed(reviewer) == ["First", "Market", "Second", "Early"]
    assert set(listed(reviewer, status="all")) == {"First", "Second", "Early", "Market", "Approved", "Passed"}
    assert listed(reviewer, status="approved") == ["Approved"]
    assert listed(reviewer, reason="AUTO-1") == ["First", "Second"]
    assert listed(reviewer, reason="AUTO-4") == ["Early"]
    assert listed(reviewer, reason="AUTO-1", status="review_passed") == ["Passed"]
    assert listed(reviewer, q="secon") == ["Second"]
    row = next(tr for tr in parse(reviewer.get(QUEUE)).all("tr") if "First" in tr.text)
    assert f"Contoso Yazılım {first.referral.engagement.customer.name}" in row.text
    assert row.one("td", class_="field-why").text == "AUTO-1"
    assert row.one("a").attrs["href"].startswith(review_url(first))


def test_the_claim_stands_beside_the_deal_with_the_reasons_for_the_review(live: Live, reviewer: Client) -> None:
    """FLOW-2, FLOW-7: what the partner states, what the deal says, why it is here, and what happened so far."""
    registration = named(live, "<i>Fırın</i> 🙂")
    page = parse(reviewer.get(review_url(registration)))
    assert page.all("i") == []
    assert page.one("section", id="reasons").text.endswith("is above 1,000,000 USD. AUTO-1")
    rows = page.one("section", id="claim").one("tbody").all("tr")
    claim = {row.one("th").text: row.all("td")[0].text for row in rows}
    assert claim["Solution"] == "Contoso Factory Insights (SOL-10001-CTS)"
    assert claim["Total contract value"] == "2,000,000 EUR ≈ 2,200,000 USD"
    assert claim["Solution value"] == "30,000 EUR ≈ 33,000 USD"
    assert claim["Annual contract value"].startswith("1,99")
    assert (claim["Deployed on"], claim["Tenant type"], claim["Pricing model"]) == ("Azure", "Customer tenant", "Other")
    assert (claim["Marketplace transaction"], claim["Contract term"]) == ("No", "Finite")
    assert page.one("p", class_="o-compared__foot").text.endswith("· Rüya İpekçi")
    deal = _facts(page, "deal")
    assert deal["Deal"] == "<i>Fırın</i> 🙂"
    assert deal["Partner"].startswith("Contoso Yazılım · Istanbul")
    assert deal["Customer"] == "Anadolu Cam Sanayi"
    assert deal["Estimated value"] == "40,000 EUR ≈ 44,000 USD"
    assert deal["Taking part"] == "Contoso Yazılım Won Microsoft Accepted"
    assert deal["Team"] == "Umut Öztürk, user@contoso.example"
    checks = page.one("section", id="eligibility").all("li", class_="is-met")
    assert len(checks) == len(page.one("section", id="eligibility").all("li")) == 7
    assert [li.one("span", class_="o-time__text").text for li in page.one("section", id="history").all("li")] == [
        "The registration was checked: Review (Pending)",
        "The registration was filed",
        "The deal can be registered",
    ]
    assert "1 waits for a reviewer" in page.one("p", class_="o-review__state").text


def _facts(page: Element, card: str) -> dict[str, str]:
    """The facts on one card, by name."""
    terms = page.one("section", id=card)
    return dict(zip((dt.text for dt in terms.all("dt")), (dd.text for dd in terms.all("dd")), strict=True))


@pytest.mark.parametrize("state", REGISTERED)
def test_the_buttons_are_those_of_the_workflow(live: Live, state: str) -> None:
    """In every state, for each role; the others read."""
    registration = Registration.objects.with_context().get(referral=STATES[state](live))
    for person in (build.REVIEWER, COUNCIL, MANAGER):
        offered = workflow.available_actions(registration, live.cast.actor(person), timezone.now())
        expected = [text.phrase(action.label) for action in offered if not action.wrong_state]
        decision = parse(live.browser(person).get(review_url(registration))).one("section", id="decision")
        shown = [details.one("summary").text for details in decision.all("details")]
        assert shown == expected
        assert not (shown and person == COUNCIL)
        assert [button.text for button in decision.all("button")] == shown
        nothing = "Nothing to decide in this state." if person == build.REVIEWER else "you can read it."
        assert bool(shown) != (nothing in decision.text)


#: Each decision: the state it is made in, what it needs, and the state it leads to.
DECISIONS: dict[str, tuple[str, dict[str, str], str]] = {
    "pass_review": ("in_review", {"validated_by": "poe"}, Status.REVIEW_PASSED),
    "fail_review": ("in_review", {"reason_code": "evidence_missing", "comment": "Nothing came."}, Status.REVIEW_FAILED),
    "require_action": ("in_review", {"reason_code": "evidence_missing", "comment": "Send it."}, Status.ACTION_REQUIRED),
    "select_for_review": ("approved", {}, Status.REVIEW_PENDING),
    "match": ("marketplace", {"comment": "Found."}, Status.MARKETPLACE_PASSED),
    "no_match": ("marketplace", {"reason_code": "other", "comment": "None."}, Status.MARKETPLACE_FAILED),
}


def decide(client: Client, registration: Registration, verb: str, **answers: str) -> Any:
    """Send the form of this decision as the page shows it."""
    decision = parse(client.get(review_url(registration))).one("section", id="decision")
    form = next(form.fields() for form in decision.all("form") if form.fields()["verb"] == verb)
    return client.post(review_url(registration), {**form, **answers})


@pytest.mark.parametrize("verb", DECISIONS)
def test_each_decision_is_made_on_the_page(live: Live, reviewer: Client, verb: str) -> None:
    """FLOW, FLOW-5: failing and sending back need a reason and a comment, and both are said at once."""
    state, answers, status = DECISIONS[verb]
    registration = Registration.objects.get(referral=STATES[state](live))
    if "reason_code" in answers:
        refused = decide(reviewer, registration, verb, comment=" ")
        assert refused.status_code == 200
        opened = parse(refused).one("section", id="decision").all("details", open="")
        said = [p.text for details in opened for p in details.all("div", class_="o-field__error") if p.text]
        assert said == ["Choose the reason.", "Write the comment the partner will read."]
        assert Registration.objects.get().status == registration.status
    events = Event.objects.count()
    answer = decide(reviewer, registration, verb, **answers)
    assert answer.status_code == 302
    decided = Registration.objects.get()
    assert (decided.status, decided.reason_code) == (status, answers.get("reason_code", ""))
    assert decided.comment == answers.get("comment", "")
    event = Event.objects.latest("pk")
    assert Event.objects.count() == events + 1
    assert (event.actor_user, event.after["status"]) == (live.cast.users[build.REVIEWER], status)
    assert LogEntry.objects.count() == 0  # what happened is kept as an event, once


def test_every_decision_of_the_machine_is_tried() -> None:
    verbs = {verb.name for machine in workflow.machines() if machine.model is Registration for verb in machine.verbs}
    partners = {"submit", "resubmit", "close_unregistered", "register_after_all", "withdraw", "revalidate"}
    workers = {"route", "close", "fail_unanswered", "reopen", "open_anew", "replace"}
    manager = {"retract"}
    assert verbs - set(DECISIONS) == partners | workers | manager


def test_the_same_code_reads_differently_where_it_fails_and_where_it_sends_back(live: Live) -> None:
    """FLOW-5: the partner isn't asked for proof that can't help any more."""
    said = {}
    for verb in ("require_action", "fail_review"):
        registration = live.decided(live.in_review(), verb, "evidence_missing", "See there.")
        page = parse(live.browser(build.CONTOSO).get(reverse("deal", args=[registration.referral.public_id])))
        said[verb] = (page.one("div", class_="o-banner--danger").text, page.one("section", id="timeline").text)
    assert all(states.ACTION_REASONS["evidence_missing"] in words for words in said["require_action"])
    assert all(states.FAIL_REASONS["evidence_missing"] in words for words in said["fail_review"])


def test_a_decision_leads_to_the_next_in_the_queue(live: Live, reviewer: Client) -> None:
    first, second = named(live, "First"), named(live, "Second")
    answer = decide(reviewer, first, "pass_review", validated_by="poe")
    assert answer.headers["Location"] == review_url(second)
    page = parse(reviewer.get(answer.headers["Location"]))
    assert "“First” was decided." in page.text
    last = decide(reviewer, second, "pass_review", validated_by="poe").headers["Location"]
    assert last.startswith(reverse("admin:desk_case_changelist"))
    assert listed(reviewer) == []


def test_the_second_reviewer_is_told_who_was_first(live: Live, reviewer: Client) -> None:
    """Both had the page open; one decision counts."""
    registration = live.in_review()
    form = {"verb": "fail_review", "reason_code": "other", "comment": "No."}
    live.decided(registration, "pass_review")
    late = reviewer.post(review_url(registration), form)
    assert late.status_code == 200
    told = parse(late).one("section", id="decision").one("ul", class_="errorlist").text
    assert "the record is now in the state “Review (Passed)”" in told
    assert "Rita Reviewer decided on it on" in told
    decided = Registration.objects.get()
    assert (decided.status, decided.reason_code) == (Status.REVIEW_PASSED, "")


def test_what_is_no_decision_is_refused(live: Live, reviewer: Client) -> None:
    """A partner's or the worker's verb, an unknown one, none; and ids that are no numbers lead back."""
    registration = live.in_review()
    for verb in ("submit", "close", "route", "close_unregistered", "reopen", "nonsense", ""):
        assert reviewer.post(review_url(registration), {"verb": verb}).status_code == 403
    assert Registration.objects.get().status == Status.REVIEW_PENDING
    for unknown in ("0", "99999999999999999999", "x", "²", "-1", "1/2"):
        assert reviewer.get(f"{QUEUE}{unknown}/change/").status_code == 302


def test_nothing_is_deleted_in_the_admin(live: Live) -> None:
    """Not by an action on a list either, by nobody."""
    manager = live.browser(MANAGER)
    for model, model_admin in site._registry.items():
        changelist = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        request = manager.get(changelist).wsgi_request
        assert not model_admin.has_delete_permission(request), model
        assert "delete_selected" not in model_admin.get_actions(request), model
