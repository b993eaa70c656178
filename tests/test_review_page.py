"""The reviewers' page: the claim beside the deal, notes that no partner reads, texts that fill comments, and what a
decision means before it is made (FLOW)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dealreg.models import Registration, Status
from dealreg.selectors.looks import last_look, record_of
from portal.demo.cast import Cast
from portal.desk import notes
from portal.desk.models import CommentTemplate, InternalNote
from portal.events.models import Event
from portal.notify.models import Notice
from portal.workflow.blockers import Money, RuleViolation
from tests import build, do, exceptions
from tests.api import Api, make_client
from tests.edge import Element, Live, parse
from tests.factories import add_member

COUNCIL, MANAGER = "council1@vendor.example", "manager@vendor.example"
#: A word that stands in no other text.
WORD = "Kestanebalı"


@pytest.fixture
def live(cast: Cast) -> Live:
    return Live(cast)


def url(record: Any) -> str:
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])


def look(client: Client, record: Any) -> Element:
    return parse(client.get(url(record)))


def row(page: Element, name: str) -> Element:
    """One answer of the claim."""
    return page.one("tr", id=f"claim-{name}")


def panel(page: Element, verb: str) -> Element:
    panels = page.one("section", id="decision").all("details")
    return next(one for one in panels if one.all("form") and one.one("form").fields()["verb"] == verb)


def test_flow_7_the_claim_stands_beside_the_deal_and_says_what_changed_since_it_was_sent_back(live: Live) -> None:
    reviewer, registration = live.browser(build.REVIEWER), live.in_review()
    page = look(reviewer, registration)
    cells = [cell.text for cell in row(page, "tcv").all("td")]
    assert cells == ["2,000,000 EUR ≈ 2,200,000 USD", "40,000 EUR estimated", "Differs +1,960,000 EUR"]
    assert "is-different" in row(page, "tcv").attrs["class"]
    assert row(page, "signed").all("td")[2].text == "on the day of the win"
    assert "is-different" not in row(page, "signed").attrs.get("class", "")
    assert page.all("ins") == []
    foot = page.one("p", class_="o-compared__foot").text
    assert foot.startswith("The policy as it was shipped · 1 EUR = 1.1 USD (")
    assert "Rüya İpekçi" in foot

    live.decided(registration, "require_action", "value_does_not_match_contract", "Three.")
    actor, now = live.cast.actor(build.CONTOSO), timezone.now()
    corrected = live.form(tcv=Money(Decimal(3_000_000), "EUR"), end=live.day(300))
    do.resubmit(Registration.objects.get(), corrected, actor=actor, now=now)
    page = look(reviewer, registration)
    assert (row(page, "tcv").one("del").text, row(page, "tcv").one("ins").text) == ("2,000,000 EUR", "3,000,000 EUR")
    assert len(page.all("ins")) == 3  # the value, the end, and the annual value that follows
    assert "3 answers changed since it was last decided on" in page.one("p", class_="o-marks").text
    live.decided(registration, "pass_review")
    assert look(reviewer, registration).all("ins") == []
    manager = live.cast.actor(MANAGER)
    do.decide(Registration.objects.get(), "retract", actor=manager, now=timezone.now(), comment="Too fast.")
    assert len(look(reviewer, registration).all("ins")) == 3
    found = last_look(registration)
    assert found is not None
    assert found.verb == "registration.action_required"


def test_flow_5_the_partners_record_is_that_of_its_other_registrations(live: Live) -> None:
    live.decided(live.in_review(), "fail_review", "duplicate_registration", "Twice.")
    live.approved()
    live.approved()
    live.sent_back()
    shown = live.in_review()
    record = record_of(shown)
    assert (record.filed, record.passed, record.sent_back, record.failed) == (4, 2, 1, 1)
    assert record.pass_rate == pytest.approx(2 / 3)
    card = look(live.browser(build.REVIEWER), shown).one("section", id="record")
    assert "67%" in card.text
    assert "The dates don't match the signed contract. The same sale has been registered already." in card.text
    assert card.one("a").attrs["href"].endswith("q=Contoso%20Yaz%C4%B1l%C4%B1m")


def test_flow_9_a_failure_says_what_it_means_before_it_is_made_and_until_when_it_is_retracted(live: Live) -> None:
    reviewer, registration = live.browser(build.REVIEWER), live.in_review()
    said = panel(look(reviewer, registration), "fail_review").one("ul", class_="o-meaning").text
    assert "A programme manager can retract it within 24 hours" in said
    assert "Then it closes as failed. That is final" in said
    assert "can ask the exception council for an exception, until" in said
    assert "60 days to correct it" in panel(look(reviewer, registration), "require_action").text
    failed = live.decided(registration, "fail_review", "other", "No.")
    for person in (build.REVIEWER, MANAGER):
        decision = look(live.browser(person), failed).one("section", id="decision").text
        assert "A programme manager can retract this decision until" in decision
    do.close(failed, now=failed.close_due_at or live.now)
    assert "can retract" not in look(live.browser(MANAGER), failed).one("section", id="decision").text


def test_flow_7_who_belongs_to_the_company_reads_why_and_gets_no_form(live: Live) -> None:
    registration = live.in_review()
    notes.add(registration, "registration", WORD, actor=live.cast.actor(MANAGER), now=live.now)
    add_member(user=live.cast.users[build.REVIEWER], company=live.cast.companies["contoso"], roles=["viewer"])
    browser = live.browser(build.REVIEWER)
    browser.post(reverse("switch_company"), {"company": live.cast.companies["vendor"].public_id})
    page = look(browser, registration)
    decision = page.one("section", id="decision")
    assert "You belong to the company that registered this deal" in decision.text
    assert decision.all("form") == []
    assert page.all("section", id="notes") == []
    assert WORD not in page.text
    assert browser.post(url(registration), {"note": "Mine."}).status_code == 403


def test_flow_15_notes_are_read_by_the_administration_and_by_nobody_else(live: Live) -> None:
    """On the deal's page, in lists, search, files, the API, its events and mail: none of a partner's surfaces."""
    registration = live.in_review()
    events = Event.objects.count()
    reviewer = live.browser(build.REVIEWER)
    refused = reviewer.post(url(registration), {"note": "  "})
    assert "Write the note." in parse(refused).one("section", id="notes").text
    assert reviewer.post(url(registration), {"note": f" {WORD}: ask Ankara. "}).status_code == 302
    for person in (build.REVIEWER, COUNCIL, MANAGER):
        assert f"{WORD}: ask Ankara." in look(live.browser(person), registration).one("section", id="notes").text
    assert Event.objects.count() == events
    assert not Notice.objects.filter(params__icontains=WORD).exists()

    public_id = registration.referral.public_id
    api = Api(make_client(live.cast.companies["contoso"]))
    read = [
        api.get(path).content.decode()
        for path in (f"/v1.0/engagements/referrals/{public_id}", "/v1.0/engagements/referrals")
    ]
    for person in (build.CONTOSO, "admin@contoso.example", build.SELLER):
        browser = live.browser(person)
        pages = [reverse("deal", args=[public_id]), reverse("deals"), reverse("home"), reverse("notices")]
        pages += [f"{reverse('deals')}?q={WORD}", f"{reverse('search')}?q={WORD}"]
        read += [browser.get(page, follow=True).content.decode() for page in pages]
        refused = browser.post(url(registration), {"note": "Mine."}, follow=True)
        assert refused.status_code == 403
    assert InternalNote.objects.count() == 1
    assert [text for text in read if "ask Ankara" in text] == []
    exported = live.browser(build.CONTOSO).post(reverse("export_list", args=["deals"]), {"format": "csv"}, follow=True)
    assert "ask Ankara" not in exported.content.decode()
    with pytest.raises(RuleViolation, match="internal_note_too_long"):
        notes.add(registration, "registration", "x" * 10_001, actor=live.cast.actor(MANAGER), now=live.now)


def test_flow_15_requests_for_exceptions_have_notes_as_well(live: Live) -> None:
    deal = live.won(customer=exceptions.unmanaged())
    old = live.day(-100)
    request = exceptions.asked(live.cast, deal, now=live.now, signed=old, start=old, end=live.day(200))
    browser = live.browser(COUNCIL)
    assert "Write the note." in parse(browser.post(url(request), {"note": ""})).one("section", id="notes").text
    assert browser.post(url(request), {"note": WORD}).status_code == 302
    assert WORD in look(live.browser(MANAGER), request).one("section", id="notes").text
    assert InternalNote.objects.of("exception", request.pk).count() == 1
    assert WORD not in live.browser(build.CONTOSO).get(reverse("deal", args=[deal.public_id])).content.decode()


def _template(**changes: Any) -> CommentTemplate:
    given = {"used_for": "registration.require_action", "text_en": "See page 2.", "text_tr": "İkinci sayfaya bakın."}
    return CommentTemplate.objects.create(**given | changes)


def test_flow_16_a_text_fills_the_comment_in_the_partners_language_and_loses_nothing(live: Live) -> None:
    reviewer, registration = live.browser(build.REVIEWER), live.in_review()
    assert look(reviewer, registration).all("select", name="template") == []
    live.cast.users[build.CONTOSO].language = "tr"
    live.cast.users[build.CONTOSO].save()
    dates = _template(reason_code="dates_do_not_match_contract")
    _template(text_en="Hidden.", is_active=False)
    form = panel(look(reviewer, registration), "require_action").one("form")
    offered = [option.text for option in form.one("select", name="template").all("option")]
    assert offered == ["Choose a text", "The dates don't match the signed contract. · See page 2."]
    typed = {**form.fields(), "comment": "Merhaba.", "template": str(dates.pk), "fill": "1"}
    page = parse(reviewer.post(url(registration), typed))
    filled = panel(page, "require_action")
    assert "open" in filled.attrs
    assert filled.one("textarea").text == "Merhaba.\n\nİkinci sayfaya bakın.".replace("\n\n", " ")
    fields = filled.one("form").fields()
    assert fields["reason_code"] == "dates_do_not_match_contract"
    assert Registration.objects.get().status == Status.REVIEW_PENDING

    # What was shown stays what is decided on (FLOW-7).
    live.decided(registration, "require_action", "other", "First.")
    more = live.form(tcv=Money(Decimal(3_000_000), "EUR"))
    do.resubmit(Registration.objects.get(), more, actor=live.cast.actor(build.CONTOSO), now=timezone.now())
    again = panel(parse(reviewer.post(url(registration), {**fields, "fill": "1"})), "require_action")
    stale = reviewer.post(url(registration), again.one("form").fields())
    assert "2,000,000 EUR → 3,000,000 EUR" in panel(parse(stale), "require_action").text
    told = reviewer.post(url(registration), panel(parse(stale), "require_action").one("form").fields())
    assert told.status_code == 302
    assert Registration.objects.get().comment == "Merhaba.\n\nİkinci sayfaya bakın."


def test_flow_16_managers_keep_the_texts(live: Live) -> None:
    add, given = reverse("admin:desk_commenttemplate_add"), {"text_en": "A", "text_tr": "B", "position": "0"}
    manager = live.browser(MANAGER)
    given |= {"reason_code": "hardware_in_value", "is_active": "on"}
    wrong = {**given, "used_for": "registration.pass_review"}
    assert "This decision has no such reason." in parse(manager.post(add, wrong)).text
    fitting = {
        **given,
        "used_for": "registration.require_action",
        "reason_code": "hardware_in_value",
        "is_active": "on",
    }
    assert manager.post(add, fitting).status_code == 302
    template = CommentTemplate.objects.get()
    assert template.text_in("tr") == "B"
    for person in (build.REVIEWER, COUNCIL):
        assert live.browser(person).post(url(template), fitting).status_code == 403
    listed = parse(manager.get(reverse("admin:desk_commenttemplate_changelist")))
    assert listed.one("td", class_="field-what_for").text == "Send back for correction"


def test_flow_16_the_council_has_texts_too(live: Live) -> None:
    deal = live.won(customer=exceptions.unmanaged())
    old = live.day(-100)
    request = exceptions.asked(live.cast, deal, now=live.now, signed=old, start=old, end=live.day(200))
    text = _template(used_for="exception.ask_evidence", text_en="Send the invoice.")
    browser = live.browser(COUNCIL)
    form = panel(look(browser, request), "ask_evidence").one("form").fields()
    filled = browser.post(url(request), {**form, "template": str(text.pk), "fill": "1"})
    assert panel(parse(filled), "ask_evidence").one("textarea").text == "Send the invoice."
    assert request.evidence.count() == 0
