"""The pages that change something: new deals, the verbs of deals, registrations. Sent as a browser without JavaScript
sends them: the form as the page shows it, with what the person changed."""

from __future__ import annotations

import uuid
import zoneinfo
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dealreg.models import Registration, Status
from portal.catalog import services as catalog
from portal.pages.demo.cast import ISTANBUL, MUNICH, Cast
from portal.workflow import text
from portal.workflow.blockers import Money
from referrals import rules, views
from referrals.models import Engagement, Note, Referral
from tests import build
from tests.edge import STATES, Element, Live, parse

OWNER = build.CONTOSO
NEW, KIND, SUGGEST = "/co-sell/new/", "/co-sell/new/kind/", "/customers/suggest/"
HOSTILE = '<b>Fırın</b> & "İçki" 🙂 شركة %(x)s {{ x }}'


@pytest.fixture
def live(cast: Cast) -> Live:
    return Live(cast)


def act_url(referral: Referral, verb: str) -> str:
    return reverse("act", args=[referral.public_id, verb.replace("_", "-")])


def errors(page: Element) -> dict[str, str]:
    """What is said at each field, by the field's name."""
    places = [e for e in page.all("div", class_="o-field__error") if e.text]
    return {e.attrs["id"].removeprefix("id_").removesuffix("_error"): e.text.removeprefix("Error ") for e in places}


def summary(page: Element) -> list[str]:
    """What is said on top: every error, with a link to its field if it has one."""
    return [li.text for box in page.all("div", class_="o-errors") for li in box.all("li")]


def sent(client: Client, address: str, **changes: Any) -> Any:
    """The page's form with these answers, sent; the answer."""
    form = next(f for f in parse(client.get(address)).one("main").all("form") if "csrfmiddlewaretoken" in f.fields())
    return client.post(address, {**form.fields(), **changes})


# New deal


def filled(live: Live, **changes: Any) -> dict[str, Any]:
    """The new deal's form as the page gives it, filled in for a co-sell deal."""
    form = parse(live.browser(OWNER).get(NEW)).one("form", id="new-deal").fields()
    answers = {
        "customer": live.cast.customers["anadolu"].public_id,
        "contact_name": "Deniz Aksoy",
        "contact_phone": "+90 532 555 01 01",
        "contact_email": "deniz@customer.example",
        "contact_consent": "on",
        "name": "Plant monitoring",
        "value": "40000",
        "currency": "EUR",
        "close_date": live.day(30).isoformat(),
        "location": live.cast.locations[ISTANBUL].pk,
        "solutions": live.cast.solutions["factory"].public_id,
        "help_code": build.HELP,
        "vendor_may_view": "yes",
    }
    return {**form, **answers, **changes}


def test_a_deal_is_created_on_one_page(live: Live) -> None:
    """REF-1, REF-5 to REF-8, REF-10: with everything that was entered, and the vendor's copy of it."""
    owner = live.browser(OWNER)
    form = filled(live, notes=HOSTILE, crm_id="OPP-1", campaign_id="CMP-1", marketplace_intent="yes")
    assert form["team-0-email"] == OWNER  # whoever creates it is on the team unless he says otherwise
    form |= {f"team-1-{name}": value for name, value in (("first_name", "Umut"), ("last_name", "Öztürk"))}
    form |= {"team-1-phone": "+90 1", "team-1-email": "User@Contoso.Example"}
    answer = owner.post(NEW, form)
    own = Referral.objects.get(company=live.cast.companies["contoso"])
    assert answer.headers["Location"] == reverse("deal", args=[own.public_id])
    assert (own.name, own.money, own.substatus) == ("Plant monitoring", Money(40_000, "EUR"), rules.ACCEPTED)
    assert (own.crm_id, own.campaign_id, own.marketplace_intent) == ("OPP-1", "CMP-1", "yes")
    assert own.location == live.cast.locations[ISTANBUL]
    assert own.close_date == live.day(30)
    assert {m.email for m in own.team.all()} == {OWNER, "user@contoso.example"}
    assert [line.solution.code for line in own.solutions.all()] == ["SOL-10001-CTS"]
    assert Note.objects.get().text == HOSTILE
    engagement = Engagement.objects.get()
    assert engagement.deal_type == rules.CO_SELL
    assert (engagement.contact_name, engagement.contact_consent) == ("Deniz Aksoy", True)
    assert build.vendor_copy(own).substatus == rules.RECEIVED
    toast = parse(owner.get(answer.headers["Location"])).one("div", class_="o-toast")
    assert toast.text == "The deal was created."


def test_a_double_click_creates_one_deal(live: Live) -> None:
    owner, form = live.browser(OWNER), filled(live)
    first, second = owner.post(NEW, form), owner.post(NEW, form)
    assert first.headers["Location"] == second.headers["Location"]
    assert Engagement.objects.count() == 1
    assert owner.post(NEW, {**form, "creation_key": uuid.uuid4()}).headers["Location"] != first.headers["Location"]


def test_finding_the_customer_without_javascript_keeps_everything_typed(live: Live) -> None:
    """REF-5: entities of one name show with place, D-U-N-S and whether they are managed; nothing is judged yet."""
    owner = live.browser(OWNER)
    form = {**parse(owner.get(NEW)).one("form", id="new-deal").fields(), "find": "1", "customer_search": "ANADOLU"}
    form |= {
        "name": HOSTILE,
        "notes": "Satır 1\r\nSatır 2",
        "value": "12,5",
        "help_code": build.HELP,
        "contact_consent": "on",
    }
    form |= {
        "team-1-first_name": "Umut",
        "solutions": [str(live.cast.solutions[s].public_id) for s in ("factory", "field")],
    }
    page = parse(owner.post(NEW, form))
    kept = page.one("form", id="new-deal").fields()
    assert {name: kept.get(name) for name in form if name not in {"find", "csrfmiddlewaretoken", "notes"}} == {
        name: value for name, value in form.items() if name not in {"find", "csrfmiddlewaretoken", "notes"}
    }
    assert kept["notes"].splitlines() == ["Satır 1", "Satır 2"]
    found = [label.text for label in page.one("div", id="customers").all("label")]
    assert found == [
        "Anadolu Cam Sanayi Managed Büyükdere Caddesi 101, Istanbul, TR · D-U-N-S 510000011",
        "Anadolu Cam Sanayi Not managed Liman Yolu 7, Mersin, TR · D-U-N-S 510000012",
    ]
    assert (errors(page), summary(page)) == ({}, [])
    again = parse(owner.post(NEW, {**form, "customer": live.cast.customers["ege"].public_id}))
    chosen = again.one("form", id="new-deal").fields()["customer"]
    assert chosen == str(live.cast.customers["ege"].public_id)  # what was chosen stays in the list
    assert Engagement.objects.count() == 0


def test_the_directory_suggests_by_country_and_first_letters(live: Live) -> None:
    """REF-5."""
    owner = live.browser(OWNER)

    def suggested(**query: str) -> str:
        return parse(owner.get(SUGGEST, query)).text

    assert "Işık Lojistik Managed" in suggested(country="TR", customer_search="isik")
    assert "Choose the country first." in suggested(country="", customer_search="isik")
    assert "No customer in this country" in suggested(country="DE", customer_search="isik")
    assert suggested(country="TR", customer_search="") == ""
    one = parse(owner.get(SUGGEST, {"country": "TR", "customer_search": "ışık"}))
    assert "checked" in one.one("input").attrs  # the only one is chosen


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no customer": ({"customer": ""}, "customer", "Choose the customer from the directory."),
    "unknown customer": ({"customer": uuid.uuid4()}, "customer", "This customer is not in the directory"),
    "forged customer": ({"customer": "1 OR 1=1"}, "customer", "is not a valid UUID"),
    "unknown country": ({"country": "XX"}, "country", "Choose the customer's country from the list."),
    "no name": ({"name": "  "}, "name", "This field is required."),
    "long name": ({"name": "x" * 201}, "name", "at most 200 characters"),
    "no value": ({"value": ""}, "value", "This field is required."),
    "words for a value": ({"value": "forty"}, "value", "Enter a number."),
    "no number": ({"value": "NaN"}, "value", "Enter a number."),
    "nothing": ({"value": "0"}, "value", "The estimated value must be above zero."),
    "less than nothing": ({"value": "-1"}, "value", "The estimated value must be above zero."),
    "too much": ({"value": "10000000000000000"}, "value", "no more than 16 digits before the decimal point"),
    "parts of a cent": ({"value": "1.005"}, "value", "no more than 2 decimal places"),
    "foreign currency": ({"currency": "XXX"}, "currency", "Select a valid choice."),
    "past": ({"close_date": "2020-02-29"}, "close_date", "The estimated close date must be today or later."),
    "no day": ({"close_date": "2027-02-29"}, "close_date", "Enter a valid date."),
    "no location": ({"location": ""}, "location", "This field is required."),
    "long notes": ({"notes": "x" * 10_001}, "notes", "Notes may have 10000 characters; these have 10001."),
    "no solution": ({"solutions": []}, "solutions", "Choose at least one solution, or one solution assessment."),
    "forged solution": ({"solutions": "x"}, "solutions", "is not a valid UUID"),
    "unknown help": ({"help_code": "Everything"}, "help_code", "Select a valid choice."),
    "no contact": ({"contact_name": ""}, "contact_name", "To ask Microsoft for help, give the customer contact's name"),
    "no consent": ({"contact_consent": ""}, "contact_consent", "Confirm that the customer contact agrees"),
    "half an address": ({"contact_email": "deniz@"}, "contact_email", "Enter a valid email address."),
    "long address": ({"contact_email": f"{'d' * 250}@customer.example"}, "contact_email", "at most 254 characters"),
    "nobody's name": ({"team-0-first_name": ""}, "team-0-first_name", "Every team member needs first name"),
    "member's long address": ({"team-0-email": f"{'d' * 250}@x.example"}, "team-0-email", "at most 254 characters"),
}  # fmt: skip


def test_each_violation_stands_at_its_field_and_on_top(live: Live) -> None:
    """REF-2, REF-5 to REF-8; and what was typed is still there."""
    owner, form = live.browser(OWNER), filled(live)
    for what, (changes, field, words) in WRONG.items():
        answer = owner.post(NEW, {**form, **changes})
        assert answer.status_code == 422, what
        page = parse(answer)
        assert words in errors(page).get(field, ""), (what, errors(page))
        assert any(words in line for line in summary(page)) or field.startswith("team-"), what
        assert page.one("form", id="new-deal").fields()["contact_phone"] == "+90 532 555 01 01"
    assert Engagement.objects.count() == 0


def test_a_foreign_location_can_not_be_chosen(live: Live) -> None:
    """REF-6, ORG-2: neither another company's, nor one outside one's role."""
    form = filled(live)
    for person, place in ((OWNER, MUNICH), ("ankara@contoso.example", ISTANBUL)):
        answer = live.browser(person).post(NEW, {**form, "location": live.cast.locations[place].pk})
        assert answer.status_code == 422
        assert set(errors(parse(answer))) == {"location"}
    assert Engagement.objects.count() == 0


def test_solutions_are_fifty_at_most_and_an_assessment_stands_alone(live: Live) -> None:
    """REF-7, REF-8."""
    contoso, owner = live.cast.companies["contoso"], live.browser(OWNER)
    many = [
        catalog.create_solution(code=f"S-{n}", name=f"S {n}", publisher=contoso, published=True, co_sell_ready=True)
        for n in range(51)
    ]
    form = filled(live)
    answer = owner.post(NEW, {**form, "solutions": [s.public_id for s in many]})
    assert errors(parse(answer)) == {"solutions": "A deal has at most 50 solutions; you chose 51."}
    assert owner.post(NEW, {**form, "solutions": [s.public_id for s in many[:50]]}).status_code == 302
    assessment = next(
        o.attrs["value"] for o in parse(owner.get(NEW)).one("select", id="id_assessment").all("option")[1:]
    )
    answer = owner.post(NEW, {**form, "creation_key": uuid.uuid4(), "assessment": assessment})
    assert set(errors(parse(answer))) == {"assessment", "assessment_location"}
    alone = {"assessment": assessment, "assessment_location": "Adana", "solutions": [], "creation_key": uuid.uuid4()}
    assert owner.post(NEW, {**form, **alone}).status_code == 302
    assert Engagement.objects.latest("pk").deal_type == rules.SOLUTION_ASSESSMENT


def test_the_team_has_one_to_fifty_members_and_nobody_twice(live: Live) -> None:
    """REF-7: said on top, for it belongs to no single field."""
    owner, form = live.browser(OWNER), filled(live)

    def team(count: int, email: str = "m{}@contoso.example") -> list[str]:
        people: dict[str, Any] = {"team-TOTAL_FORMS": count, "team-INITIAL_FORMS": 0}
        for n in range(count):
            person = {"first_name": "A", "last_name": "B", "phone": "1", "email": email.format(n)}
            people |= {f"team-{n}-{name}": value for name, value in person.items()}
        answer = owner.post(NEW, {**form, **people})
        assert answer.status_code == 422
        return summary(parse(answer))

    assert team(0) == ["Name at least one person who works on this deal."]
    assert team(51) == ["A team has at most 50 people; this one has 51."]
    assert team(2, "Same@contoso.example") == ["The same e-mail address is on the team twice."]
    broken = owner.post(NEW, {name: value for name, value in form.items() if not name.startswith("team-")})
    assert broken.status_code == 422
    assert Engagement.objects.count() == 0


def test_the_kind_of_deal_follows_from_the_answers_as_they_are_given(live: Live) -> None:
    """REF-1: shown live, with what it means for registration; the page itself says the same."""
    owner, form = live.browser(OWNER), filled(live)
    said = {
        ("Unknown", "no", ""): ("Private deal", "Private deals can't be registered"),
        ("Unknown", "yes", ""): ("Partner-led", "can be registered once you win it"),
        (build.HELP, "no", ""): ("Co-sell", "needs their acceptance"),
        (build.HELP, "yes", "1"): ("Solution assessment", "A solution assessment can't be registered."),
    }
    for (help_code, view, assessment), (kind, meaning) in said.items():
        answers = {"help_code": help_code, "vendor_may_view": view, "assessment": assessment}
        fragment = parse(owner.get(KIND, answers))
        assert fragment.all("html") == []
        assert fragment.one("strong").text == kind
        assert meaning in fragment.text
        page = parse(owner.post(NEW, {**form, **answers, "find": "1"}))
        assert page.one("div", id="kind").one("strong").text == kind


def test_the_page_says_what_is_missing_for_a_new_deal(live: Live) -> None:
    """ORG-5."""
    missing = {
        "viewer@contoso.example": ["Creating deals needs the role referrals admin or referrals user."],
        "referrals@northwind.example": ["Your company has no published solution that is co-sell ready."],
    }
    for person, reasons in missing.items():
        for answer in (live.browser(person).get(NEW), live.browser(person).post(NEW, filled(live))):
            assert answer.status_code == 403
            said = [b.text for b in parse(answer).one("main").all("div", class_="o-banner")]
            assert len(said) == len(reasons)
            assert all(reason in text for reason, text in zip(reasons, said, strict=True))
    assert Engagement.objects.count() == 0


# The verbs


#: What each verb's page asks, beyond what it shows filled in; and where the deal is then.
ANSWERS: dict[str, tuple[str, dict[str, str], str]] = {
    "accept": ("received", {"crm_id": "OPP-9", "notes": "Welcome"}, rules.ACCEPTED),
    "decline": ("received", {"reason_code": "timeline", "comment": "Too soon."}, rules.DECLINED),
    "set_stage": ("open", {"stage": "60"}, rules.ACCEPTED),
    "win": ("open", {}, rules.WON),
    "lose": ("open", {"reason_code": "other", "comment": "See you."}, rules.LOST),
    "close_as_error": ("open", {"reason_code": "duplicate"}, rules.ERROR),
}


def test_each_verb_is_done_on_its_page(live: Live) -> None:
    """REF-12, REF-14, REF-17: the page shows what is asked and what becomes final, and leads back to the deal."""
    owner = live.browser(OWNER)
    for verb, (state, answers, substatus) in ANSWERS.items():
        referral = STATES[state](live)
        page = parse(owner.get(act_url(referral, verb))).one("main")
        final = [b.text for b in page.all("div", class_="o-banner--warning") if b.text.startswith("This is final.")]
        assert bool(final) == (substatus in rules.TERMINAL), verb
        answer = sent(owner, act_url(referral, verb), **answers)
        assert answer.headers["Location"] == reverse("deal", args=[referral.public_id]), verb
        done = Referral.objects.get(pk=referral.pk)
        assert done.substatus == substatus, verb
        assert [done.reason_code, done.reason_note] == [answers.get("reason_code", ""), answers.get("comment", "")]
        assert done.crm_id == answers.get("crm_id", "")
        assert str(done.stage) == answers.get("stage", str(done.stage))
        toast = parse(owner.get(answer.headers["Location"])).one("div", class_="o-toast").text
        assert toast == str(views.PAGES[verb].done)
    assert Note.objects.get().text == "Welcome"


def test_a_verb_says_what_is_wrong_and_does_nothing(live: Live) -> None:
    owner = live.browser(OWNER)
    received, open_deal = STATES["received"](live), STATES["open"](live)
    wrong = [
        (received, "accept", {"name": " "}, "name"),
        (received, "accept", {"value": "0"}, "value"),
        (received, "accept", {"close_date": ""}, "close_date"),
        (received, "accept", {"notes": "x" * 10_001}, "notes"),
        (received, "decline", {}, "reason_code"),
        (received, "decline", {"reason_code": "nonsense"}, "reason_code"),
        (received, "decline", {"reason_code": "other", "comment": " "}, "comment"),
        (open_deal, "lose", {"reason_code": ""}, "reason_code"),
        (open_deal, "close_as_error", {"reason_code": "solution"}, "comment"),
        (open_deal, "set_stage", {"stage": "10"}, "stage"),
        (open_deal, "set_stage", {"stage": "100"}, "stage"),
    ]
    for referral, verb, answers, field in wrong:
        answer = sent(owner, act_url(referral, verb), **answers)
        assert answer.status_code == 422, (verb, answers)
        assert set(errors(parse(answer))) == {field}, (verb, answers)
        assert len(summary(parse(answer))) == 1
    substatuses = set(Referral.objects.filter(pk__in=[received.pk, open_deal.pk]).values_list("substatus", "stage"))
    assert substatuses == {(rules.RECEIVED, 10), (rules.ACCEPTED, 10)}


def test_what_can_not_be_done_any_more_says_so_once(live: Live) -> None:
    """REF-11: the page of a verb that is gone has its reason and no button; sending it all the same changes nothing."""
    owner, referral = live.browser(OWNER), STATES["lost"](live)
    page = parse(owner.get(act_url(referral, "win"))).one("main")
    assert page.all("button", type="submit", class_="btn-primary") == []
    assert len(summary(page)) == 1
    assert "the record is now in the state “Lost”" in summary(page)[0]
    answer = owner.post(act_url(referral, "win"))
    assert answer.status_code == 422
    assert len(summary(parse(answer))) == 1
    assert owner.get(act_url(referral, "nonsense")).status_code == 404


def test_in_the_dialog_a_verb_is_a_fragment_that_sends_the_browser_on(live: Live) -> None:
    owner, referral = live.browser(OWNER), STATES["open"](live)
    htmx = {"HX-Request": "true", "HX-Target": "dialog"}
    dialog = parse(owner.get(act_url(referral, "lose"), headers=htmx))
    assert dialog.all("html") == []
    assert dialog.one("h2", id="dialog-title").text == "Mark as lost"
    wrong = owner.post(act_url(referral, "lose"), {}, headers=htmx)
    assert (wrong.status_code, parse(wrong).all("html")) == (422, [])
    done = owner.post(act_url(referral, "lose"), {"reason_code": "budget"}, headers=htmx)
    assert (done.status_code, done.headers["HX-Redirect"]) == (200, reverse("deal", args=[referral.public_id]))


def test_winning_early_draws_a_warning_and_the_offer_of_the_safe_hour(live: Live) -> None:
    """REF-18: it names the hour from which it is safe; later there is nothing to warn of."""
    owner = live.browser(OWNER)
    young, old = live.accepted(days=1), live.accepted(days=4)
    page = parse(owner.get(act_url(young, "win"))).one("main")
    warning = next(b for b in page.all("div", class_="o-banner") if b.text.startswith("Earlier than is safe."))
    assert "The deal is not 72 hours old." in warning.text
    with timezone.override(zoneinfo.ZoneInfo("Europe/Istanbul")):  # his own
        assert text.show(young.created_at + timedelta(hours=72)) in warning.text
    assert warning.one("time").attrs["datetime"] == (young.created_at + timedelta(hours=72)).isoformat()
    offer = page.one("button", formaction=act_url(young, "schedule_win"))
    planned = owner.post(offer.attrs["formaction"], page.one("form", class_="o-confirm").fields())
    assert planned.headers["Location"] == reverse("deal", args=[young.public_id])
    assert Referral.objects.get(pk=young.pk).win_at == young.created_at + timedelta(hours=72)
    assert (
        parse(owner.get(act_url(young, "win"))).one("main").all("button", formaction=act_url(young, "schedule_win"))
        == []
    )
    assert sent(owner, act_url(young, "cancel_win")).status_code == 302
    assert Referral.objects.get(pk=young.pk).win_at is None
    assert sent(owner, act_url(young, "win")).status_code == 302
    assert Referral.objects.get(pk=young.pk).won_early
    calm = parse(owner.get(act_url(old, "win"))).one("main")
    assert "Earlier than is safe." not in calm.text
    assert calm.all("button", formaction=act_url(old, "schedule_win")) == []
    assert sent(owner, act_url(old, "win")).status_code == 302
    assert not Referral.objects.get(pk=old.pk).won_early


# Registrations


def registration_url(referral: Referral, page: str = "registration") -> str:
    return reverse(page, args=[referral.public_id])


def answers(live: Live, **changes: Any) -> dict[str, Any]:
    """A one-year contract over 40,000 EUR signed yesterday."""
    form = {
        "marketplace": "no", "deployment": "azure", "tenant": "customer", "pricing": "other", "term": "finite",
        "signed": live.day(-1), "start": live.day(-1), "end": live.day(363), "tcv": "40000", "tcv_currency": "EUR",
        "solution_value": "30000", "solution_value_currency": "EUR", "contract_names_confirmed": "on",
    }  # fmt: skip
    return {**form, **changes}


def test_before_the_deal_is_won_the_form_is_a_try_out_that_saves_nothing(live: Live) -> None:
    """REG-15."""
    owner, referral = live.browser(OWNER), live.accepted()
    page = parse(owner.get(registration_url(referral))).one("main")
    assert page.one("div", class_="o-banner--info").text.startswith("Try-out. Nothing is saved here.")
    assert page.one("footer").all("button") == []
    answer = owner.post(registration_url(referral), answers(live))
    assert answer.status_code == 200
    side = parse(answer).one("div", id="judgement").text
    assert "Mark this deal Won once the contract is signed" in side
    assert "40,000 EUR" in side
    assert Registration.objects.count() == 0


def test_a_registration_is_filed_and_everything_stated_is_kept(live: Live) -> None:
    """REG-1 to REG-10, FLOW-1."""
    owner, referral = live.browser(OWNER), live.won()
    shown = parse(owner.get(registration_url(referral))).one("form", id="registration-form").fields()
    assert (shown["tcv"], shown["tcv_currency"], shown["solution_value_currency"]) == ("40000.00", "EUR", "EUR")
    answer = owner.post(registration_url(referral), {**shown, **answers(live)})
    assert answer.headers["Location"] == reverse("deal", args=[referral.public_id])
    filed = Registration.objects.get(referral=referral)
    assert filed.is_being_routed
    assert (filed.signed, filed.start, filed.end) == (live.day(-1), live.day(-1), live.day(363))
    assert (filed.tcv_money, filed.solution_money) == (Money(40_000, "EUR"), Money(30_000, "EUR"))
    assert (filed.marketplace, filed.deployment, filed.tenant, filed.pricing) == (False, "azure", "customer", "other")
    assert filed.submitted_by == live.cast.users[OWNER]
    again = owner.post(registration_url(referral), answers(live))
    assert again.status_code == 422
    assert "it can be changed only while action is required" in summary(parse(again))[0]


def test_everything_wrong_with_a_registration_is_said_at_once(live: Live) -> None:
    """REG-14: each violation at its field, questions without an answer beside the form."""
    owner, referral = live.browser(OWNER), live.won()
    wrong = {
        "deployment": "other", "signed": live.day(1), "start": live.day(-91), "end": live.day(-92), "tcv": "10",
        "solution_value": "11", "contract_names_confirmed": "", "marketplace": "yes",
    }  # fmt: skip
    answer = owner.post(registration_url(referral), answers(live, **wrong))
    assert answer.status_code == 422
    at = errors(parse(answer))
    assert set(at) == {
        "deployment", "signed", "start", "end", "solution_value", "contract_names_confirmed", "marketplace_date",
    }  # fmt: skip
    assert len(summary(parse(answer))) == len(at)
    unread = owner.post(registration_url(referral), answers(live, signed="soon", tcv="much"))
    assert unread.status_code == 422
    assert set(errors(parse(unread))) == {"signed", "tcv"}
    assert Registration.objects.get().submitted_at is None


def test_typing_is_judged_at_the_filled_fields_only(live: Live) -> None:
    """REG-5, REG-15: annual value and route beside the form, errors where something is filled in, nothing saved."""
    owner, referral = live.browser(OWNER), live.won()
    check = registration_url(referral, "registration_check")
    empty = parse(owner.post(check, {}))
    assert errors(empty) == {}
    assert "Still to answer: Is it a marketplace transaction?" in empty.one("div", id="judgement").text
    some = parse(owner.post(check, {"signed": live.day(1), "tcv": "-1", "tcv_currency": "EUR"}))
    assert set(errors(some)) == {"signed", "tcv"}
    places = [e.attrs for e in some.all("div", class_="o-field__error")]
    assert {"id_end_error", "id_signed_error"} <= {place["id"] for place in places}
    assert all(place["hx-swap-oob"] == "true" for place in places)
    whole = parse(owner.post(check, answers(live, tcv="120000", end=live.day(3 * 365)))).one("div", id="judgement")
    assert "This registration would be approved automatically" in whole.text
    assert whole.one("p", class_="o-side__big").text.startswith("39,")
    large = parse(owner.post(check, answers(live, tcv="2000000"))).one("div", id="judgement")
    assert "This registration would go to the review team" in large.text
    assert "is above 1,000,000 USD" in large.text
    market = parse(owner.post(check, answers(live, marketplace="yes", marketplace_date=live.day(9))))
    assert "would go to marketplace validation" in market.text
    assert "partner-reported consumption" in market.text
    registration = Registration.objects.get()
    assert (registration.submitted_at, registration.tcv) == (None, None)


def test_what_was_sent_back_is_corrected_and_resubmitted(live: Live) -> None:
    """FLOW, resubmit: prefilled with what was stated, under the reviewer's words."""
    owner, registration = live.browser(OWNER), live.sent_back(comment="Please <b>correct</b> the start.")
    address = registration_url(registration.referral)
    page = parse(owner.get(address)).one("main")
    assert page.one("h1").text == "Correct the registration"
    assert page.one("div", class_="o-banner--danger").text.endswith("Please <b>correct</b> the start.")
    assert page.one("footer").one("button").text == "Resubmit"
    shown = page.one("form", id="registration-form").fields()
    assert shown["tcv"] == "2000000.00"
    assert (shown["start"], shown["term"], shown["marketplace"]) == (live.day(-1).isoformat(), "finite", "no")
    answer = owner.post(address, {**shown, "start": live.day(-2).isoformat()})
    assert answer.headers["Location"] == reverse("deal", args=[registration.referral.public_id])
    fresh = Registration.objects.get()
    assert (fresh.status, fresh.start, fresh.reason_code) == (Status.REVIEW_PENDING, live.day(-2), "")


def test_a_deal_can_be_closed_without_registering(live: Live) -> None:
    """REG-2: final, and only until it is filed."""
    owner, referral = live.browser(OWNER), live.won()
    address = registration_url(referral, "close_unregistered")
    assert "This is final." in parse(owner.get(address)).one("main").text
    assert owner.post(address).headers["Location"] == reverse("deal", args=[referral.public_id])
    assert Registration.objects.get().outcome == "not_registered"
    again = owner.post(address)
    assert again.status_code == 422
    assert len(summary(parse(again))) == 1
    filed = live.submitted().referral
    refused = owner.post(registration_url(filed, "close_unregistered"))
    assert refused.status_code == 422
    assert "is being checked right now" in summary(parse(refused))[0]
    assert owner.get(registration_url(live.accepted(), "close_unregistered")).status_code == 404


def test_a_solution_that_is_not_on_the_deal_can_not_be_registered(live: Live) -> None:
    """ELIG-5: with several eligible solutions one is chosen, with one there is nothing to choose."""
    both = [live.cast.solutions[name] for name in ("factory", "retail")]
    owner, referral = live.browser(OWNER), live.won(solutions=both)
    page = parse(owner.get(registration_url(referral)))
    offered = [o.attrs["value"] for o in page.one("select", id="id_solution").all("option")]
    assert offered == [str(s.public_id) for s in both]
    foreign = owner.post(registration_url(referral), answers(live, solution=live.cast.solutions["twin"].public_id))
    assert set(errors(parse(foreign))) == {"solution"}
    assert owner.post(registration_url(referral), answers(live, solution=offered[1])).status_code == 302
    assert Registration.objects.get().solution == both[1]
    assert parse(owner.get(registration_url(live.won()))).all("select", id="id_solution") == []
