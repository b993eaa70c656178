"""The pages that change something: the verbs of deals, registrations; test_wizard has new deals. Sent as a browser
without JavaScript sends them: the form as the page shows it, with what the person changed."""

from __future__ import annotations

import zoneinfo
from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dealreg.models import Registration, Status
from portal.workflow import text
from portal.workflow.blockers import Money
from referrals import rules
from referrals.models import Note, Referral
from referrals.web import actions
from tests import build
from tests.edge import STATES, Element, Live, parse

OWNER = build.CONTOSO
HOSTILE = '<b>Fırın</b> & "İçki" 🙂 شركة %(x)s {{ x }}'


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
        assert toast == str(actions.PAGES[verb].done)
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
    with timezone.override(zoneinfo.ZoneInfo("Europe/Istanbul")):  # their own
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
    assert [button.text for button in page.one("footer").all("button")] == ["Check"]  # without JavaScript only
    assert set(errors(parse(owner.post(registration_url(referral), {"signed": "soon"})))) >= {"signed", "pricing"}
    answer = owner.post(registration_url(referral), answers(live))
    assert answer.status_code == 200
    side = parse(answer).one("div", id="judgement")
    assert "What comes next Mark this deal Won once the contract is signed" in side.text
    assert side.all("div", class_="o-route--refused") == []
    assert "40,000 EUR" in side.text
    side = parse(owner.post(registration_url(referral), answers(live, signed="soon"))).one("div", id="judgement")
    assert "1 answer has to be corrected" in side.one("div", class_="o-route--refused").text
    assert "Mark this deal" not in side.one("div", class_="o-route--refused").text
    assert Registration.objects.count() == 0


def test_a_registration_is_filed_and_everything_stated_is_kept(live: Live) -> None:
    """REG-1 to REG-10, FLOW-1."""
    owner, referral = live.browser(OWNER), live.won()
    shown = parse(owner.get(registration_url(referral))).one("form", id="registration-form").fields()
    assert (shown["tcv"], shown["tcv_currency"], shown["solution_value_currency"]) == ("40,000", "EUR", "EUR")
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


def test_typing_is_judged_at_the_fields_that_were_left_only(live: Live) -> None:
    """REG-5, REG-15: annual value and route beside the form, errors at fields that were left, nothing saved."""
    owner, referral = live.browser(OWNER), live.won()
    check = registration_url(referral, "registration_check")
    empty = parse(owner.post(check, {}))
    assert errors(empty) == {}
    assert "10 answers are missing" in empty.one("div", id="judgement").text
    typed = {"signed": live.day(1), "tcv": "-1", "tcv_currency": "EUR", "left": "signed pricing tcv_currency"}
    some = parse(owner.post(check, typed))
    assert set(errors(some)) == {"signed", "pricing", "tcv"}
    assert "2 answers have to be corrected 8 answers are missing" in some.one("div", id="judgement").text
    assert summary(some) == []
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
    assert "Please <b>correct</b> the start." in page.one("div", class_="o-banner--danger").text
    assert [button.text for button in page.one("footer").all("button")] == ["Save draft", "Resubmit"]
    shown = page.one("form", id="registration-form").fields()
    assert shown["tcv"] == "2,000,000"
    assert (shown["start"], shown["term"], shown["marketplace"]) == (text.day(live.day(-1)), "finite", "no")
    answer = owner.post(address, {**shown, "start": live.day(-2).isoformat()})
    assert answer.headers["Location"] == reverse("deal", args=[registration.referral.public_id])
    fresh = Registration.objects.get()
    assert (fresh.status, fresh.start, fresh.reason_code) == (Status.REVIEW_PENDING, live.day(-2), "")


def test_a_deal_can_be_closed_without_registering(live: Live) -> None:
    """REG-2: only until it is filed; until then it can be registered after all."""
    owner, referral = live.browser(OWNER), live.won()
    address = registration_url(referral, "close_unregistered")
    assert "This is final." not in parse(owner.get(address)).one("main").text  # register_after_all
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
    assert offered == ["", *(str(s.public_id) for s in both)]
    foreign = owner.post(registration_url(referral), answers(live, solution=live.cast.solutions["twin"].public_id))
    assert set(errors(parse(foreign))) == {"solution"}
    assert owner.post(registration_url(referral), answers(live, solution=offered[2])).status_code == 302
    assert Registration.objects.get().solution == both[1]
    assert parse(owner.get(registration_url(live.won()))).all("select", id="id_solution") == []
