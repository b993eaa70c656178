"""The council in the administration: docket, votes, evidence, conflicts, letters and reports (EXC-6 to EXC-15)."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from pypdf import PdfReader

from exceptions_council import sweeps
from exceptions_council.models import DecisionLetter, ExceptionRequest, LetterTemplate, Status, Vote
from exceptions_council.rules import letter, states
from exceptions_council.selectors import docket
from portal.accounts.models import User
from portal.notify.models import Notice
from tests import do
from tests import exceptions as build
from tests.build import CONTOSO
from tests.edge import Live, parse
from tests.exceptions import COUNCIL, MANAGER, REVIEWER
from tests.factories import add_member

LIST = "admin:exceptions_council_exceptionrequest_changelist"
PAGE = "admin:exceptions_council_exceptionrequest_change"


def asked(live: Live, **changes: Any) -> ExceptionRequest:
    given = {"now": live.now, **changes}
    return build.asked(live.cast, build.ineligible(live.cast, at=live.ago(1), created=live.ago(10)), **given)


def page(request: ExceptionRequest) -> str:
    return reverse(PAGE, args=[request.pk])


def act(client: Client, request: ExceptionRequest, verb: str, **given: Any) -> Any:
    """Send the form of a page that has just been opened."""
    version = given.pop("version", None) or build.reload(request).version
    return client.post(page(request), {"verb": verb, "version": version, **given})


def vote(client: Client, request: ExceptionRequest, choice: str, **given: Any) -> Any:
    return act(client, request, "vote", choice=choice, **{"rationale": "The contract shows it.", **given})


def text_of(response: HttpResponse) -> str:
    return " ".join(parse(response).text.split())


def listed(client: Client, **asked: str) -> set[int]:
    found = client.get(reverse(LIST), asked)
    assert found.status_code == 200
    return {row.pk for row in found.context["cl"].queryset}


def pdf_text(response: HttpResponse) -> str:
    assert response["Content-Type"] == "application/pdf"
    return " ".join(PdfReader(BytesIO(response.content)).pages[0].extract_text().split())


# The docket ------------------------------------------------------------------------------------------------------


def test_exc_7_the_docket_is_ordered_by_due_date_and_marks_what_is_overdue(live: Live) -> None:
    late = asked(live, now=live.ago(40))
    soon = asked(live)
    waiting = do.ask_evidence(asked(live), "The contract?", actor=live.cast.actor(COUNCIL[0]), now=live.now)
    done = build.denied(live.cast, asked(live), now=live.now)
    council = live.browser(COUNCIL[0])
    shown = council.get(reverse(LIST))
    assert [row.pk for row in shown.context["cl"].result_list] == [late.pk, soon.pk, waiting.pk]
    assert text_of(shown).count("Overdue") == 2  # the filter's choice, and the row
    assert listed(council, attention="overdue") == {late.pk}
    assert listed(council, attention="evidence") == {waiting.pk}
    assert listed(council, state="all") == {late.pk, soon.pk, waiting.pk, done.pk}
    assert listed(council, state="denied") == listed(council, state="decided") == {done.pk}
    assert listed(council, age="22") == {late.pk}
    assert listed(council, age="0-7") == {soon.pk, waiting.pk}
    assert listed(council, kind__exact=states.UPDATE) == set()
    assert listed(council, partner=str(late.referral.company_id)) == {late.pk, soon.pk, waiting.pk}
    assert listed(council, partner="0") == set()


def test_exc_8_exc_15_only_what_may_be_voted_on_waits_for_ones_vote(live: Live) -> None:
    mine = asked(live)
    voted = build.vote(live.cast, asked(live), "approve", now=live.now)
    out = do.declare_conflict(asked(live), "A friend.", actor=live.cast.actor(COUNCIL[0]), now=live.now)
    waiting = do.ask_evidence(asked(live), "The contract?", actor=live.cast.actor(COUNCIL[0]), now=live.now)
    assert listed(live.browser(COUNCIL[0]), mine="open") == {mine.pk}
    assert listed(live.browser(COUNCIL[1]), mine="open") == {mine.pk, voted.pk, out.pk}
    assert listed(live.browser(REVIEWER), mine="open") == listed(live.browser(MANAGER), mine="open") == set()
    for member, votes in ((COUNCIL[0], {mine}), (COUNCIL[1], {mine, voted, out}), (REVIEWER, set())):
        home = parse(live.browser(member).get("/")).one("section", id="needs")
        assert {need.attrs["href"] for need in home.all("a", class_="o-need")} == {page(vote) for vote in votes}
    add_member(user=live.cast.users[COUNCIL[2]], company=waiting.referral.company, roles=["viewer"])
    own = live.cast.actor(COUNCIL[2])
    assert set(docket.to_vote(ExceptionRequest.objects.all(), own)) == set()


# The page --------------------------------------------------------------------------------------------------------


def test_exc_9_flow_7_the_page_shows_request_registration_refusals_and_similar_ones(live: Live) -> None:
    earlier = build.denied(live.cast, asked(live), now=live.now)
    request = asked(live)
    build.documented(live.cast, request.referral, now=live.now)
    shown = live.browser(COUNCIL[0]).get(page(request))
    said = text_of(shown)
    for expected in (
        build.WHY,
        "Pre-registration",
        f"Policy version {request.policy_version} · Value of the deal: 44,000 USD (rates of ",
        "contract.pdf",
        "Similar requests, and how they ended",
        earlier.referral.name,
        "asked for an exception",
        "0 voted; 2 more are needed",
        "Quorum: 2. May vote: 3.",
    ):
        assert expected in said, expected
    assert all(reason.rule in said for reason in request.reasons)
    assert request.reasons
    assert [other.pk for other, _state in shown.context["similar"]] == [earlier.pk]


def test_exc_8_the_page_says_how_the_votes_stand_and_the_second_one_decides(live: Live) -> None:
    request = asked(live)
    first, second = (live.browser(email) for email in COUNCIL[:2])
    assert vote(first, request, "approve").status_code == 302
    assert "1 voted; 1 more are needed" in text_of(first.get(page(request)))
    answer = vote(second, request, "approve", rationale="So it is.")
    assert answer["Location"] == page(request)
    assert build.reload(request).status == Status.APPROVED
    shown = text_of(second.get(page(request)))
    assert "The council has approved the exception" in shown
    assert "The decision is final." in shown
    assert "So it is." in shown
    again = vote(first, request, "deny")
    assert again.status_code == 200
    assert "This can't be done any more" in text_of(again)
    assert build.reload(request).status == Status.APPROVED


def test_exc_8_a_tie_says_what_breaks_it_and_a_vote_is_changed_until_the_decision(live: Live) -> None:
    request = build.vote(live.cast, asked(live), "approve", "deny", now=live.now)
    client = live.browser(COUNCIL[1])
    shown = client.get(page(request))
    assert "A tie, 1 to 1: another member's vote breaks it, or one changes theirs." in text_of(shown)
    form = next(choice.form for choice in shown.context["choices"] if choice.action.name == "vote")
    assert form.initial == {"choice": "deny", "rationale": "As the contract shows."}
    assert vote(client, request, "approve").status_code == 302
    assert build.reload(request).status == Status.APPROVED


def test_exc_8_a_refused_vote_comes_back_open_with_what_was_typed(live: Live) -> None:
    request = asked(live)
    answer = vote(live.browser(COUNCIL[0]), request, "", rationale="Because the day was a holiday.")
    said = answer.content.decode()
    assert answer.status_code == 200
    assert "Choose: approve or deny." in said
    assert "Because the day was a holiday." in said
    assert not Vote.objects.exists()


def test_flow_7_a_page_opened_before_another_vote_says_so_and_keeps_what_was_typed(live: Live) -> None:
    request = asked(live)
    seen = request.version
    assert vote(live.browser(COUNCIL[0]), request, "deny").status_code == 302
    client = live.browser(COUNCIL[1])
    answer = vote(client, request, "deny", version=seen, rationale="Nothing proves it.")
    said = answer.content.decode()
    assert "Somebody changed this meanwhile" in said
    assert "State: Submitted → With the council" in said
    assert "Another member voted meanwhile" in said
    assert "Nothing proves it." in said
    assert build.reload(request).status == Status.IN_REVIEW
    unseen = client.post(page(request), {"verb": "vote", "choice": "deny", "rationale": "No version."})
    assert "Somebody changed this meanwhile" in unseen.content.decode()
    assert vote(client, request, "deny").status_code == 302
    assert build.reload(request).status == Status.DENIED


def test_exc_11_the_council_and_reviewers_ask_for_evidence(live: Live) -> None:
    request, client = asked(live), live.browser(REVIEWER)
    wrong = act(client, request, "ask_evidence", text="The contract?", due_on="yesterday")
    assert "The contract?" in wrong.content.decode()
    late = act(client, request, "ask_evidence", text="The contract?", due_on=str(live.day(400)))
    assert "The last day to answer has to lie after today" in late.content.decode()
    until = live.day(3)
    assert act(client, request, "ask_evidence", text="The contract?", due_on=str(until)).status_code == 302
    found = build.reload(request)
    assert (found.status, found.evidence.get().due_on) == (Status.EVIDENCE_REQUESTED, until)
    assert "Not answered yet" in text_of(client.get(page(request)))
    do.answer_evidence(found, "See annex 2.", actor=live.cast.actor(CONTOSO), now=timezone.now())
    assert "See annex 2." in text_of(client.get(page(request)))


def test_exc_8_exc_15_who_is_excluded_is_shown_with_why_and_reads_it_before_the_button(live: Live) -> None:
    request = asked(live)
    add_member(user=live.cast.users[COUNCIL[2]], company=request.referral.company, roles=["viewer"])
    client = live.browser(COUNCIL[0])
    assert "Say what the conflict is." in act(client, request, "declare_conflict").content.decode()
    assert act(client, request, "declare_conflict", reason="A friend of mine.").status_code == 302
    shown = client.get(page(request))
    said = text_of(shown)
    assert "Doesn't vote: declared a conflict of interest – A friend of mine." in said
    assert "Doesn't vote: belongs to the company of this deal" in said
    assert "Only 1 of the council may vote on this, and 2 votes are needed." in said
    forms = {choice.action.name: choice.form for choice in shown.context["choices"]}
    assert forms["vote"] is None
    assert "You declared a conflict of interest; other members decide." in said
    assert listed(live.browser(MANAGER), attention="too_few") == {request.pk}


def test_exc_15_who_decided_the_registration_is_shown_as_excluded(live: Live) -> None:
    person = live.cast.users[REVIEWER]
    add_member(user=person, company=live.cast.companies["vendor"], roles=["council_member"])
    registration = build.rejected(live.cast, at=live.ago(3))
    request = build.asked(live.cast, registration.referral, states.REJECTED, now=live.now)
    client = live.browser(REVIEWER)
    shown = text_of(client.get(page(request)))
    assert "Doesn't vote: decided on the registration" in shown
    assert "You decided on the registration of this deal" in shown
    assert listed(client, mine="open") == set()
    assert "You decided on the registration" in text_of(vote(client, request, "approve"))


def test_exc_10_who_may_do_what_on_the_page(live: Live) -> None:
    request = asked(live)
    manager, reviewer = live.browser(MANAGER), live.browser(REVIEWER)
    assert "The council decides on this request; you can read it." in text_of(manager.get(page(request)))
    for client, verb in ((manager, "vote"), (manager, "ask_evidence"), (reviewer, "vote"), (reviewer, "nothing")):
        given = {"choice": "approve", "rationale": "Yes.", "text": "What?"}
        assert act(client, request, verb, **given).status_code == 403, verb
    assert live.browser(COUNCIL[0]).get(reverse(PAGE, args=[0])).status_code == 302


def test_exc_10_a_private_deals_documents_are_read_by_who_decides(live: Live) -> None:
    private = live.deal(customer=build.unmanaged(), help_code="Unknown", vendor_may_view=False)
    deal = do.win(private, actor=live.cast.actor(CONTOSO), now=live.ago(1))
    build.documented(live.cast, deal, now=live.now)
    document = deal.documents.get()
    address = reverse("document", args=[deal.public_id, document.public_id])
    council = live.browser(COUNCIL[0])
    assert council.get(address).status_code == 404
    request = build.asked(live.cast, deal, now=live.now)
    assert council.get(address).status_code == 200
    assert "contract.pdf" in text_of(council.get(page(request)))
    assert live.browser("seller@vendor.example").get(address).status_code == 404


# Letters ---------------------------------------------------------------------------------------------------------


def test_exc_9_the_letter_is_a_pdf_in_the_readers_language(live: Live) -> None:
    request = asked(live)
    address = reverse("exception_letter", args=[request.referral.public_id])
    owner = live.browser(CONTOSO)
    assert owner.get(address).status_code == 404
    build.approved(live.cast, request, now=live.now)
    assert address in owner.get(reverse("exception", args=[request.public_id])).content.decode()
    assert "The decision is final." in pdf_text(owner.get(address))
    User.objects.filter(email=CONTOSO).update(language="tr")
    turkish = pdf_text(live.browser(CONTOSO).get(address))
    written = DecisionLetter.objects.get(request=request, language="tr")
    assert " ".join(written.subject.split()) in turkish
    assert any(letters in turkish for letters in "ğşıİ")
    assert live.browser("referrals@fabrikam.example").get(address).status_code == 404
    admin = reverse("admin:exceptions_council_exceptionrequest_letter", args=[request.pk, "tr"])
    assert pdf_text(live.browser(MANAGER).get(admin)) == turkish
    assert live.browser(MANAGER).get(admin.replace("/tr/", "/de/")).status_code == 404


def test_exc_9_letters_are_written_from_templates_that_managers_edit(live: Live) -> None:
    manager = live.browser(MANAGER)
    add = reverse("admin:exceptions_council_lettertemplate_add")
    begun = manager.get(add, {"outcome": "denied", "language": "tr"})
    with translation.override("tr"):
        assert translation.gettext(letter.DEFAULTS["denied"].subject) in begun.content.decode()
    given = {"outcome": "denied", "language": "en", "subject": "No: {deal}", "body": "Dear {company},\r\n\r\n{reasons}"}
    wrong = manager.post(add, {**given, "body": "{nobody}"})
    assert "These places are unknown: nobody." in text_of(wrong)
    preview = reverse("admin:exceptions_council_lettertemplate_preview")
    assert "No: [The name of the deal]" in pdf_text(manager.post(preview, given))
    refused = manager.post(preview, {**given, "body": "{nobody}"})
    assert refused.status_code == 422
    assert not LetterTemplate.objects.exists()
    assert manager.post(add, given).status_code == 302
    request = build.denied(live.cast, asked(live), now=live.now)
    found = DecisionLetter.objects.get(request=request, language="en")
    assert found.subject == f"No: {request.referral.name}"
    assert found.body == "Dear Contoso Yazılım,\n\n– As the contract shows.\n– As the contract shows."
    assert live.browser(COUNCIL[0]).post(preview, given).status_code == 403


# Reports, and the home page --------------------------------------------------------------------------------------


def test_exc_7_every_figure_of_the_reports_leads_to_its_rows(live: Live) -> None:
    for days in (1, 10, 40):
        asked(live, now=live.ago(days))
    for days, decide in ((2, build.approved), (4, build.denied), (9, build.denied)):
        decide(live.cast, asked(live, now=live.ago(days)), now=live.now)
    client = live.browser(MANAGER)
    report = client.get(reverse("admin:exceptions_council_exceptionrequest_reports"))
    figures = [(count, url) for _label, count, url in report.context["ages"] + report.context["waiting"]]
    figures += [(need["count"], need["url"]) for need in report.context["needs"]]
    rows = [report.context["total"], *report.context["kinds"], *report.context["partners"]]
    figures += [cell for row in rows for cell in row["cells"]]
    assert [row["label"] for row in rows] == ["Altogether", "Pre-registration", "Contoso Yazılım"]
    assert [[count for count, _url in row["cells"]] for row in rows] == [[1, 2, 3]] * 3
    assert [row["median"] for row in rows] == [4.0] * 3
    assert [count for _label, count, _url in report.context["ages"]] == [1, 1, 0, 1]
    for count, url in figures:
        assert client.get(url).context["cl"].result_count == count, url


def test_exc_7_exc_15_the_home_of_the_administration_leads_to_what_does_not_get_on(live: Live) -> None:
    late = asked(live, now=live.ago(40))
    home = live.browser(MANAGER).get(reverse("admin:index"))
    assert "Overdue decisions on exceptions: 1" in text_of(home)
    assert f"{reverse(LIST)}?attention=overdue" in home.content.decode()
    assert "wait for your vote" not in text_of(home)
    assert "Exceptions that wait for your vote: 1" in text_of(live.browser(COUNCIL[0]).get(reverse("admin:index")))
    build.denied(live.cast, late, now=live.now)
    assert "o-admin__work" not in live.browser(MANAGER).get(reverse("admin:index")).content.decode()


def test_exc_7_exc_15_managers_are_told_of_what_does_not_get_on_and_led_there(live: Live) -> None:
    request = asked(live, now=live.ago(40))
    assert sweeps.note_overdue(now=live.now) == 1
    for member in COUNCIL[:2]:
        do.declare_conflict(request, "A friend.", actor=live.cast.actor(member), now=live.now)
    notices = Notice.objects.of(live.cast.users[MANAGER].pk)
    told = {notice.event.verb: notice.link for notice in notices.select_related("event")}
    assert told == {"exception.overdue": page(request), "exception.too_few": page(request)}
    assert live.browser(MANAGER).get(page(request)).status_code == 200
