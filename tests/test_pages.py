"""The pages people read: home, the list, the deal page, and the frame around them, through Django's own client."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dealreg.models import NOT_REGISTERED, Registration
from exceptions_council.selectors import requests as exceptions
from portal.accounts.models import User
from portal.demo.cast import ANKARA, Cast
from portal.pages.home import context as home_page
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.blockers import Money
from referrals import rules, verbs
from referrals.models import Note, Referral
from referrals.selectors import search
from tests import build, do
from tests.edge import STATES, STRANGER, Element, Live, parse
from tests.factories import PersonFactory, add_member

OWNER, TEAM, VIEWER = build.CONTOSO, "user@contoso.example", "viewer@contoso.example"
NORTHWIND = "referrals@northwind.example"
HOSTILE = '<b>Fırın</b> & "İçki" 🙂 شركة %(x)s {{ x }}'


def page(client: Client, address: str, code: int = 200, **query: Any) -> Element:
    """What this person sees there."""
    response = client.get(address, query)
    assert response.status_code == code
    return parse(response)


def deal_url(referral: Referral) -> str:
    return reverse("deal", args=[referral.public_id])


# Home


def test_home_lists_what_needs_you_with_the_most_urgent_first(live: Live) -> None:
    """What ends first comes first; each leads to its deal (REF-13, ELIG-9, FLOW-5)."""
    late = live.received(days=12)
    to_register = live.won(days=80, won=57, name="Almost over")
    fresh = live.won(name="Fresh")
    over = (fresh.closed_at + timedelta(days=57)).replace(hour=23, minute=59, second=59, microsecond=0)
    Referral.objects.filter(pk=fresh.pk).update(signed_on=fresh.closed_at.date() - timedelta(days=3))
    back = live.sent_back(comment="The start is wrong.").referral
    home = page(live.browser(OWNER), "/")
    needs = home.one("section", id="needs").all("a", class_="o-need")
    expected = [
        (late, late.expires_at),
        (to_register, None),
        (fresh, over),
        (back, Registration.objects.get(referral=back).action_due_at),
    ]
    assert [need.attrs["href"] for need in needs] == [deal_url(referral) for referral, _until in expected]
    shown = [[t.attrs["datetime"] for t in need.all("time", class_="o-left")] for need in needs]
    assert shown == [[until.isoformat()] if until else [] for _referral, until in expected]
    assert "The start is wrong." in " ".join(need.text for need in needs)
    assert "60 days from signing: until" in needs[1].text
    assert "4 things need you now" in home.one("header", class_="o-head").text


def test_home_of_the_vendor_shows_what_its_roles_do(live: Live) -> None:
    waiting = build.vendor_copy(live.deal())
    review = live.in_review()
    seller = page(live.browser(build.SELLER), "/").one("section", id="needs")
    assert [need.attrs["href"] for need in seller.all("a", class_="o-need")] == [deal_url(waiting)]
    reviewer = page(live.browser(build.REVIEWER), "/").one("section", id="needs")
    queue = reverse("admin:dealreg_registration_change", args=[review.pk])
    assert queue in [need.attrs["href"] for need in reviewer.all("a", class_="o-need")]


def test_home_says_why_no_deal_can_be_created(live: Live) -> None:
    """ORG-5: what is missing, before anything is pressed."""
    head = {p: page(live.browser(p), "/").one("header", class_="o-head") for p in (OWNER, VIEWER, NORTHWIND)}
    assert head[OWNER].one("a", class_="btn-primary").attrs["href"] == reverse("new_deal")
    for person, why in ((VIEWER, "role"), (NORTHWIND, "no published solution")):
        assert head[person].all("a", class_="btn-primary") == []
        assert why in head[person].one("details", class_="o-why").text, person


def test_home_tells_a_company_how_it_answers(live: Live) -> None:
    """REF-22: the same figures that those see who look for a partner; the vendor is no partner."""

    def told(person: str) -> list[str]:
        return [d.text for d in page(live.browser(person), "/").one("section", id="answers").all("dd")]

    assert told(OWNER) == []
    build.accept(live.cast, live.received(days=20), at=live.ago(19.5), by=OWNER)
    do.expire(live.received(days=15), now=live.ago(1))
    live.received()  # may still be answered
    assert told(OWNER) == ["2", "1 (50%)", "within 12 hours"]
    assert not page(live.browser(build.SELLER), "/").all("section", id="answers")


def test_home_shows_only_deals_one_may_see(live: Live) -> None:
    """ORG-2, ORG-4: a referrals user the deals that list them, an admin of a location its deals."""
    live.deal(name="With Umut")
    live.deal(name="Of Ankara", location=live.cast.locations[ANKARA], team=[build.member("x@contoso.example")])
    for person, seen in (
        (OWNER, {"With Umut", "Of Ankara"}),
        (TEAM, {"With Umut"}),
        ("ankara@contoso.example", {"Of Ankara"}),
    ):
        home = page(live.browser(person), "/")
        for place in ("deadlines", "events"):
            links = home.one("section", id=place).one("ul" if place == "deadlines" else "ol").all("a")
            assert {a.text for a in links} == seen, (person, place)
    nobody = page(live.browser("referrals@northwind.example"), "/")
    assert "Nothing is waiting for you" in nobody.one("section", id="needs").text
    assert "Nothing has happened yet." in nobody.one("section", id="events").text


def test_home_sums_up_the_pipeline_and_what_ends_in_thirty_days(live: Live) -> None:
    """Active deals only, in USD at the month's rate (FX-2): 40,000 EUR are 44,000 USD here."""
    live.deal(name="Soon", close_date=live.day(2))
    live.deal(name="Later", close_date=live.day(30))
    far = live.deal(name="Far", close_date=live.day(31), value=Money(build.deal_input(live.cast).value.amount, "USD"))
    do.set_stage(far, actor=live.cast.actor(OWNER), now=live.now, stage=60)
    live.received()
    live.won()
    home = page(live.browser(OWNER), "/")
    rows = [row.text.replace(" %", "%") for row in home.one("section", id="pipeline").all("tr")]
    assert rows[1] == "Created / accepted 10% 2 88,000"
    assert rows[4] == "Proposed 60% 1 40,000"
    assert rows[-1] == "All active deals 3 128,000"
    due = home.one("section", id="deadlines").one("ul").all("a")
    assert [a.text for a in due] == ["Soon", "Plant monitoring", "Later"]  # the second is to be answered


# The list (see test_listing.py)


def names(listed: Element) -> list[str]:
    return [a.text for a in listed.all("a", class_="o-rowlink")]


def test_the_list_finds_deals_and_customers_however_they_are_spelt(live: Live) -> None:
    """REF-20: Turkish letters fold, so that any keyboard finds them; signs with a meaning to databases have none."""
    live.deal(name="Fleet", customer=live.cast.customers["isik"], crm_id="OPP-77")
    live.deal(name="Bakery", customer=live.cast.customers["bogaz"])
    owner = live.browser(OWNER)
    finds = {
        "isik": ["Fleet"], "IŞIK LOJ": ["Fleet"], "ışık": ["Fleet"], "İSİK": ["Fleet"], "bogazici": ["Bakery"],
        "BOĞAZİÇİ": ["Bakery"], "bak": ["Bakery"], "100%": [], "' OR 100=100": [],
    }  # fmt: skip
    for query, expected in finds.items():
        listed = page(owner, reverse("deals"), q=query)
        assert names(listed) == expected, query
        assert listed.one("form", id="filters").fields()["q"] == query
        if not expected:
            assert "No deal matches" in listed.one("section", id="list").text


def test_an_empty_list_says_what_to_do(live: Live) -> None:
    """ORG-5: and if one can't, what is missing."""
    stranger = live.browser(STRANGER)
    assert "Create your first deal" in page(stranger, reverse("deals")).one("section", id="list").text
    assert "arrive here" in page(stranger, reverse("deals"), tab="inbound").one("section", id="list").text
    northwind = page(live.browser("referrals@northwind.example"), reverse("deals")).one("div", class_="o-commands")
    assert "no published solution that is co-sell ready" in northwind.text
    assert northwind.all("a", href=reverse("new_deal")) == []


# The deal page

STAGES = ["Qualified", "Developed", "Proposed", "Negotiated"]
NOW_AT_10 = ["now", "", "", "", ""]
#: Won, lost or closed from the first stage: what was jumped over isn't ticked (REF-14).
TO_WON, FROM_10, NEVER = ["done", *["skip"] * 4], ["done", *["never"] * 4], ["never"] * 5
#: For each state: how the stages look, how they end, the milestone *Deal registration*, and the banners' words.
SHOWN: dict[str, tuple[list[str], str, list[str], list[str]]] = {
    "received": ([""] * 5, " Won", [" To register after the win"], ["Waiting for your answer. Fabrikam GmbH sent you"]),
    "open": (NOW_AT_10, " Won", [" To register after the win"], []),
    "inbound": (NOW_AT_10, " Won", [" To register after the win"], []),
    "unanswered": (NOW_AT_10, " Won", [" To register after the win"], []),
    "private": (NOW_AT_10, " Won", [], []),
    "lost": (FROM_10, "failed Lost", [], ["Reason: The budget was inadequate Next year again."]),
    "error": (FROM_10, "failed Error", [], ["Reason: Duplicate created in the portal"]),
    "declined": (NEVER, "failed Declined", [], ["Reason: The proposed timeline was too short Too soon."]),
    "expired": (NEVER, "failed Expired", [], ["Not answered in time."]),
    "won": (TO_WON, "won Won", ["now Registration (Pending)", " Closed"], ["This deal can be registered."]),
    "checking": (TO_WON, "won Won", ["done Filed", "wait Checking…", " Closed"], ["Checking your registration."]),
    "approved": (TO_WON, "won Won", ["done Filed", "done Approved", " Closed"], ["Approved automatically."]),
    "in_review": (
        TO_WON,
        "won Won",
        ["done Filed", "wait Review (Pending)", " Closed"],
        ["In review. A reviewer checks this registration: its annual contract value, 2,1"],
    ),
    "sent_back": (
        TO_WON,
        "won Won",
        ["done Filed", "now Action required", " Closed"],
        ["Action required. The dates don't match the signed contract. Please correct the start."],
    ),
    "passed": (TO_WON, "won Won", ["done Filed", "done Review (Passed)", " Closed"], ["Registered."]),
    "failed": (
        TO_WON,
        "won Won",
        ["done Filed", "failed Review (Failed)", " Closed"],
        ["The registration failed. The signed contract doesn't name your company and the eligible solution. The"],
    ),
    "marketplace": (
        TO_WON,
        "won Won",
        ["done Filed", "wait Marketplace validation (Pending)", " Closed"],
        ["In marketplace validation. This is a marketplace sale"],
    ),
    "matched": (
        TO_WON,
        "won Won",
        ["done Filed", "done Marketplace validation (Passed)", " Closed"],
        ["Registered. Marketplace validation (Passed)"],
    ),
    "not_matched": (
        TO_WON,
        "won Won",
        ["done Filed", "failed Marketplace validation (Failed)", " Closed"],
        ["The registration failed. The signed contract doesn't name your company and the eligible solution. The"],
    ),
    "not_registered": (TO_WON, "won Won", ["failed Not registered", "done Closed"], ["Closed without"]),
    "closed": (TO_WON, "won Won", ["done Filed", "done Approved", "done Closed"], ["Registered. Closed · A"]),
}  # fmt: skip


def steps(shown: Element, part: str) -> list[str]:
    """The lifecycle's steps, each as its look and its name."""
    track = shown.all("section", aria_labelledby=part)
    found = track[0].all("li") if track else []
    return [f"{li.attrs['class'].removeprefix('is-')} {li.one('span', class_='o-life__name').text}" for li in found]


@pytest.mark.parametrize("state", STATES)
def test_the_deal_page_shows_where_the_deal_stands_and_what_can_be_done(live: Live, state: str) -> None:
    """FLOW-5: lifecycle and banners; and every button is one of available_actions, disabled with its reasons."""
    looks, end, milestone, banners = SHOWN[state]
    referral = Referral.objects.with_context().prefetch_related("team").get(pk=STATES[state](live).pk)
    for person in (OWNER, VIEWER):
        shown = page(live.browser(person), deal_url(referral))
        first = "Accepted" if referral.is_inbound else "Created"
        assert steps(shown, "life-stages") == [
            *(f"{look} {name}" for look, name in zip(looks, [first, *STAGES], strict=True)),
            end,
        ]
        assert steps(shown, "life-registration") == milestone
        said = [banner.text for banner in shown.one("main").all("div", class_="o-banner")]
        offers = [text for text in said if text.startswith(("No exception replaces", "An exception can be asked for."))]
        assert bool(offers) == (person == OWNER and _is_offered(referral))
        quiet = [text for text in said if text.startswith("Nothing is asked of you now.")]
        assert bool(quiet) == (person == OWNER and referral.substatus == rules.ACCEPTED)
        said = [text for text in said if text not in (*offers, *quiet)]
        assert len(said) == len(banners)
        assert all(text.startswith(start) for text, start in zip(said, banners, strict=True)), said
        buttons(shown, referral, person, live)


def _is_offered(referral: Referral) -> bool:
    """Whether the page itself leads to an exception, or lets the deal be created again (EXC-2)."""
    unregistered = Registration.objects.filter(referral=referral, outcome=NOT_REGISTERED).exists()
    return referral.substatus in (rules.LOST, rules.ERROR) or unregistered


def buttons(shown: Element, referral: Referral, person: str, live: Live) -> None:
    """Compare the foot bar with what the workflow offers."""
    actor, now = live.cast.actor(person), timezone.now()
    registration = Registration.objects.with_context().filter(referral=referral).first()
    offered = workflow.available_actions(referral, actor, now)
    offered += workflow.available_actions(registration, actor, now) if registration else []
    elsewhere = {"schedule_win", *(a.name for a in offered if a.verb.quiet)}
    done = {"not_scheduled", "already_shared", "help_asked", "revalidation_payg_only"}  # there is nothing left to do
    expected = {
        text.phrase(a.label): [text.text(b) for b in a.blockers]
        for a in offered
        if not (a.wrong_state or a.name in elsewhere or done & {b.code for b in a.blockers})
    }
    if not registration and not referral.is_closed:
        expected["Try out the registration"] = []
    if person == OWNER and referral.substatus in (rules.WON, rules.LOST, rules.ERROR):
        offer = exceptions.first_offer(exceptions.kind_offers(referral, now=now))
        expected["Request exception"] = [text.text(b) for b in offer.blockers]
    foot = shown.one("footer", class_="o-foot")
    enabled = {link.text: [] for link in foot.all("a") if "o-whylink" not in link.attrs.get("class", "")}
    disabled = {item.one("span").text: [li.text for li in item.all("li")] for item in foot.all(class_="o-menu__shut")}
    assert {**enabled, **disabled} == expected
    if person == VIEWER:
        assert expected.keys() <= {"Try out the registration"}
    elif referral.is_inbound and referral.substatus == rules.ACCEPTED:
        assert disabled  # what only the company that started the deal may do
    assert len(foot.all("a", class_="btn-primary")) <= 1


def test_the_deal_page_explains_eligibility_criterion_by_criterion(live: Live) -> None:
    """ELIG-1 to ELIG-7, each with what is needed and what is; what time or the vendor settles says until when."""
    small = Money(build.deal_input(live.cast).value.amount / 2, "EUR")
    referral = live.deal(value=small, customer=live.cast.customers["bogaz"], solutions=[live.cast.solutions["field"]])
    shown = page(live.browser(OWNER), deal_url(referral)).one("section", id="eligibility")
    assert shown.one("summary").text == "2 of 7 met for deal registration one comes with the win"
    rows = {row.attrs["id"]: row.text for row in shown.all("tr") if "id" in row.attrs}
    assert rows["ELIG-1"] == "Not a solution assessment Any deal but a solution assessment Co-sell Met"
    assert rows["ELIG-2"].endswith("Co-sell Met")
    assert "Accepted Not yet Mark this deal Won once the contract is signed" in rows["ELIG-6"]
    open_ = {item.attrs["id"]: item.text for item in shown.all("div", class_="o-eligible__open")}
    assert sorted([*rows, *open_]) == [f"ELIG-{n}" for n in range(1, 8)]
    assert "At least 25,000 USD Actual 20,000 EUR, worth 22,000 USD at the monthly rate" in open_["ELIG-3"]
    assert "Settled by You, before the win" in open_["ELIG-3"]
    assert "Not managed Settled by Nobody: this can't change any more" in open_["ELIG-4"]
    assert "None on this deal Settled by You, before the win" in open_["ELIG-5"]
    assert "Settled by Microsoft" in open_["ELIG-7"]
    until = build.vendor_copy(referral).expires_at
    assert shown.one("div", id="ELIG-7").one("time").attrs["datetime"] == until.isoformat()


def test_what_a_company_settles_itself_is_one_click_away(live: Live) -> None:
    """ELIG-2, ELIG-3, ELIG-5: from the criterion to the page that settles it, for whoever may, while they can."""
    small = Money(build.deal_input(live.cast).value.amount / 2, "EUR")
    wrong = {"value": small, "solutions": [live.cast.solutions["field"]]}
    private = live.deal(**wrong, help_code=rules.NO_HELP, vendor_may_view=False)

    def remedies(referral: Referral, email: str = OWNER) -> dict[str, str]:
        shown = page(live.browser(email), deal_url(referral)).one("section", id="eligibility")
        found = {item.attrs["id"]: item.all("a") for item in shown.all("div", class_="o-eligible__open")}
        return {rule: link.attrs["href"] for rule, links in found.items() for link in links}

    address = deal_url(private)
    assert remedies(private) == {
        "ELIG-2": f"{address}do/share-with-vendor/",
        "ELIG-3": f"{address}edit/details/",
        "ELIG-5": f"{address}edit/solutions/",
    }
    assert all(live.browser(OWNER).get(url).status_code == 200 for url in remedies(private).values())
    assert remedies(private, VIEWER) == {}
    assert set(remedies(live.deal(**wrong))) == {"ELIG-3", "ELIG-5"}
    assert remedies(live.won(**wrong)) == {}


def test_the_deal_page_shows_a_planned_win_and_how_to_cancel_it(live: Live) -> None:
    """REF-18."""
    referral = live.accepted(days=1)
    planned = do.schedule_win(referral, actor=live.cast.actor(OWNER), now=live.now)
    shown = page(live.browser(OWNER), deal_url(referral))
    banner = shown.one("div", class_="o-banner--info")
    assert banner.text.startswith("A win is planned.")
    assert banner.one("time").attrs["datetime"] == planned.win_at.isoformat()
    assert "Cancel the planned win" in [link.text for link in shown.one("footer").all("a")]


def test_inviter_and_invitee_read_what_was_asked_and_nobody_else_does(live: Live) -> None:
    """REF-7, REF-9: help wanted, notes and the people named for this partner; not for the vendor or another partner."""
    cast, now = live.cast, live.now
    build.northwind_ready(cast)
    owner, own = cast.actor(OWNER), live.accepted()

    def invited(partner: str, notes: str, who: str) -> Referral:
        given = verbs.Invitation(
            partner=cast.companies[partner],
            close_date=own.close_date,
            value=Money(Decimal(12_345), "CHF"),
            help_code="QuotesOrLicensing",
            team=[build.member(), build.member(who)],
            solutions=[cast.solutions["twin"]],
            notes=notes,
        )
        return do.invite_partner(own, given, actor=owner, now=now)

    copies = {p: invited(p, f"For {p} only", f"{p}@contoso.example") for p in ("fabrikam", "northwind")}
    for partner, other in (("fabrikam", "northwind"), ("northwind", "fabrikam")):
        shown = page(live.browser(f"referrals@{partner}.example"), deal_url(copies[partner])).one("main").text
        for words in (f"For {partner} only", "Quotes / licensing", f"{partner}@contoso.example"):
            assert words in shown
        assert shown.count(TEAM) == 1  # on the deal's team and named again
        assert other not in shown
        assert "40,000" not in shown  # the inviter's own value
    shown = page(live.browser(OWNER), deal_url(own)).one("main").text
    assert "12,345 CHF" in shown
    assert {f"For {partner} only" in shown for partner in copies} == {True}
    for referral in (build.vendor_copy(own), *copies.values()):
        shown = page(live.browser(build.SELLER), deal_url(referral)).one("main").text
        assert "only" not in shown
        assert "Quotes / licensing" not in shown


def test_two_invited_partners_read_the_inviters_notes_and_not_each_others(live: Live) -> None:
    """REF-23, ORG-6, REF-20: neither on the page nor by searching; the inviter and the vendor read all of them."""
    cast, own = live.cast, live.accepted(name="Ovens")
    build.northwind_ready(cast)
    notes = {OWNER: "Contosonote", build.SELLER: "Vendornote"}
    writing = {OWNER: own, build.SELLER: build.vendor_copy(own)}
    for partner in ("fabrikam", "northwind"):
        person = f"referrals@{partner}.example"
        given = verbs.Invitation(
            partner=cast.companies[partner],
            close_date=own.close_date,
            value=own.money,
            help_code="QuotesOrLicensing",
            team=[build.member()],
            solutions=[cast.solutions["twin"]],
        )
        notes[person] = f"{partner.title()}note"
        writing[person] = do.invite_partner(own, given, actor=cast.actor(OWNER), now=live.now)
    for person, words in notes.items():
        do.add_note(writing[person], text=words, actor=cast.actor(person), now=live.now)
    first, second = [person for person in notes if person not in (OWNER, build.SELLER)]
    hidden = {first: {notes[second]}, second: {notes[first]}}
    for person, referral in writing.items():
        read, actor = set(notes.values()) - hidden.get(person, set()), cast.actor(person)
        thread = page(live.browser(person), deal_url(referral)).one("section", id="notes").text
        assert {words for words in notes.values() if words in thread} == read
        mine = Referral.objects.visible_to(actor).filter(pk=referral.pk)
        assert {words for words in notes.values() if mine.filter(search.matching(words, actor=actor)).exists()} == read


def test_the_vendor_sees_the_deal_without_what_is_the_partners_own(live: Live) -> None:
    """No registration, no eligibility, no private note, no button; REG-16 and REF-23."""
    referral, owner = live.accepted(), live.cast.actor(OWNER)
    do.add_note(referral, text="For us only", shared=False, actor=owner, now=live.now)
    do.add_note(referral, text="For everyone", actor=owner, now=live.now)
    live.in_review(do.win(referral, actor=owner, now=live.now))
    shown = page(live.browser(build.SELLER), deal_url(referral))
    assert steps(shown, "life-registration") == []
    assert shown.all("section", id="eligibility") == shown.all("section", id="registration") == []
    assert shown.one("footer").all("a") == []
    assert "For everyone" in shown.text
    assert "For us only" not in shown.text
    assert "registration" not in shown.one("section", id="timeline").text


def test_a_note_that_is_refused_stands_where_it_was_typed(live: Live) -> None:
    """REF-23, REF-11: nothing typed is lost; on a closed deal only the own company's notes go on."""
    owner, referral = live.browser(OWNER), live.deal()
    address = reverse("add_note", args=[referral.public_id])
    long = "ş" * 10_001
    refused = owner.post(address, {"text": long, "shared": "yes"})
    assert refused.status_code == 422
    notes = parse(refused).one("section", id="notes").one("form")
    assert (notes.fields()["text"].strip(), notes.fields()["shared"]) == (long, "yes")
    assert "these have 10001" in parse(refused).one("div", class_="o-errors").text
    do.lose(referral, actor=live.cast.actor(OWNER), now=live.now, reason_code="budget")
    closed = page(owner, deal_url(referral)).one("section", id="notes").one("form")
    assert closed.fields()["shared"] == "no"
    assert [option.attrs["value"] for option in closed.all("option")] == ["no"]
    late = owner.post(address, {"text": "From an old tab", "shared": "yes"})
    assert (late.status_code, Note.objects.count()) == (422, 0)
    assert "what its participants share no longer changes" in parse(late).one("div", class_="o-errors").text
    assert owner.post(address, {"text": "For us", "shared": "no"}).status_code == 302
    assert Note.objects.get().shared is False


def test_what_people_write_is_shown_as_they_wrote_it(live: Live) -> None:
    """Markup, percent signs, emoji, right-to-left and Turkish letters are text, on every page that shows them."""
    referral = live.received(name=HOSTILE)
    reason = {"reason_code": "other", "comment": HOSTILE}
    do.add_note(referral, text=HOSTILE, actor=live.cast.actor(OWNER), now=live.now)
    owner = live.browser(OWNER)
    addresses = {
        "/": {},
        reverse("deals"): {"tab": "inbound", "q": "Fırın"},
        deal_url(referral): {},
        reverse("act", args=[referral.public_id, "decline"]): {},
        reverse("registration", args=[referral.public_id]): {},
    }
    for address, query in addresses.items():
        shown = page(owner, address, **query)
        assert HOSTILE in shown.text, address
        assert shown.one("main").all("b") == []
    do.decline(referral, actor=live.cast.actor(OWNER), now=live.now, **reason)
    sender = Referral.objects.get(engagement=referral.engagement, company__name="Fabrikam GmbH")
    for client, own in ((owner, referral), (live.browser(STRANGER), sender)):
        shown = page(client, deal_url(own))
        assert shown.one("main").all("b") == []
        assert HOSTILE in shown.one("section", id="timeline").text


def test_the_timeline_tells_what_happened_newest_first(live: Live) -> None:
    referral = live.sent_back().referral
    lines = page(live.browser(OWNER), deal_url(referral)).one("section", id="timeline").all("li")
    told = [line.one("span", class_="o-time__text").text for line in lines]
    assert told == [
        "The registration was sent back: The dates don't match the signed contract.",
        "The registration was checked: Review (Pending)",
        "The registration was filed",
        "The deal can be registered",
        "Contoso Yazılım won the deal",
        "Microsoft accepted the deal",
        "Microsoft was invited",
        "Contoso Yazılım created the deal",
    ]
    assert "Rita Reviewer" in lines[0].text
    assert "Please correct the start." in lines[0].text
    assert "above 1,000,000 USD" in lines[1].text


def test_the_page_follows_the_worker(live: Live) -> None:
    """FLOW-1: asked every second, it waits while the registration is being checked, then reloads."""
    registration = live.submitted()
    owner = live.browser(OWNER)
    poll = page(owner, deal_url(registration.referral)).one("div", class_="o-banner").one("span", hx_trigger="every 1s")
    waiting = owner.get(poll.attrs["hx-get"])
    assert (waiting.status_code, waiting.headers.get("HX-Refresh")) == (204, None)
    do.route(registration, now=timezone.now())
    done = owner.get(poll.attrs["hx-get"])
    assert (done.status_code, done.headers["HX-Refresh"]) == (200, "true")
    assert page(owner, deal_url(registration.referral)).all("span", hx_trigger="every 1s") == []


def test_notes_are_shared_or_the_companys_own(live: Live) -> None:
    """REF-23."""
    referral = live.deal()
    owner, place = live.browser(OWNER), deal_url(referral)
    form = page(owner, place).one("section", id="notes").one("form")
    assert form.fields()["shared"] == "yes"
    for words, shared in (("To all", "yes"), ("To us", "no")):
        answer = owner.post(form.attrs["action"], {**form.fields(), "text": f" {words} ", "shared": shared})
        assert answer.headers["Location"] == place + "#notes"
    assert [n.text for n in Note.objects.order_by("pk")] == ["To all", "To us"]
    seen = {
        who: page(live.browser(who), place).one("section", id="notes").text for who in (OWNER, VIEWER, build.SELLER)
    }
    assert ["To us" in seen[who] for who in seen] == [True, True, False]
    assert all("To all" in text for text in seen.values())
    empty = parse(owner.post(form.attrs["action"], {"text": " ", "shared": "yes"}))
    assert "This has to be filled in." in empty.one("section", id="notes").text
    assert Note.objects.count() == 2


# The frame


def test_the_switch_of_language_holds_for_person_and_browser(live: Live) -> None:
    owner = live.browser(OWNER)
    listed = page(owner, reverse("deals"), q="x")
    assert listed.one("search").one("input", name="q").attrs["value"] == ""  # the list has a search of its own
    form = listed.all("form", action=reverse("set_language"))[0]
    assert form.fields()["next"] == "/co-sell/?q=x"
    answer = owner.post(form.attrs["action"], {**form.fields(), "language": "tr"})
    assert answer.headers["Location"] == "/co-sell/?q=x"
    assert page(owner, "/").one("html").attrs["lang"] == "tr"
    assert User.objects.get(email=OWNER).language == "tr"
    assert owner.post(reverse("set_language"), {"language": "xx"}).status_code == 404
    stranger = Client()
    assert page(stranger, reverse("account_login")).one("html").attrs["lang"] == "en"
    stranger.post(reverse("set_language"), {"language": "tr"})
    assert page(stranger, reverse("account_login")).one("html").attrs["lang"] == "tr"


def test_the_switch_of_theme_holds_for_person_and_browser(live: Live) -> None:
    owner, stranger = live.browser(OWNER), Client()
    for client, place in ((owner, "/"), (stranger, reverse("account_login"))):
        assert page(client, place).one("html").attrs["data-theme"] == "auto"
        client.post(reverse("set_theme"), {"theme": "dark"})
        assert page(client, place).one("html").attrs["data-bs-theme"] == "dark"
        assert client.post(reverse("set_theme"), {"theme": "pink"}).status_code == 404
    assert User.objects.get(email=OWNER).theme == "dark"


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "", "\n//evil.example"],
)
def test_the_switches_never_lead_to_another_host(db: None, target: str) -> None:
    answer = Client().post(reverse("set_theme"), {"theme": "dark", "next": target})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_one_person_acts_for_one_of_his_companies_at_a_time(live: Live) -> None:
    """ORG-6: a company one doesn't belong to is unknown."""
    cast = live.cast
    add_member(user=cast.users[STRANGER], company=cast.companies["contoso"], roles=["viewer"])
    own = live.deal()
    client = live.browser(STRANGER)
    menu = page(client, "/").one("form", action=reverse("switch_company"))
    offered = {button.text: button.attrs["value"] for button in menu.all("button")}
    assert list(offered) == ["Contoso Yazılım", "Fabrikam GmbH"]
    assert page(client, deal_url(own)).one("h1").text == own.name
    assert client.post(reverse("switch_company"), {"company": offered["Fabrikam GmbH"]}).headers["Location"] == "/"
    assert page(client, "/").one("span", class_="o-person__company").text == "Fabrikam GmbH"
    page(client, deal_url(own), code=404)
    for foreign in (cast.companies["northwind"].public_id, cast.companies["contoso"].pk, "", "x"):
        assert client.post(reverse("switch_company"), {"company": foreign}).status_code == 404
    assert page(live.browser(OWNER), "/").all("form", action=reverse("switch_company")) == []


def test_who_belongs_to_no_company_is_told_so(cast: Cast) -> None:
    person = PersonFactory()
    client = Client()
    client.force_login(person)
    assert "Your account belongs to no company yet." in page(client, "/", code=403).text
    page(client, reverse("admin:index"), code=302)


def test_pages_of_errors_say_what_to_do(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the reader's frame where there is one; the page for our own faults needs nothing at all."""
    owner = live.browser(OWNER, raise_request_exception=False)
    assert "There is nothing here" in page(owner, "/nothing/", code=404).one("h1").text
    assert page(owner, "/nothing/", code=404).one("nav", id="rail")
    assert page(Client(), "/nothing/", code=404).all("nav", id="rail") == []
    refused = parse(live.browser(VIEWER).post(reverse("add_note", args=[live.deal().public_id]), {"text": "x"}))
    assert "Your role does not allow it." in refused.one("main").text
    careful = live.browser(OWNER, enforce_csrf_checks=True)
    answer = careful.post(reverse("set_theme"), {"theme": "dark"})
    assert answer.status_code == 403
    assert "This page was open for too long" in parse(answer).one("h1").text
    flood = owner.post(reverse("set_theme"), {f"field{n}": "" for n in range(3001)})
    assert flood.status_code == 400
    assert "We could not read this request" in parse(flood).one("h1").text

    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(home_page, "context", broken)
    assert "Something broke on our side" in page(owner, "/", code=500).one("h1").text
