"""A new deal, step by step, on pages sent as a browser without JavaScript sends them (REF-1..10, ORG-5)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from portal.accounts.models import RoleGrant, User
from portal.accounts.rules import SYSTEM
from portal.catalog import services as catalog
from portal.catalog.models import AssessmentType, Solution
from portal.demo.cast import ANKARA, ISTANBUL, MUNICH
from portal.workflow import text
from portal.workflow.blockers import Money, RuleViolation
from referrals import rules, verbs
from referrals.models import Draft, Engagement, Note, Referral
from referrals.services import drafts
from referrals.web.forms.deal import MAX_ROWS
from referrals.web.wizard import choices
from referrals.web.wizard import draft as wizard
from tests import build
from tests.edge import Element, Live, parse
from tests.factories import CustomerFactory
from tests.test_forms import HOSTILE, OWNER, errors, summary

NEW, SUGGEST = "/co-sell/new/", "/customers/suggest/"
USER = "user@contoso.example"


def answers(live: Live) -> dict[str, dict[str, Any]]:
    """What is answered on each step for a co-sell deal of Istanbul's."""
    return {
        "customer": {
            "customer": live.cast.customers["anadolu"].public_id,
            "contact_name": "Deniz Aksoy",
            "contact_phone": "+90 532 555 01 01",
            "contact_email": "deniz@customer.example",
            "contact_consent": "on",
        },
        "deal": {
            "name": "Plant monitoring",
            "value": "40000",
            "currency": "EUR",
            "close_date": live.day(30).isoformat(),
            "location": live.cast.locations[ISTANBUL].pk,
        },
        "team": {},
        "solutions": {"solutions": live.cast.solutions["factory"].public_id},
        "help": {"help_code": build.HELP, "vendor_may_view": "yes"},
    }


@dataclass
class Writer:
    """Somebody before the wizard: the page they have before them, and what they send of it."""

    live: Live
    client: Client
    page: Element
    url: str = NEW

    def form(self) -> dict[str, Any]:
        """The step's form as a browser would send it, hidden fields beside it included."""
        inside = self.page.one("form", id="step").fields()
        beside = [e for e in self.page.all("input", form="step") if e.attrs.get("type") == "hidden"]
        return {**inside, **{e.attrs["name"]: e.attrs["value"] for e in beside}}

    def post(self, **changes: Any) -> HttpResponse:
        """Send the step; where the answer leads becomes the page."""
        action = self.page.one("form", id="step").attrs["action"]
        response = self.client.post(action, {**self.form(), **changes})
        if response.status_code == 302:
            self.open(response.headers["Location"])
        else:
            self.page = parse(response)
        return response

    def open(self, url: str) -> Element:
        self.url, self.page = url, parse(self.client.get(url))
        return self.page

    def step(self, name: str) -> Element:
        return self.open(reverse("new_deal_step", args=[Draft.objects.latest("pk").public_id, name]))

    def go_on(self, **changes: Any) -> HttpResponse:
        return self.post(go="next", **changes)

    def fill(self, upto: str = "review", **changes: dict[str, Any]) -> None:
        """Answer the steps before this one, each as in `answers` unless it is changed."""
        for step, given in answers(self.live).items():
            if step == upto:
                return
            response = self.go_on(**{**given, **changes.get(step, {})})
            assert response.status_code == 302, (step, errors(self.page))

    def looks(self) -> dict[str, str]:
        items = self.page.one("ol", class_="o-steps").all("li")
        names = ["customer", "deal", "team", "solutions", "help", "review"]
        return {name: item.attrs["class"].replace("is-", "").strip() for name, item in zip(names, items, strict=True)}

    def problems(self) -> dict[str, list[str]]:
        """What the review says is missing, by step."""
        cards = {card.attrs["id"]: card for card in self.page.one("main").all("section", class_="o-card")}
        found = {
            step: [e.text.removeprefix("Error ") for e in card.all("li", class_="o-field__error")]
            for step, card in cards.items()
        }
        return {step: said for step, said in found.items() if said}


def writer(live: Live, email: str = OWNER) -> Writer:
    client = live.browser(email)
    return Writer(live, client, parse(client.get(NEW)))


def own_deal() -> Referral:
    return Referral.objects.get(company__name="Contoso Yazılım")


def invitation(live: Live, partner: str = "fabrikam", **changes: Any) -> dict[str, Any]:
    cast = live.cast
    given = {
        "partner": cast.companies[partner].public_id,
        "help_code": build.HELP,
        "value": "15000",
        "currency": "EUR",
        "close_date": live.day(20).isoformat(),
        "solutions": cast.solutions["twin"].public_id,
        "notes": HOSTILE,
    }
    return {**given, **changes}


def invite(page: Writer, **changes: Any) -> HttpResponse:
    """From the help step: the invitation's page, filled in and kept."""
    page.post(invite=uuid.uuid4().hex[:12])
    form = next(f for f in page.page.one("main").all("form") if "csrfmiddlewaretoken" in f.fields())
    response = page.client.post(page.url, {**form.fields(), **invitation(page.live, **changes)})
    if response.status_code == 302:
        page.open(response.headers["Location"].partition("#")[0])
    else:
        page.page = parse(response)
    return response


# From the first step to the deal


def test_a_deal_is_written_step_by_step_and_created_at_once(live: Live) -> None:
    """REF-1, REF-5 to REF-10: everything that was entered, the vendor's copy and the partner's, in one transaction."""
    page = writer(live)
    assert Draft.objects.count() == 0  # looking at the page stores nothing
    person = {"first_name": "Umut", "last_name": "Öztürk", "phone": "+90 1", "email": "User@Contoso.Example"}
    page.fill("help", deal={"notes": HOSTILE, "crm_id": "OPP-1", "campaign_id": "CMP-1", "marketplace_intent": "yes"},
              team={f"team-1-{name}": value for name, value in person.items()})  # fmt: skip
    assert page.looks() == {
        "customer": "done", "deal": "done", "team": "done", "solutions": "done", "help": "now", "review": "",
    }  # fmt: skip
    page.post(**answers(live)["help"])  # kept, and still here
    assert invite(page).status_code == 302
    page.go_on()
    assert page.page.one("h1").text == "New deal"
    assert page.problems() == {}
    shown = page.page.one("main").text
    for words in (
        "Anadolu Cam Sanayi",
        "40,000 EUR",
        "OPP-1",
        "Factory Insights",
        "Co-sell",
        "Fabrikam GmbH",
        HOSTILE,
        "Umut Öztürk, +90 1, User@Contoso.Example",
    ):
        assert words in shown
    assert page.page.one("main").all("b") == []
    assert Engagement.objects.count() == 0
    page.post(go="create")
    own = own_deal()
    assert page.url == reverse("deal", args=[own.public_id])
    assert page.page.one("div", class_="o-toast").text == "The deal was created."
    assert (own.name, own.money, own.substatus) == ("Plant monitoring", Money(40_000, "EUR"), rules.ACCEPTED)
    assert (own.crm_id, own.campaign_id, own.marketplace_intent) == ("OPP-1", "CMP-1", "yes")
    assert (own.location, own.close_date) == (live.cast.locations[ISTANBUL], live.day(30))
    assert {m.email for m in own.team.all()} == {OWNER, USER}
    assert [line.solution.code for line in own.solutions.all()] == ["SOL-10001-CTS"]
    assert Note.objects.get().text == HOSTILE
    engagement = Engagement.objects.get()
    assert (engagement.deal_type, engagement.contact_name) == (rules.CO_SELL, "Deniz Aksoy")
    assert build.vendor_copy(own).substatus == rules.RECEIVED
    invited = Referral.objects.get(company=live.cast.companies["fabrikam"])
    assert (invited.substatus, invited.money, invited.invite_notes) == ("Received", Money(15_000, "EUR"), HOSTILE)
    assert {m.email for m in invited.inviter_team.all()} == {OWNER, "user@contoso.example"}
    assert Draft.objects.count() == 0


def test_a_double_click_creates_one_deal_and_leads_to_it(live: Live) -> None:
    """The draft's id is the deal's creation key: whatever is sent late finds the deal."""
    page = writer(live)
    page.fill()
    review, action = page.form(), page.page.one("form", id="step").attrs["action"]
    page.step("deal")
    stale = page.form()
    first, second = (page.client.post(action, {**review, "go": "create"}) for _click in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    deal = reverse("deal", args=[own_deal().public_id])
    for late in ({"go": "next"}, {"go": "save"}):
        address = action.replace("review", "deal")
        assert page.client.post(address, {**stale, **late}).headers["Location"] == deal
        assert page.client.get(address).headers["Location"] == deal
    assert (Engagement.objects.count(), Draft.objects.count()) == (1, 0)


def test_nothing_is_created_where_one_part_fails(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """One transaction: without its invitation there is no deal either, and the draft is still there."""
    page = writer(live)
    page.fill("help")
    page.post(**answers(live)["help"])
    invite(page)
    page.go_on()

    def refused(*_args: Any, **_kwargs: Any) -> None:
        raise RuleViolation([])

    monkeypatch.setattr(verbs.INVITE_PARTNER, "input_blockers", refused)
    assert page.post(go="create").status_code == 422
    assert (Engagement.objects.count(), Referral.objects.count(), Draft.objects.count()) == (0, 0, 1)


# The draft


def test_everything_typed_is_kept_right_or_wrong(live: Live) -> None:
    """Back, any other step, one's own saving and finding a customer: nothing is lost, and nothing is judged early."""
    page = writer(live)
    typed = {"customer_search": "ANADOLU", "contact_email": "deniz@", "contact_consent": "on"}
    page.post(find="1", **typed)
    assert (errors(page.page), summary(page.page)) == ({}, [])
    assert [label.text for label in page.page.one("div", id="customers").all("label")] == [
        "Anadolu Cam Sanayi Managed Büyükdere Caddesi 101, Istanbul, TR · D-U-N-S 510000011",
        "Anadolu Cam Sanayi Not managed Liman Yolu 7, Mersin, TR · D-U-N-S 510000012",
    ]
    assert {name: page.form()[name] for name in typed} == typed
    page.post(customer=live.cast.customers["ege"].public_id, to="deal")
    wrong = {"name": HOSTILE, "value": "12,5", "close_date": "2020-01-01", "notes": "Satır 1\nSatır 2 شركة 🙂"}
    page.post(go="back", **wrong)
    assert page.url.endswith("/customer/")
    assert page.form()["customer"] == str(live.cast.customers["ege"].public_id)  # stays in the list
    page.post(to="deal")
    kept = page.form()
    shown = {**wrong, "value": "12.50", "close_date": "1 Jan 2020"}  # in the one notation of all pages
    assert {name: str(kept[name]).replace("\r\n", "\n") for name in wrong} == shown
    assert errors(page.page) == {}
    saving = page.client.post(
        page.url, {**kept, "go": "save", "name": "Later"}, headers={"HX-Request": "true", "HX-Target": "saved"}
    )
    assert saving.status_code == 200
    assert saving.headers["HX-Replace-Url"] == page.url
    assert "Draft saved" in parse(saving).text
    assert page.step("deal").one("input", id="id_name").attrs["value"] == "Later"
    assert page.looks()["deal"] == "now"
    assert (Draft.objects.count(), Engagement.objects.count()) == (1, 0)


def test_what_saves_itself_never_undoes_what_another_window_saved(live: Live) -> None:
    page = writer(live)
    page.fill("team")
    page.step("deal")
    old = page.form()
    page.post(to="deal", name="Newer")
    answer = page.client.post(page.url, {**old, "go": "save", "name": "Older"})
    assert "changed in another window" in parse(answer).text
    assert page.step("deal").one("input", id="id_name").attrs["value"] == "Newer"
    assert page.post(to="deal", name="Chosen").status_code == 302  # a button always keeps
    assert page.form()["name"] == "Chosen"


def test_a_stale_review_creates_no_deal_that_nobody_has_seen(live: Live) -> None:
    """It shows what the draft says now; sent again, the deal is created."""
    page, other = writer(live), writer(live)
    page.fill()
    other.client = page.client
    other.step("deal")
    other.post(to="deal", name="Newer")
    assert page.post(go="create").status_code == 422
    assert "changed in another window" in page.page.text
    assert "Newer" in page.page.one("section", id="deal").text
    assert page.post(go="create").status_code == 302
    assert own_deal().name == "Newer"


def test_what_saves_itself_never_brings_back_what_was_discarded(live: Live) -> None:
    """Another window threw the draft away; a button still keeps what is typed in this one."""
    page = writer(live)
    page.fill("team")
    page.step("deal")
    old = page.form()
    page.client.post(reverse("discard_draft", args=[Draft.objects.get().public_id]))
    answer = page.client.post(page.url, {**old, "go": "save", "name": "Still typing"})
    assert "changed in another window" in parse(answer).text
    assert not Draft.objects.exists()
    page.client.post(page.url, {**old, "go": "next", "name": "Still typing"})
    assert Draft.objects.get().data["deal"]["name"] == ["Still typing"]


def test_drafts_are_listed_continued_and_discarded_by_their_author_alone(live: Live) -> None:
    """Several at a time, on the page and on Home; ORG-6: another's draft answers like an unknown one."""
    first, second = writer(live), writer(live)
    first.fill("team", deal={"name": HOSTILE})
    second.post(to="customer")
    mine, other = Draft.objects.order_by("pk")
    for place in ("/", NEW):
        listed = parse(first.client.get(place)).one("section", id="drafts")
        said = [item.text for item in listed.all("span", class_="o-plainlist__main")]
        assert said[0].startswith("Deal without a name")
        assert said[1].startswith(f"{HOSTILE} Anadolu Cam Sanayi")
        assert listed.all("b") == []
    stranger, unknown = live.browser(USER), uuid.uuid4()
    form = first.form()
    for name, args in (("new_deal_step", ["deal"]), ("discard_draft", []), ("new_deal_invitation", ["0123456789ab"])):
        for key in (mine.public_id, unknown):
            address = reverse(name, args=[key, *args])
            assert (stranger.get(address).status_code, stranger.post(address, form).status_code) == (404, 404)
    assert parse(stranger.get(NEW)).all("section", id="drafts") == []
    discard = reverse("discard_draft", args=[other.public_id])
    assert "Everything typed is thrown away." in parse(first.client.get(discard)).text
    assert Draft.objects.count() == 2
    assert first.client.post(discard).headers["Location"] == reverse("deals")
    assert list(Draft.objects.all()) == [mine]
    assert first.client.get(discard).status_code == 404


def test_a_discarded_draft_still_open_somewhere_loses_nothing(live: Live) -> None:
    """A form that is sent late begins the draft anew, for its author only."""
    page = writer(live)
    page.fill("deal")
    drafts.discard(Draft.objects.get().public_id, live.cast.actor(OWNER))
    given = {**page.form(), "name": "Still here", "go": "back"}
    assert live.browser(USER).post(page.url, given).status_code == 404
    assert page.client.post(page.url, {**given, "token": "x"}).status_code == 404
    page.post(go="back", name="Still here")
    assert page.step("deal").one("input", id="id_name").attrs["value"] == "Still here"


def test_a_stale_draft_says_what_is_no_longer_so_at_its_step(live: Live) -> None:
    """Customer gone, location out of scope, close date past, solution withdrawn, all since it was written."""
    page = writer(live)
    page.fill()
    gone = CustomerFactory()
    draft = Draft.objects.get()
    draft.data["customer"]["customer"] = [str(gone.public_id)]
    draft.data["deal"]["close_date"] = [live.day(-1).isoformat()]
    draft.save()
    gone.delete()
    grant = RoleGrant.objects.get(membership__user__email=OWNER, role="referrals_admin")
    RoleGrant.objects.filter(pk=grant.pk).update(location=live.cast.locations[ANKARA])
    Solution.objects.filter(pk=live.cast.solutions["factory"].pk).update(published=False)
    page.step("review")
    said = page.problems()
    assert said == {
        "customer": ["Customer: This customer is not in the directory; choose one from the list."],
        "deal": [
            "Estimated close date: The estimated close date must be today or later.",
            "Location: Choose one of the locations your role covers; the location can't be changed afterwards.",
        ],
        "solutions": [
            "Solutions: A solution you had chosen can't be put on deals any more and was taken off. Check the others."
        ],
    }
    assert page.looks()["deal"] == "wrong"
    assert "disabled" in page.page.one("button", value="create").attrs
    assert page.post(go="create").status_code == 422
    assert set(errors(page.step("solutions"))) == {"solutions"}
    page.step("deal")
    page.go_on(location=live.cast.locations[ANKARA].pk)
    assert errors(page.page) == {"close_date": "The estimated close date must be today or later."}
    assert Engagement.objects.count() == 0


def test_the_review_lists_every_blocker_of_an_empty_draft(live: Live) -> None:
    page = writer(live)
    page.post(to="review")
    said = page.problems()
    assert set(said) == {"customer", "deal", "solutions", "help"}
    assert said["customer"] == ["Customer: Choose the customer from the directory."]
    assert "Estimated value: This has to be filled in." in said["deal"]
    assert [link.attrs["href"].rsplit("/", 2)[1] for link in page.page.one("main").all("a", class_="btn-subtle")] == [
        "customer", "deal", "team", "solutions", "help",
    ]  # fmt: skip


def test_the_page_says_what_is_missing_for_a_new_deal(live: Live) -> None:
    """ORG-5."""
    missing = {
        "viewer@contoso.example": "Creating deals needs the role referrals admin or referrals user.",
        "referrals@northwind.example": "Your company has no published solution that is co-sell ready.",
    }
    sent = reverse("new_deal_step", args=[uuid.uuid4(), "customer"])
    for person, reason in missing.items():
        client = live.browser(person)
        for answer in (client.get(NEW), client.post(sent, {"go": "next"})):
            assert answer.status_code == 403
            (banner,) = parse(answer).one("main").all("div", class_="o-banner")
            assert reason in banner.text
    assert Draft.objects.count() == 0


# Bad input, step by step


WRONG: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "no customer": ("customer", {"customer": ""}, "customer", "Choose the customer from the directory."),
    "unknown customer": ("customer", {"customer": uuid.uuid4()}, "customer", "This customer is not in the directory"),
    "forged customer": ("customer", {"customer": "1 OR 1=1"}, "customer", "among the choices"),
    "unknown country": ("customer", {"country": "XX"}, "country", "Choose the customer's country from the list."),
    "half an address": ("customer", {"contact_email": "deniz@"}, "contact_email", "not an e-mail address"),
    "long address": ("customer", {"contact_email": f"{'d' * 250}@x.example"}, "contact_email", "At most 254"),
    "no name": ("deal", {"name": "  "}, "name", "This has to be filled in."),
    "long name": ("deal", {"name": "x" * 201}, "name", "At most 200 characters"),
    "no value": ("deal", {"value": ""}, "value", "This has to be filled in."),
    "words for a value": ("deal", {"value": "forty"}, "value", "Write a number here."),
    "no number": ("deal", {"value": "NaN"}, "value", "Write a number here."),
    "nothing": ("deal", {"value": "0"}, "value", "The estimated value must be above zero."),
    "less than nothing": ("deal", {"value": "-1"}, "value", "The estimated value must be above zero."),
    "too much": ("deal", {"value": "10000000000000000"}, "value", "At most 16 digits before the decimal mark"),
    "parts of a cent": ("deal", {"value": "1.2345"}, "value", "At most 2 digits after"),
    "foreign currency": ("deal", {"currency": "XXX"}, "currency", "Choose from the list."),
    "past": ("deal", {"close_date": "2020-02-29"}, "close_date", "The estimated close date must be today or later."),
    "no day": ("deal", {"close_date": "2027-02-29"}, "close_date", "This is not a day of the calendar."),
    "no location": ("deal", {"location": ""}, "location", "This has to be filled in."),
    "long notes": ("deal", {"notes": "x" * 10_001}, "notes", "Notes may have 10000 characters; these have 10001."),
    "nobody's name": ("team", {"team-0-first_name": ""}, "team-0-first_name", "Every team member needs first name"),
    "member's long address": ("team", {"team-0-email": f"{'d' * 250}@x.example"}, "team-0-email", "At most 254"),
    "no solution": ("solutions", {"solutions": []}, "solutions", "Choose at least one solution, or one solution"),
    "forged solution": ("solutions", {"solutions": "x"}, "solutions", "among the choices"),
    "unknown help": ("help", {"help_code": "Everything"}, "help_code", "Choose from the list."),
}  # fmt: skip


def test_a_steps_rules_are_told_together_with_what_cannot_be_read(live: Live) -> None:
    """REF-5, REF-6: nobody corrects one thing to be told of the next."""
    page = writer(live)
    page.fill()
    page.step("deal")
    page.go_on(**{**answers(live)["deal"], "name": "", "value": "0", "close_date": "2020-01-01", "notes": "x" * 10_001})
    assert errors(page.page).keys() == {"name", "value", "close_date", "notes"}
    page.go_on(**{**answers(live)["deal"], "value": "forty", "close_date": "2020-01-01", "notes": ""})
    assert errors(page.page).keys() == {"value", "close_date"}
    page.step("customer")
    page.go_on(**{**answers(live)["customer"], "customer": "", "contact_consent": ""})
    assert errors(page.page).keys() == {"customer", "contact_consent"}


def test_each_violation_stands_at_its_field_and_on_top_and_nothing_is_lost(live: Live) -> None:
    """REF-2, REF-5 to REF-8: every step judges itself, and keeps what was typed."""
    page = writer(live)
    page.fill()
    right = answers(live)
    right["team"] |= {"team-0-first_name": "Rüya", "team-0-email": OWNER}
    right["deal"] |= {"notes": ""}
    for step, given in right.items():
        page.step(step)
        _each_violation_of(page, step, given)
        page.go_on(**given)
    assert Engagement.objects.count() == 0
    assert page.step("review").one("button", value="create")
    assert page.problems() == {}


def _each_violation_of(page: Writer, step: str, right: dict[str, Any]) -> None:
    """From the step's page to the step's page."""
    wrong = {what: found[1:] for what, found in WRONG.items() if found[0] == step}
    assert wrong, step
    for what, (changes, field, words) in wrong.items():
        answer = page.go_on(**{**right, **changes})
        assert answer.status_code == 422, what
        assert words in errors(page.page).get(field, ""), (what, errors(page.page))
        assert any(words in line for line in summary(page.page)) or field.startswith("team-"), what
        assert page.looks()[step] == "now wrong", what
        again = page.step(step)
        assert words in errors(again).get(field, "") or what == "forged solution", what
        typed = page.form().get(field, "")
        if again.all("input", id=f"id_{field}"):
            shown = {"past": "29 Feb 2020", "too much": "10,000,000,000,000,000"}  # as pages write it
            assert typed == shown.get(what, str(changes[field])), what


def test_a_foreign_location_can_not_be_chosen(live: Live) -> None:
    """REF-6, ORG-2: neither another company's, nor one outside one's role."""
    for person, place in ((OWNER, MUNICH), ("ankara@contoso.example", ISTANBUL)):
        page = writer(live, person)
        page.fill("deal")
        assert page.go_on(**{**answers(live)["deal"], "location": live.cast.locations[place].pk}).status_code == 422
        assert set(errors(page.page)) == {"location"}


def test_help_needs_the_customers_contact(live: Live) -> None:
    """REF-5: said where help is asked for, with a way to the contact and back; the review holds the deal until then."""
    page = writer(live)
    blank = dict.fromkeys(("contact_name", "contact_phone", "contact_email"), "")
    page.fill("help", customer={**blank, "contact_consent": ""})
    assert "contact's name, phone and e-mail are needed" not in page.page.one("div", id="visibility").text
    page.post(**answers(live)["help"])
    contact_asked = page.page.one("div", id="visibility")
    assert "contact's name, phone and e-mail are needed" in contact_asked.text
    assert contact_asked.one("button").attrs["value"] == "customer"
    page.go_on()
    said = page.problems()["customer"]
    assert said[0].endswith("To ask Microsoft for help, give the customer contact's name, phone and e-mail.")
    assert "Confirm that the customer contact agrees" in said[1]
    page.step("customer")
    assert set(errors(page.page)) == {"contact_name", "contact_consent"}
    contact = {name: value for name, value in answers(live)["customer"].items() if name.startswith("contact_")}
    page.go_on(**contact)
    assert page.step("review").all("li", class_="o-field__error") == []


# Team


def test_the_team_has_one_to_fifty_people_and_nobody_twice(live: Live) -> None:
    """REF-7: rows are added and removed by buttons; what belongs to no single field is said on top."""
    page = writer(live)
    page.fill("team")
    assert page.form()["team-0-email"] == OWNER  # whoever writes it is on the team unless they say otherwise
    page.post(add="1", **{"team-0-phone": "changed"})
    assert page.url.endswith("#id_team-1-first_name")
    page.post(add="1", **{"team-1-first_name": "Second"})
    assert page.form()["team-0-phone"] == "changed"
    page.post(remove="0")
    assert (page.form()["team-TOTAL_FORMS"], page.form()["team-0-first_name"]) == ("2", "Second")

    def team(count: int, email: str = "m{}@contoso.example") -> list[str]:
        people = {"team-TOTAL_FORMS": count}
        for n in range(count):
            person = {"first_name": "A", "last_name": "B", "phone": "1", "email": email.format(n)}
            people |= {f"team-{n}-{name}": value for name, value in person.items()}
        token = page.form()["csrfmiddlewaretoken"]
        page.page = parse(page.client.post(page.url, {**people, "csrfmiddlewaretoken": token, "go": "next"}))
        return summary(page.page)

    page.url = page.url.partition("#")[0]
    assert team(0) == ["Team : Name at least one person who works on this deal."]
    assert team(51) == ["Team : A team has at most 50 people; this one has 51."]
    assert team(2, "Same@contoso.example") == ["Team : The same e-mail address is on the team twice."]
    assert team(50) == []
    page.step("team")
    assert page.page.all("button", name="add") == []


def test_people_of_earlier_deals_are_added_with_one_click(live: Live, django_assert_num_queries: Any) -> None:
    """REF-7: of deals one may see, the latest first, each once, at most twelve, in one query."""
    many = [build.member(f"m{n}@contoso.example") for n in range(13)]
    live.deal(team=[*many, build.member(OWNER)])
    live.deal(team=[build.member("latest@contoso.example"), build.member("m0@contoso.example")])
    page = writer(live)
    page.fill("team")
    shown = [b.attrs["value"] for b in page.page.one("section", id="offered").all("button")]
    assert shown == ["latest@contoso.example", *(f"m{n}@contoso.example" for n in range(11))]
    page.post(person="latest@contoso.example")
    assert (page.form()["team-1-email"], page.form()["team-1-last_name"]) == ("latest@contoso.example", "Öztürk")
    assert "latest@contoso.example" not in page.page.one("section", id="offered").text
    page.post(person="nobody@else.example")
    assert page.form()["team-TOTAL_FORMS"] == "2"
    page.post(person="m0@contoso.example", **{"team-1-email": " M0@CONTOSO.EXAMPLE ", "team-1-phone": "+90 7"})
    assert page.form()["team-TOTAL_FORMS"] == "2"
    assert (page.form()["team-1-email"], page.form()["team-1-phone"]) == ("m0@contoso.example", "+90 7")
    assert "is on the list already" in page.page.text
    assert parse(writer(live, "ankara@contoso.example").client.get(NEW)).all("section", id="offered") == []
    ankara = writer(live, "ankara@contoso.example")
    ankara.fill("team", deal={"location": live.cast.locations[ANKARA].pk})
    assert ankara.page.one("section", id="offered").all("button") == []  # they may not see Istanbul's deals
    actor = live.cast.actor(OWNER)
    with django_assert_num_queries(1):
        choices.people(actor)


# Solutions


def test_solutions_come_in_three_kinds_and_third_parties_are_searched(live: Live) -> None:
    """REF-8: own, the vendor's, third parties' by name or company, however it is spelt; what was chosen stays."""
    cast = live.cast
    page = writer(live)
    page.fill("solutions")
    groups = page.page.one("section", id="solutions").all("h3")
    assert [g.text for g in groups] == ["Of your company", "Of Microsoft", "Of third parties"]
    assert "Northwind Consulting" not in page.page.text  # not ready for co-sell
    twin, energy = cast.solutions["twin"].public_id, cast.solutions["energy"].public_id
    page.post(find="1", solutions=[twin, cast.solutions["azure"].public_id], solution_search="ENERGY")
    third = page.page.one("div", id="third-found")
    picked = {box.attrs["value"]: "checked" in box.attrs for box in third.all("input")}
    assert picked == {str(twin): True, str(energy): False}
    live_found = parse(page.client.get(reverse("suggest_solutions"), {"solution_search": "yok", "solutions": twin}))
    assert [box.attrs["value"] for box in live_found.all("input")] == [str(twin)]
    by_company = parse(page.client.get(reverse("suggest_solutions"), {"solution_search": "fabrıkam"}))
    assert len(by_company.all("input")) == 2
    page.go_on()
    assert {str(twin), str(cast.solutions["azure"].public_id)} == set(
        Draft.objects.get().data["solutions"]["solutions"]
    )


def test_solutions_are_fifty_at_most_and_an_assessment_stands_alone(live: Live) -> None:
    """REF-8."""
    contoso = live.cast.companies["contoso"]
    ready: Any = {"published": True, "co_sell_ready": True}
    many = [
        catalog.create_solution(code=f"S-{n}", name=f"S {n}", publisher=contoso, **ready, actor=SYSTEM, now=live.now)
        for n in range(51)
    ]
    page = writer(live)
    page.fill("solutions")
    page.go_on(solutions=[s.public_id for s in many])
    assert errors(page.page) == {"solutions": "A deal has at most 50 solutions; you chose 51."}
    assert len(page.form()["solutions"]) == 51
    assessment = AssessmentType.objects.get(code="security").pk
    page.go_on(solutions=many[0].public_id, assessment=assessment)
    assert set(errors(page.page)) == {"assessment", "assessment_location"}
    alone = {"assessment": assessment, "assessment_location": "Adana", "solutions": []}
    assert page.go_on(**alone).status_code == 302
    page.go_on(**answers(live)["help"])
    page.post(go="create")
    assert Engagement.objects.get().deal_type == rules.SOLUTION_ASSESSMENT


# Help, visibility, partners


def test_partners_are_invited_changed_and_removed_in_the_draft(live: Live) -> None:
    """REF-9: never the own company, no partner twice, each wrong one kept and told of."""
    page = writer(live)
    page.fill("help")
    assert invite(page, partner="contoso").status_code == 422
    assert errors(page.page) == {"partner": "You can't invite your own company."}
    page.step("help")
    assert "You can't invite your own company." in page.page.one("section", id="invitations").text
    (link,) = page.page.one("section", id="invitations").all("a")
    page.open(link.attrs["href"])
    assert errors(page.page) == {"partner": "You can't invite your own company."}
    form = page.page.one("main").one("form")
    assert (form.fields()["value"], form.fields()["team-0-email"]) == ("15,000", OWNER)
    fixed = {**form.fields(), "partner": live.cast.companies["fabrikam"].public_id}
    assert page.client.post(page.url, {**fixed, "find": "1", "partner_search": "nowhere"}).status_code == 200
    assert page.client.post(page.url, fixed).status_code == 302
    page.step("help")
    assert invite(page).status_code == 422
    assert "Fabrikam GmbH is invited to this deal already" in errors(page.page)["partner"]
    second, action = page.page.one("main").one("form").fields(), page.url
    assert "is invited to this deal already" in " ".join(
        line for lines in Writer(live, page.client, page.step("review")).problems().values() for line in lines
    )
    page.client.post(action, {**second, "go": "remove"})
    assert len(page.step("help").one("section", id="invitations").all("a")) == 1
    page.post(invite=uuid.uuid4().hex[:12])
    empty = page.page.one("main").one("form").fields()
    assert (empty["value"], empty["close_date"]) == ("40,000", text.day(live.day(30)))  # the deal's to begin with
    page.page = parse(page.client.post(page.url, {**empty, "close_date": "2020-01-01", "value": "0"}))
    assert set(errors(page.page)) == {"partner", "help_code"}
    unknown = invitation(live, close_date="2020-01-01", value="0", solutions=[])
    page.page = parse(
        page.client.post(page.url, {**empty, **unknown, "partner": live.cast.companies["northwind"].public_id})
    )
    assert errors(page.page)["partner"].startswith("This partner can't be invited")  # nothing to co-sell


def test_ref_7_the_team_of_an_invitation_in_the_draft_is_changed_by_buttons(live: Live) -> None:
    """What they change is kept, nothing is judged, and the invitation stays."""
    live.deal(team=[build.member("ruya@contoso.example")])
    page = writer(live)
    page.fill("help")
    page.post(invite="0123456789ab")

    def pressed(**button: str) -> dict[str, Any]:
        typed = page.page.one("main").one("form").fields()
        response = page.client.post(page.url, {**typed, "notes": "Ovens", **button})
        assert response.status_code == 200
        page.page = parse(response)
        assert errors(page.page) == {}
        kept = Draft.objects.get().data["invitations"][0]["values"]
        return {name: values[0] for name, values in kept.items() if name == "notes" or name.endswith("-email")}

    assert pressed(person="ruya@contoso.example") == {
        "notes": "Ovens", "team-0-email": OWNER, "team-1-email": "ruya@contoso.example",
    }  # fmt: skip
    assert pressed(add="1")["team-2-email"] == ""
    assert [field.attrs["name"] for field in page.page.all(data_focus="")] == ["team-2-first_name"]
    assert pressed(remove="0") == {"notes": "Ovens", "team-0-email": "ruya@contoso.example", "team-1-email": ""}
    assert [place.attrs["id"] for place in page.page.all(data_focus="")] == ["people"]
    assert len(page.step("help").one("section", id="invitations").all("a")) == 1


def test_an_invitation_is_kept_while_it_is_typed(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """REF-9: closing the tab loses nothing; what doesn't fit into the draft is refused, not dropped."""
    page = writer(live)
    page.fill("help")
    page.post(invite="0123456789ab")
    typed = {**page.page.one("main").one("form").fields(), "notes": "They know the plant 🏭", "value": "12"}
    saved = page.client.post(page.url, {**typed, "go": "save"})
    assert (saved.status_code, saved.content.decode().startswith("Draft saved, ")) == (200, True)
    again = parse(page.client.get(page.url)).one("main").one("form").fields()
    assert (again["notes"], again["value"]) == ("They know the plant 🏭", "12")
    monkeypatch.setattr(wizard, "MAX_INVITATIONS", 1)
    assert page.client.post(page.url, {**typed, "value": "13", "go": "save"}).status_code == 200
    full = page.client.get(page.url.replace("0123456789ab", "ba9876543210"), follow=True)
    assert "as many partners as it can hold" in full.content.decode()
    kept = Draft.objects.get().data["invitations"]
    assert [(i["key"], i["values"]["value"]) for i in kept] == [("0123456789ab", ["13"])]


def test_whom_only_the_team_lets_in_has_to_be_on_it_to_invite(live: Live) -> None:
    """ORG-2, REF-9: told before the deal is created, not after."""
    page = writer(live, USER)
    page.fill("help", team={"team-0-email": OWNER})
    invite(page)
    page.go_on()
    assert page.problems() == {"team": ["You invite partners to this deal, so you have to be on its team yourself."]}
    page.step("team")
    page.post(to="review", **{"team-0-email": USER})
    page.post(go="create")
    assert Referral.objects.filter(company=live.cast.companies["fabrikam"]).exists()


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


def test_a_draft_holds_only_what_its_steps_ask(live: Live) -> None:
    """However much is sent."""
    page = writer(live)
    flood = {f"team-{n}-email": "x@y.example" for n in range(230)}
    page.post(to="team", other="x", **flood)
    page.post(to="team", other="x", **flood)
    draft = Draft.objects.get()
    assert set(draft.data) == {"customer", "team"}
    assert "other" not in draft.data["customer"]
    assert len(draft.data["team"]) == MAX_ROWS
    assert draft.updated_at - draft.created_at < timedelta(minutes=1)


def test_a_wrong_person_is_told_of_once(live: Live) -> None:
    """REF-7: above the step; the field itself says what is wrong with it."""
    w = writer(live)
    w.fill("team")
    assert w.go_on(**{"team-0-email": "no address"}).status_code == 422
    assert summary(w.page) == ["Check the people of the team below."]
    assert errors(w.page) == {"team-0-email": "This is not an e-mail address. Write it as name@company.com."}


def test_an_amount_is_typed_as_the_portal_writes_it(live: Live) -> None:
    """REF-6: in Turkish with points and a comma; the browser keeps what it could not send as a number."""
    w = writer(live, "ankara@contoso.example")
    w.fill("deal")
    assert w.page.one("input", name="value").attrs["type"] == "text"
    w.go_on(**answers(live)["deal"] | {"value": "1.000,5x", "location": live.cast.locations[ANKARA].pk})
    assert w.page.one("input", name="value").attrs["value"] == "1.000,5x"
    assert w.go_on(value="40.000,50").status_code == 302
    assert "40.000,50 EUR" in w.step("review").text
    w.step("deal")
    w.post(to="deal", value="1,250m")  # in another language it were a thousand times as much
    User.objects.filter(email="ankara@contoso.example").update(language="en")
    assert w.step("deal").one("input", name="value").attrs["value"] == "1,250,000"


def test_ref_8_a_draft_of_an_assessment_invites_nobody(live: Live) -> None:
    """Refused on the last step, and in the service behind it, with what can be done about it."""
    draft = live.draft()
    kept = {"key": "0" * 12, "values": {}}
    draft.data = {"team": [], "invitations": [kept]}
    pages = wizard.Wizard(draft, actor=live.cast.actor(build.CONTOSO), now=live.now)
    deal = build.deal_input(live.cast, assessment=AssessmentType.objects.get(code="security"), solutions=[])
    assert "assessment_alone" in {blocker.code for blocker in pages.inviter_blockers(deal)}
    assert not list(pages.inviter_blockers(build.deal_input(live.cast)))
