"""The pages of exceptions for partners: asking, where a request stands, and what a decision opened or ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dealreg.models import Registration
from exceptions_council.models import ExceptionDraft, ExceptionRequest
from exceptions_council.rules import MITIGATIONS, REFUSED_FIELDS, states
from portal.accounts.models import User
from portal.workflow import text
from referrals.models import Draft, Referral
from tests import build, do, exceptions
from tests.edge import Live, document_fromstring

WHY = "The portal was down when the contract was signed."


@pytest.fixture
def owner(live: Live) -> Client:
    return live.browser(build.CONTOSO)


def page(response: Any) -> Any:
    """The page as a tree, whatever its status."""
    return document_fromstring(response.content.decode())


def words(response: Any) -> str:
    return " ".join(page(response).body.text_content().split())


def ineligible(live: Live) -> Referral:
    """Won, and the vendor doesn't manage its customer (ELIG-4)."""
    return live.won(customer=exceptions.unmanaged())


def filled(live: Live, **changes: Any) -> dict[str, Any]:
    """A pre-registration with an old contract, as a browser sends it."""
    given = {"kind": states.PRE_REGISTRATION, "justification": WHY, "term": "finite"}
    return {**given, "signed": live.day(-100), "start": live.day(-100), "end": live.day(264), **changes}


def asked(live: Live, deal: Referral | None = None, **changes: Any) -> ExceptionRequest:
    form = exceptions.asking(**{"signed": live.day(-100), "start": live.day(-100), "end": live.day(264), **changes})
    return do.ask_exception(deal or ineligible(live), form, actor=live.cast.actor(build.CONTOSO), now=live.now)


def rejected(live: Live) -> Registration:
    return exceptions.rejected(live.cast, at=live.ago(3))


def url(name: str, referral: Referral) -> str:
    return reverse(name, args=[referral.public_id])


def own(request: ExceptionRequest) -> str:
    return reverse("exception", args=[request.public_id])


# The deal's page --------------------------------------------------------------------------------------------------


def test_exc_1_the_button_is_there_where_the_deal_is_closed_and_says_why_it_is_disabled(
    live: Live, owner: Client
) -> None:
    open_deal, lost = live.accepted(), live.accepted()
    do.lose(lost, actor=live.cast.actor(build.CONTOSO), now=live.now, reason_code="budget")
    assert "Request exception" not in words(owner.get(url("deal", open_deal)))
    shown = words(owner.get(url("deal", lost)))
    assert "Request exception" in shown
    assert "no exception replaces the win" in shown
    link = page(owner.get(url("deal", ineligible(live)))).xpath('//a[text()="Request exception"]/@href')
    assert link


def test_exc_2_the_panel_of_unmet_criteria_leads_to_the_form_with_its_kind(live: Live, owner: Client) -> None:
    deal = ineligible(live)
    shown = owner.get(url("deal", deal))
    assert "The exception council can let it be registered all the same." in words(shown)
    link = f"{url('ask_exception', deal)}?kind=pre_registration"
    assert link in shown.content.decode()
    form = page(owner.get(link))
    assert form.xpath('//input[@name="kind"][@value="pre_registration"]/@checked')


def test_exc_2_a_rejection_says_until_when_one_can_ask(live: Live, owner: Client) -> None:
    registration = rejected(live)
    shown = owner.get(url("deal", registration.referral))
    assert "The exception council can open it again to be corrected." in words(shown)
    assert f"{url('ask_exception', registration.referral)}?kind=rejected" in shown.content.decode()


def test_exc_2_dates_that_an_exception_waives_lead_from_the_registration_form_with_their_values(
    live: Live, owner: Client
) -> None:
    deal = live.won()
    typed = {"signed": live.day(-100), "start": live.day(-100), "term": "finite", "tenant": "customer"}
    answer = owner.post(url("registration_check", deal), typed)
    (link,) = page(answer).xpath('//a[text()="Request exception"]/@href')
    form = page(owner.get(link))
    assert form.xpath('//input[@name="signed"]/@value') == [text.day(live.day(-100))]
    assert form.xpath('//input[@name="kind"][@value="pre_registration"]/@checked')
    assert not form.xpath('//input[@name="tenant"]/@checked')
    fresh = owner.post(url("registration_check", deal), {"signed": live.day(-1), "start": live.day(-1)})
    assert "Request exception" not in words(fresh)


def test_exc_2_a_lost_deal_is_created_again_prefilled_and_stays_lost(live: Live, owner: Client) -> None:
    deal = live.accepted()
    do.lose(deal, actor=live.cast.actor(build.CONTOSO), now=live.now, reason_code="budget")
    again = url("create_again", deal)
    assert again in owner.get(url("deal", deal)).content.decode()
    response = owner.post(again)
    draft = Draft.objects.get()
    assert response["Location"] == reverse("new_deal_step", args=[draft.public_id, "customer"])
    for step in ("customer", "deal", "team", "solutions", "help"):
        assert owner.get(reverse("new_deal_step", args=[draft.public_id, step])).status_code == 200
    first = page(owner.get(reverse("new_deal_step", args=[draft.public_id, "customer"])))
    assert first.xpath('//input[@name="customer"][@checked]/@value') == [str(deal.engagement.customer.public_id)]
    second = page(owner.get(reverse("new_deal_step", args=[draft.public_id, "deal"])))
    assert second.xpath('//input[@name="name"]/@value') == [deal.name]
    assert Referral.objects.get(pk=deal.pk).substatus == "Lost"
    assert owner.post(url("create_again", live.accepted())).status_code == 404


# The form -----------------------------------------------------------------------------------------------------------


def test_exc_3_what_is_refused_comes_back_with_what_was_typed_and_each_reason_at_its_field(
    live: Live, owner: Client
) -> None:
    deal = ineligible(live)
    answer = owner.post(url("ask_exception", deal), filled(live, justification="", signed=live.day(3)))
    assert answer.status_code == 422
    form = page(answer)
    assert form.xpath('//input[@name="signed"]/@value') == [text.day(live.day(3))]
    assert "can't have been signed after today" in form.get_element_by_id("id_signed_error").text_content()
    assert "Explain in detail" in form.get_element_by_id("id_justification_error").text_content()
    assert not ExceptionRequest.objects.exists()


def test_exc_4_each_refused_field_has_its_mitigation_at_the_field(live: Live, owner: Client) -> None:
    deal = ineligible(live)
    ticked = filled(live, **dict.fromkeys(REFUSED_FIELDS, "on"), left=" ".join(REFUSED_FIELDS))
    for name in ("ask_exception", "exception_check"):
        form = page(owner.post(url(name, deal), ticked))
        for field in REFUSED_FIELDS:
            assert MITIGATIONS[field] in form.get_element_by_id(f"id_{field}_error").text_content()
    assert not ExceptionRequest.objects.exists()


def test_exc_1_the_request_is_confirmed_as_final_and_sent_once(live: Live, owner: Client) -> None:
    deal = ineligible(live)
    sent = filled(live)
    confirm = owner.post(url("ask_exception", deal), sent)
    assert confirm.status_code == 200
    assert "There is one request for each deal, ever." in words(confirm)
    assert WHY in words(confirm)
    assert not ExceptionRequest.objects.exists()
    hidden = {i.get("name"): i.get("value") for i in page(confirm).xpath('//form[@id="exception-confirm"]//input')}
    edited = owner.post(url("ask_exception", deal), {**hidden, "edit": "yes"})
    assert edited.status_code == 200
    assert WHY in words(edited)
    done = owner.post(url("ask_exception", deal), {**hidden, "confirmed": "yes"})
    request = ExceptionRequest.objects.get()
    assert done["Location"] == own(request)
    assert (request.referral, request.signed, request.term) == (deal, live.day(-100), "finite")
    assert owner.post(url("ask_exception", deal), {**hidden, "confirmed": "yes"})["Location"] == own(request)
    assert ExceptionRequest.objects.count() == 1
    assert "Request exception" not in words(owner.get(url("deal", deal)))


def test_exc_2_the_check_while_typing_keeps_the_draft_and_counts_characters(live: Live, owner: Client) -> None:
    deal = ineligible(live)
    answer = words(owner.post(url("exception_check", deal), {**filled(live, signed=""), "draft": ""}))
    assert f"Justification: {len(WHY)} of 5,000 characters" in answer
    assert "1 answer is missing" in answer
    draft = ExceptionDraft.objects.get()
    assert draft.answers["justification"] == WHY
    assert WHY in words(owner.get(url("ask_exception", deal)))
    assert "saved this draft meanwhile" in words(
        owner.post(url("exception_check", deal), {**filled(live), "draft": ""})
    )
    sendable = {**filled(live), "draft": draft.saved_at.isoformat()}
    assert "This request can be sent" in words(owner.post(url("exception_check", deal), sendable))
    saved = owner.post(url("ask_exception", deal), {**sendable, "save": "draft", "draft": _stamp()})
    assert saved["Location"] == url("ask_exception", deal)


def test_exc_1_sending_deletes_no_draft_that_the_page_does_not_know(live: Live, owner: Client) -> None:
    """Neither by *Continue* nor by the confirmation; amounts mean what they meant to who typed them."""
    colleague = "user@contoso.example"
    deal = live.won(customer=exceptions.unmanaged(), team=[build.member(colleague)])
    user = live.browser(colleague)
    User.objects.filter(email=colleague).update(language="tr")
    mine = {**filled(live, tcv="40000", tcv_currency="EUR"), "draft": ""}
    confirm = owner.post(url("ask_exception", deal), mine)
    hidden = {i.get("name"): i.get("value") for i in page(confirm).xpath('//form[@id="exception-confirm"]//input')}
    user.post(url("exception_check", deal), {**mine, "tcv": "1,250m"})
    for sent in (mine, {**hidden, "confirmed": "yes"}):
        refused = owner.post(url("ask_exception", deal), sent)
        assert refused.status_code == 422
        assert "it is now “1,250,000”" in page(refused).get_element_by_id("id_tcv_error").text_content()
        assert "saved a draft meanwhile" in words(refused)
    assert (ExceptionDraft.objects.count(), ExceptionRequest.objects.count()) == (1, 0)
    again = {**mine, "confirmed": "yes", "draft": _stamp()}
    assert owner.post(url("ask_exception", deal), again)["Location"] == own(ExceptionRequest.objects.get())


def _stamp() -> str:
    return ExceptionDraft.objects.get().saved_at.isoformat()


def test_exc_13_a_reregistration_names_an_earlier_deal(live: Live, owner: Client) -> None:
    old = live.won()
    deal = live.won(customer=old.engagement.customer)
    form = page(owner.get(url("ask_exception", deal)))
    assert str(old.public_id) in form.xpath('//datalist[@id="earlier-deals"]/option/@value')
    given = {"kind": "reregistration", "justification": WHY, "confirmed": "yes"}
    for wrong in ("", "nonsense", str(deal.public_id), str(live.received().public_id)[:-4] + "0000"):
        assert owner.post(url("ask_exception", deal), {**given, "old_deal": wrong}).status_code == 422
    owner.post(url("ask_exception", deal), {**given, "old_deal": str(old.public_id)})
    assert ExceptionRequest.objects.get().replaces == old


def test_exc_10_who_may_not_register_the_deal_asks_for_nothing(live: Live) -> None:
    deal = ineligible(live)
    viewer = live.browser("viewer@contoso.example")
    assert "Request exception" not in words(viewer.get(url("deal", deal)))
    assert viewer.get(url("ask_exception", deal)).status_code == 403
    assert live.browser("referrals@fabrikam.example").get(url("ask_exception", deal)).status_code == 404


# Where it stands ----------------------------------------------------------------------------------------------------


def test_exc_7_the_page_says_when_the_decision_is_due_and_counts_votes_only(live: Live, owner: Client) -> None:
    request = asked(live)
    exceptions.vote(live.cast, request, "deny", now=live.now)
    for address in (own(request), url("deal", request.referral)):
        shown = words(owner.get(address))
        assert "14 business days left" in shown
        assert "1 given, at least 2 needed" in shown
        assert "As the contract shows." not in shown
        assert "against" not in shown


def test_exc_11_a_question_is_answered_and_a_refused_answer_keeps_what_was_typed(live: Live, owner: Client) -> None:
    request = asked(live)
    reviewer = live.cast.actor(build.REVIEWER)
    do.ask_evidence(request, "Send the signed contract.", actor=reviewer, now=live.now)
    address = url("answer_exception", request.referral)
    assert "Send the signed contract." in words(owner.get(url("deal", request.referral)))
    assert "Send the signed contract." in words(owner.get(reverse("home")))
    assert address in owner.get(own(request)).content.decode()
    long = "x" * 5001
    refused = owner.post(address, {"answer": long})
    assert refused.status_code == 422
    assert long in words(refused)
    done = owner.post(address, {"answer": "It is under Documents."})
    assert done["Location"] == own(request)
    shown = words(owner.get(own(request)))
    assert "It is under Documents." in shown
    assert "With the council" in shown
    assert live.browser("viewer@contoso.example").get(address).status_code == 404


def test_exc_6_a_denial_is_final_and_offers_nothing(live: Live, owner: Client) -> None:
    request = exceptions.denied(live.cast, asked(live), now=live.now)
    for address in (own(request), url("deal", request.referral)):
        shown = owner.get(address)
        assert "The decision is final. Nothing changes about the deal, and no second request can be made." in words(
            shown
        )
        assert "Request exception" not in words(shown)
        assert url("ask_exception", request.referral) not in shown.content.decode()
        assert url("registration", request.referral) not in shown.content.decode()
    letter = words(owner.get(own(request)))
    assert "Your request for an exception was denied" in letter
    assert "0 for, 2 against" in letter
    assert owner.get(url("ask_exception", request.referral))["Location"] == own(request)


def test_exc_9_an_approval_says_what_is_open_until_when_and_leads_there(live: Live, owner: Client) -> None:
    request = exceptions.approved(live.cast, asked(live), now=live.now)
    shown = owner.get(own(request))
    assert "The deal can be registered now." in words(shown)
    assert url("registration", request.referral) in shown.content.decode()
    assert (live.now + timedelta(days=60)).date().isoformat() in shown.content.decode()
    assert "Exception" in words(owner.get(url("deal", request.referral)))


# The reopened registration ------------------------------------------------------------------------------------------


def reopened(live: Live) -> Registration:
    registration = rejected(live)
    form = exceptions.asking(states.REJECTED)
    request = do.ask_exception(registration.referral, form, actor=live.cast.actor(build.CONTOSO), now=live.now)
    exceptions.approved(live.cast, request, now=live.now)
    return exceptions.registration_of(registration.referral)


def test_exc_9_of_a_reopened_registration_only_five_fields_can_be_edited(live: Live, owner: Client) -> None:
    registration = reopened(live)
    address = url("registration", registration.referral)
    form = page(owner.get(address))
    names = form.xpath('//form[@id="registration-form"]//*[@name][not(@disabled)][not(@type="hidden")]/@name')
    assert set(names) == {"term", "tcv", "tcv_currency", "signed", "start", "end"}
    sent = {"term": "finite", "tcv": "50000", "tcv_currency": "EUR", "tenant": "partner", "deployment": "other"}
    dates = {"signed": live.day(-200), "start": live.day(-200), "end": live.day(164), "version": registration.version}
    checked = words(owner.post(url("registration_check", registration.referral), {**sent, **dates, "draft": ""}))
    assert "Add the signed contract or another proof under Documents" in checked
    assert page(owner.get(address)).xpath('//input[@name="tenant"][@checked]/@value') == ["customer"]
    refused = owner.post(address, {**sent, **dates})
    assert refused.status_code == 422
    assert "Add the signed contract or another proof under Documents" in words(refused)
    exceptions.documented(live.cast, registration.referral, now=live.now)
    assert owner.post(address, {**sent, **dates}).status_code == 302
    registration = exceptions.registration_of(registration.referral)
    assert (registration.signed, registration.tenant, registration.deployment) == (live.day(-200), "customer", "azure")


# The list -----------------------------------------------------------------------------------------------------------


def test_the_list_shows_the_companys_requests_by_tab_filter_and_search(live: Live, owner: Client) -> None:
    first, second = asked(live, ineligible(live)), exceptions.denied(live.cast, asked(live), now=live.now)
    address = reverse("exceptions")
    assert "Exceptions" in page(owner.get(reverse("home"))).get_element_by_id("rail").text_content()

    def rows(query: str = "") -> list[str]:
        return page(owner.get(address + query)).xpath('//a[@class="o-rowlink"]/@href')

    assert set(rows()) == {own(first), own(second)}
    assert rows("?tab=open") == [own(first)]
    assert rows("?tab=decided") == [own(second)]
    assert rows("?status=denied&kind=pre_registration") == [own(second)]
    assert rows("?kind=update") == []
    assert rows(f"?q={first.referral.public_id}") == [own(first)]
    assert set(rows("?status=nonsense&after=x&tab=y&exact=1")) == {own(first), own(second)}
    stranger = live.browser("referrals@fabrikam.example")
    assert page(stranger.get(address)).xpath('//a[@class="o-rowlink"]') == []
    assert stranger.get(own(first)).status_code == 404
