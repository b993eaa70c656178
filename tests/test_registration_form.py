"""The registration form in pages: what it asks, what it keeps, and what a stale tab brings back."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import translation

from dealreg.models import Registration, RegistrationDraft, Status
from dealreg.rules import RegistrationInput
from dealreg.web.forms import QUESTIONS, RegistrationForm
from isvconnect.selectors.prefill import prefill
from portal.accounts.models import User
from portal.ui import live as live_forms
from portal.workflow import text
from portal.workflow.blockers import Money
from referrals.models import Referral
from tests import build, do
from tests.edge import Element, Live, parse
from tests.test_forms import OWNER, answers, errors, registration_url, summary

USER, VIEWER = "user@contoso.example", "viewer@contoso.example"


def form_of(page: Element) -> dict[str, Any]:
    return page.one("form", id="registration-form").fields()


def opened(live: Live, person: str, referral: Referral) -> Element:
    return parse(live.browser(person).get(registration_url(referral)))


def test_reg_1_reg_21_the_questions_are_declared_once(db: None) -> None:
    """Every question of the rules is a column with a label, and the form asks it in the kind of its column."""
    form = RegistrationForm(solutions=[], renewals=[])
    assert set(QUESTIONS) >= set(RegistrationInput.__dataclass_fields__)
    assert list(form.fields) == [name for name in QUESTIONS if name not in {"solution", "renews"}]
    for name, field in form.fields.items():
        assert field.label == Registration._meta.get_field(name).verbose_name  # type: ignore[union-attr]


# Drafts


def test_reg_19_what_is_typed_survives_closing_the_tab(live: Live) -> None:
    """Saved while somebody types, half a form as well; a colleague finds it, and who wrote it."""
    deal = live.won(team=[build.member(USER)])
    owner = live.browser(OWNER)
    held = form_of(parse(owner.get(registration_url(deal))))
    typed = {**held, "tcv": "1.000,5", "signed": str(live.day(-3)), "term": "finite"}
    answer = parse(owner.post(registration_url(deal, "registration_check"), typed))
    stamp = answer.one("input", id="draft-stamp").attrs["value"]
    assert stamp
    assert f"Draft saved by {live.cast.users[OWNER]}" in answer.one("div", id="judgement").text
    found = opened(live, USER, deal)
    held = form_of(found)
    assert (held["tcv"], held["signed"], held["term"]) == ("1,000.50", text.day(live.day(-3)), "finite")
    assert (held["draft"], held["version"]) == (stamp, "1")
    assert f"Draft saved by {live.cast.users[OWNER]}" in found.one("aside").text
    assert RegistrationDraft.objects.get().signed == live.day(-3)


def test_an_amount_typed_short_says_how_it_was_read_while_one_types(live: Live) -> None:
    deal, owner = live.won(), live.browser(OWNER)
    held = form_of(parse(owner.get(registration_url(deal))))
    answer = parse(owner.post(registration_url(deal, "registration_check"), held | {"tcv": "41k"}))
    assert answer.one("div", id="id_tcv_error").text == "Read as 41,000"
    found = parse(owner.get(registration_url(deal)))
    assert form_of(found)["tcv"] == "41,000"
    answer = parse(
        owner.post(registration_url(deal, "registration_check"), form_of(found) | {"tcv": "40 kg", "left": "tcv"})
    )
    assert "number" in answer.one("div", id="id_tcv_error").text


def test_reg_19_a_second_tab_overwrites_nobody_unseen(live: Live) -> None:
    """What saves itself stops and says whose draft stands there; who presses *Save draft* again puts theirs there."""
    deal = live.won(team=[build.member(USER)])
    owner, user = live.browser(OWNER), live.browser(USER)
    first = form_of(parse(owner.get(registration_url(deal))))
    theirs = form_of(parse(user.get(registration_url(deal)))) | {"tenant": "partner"}
    assert user.post(registration_url(deal), {**theirs, "save": "draft"}).status_code == 302
    mine = {**first, "tenant": "customer"}
    warned = parse(owner.post(registration_url(deal, "registration_check"), mine))
    assert f"{live.cast.users[USER]} saved this draft meanwhile" in warned.one("div", id="judgement").text
    assert warned.all("input", id="draft-stamp") == []
    refused = owner.post(registration_url(deal), {**mine, "save": "draft"})
    assert refused.status_code == 422
    page = parse(refused)
    assert f"{live.cast.users[USER]} saved this draft meanwhile" in summary(page)[0]
    assert form_of(page)["tenant"] == "customer"
    assert RegistrationDraft.objects.get().answers["tenant"] == "partner"
    assert owner.post(registration_url(deal), {**form_of(page), "save": "draft"}).status_code == 302
    assert RegistrationDraft.objects.get().answers["tenant"] == "customer"


def test_reg_19_what_one_person_types_another_files_in_their_language(live: Live) -> None:
    """1.250m is 1,250,000 to who writes Turkish, and a thousand times that in English: it was read when it was kept."""
    deal = live.won(team=[build.member(USER)])
    User.objects.filter(email=USER).update(language="tr")
    owner, user = live.browser(OWNER), live.browser(USER)
    signed = live.day(-3)
    with translation.override("tr"):
        typed = answers(live, tcv="1,250m", solution_value="1.250.000,5", signed=text.day(signed), end="yarın")
    user.post(registration_url(deal, "registration_check"), typed)
    held = form_of(parse(owner.get(registration_url(deal))))
    assert (held["tcv"], held["solution_value"], held["end"]) == ("1,250,000", "1,250,000.50", "yarın")
    assert held["signed"] == text.day(signed)
    news = RegistrationDraft.objects.get().saved_at
    owner.post(registration_url(deal, "registration_check"), held | {"left": "tcv"})
    assert RegistrationDraft.objects.get().saved_at == news  # to look at it says nothing new
    assert prefill(deal, now=live.now).tcv == Money(Decimal(1_250_000), "EUR")
    sent = owner.post(registration_url(deal), held | {"solution_value": "30k", "end": str(live.day(363))})
    assert sent.status_code == 302, errors(parse(sent))
    filed = Registration.objects.get(referral=deal)
    assert (filed.tcv, filed.signed) == (Decimal(1_250_000), signed)


def test_reg_19_filing_deletes_no_draft_that_the_page_does_not_know(live: Live) -> None:
    """It says at the fields what a colleague's draft answers; sent again, it is filed over it (REF-21)."""
    deal = live.won(team=[build.member(USER)])
    owner, user = live.browser(OWNER), live.browser(USER)
    mine = form_of(parse(owner.get(registration_url(deal)))) | answers(live)
    theirs = form_of(parse(user.get(registration_url(deal)))) | answers(live, tenant="partner", tcv="50k")
    assert user.post(registration_url(deal), {**theirs, "save": "draft"}).status_code == 302
    for unreadable in ({"signed": "soon"}, {}):  # what is refused for something else has told nothing yet
        refused = owner.post(registration_url(deal), mine | unreadable)
        assert refused.status_code == 422
        held = form_of(parse(refused))
        assert (held["draft"] == mine["draft"]) is bool(unreadable)
    page = parse(refused)
    assert f"{live.cast.users[USER]} saved a draft meanwhile" in summary(page)[0]
    told = errors(page)
    assert set(told) == {"tenant", "tcv"}
    assert "it is now “50,000”. Send again to put yours in its place." in str(told["tcv"])
    assert RegistrationDraft.objects.get().answers["tenant"] == "partner"
    assert owner.post(registration_url(deal), held).status_code == 302
    filed = Registration.objects.get(referral=deal)
    assert (filed.tenant, filed.tcv, RegistrationDraft.objects.count()) == ("customer", Decimal(40_000), 0)


def test_reg_19_who_only_reads_keeps_no_draft(live: Live) -> None:
    deal = live.won()
    viewer = live.browser(VIEWER)
    page = parse(viewer.get(registration_url(deal)))
    assert page.one("footer").all("button") == []
    assert viewer.post(registration_url(deal, "registration_check"), form_of(page)).status_code == 200
    assert viewer.post(registration_url(deal), {**form_of(page), "save": "draft"}).status_code == 403
    assert not RegistrationDraft.objects.exists()


def test_reg_19_sending_drops_the_draft(live: Live) -> None:
    deal = live.won()
    owner = live.browser(OWNER)
    owner.post(registration_url(deal, "registration_check"), answers(live))
    assert RegistrationDraft.objects.exists()
    owner.post(registration_url(deal), {**answers(live), "version": "1"})
    assert not RegistrationDraft.objects.exists()


# What the window is said to be


def test_flow_8_pages_name_the_day_only_as_far_as_it_is_known(live: Live) -> None:
    """Sixty days from the signing; with the draft's signing date it is that day, everywhere and at once."""
    deal = live.won(days=30, won=10)
    owner = live.browser(OWNER)
    address = reverse("deal", args=[deal.public_id])
    banner = parse(owner.get(address)).one("main").one("div", class_="o-banner--info").text
    assert "You have 60 days from the signing of the contract. If it was signed on the day of the win:" in banner
    assert "60 days from signing: until" in parse(owner.get("/")).one("section", id="needs").text
    owner.post(registration_url(deal, "registration_check"), answers(live, signed=live.day(-20)))
    main = parse(owner.get(address)).one("main")
    assert "from the signing" not in main.one("div", class_="o-banner--info").text
    days = {t.attrs["datetime"][:10] for t in main.all("time", class_="o-left")}
    assert str(live.day(40)) in days
    need = parse(owner.get("/")).one("section", id="needs").one("time", class_="o-left").attrs["datetime"]
    assert datetime.fromisoformat(need).date() == live.day(40)
    owner.post(
        registration_url(deal, "registration_check"),
        {**answers(live, pricing="payg"), "draft": _stamp()},
    )
    banner = parse(owner.get(address)).one("main").one("div", class_="o-banner--info").text
    assert "A pay-as-you-go contract can be registered however long ago it was signed." in banner


def _stamp() -> str:
    return RegistrationDraft.objects.get().saved_at.isoformat()


# Sent from a page that is no longer what stands there


def test_flow_7_ref_21_a_stale_tab_comes_back_with_the_difference(live: Live) -> None:
    """A colleague corrected it, and it was sent back again: what was typed stays, with what is there now beside it."""
    back = live.sent_back()
    owner = live.browser(OWNER)
    stale = form_of(opened(live, OWNER, back.referral))
    form = live.form(tcv=Money(Decimal(3_000_000), "EUR"), tenant="partner")
    again = do.resubmit(back, form, actor=live.cast.actor(OWNER), now=live.now)
    live.decided(again, "require_action", "other", "The tenant is wrong.")
    refused = owner.post(registration_url(back.referral), {**stale, "tcv": "4000000"})
    assert refused.status_code == 422
    page = parse(refused)
    assert "Somebody changed this meanwhile" in summary(page)[0]
    at = errors(page)
    assert "3,000,000" in at["tcv"]
    assert "Partner tenant" in at["tenant"]
    held = form_of(page)
    assert (held["tcv"], held["version"]) == ("4000000", str(Registration.objects.get().version))
    assert owner.post(registration_url(back.referral), held).status_code == 302
    assert Registration.objects.get().tcv == Decimal(4_000_000)


def test_reg_14_what_can_not_be_read_hides_nothing_else(live: Live) -> None:
    """REG-15: another deal's solution, a word for a date: each at its field, with every rule that is broken as well."""
    both = [live.cast.solutions[name] for name in ("factory", "retail")]
    deal = live.won(solutions=both)
    sent = answers(live, solution=live.cast.solutions["twin"].public_id, signed="soon", tenant="", end=live.day(-9))
    answer = live.browser(OWNER).post(registration_url(deal), sent)
    assert answer.status_code == 422
    assert set(errors(parse(answer))) == {"solution", "signed", "tenant", "end"}


# Renewals


def test_reg_18_a_renewal_is_chosen_from_the_companys_own_registrations(live: Live) -> None:
    """Offered only where there is one; the form says what to raise; the earlier start is no objection."""
    earlier = live.approved()
    deal = live.won(customer=earlier.referral.engagement.customer)
    owner = live.browser(OWNER)
    page = parse(owner.get(registration_url(deal)))
    offered = [o.attrs["value"] for o in page.one("select", id="id_renews").all("option")]
    assert offered == ["", str(earlier.public_id)]
    assert parse(owner.get(registration_url(live.won()))).all("select", id="id_renews") == []
    sent = answers(live, renews=str(earlier.public_id), start=live.day(-400), tcv="90000")
    side = parse(owner.post(registration_url(deal, "registration_check"), sent)).one("div", id="judgement").text
    assert "raise the solution value by the amount of the renewal" in side
    assert "would be approved automatically" in side
    assert owner.post(registration_url(deal), sent).status_code == 302
    assert Registration.objects.get(referral=deal).renews == earlier


def test_reg_15_the_check_of_a_correction_says_that_it_goes_to_review(live: Live) -> None:
    back = live.sent_back()
    checked = live.browser(OWNER).post(registration_url(back.referral, "registration_check"), answers(live))
    side = parse(checked).one("div", id="judgement").text
    assert "would go to the review team" in side
    assert "approved automatically" not in side
    assert Registration.objects.get().status == Status.ACTION_REQUIRED


def test_reg_6_the_years_payments_are_kept(live: Live) -> None:
    """Of a pay-as-you-go contract, in the currency of its total."""
    deal = live.won(days=900)
    first = live.day(0) - timedelta(days=800)
    terms = {"signed": first, "start": first, "end": live.day(0), "pricing": "payg"}
    owner = live.browser(OWNER)
    refused = owner.post(registration_url(deal), answers(live, **terms))
    assert set(errors(parse(refused))) == {"payg_year_value"}
    assert owner.post(registration_url(deal), answers(live, **terms, payg_year_value="30.000,00")).status_code == 302
    assert Registration.objects.get().payg_year_value == Decimal(30_000)


# Quiet until a field was left, then live


def test_an_untouched_form_is_quiet_and_marks_what_is_asked(live: Live) -> None:
    """No error at a field, none on top; the side counts. What can't be sent without an answer carries the mark."""
    page = opened(live, OWNER, live.won())
    assert errors(page) == {}
    assert summary(page) == []
    assert "Can't be filed yet 9 answers are missing" in page.one("div", id="judgement").text
    labels = [*page.one("form", id="registration-form").all("label"), *page.all("legend")]
    marked = [label.text for label in labels if label.all("span", class_="o-field__mark")]
    assert len(marked) == 12
    assert not any(label.startswith(("Currency", "Paid in twelve months")) for label in marked)


def test_one_list_on_top_empties_as_the_answers_are_mended(live: Live) -> None:
    """Its heading's number is the list's, before anything is mended and after; nothing is listed a second time."""
    owner, deal = live.browser(OWNER), live.won()
    wrong = answers(live, tenant="", signed=live.day(1), solution_value="99000")
    refused = parse(owner.post(registration_url(deal), wrong))
    assert set(errors(refused)) == {"tenant", "signed", "solution_value"}
    assert refused.one("div", class_="o-errors").text.startswith("3 things need to be corrected")
    assert refused.one("div", id="judgement").all("li") == []
    held = form_of(refused)
    assert held["left"] == live_forms.ALL
    for changes, left in (
        ({"tenant": "customer"}, 2),
        ({"signed": str(live.day(-1))}, 1),
        ({"solution_value": "9"}, 0),
    ):
        held |= changes
        answer = parse(owner.post(registration_url(deal, "registration_check"), held))
        held["draft"] = answer.one("input", id="draft-stamp").attrs["value"]
        assert len(summary(answer)) == len(errors(answer)) == left
        words = [box.one("strong").text.split()[0] for box in answer.all("div", class_="o-errors")]
        assert words == {2: ["2"], 1: ["One"], 0: []}[left]
    assert "would be approved automatically" in answer.one("div", id="judgement").text


def test_leaving_a_field_saves_no_draft_of_what_was_filled_in(live: Live) -> None:
    owner, deal = live.browser(OWNER), live.won()
    held = form_of(parse(owner.get(registration_url(deal))))
    answer = parse(owner.post(registration_url(deal, "registration_check"), held | {"left": "signed"}))
    assert set(errors(answer)) == {"signed"}
    assert not RegistrationDraft.objects.exists()


def test_what_is_not_asked_is_no_error(live: Live) -> None:
    """REG-1, REG-3, REG-6: a date typed before the sale turned out not to be of the marketplace, and the like."""
    deal, owner = live.won(), live.browser(OWNER)
    beside = {
        "marketplace_date": "soon",
        "payg_year_value": "much",
        "term": "perpetual",
        "end": "never",
        "tcv": "240000",
    }
    assert owner.post(registration_url(deal), answers(live, **beside)).status_code == 302
    filed = Registration.objects.get()
    assert (filed.marketplace_date, filed.payg_year_value, filed.end) == (None, None, None)


def test_reg_15_the_route_is_said_as_soon_as_it_is_certain(live: Live) -> None:
    """Won early: at load, before anything is answered; a sale that may still be approved at once says nothing yet."""
    early = live.won(days=2, won=1)
    side = opened(live, OWNER, early).one("div", id="judgement").text
    assert "This registration would go to the review team" in side
    assert "won less than 72 hours after its creation" in side
    assert "Can't be filed yet" in side
    assert "This registration would" not in opened(live, OWNER, live.won()).one("div", id="judgement").text
    payg = {"pricing": "payg"}
    typed = parse(live.browser(OWNER).post(registration_url(live.won(), "registration_check"), payg))
    assert "its pricing model is pay-as-you-go" in typed.one("div", id="judgement").text
