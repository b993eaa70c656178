"""Two companies and the vendor in three browsers: one deal from the invitation to won, each seeing what it may."""

from __future__ import annotations

import re
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from portal.demo.cast import Cast
from portal.notify.models import Notice
from referrals.models import Referral
from tests import build
from tests.e2e import deals
from tests.e2e.conftest import Visit
from tests.e2e.portal import Portal, tasks_left, wait_for

RUYA, ISIL, UMUT = build.CONTOSO, "ankara@contoso.example", "user@contoso.example"
SAM, FRIEDERIKE, NORA = build.SELLER, "referrals@fabrikam.example", "referrals@northwind.example"

DEAL = "Fırın kameraları"
RENAMED = "Oven cameras, second half"
SHARED = {"contoso": "Kick-off <b>on Monday</b> in Ankara.", "fabrikam": "We bring two engineers."}
INVITATION = "Kamerayı siz kurar mısınız?"
#: What stays within each company.
OWN = {
    "contoso": ["CRM-CONTOSO-7", "CMP-CONTOSO", "Our margin is thin."],
    "fabrikam": ["CRM-FABRIKAM-9", "CMP-FABRIKAM", "Don't go below fifteen.", RENAMED],
}


def test_two_companies_and_the_vendor_carry_a_deal_from_the_invitation_to_won(
    portal: Portal, cast: Cast, visit: Visit
) -> None:
    """REF-9 to REF-12, REF-14, REF-18, REF-23, REF-24, REF-7, ORG-6: done when 1 of the workspace."""
    contoso, fabrikam, vendor, northwind = (visit(email) for email in (RUYA, FRIEDERIKE, SAM, NORA))
    deal = create(contoso)
    sees(contoso, deal, "40,000 EUR", "Received", *OWN["contoso"][:2], without=OWN["fabrikam"])
    links = expect_mails(
        portal,
        {
            (SAM, f"New deal to answer: {DEAL}"),
            (FRIEDERIKE, f"New deal to answer: {DEAL}"),
            *((RUYA, f"Your deal {DEAL} was sent to {company}") for company in ("Fabrikam GmbH", "Microsoft")),
            *(
                (ISIL, f"{DEAL} anlaşmanız {company} şirketine gönderildi")
                for company in ("Fabrikam GmbH", "Microsoft")
            ),
        },
    )
    copy, vendors = links[FRIEDERIKE], links[SAM]

    find_inbound(fabrikam, copy)
    asked = ["Received", "15,000 EUR", "Fabrikam Digital Twin", "Customer technical architecture", INVITATION]
    sees(fabrikam, copy, *asked, RUYA, ISIL, UMUT, without=[*OWN["contoso"], "Contoso Factory Insights"])
    accept(fabrikam, copy)
    sees(fabrikam, copy, RENAMED, "16,500 EUR", "Accepted", *OWN["fabrikam"][:2], without=OWN["contoso"])
    sees(contoso, deal, DEAL, "16,500 EUR", FRIEDERIKE, INVITATION, without=OWN["fabrikam"])
    accept_as_it_is(vendor, vendors)
    sees(vendor, vendors, FRIEDERIKE, RUYA, "16,500 EUR", without=[*OWN["contoso"], *OWN["fabrikam"], INVITATION])
    for page, address in ((contoso, deal), (fabrikam, copy)):
        sees(page, address, SAM, "Microsoft accepted the deal", "Fabrikam GmbH accepted the deal")
    expect_mails(
        portal,
        {
            *((RUYA, f"{company} accepted your deal {DEAL}") for company in ("Fabrikam GmbH", "Microsoft")),
            *((ISIL, f"{company} anlaşmanızı kabul etti: {DEAL}") for company in ("Fabrikam GmbH", "Microsoft")),
        },
    )

    everyone = {contoso: deal, fabrikam: copy, vendor: vendors, northwind: reverse("deals")}
    expect_strangers_learn_nothing(everyone)
    write_notes(contoso, deal, "contoso")
    write_notes(fabrikam, copy, "fabrikam")
    sees(contoso, deal, *SHARED.values(), *OWN["contoso"], without=OWN["fabrikam"])
    sees(fabrikam, copy, *SHARED.values(), *OWN["fabrikam"], without=OWN["contoso"])
    sees(vendor, vendors, *SHARED.values(), without=[*OWN["contoso"], *OWN["fabrikam"]])
    expect_search(contoso, fabrikam)

    set_stage(contoso, deal, "Developed")
    set_stage(fabrikam, copy, "Proposed")
    moved = "moved the sales stage: Created / accepted (10%) →"
    stages = [f"Contoso Yazılım {moved} Developed", f"Fabrikam GmbH {moved} Proposed"]
    sees(contoso, deal, *stages, "Developed (40%)", without=OWN["fabrikam"])
    sees(fabrikam, copy, *stages, "Proposed (60%)", without=OWN["contoso"])
    expect_mails(portal, set())

    win(contoso, deal)
    sees(contoso, deal, "This deal can be registered.")
    sees(fabrikam, copy, "Contoso Yazılım won the deal", without=["can be registered.", "The deal can be registered"])
    expect(badges(fabrikam)).to_contain_text("Accepted")
    expect_mails(portal, {(RUYA, f"Register your deal {DEAL}"), (ISIL, f"Anlaşmanızı kaydedin: {DEAL}")})
    win(fabrikam, copy)
    sees(contoso, deal, "Fabrikam GmbH won the deal", without=OWN["fabrikam"])
    expect_mails(portal, set())
    expect_strangers_learn_nothing(everyone)
    assert_ended(cast)


# What a browser shows


def sees(page: Page, address: str, *words: str, without: list[str] | tuple[str, ...] = ()) -> None:
    """The words stand on the page; the others nowhere in it, not even where nobody looks."""
    page.goto(address)
    for word in words:
        expect(page.locator("main")).to_contain_text(word)
    source = page.content()
    assert [word for word in without if word in source] == []


def badges(page: Page) -> Locator:
    return page.locator(".o-head__badges")


def status(page: Page, address: str) -> int:
    """What the browser's own session is answered."""
    return page.request.get(address).status


def expect_strangers_learn_nothing(everyone: dict[Page, str]) -> None:
    """ORG-6, REF-9: another company's copy is like one that doesn't exist, to read and to change; the vendor reads all
    and changes its own."""
    contoso, fabrikam, vendor, northwind = everyone
    deal, copy, vendors, home = everyone.values()
    for page, foreign in (
        (contoso, [copy, vendors]),
        (fabrikam, [deal, vendors]),
        (northwind, [deal, copy, vendors]),
    ):
        for address in foreign:
            places = ["", "edit/details/", "edit/team/", "do/accept/", "do/set-stage/", "do/win/"]
            assert {status(page, address + place) for place in places} == {404}, address
    assert [status(vendor, address) for address in (deal, copy)] == [200, 200]
    assert [status(vendor, address + "edit/details/") for address in (deal, copy)] == [403, 403]
    sees(northwind, f"{home}?q=kameralar", "No deal", without=[DEAL, RENAMED])
    sees(northwind, "/", without=[DEAL, RENAMED])


def expect_search(contoso: Page, fabrikam: Page) -> None:
    """REF-20, REF-23: found by shared notes and one's own words, not by the other company's."""
    deals = contoso.locator("#list a.o-rowlink")
    for words, found in {"engineers": [DEAL], "thin": [DEAL], "fifteen": [], "CRM-FABRIKAM-9": []}.items():
        contoso.goto(f"/co-sell/?q={words}")
        expect(deals).to_have_text(found)
    deals = fabrikam.locator("#list a.o-rowlink")
    for words, found in {"kick-off": [RENAMED], "fifteen": [RENAMED], "thin": [], "CRM-CONTOSO-7": []}.items():
        fabrikam.goto(f"/co-sell/?tab=inbound&q={words}")
        expect(deals).to_have_text(found)


def expect_mails(portal: Portal, expected: set[tuple[str, str]]) -> dict[str, str]:
    """REF-24: the worker sends exactly these, each once; returns where each person's last one leads."""
    portal.beat("portal.notify.tasks.deliver_due")
    wait_for(lambda: not tasks_left() and not Notice.objects.waiting().exists(), "the mails to be sent")
    mails = portal.mailbox.mails[:]
    portal.mailbox.mails.clear()
    assert sorted((m["To"], " ".join(m["Subject"].split())) for m in mails) == sorted(expected)
    links = {}
    for mail in mails:
        words = mail.get_body(("plain",)).get_content()
        assert not [word for secrets in OWN.values() for word in secrets if word in words]
        links[mail["To"]] = re.search(r"http\S+/co-sell/\S+", words)[0]
    return links


# Contoso creates the deal, wants help, and invites Fabrikam


def day(number: int) -> str:
    return (timezone.now().date() + timedelta(days=number)).isoformat()


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Continue").click()


def create(page: Page) -> str:
    """REF-5 to REF-9: the wizard; returns the deal's address."""
    page.goto("/")
    page.get_by_role("link", name="New deal").click()
    choose_customer(page)
    page.get_by_label("Deal name").fill(DEAL)
    fill_worth(page, "40000", 30)
    page.get_by_label(re.compile(r"^Location\W*$")).select_option(label="Ankara (4301002)")
    page.get_by_label("CRM id").fill("CRM-CONTOSO-7")
    page.get_by_label("Marketing campaign id").fill("CMP-CONTOSO")
    go_on(page)
    page.get_by_role("button", name="Add a person").click()
    fill_person(page, 2, "Işıl", "Çağlar", ISIL)
    go_on(page)
    page.get_by_label("Contoso Factory Insights").check()
    go_on(page)
    page.get_by_label("Proof of concept").check()
    invite(page)
    go_on(page)
    expect(page.locator("#help")).to_contain_text("Fabrikam GmbH")
    page.get_by_role("button", name="Create deal").click()
    expect(page.get_by_role("heading", name=DEAL, level=1)).to_be_visible()
    return page.url


def choose_customer(page: Page) -> None:
    page.get_by_label("Country").select_option("TR")
    page.get_by_role("textbox", name="Customer").press_sequentially("anadolu c")
    page.locator("#customers").get_by_role("radio", name=re.compile("Istanbul.*510000011")).check()
    page.get_by_label("Contact's name").fill("Deniz Aksoy")
    page.get_by_label("Contact's phone").fill("+90 532 555 01 01")
    page.get_by_label("Contact's e-mail").fill("deniz@customer.example")
    page.get_by_label("The contact agrees that").check()
    go_on(page)


def fill_worth(page: Page, value: str, days: int) -> None:
    page.get_by_label("Estimated value").fill(value)
    page.get_by_label("Currency").select_option("EUR")
    page.get_by_label("Estimated close date").fill(day(days))


def fill_person(page: Page, number: int, first: str, last: str, email: str) -> None:
    person = page.get_by_role("group", name=f"Person {number}")
    for label, value in {"First name": first, "Last name": last, "Phone": "+90 312 555 01 00", "E-mail": email}.items():
        person.get_by_label(label).fill(value)


def invite(page: Page) -> None:
    """REF-9: with its own value, date, solution, notes, help and, besides the deal's team, one more person."""
    page.get_by_role("button", name="Invite a partner").click()
    with page.expect_response(re.compile("/partners/suggest/.*=fabri")):
        page.get_by_role("textbox", name="Partner", exact=True).press_sequentially("fabri")
    page.locator("#partners").get_by_role("radio", name="Fabrikam GmbH").check()
    page.get_by_label("Customer technical architecture").check()
    fill_worth(page, "15000", 20)
    page.get_by_label("Fabrikam Digital Twin").check()
    page.get_by_label("Notes for the partner").fill(INVITATION)
    page.get_by_role("button", name="Add a person").click()
    fill_person(page, 3, "Umut", "Öztürk", UMUT)
    page.get_by_role("button", name="Keep the invitation").click()
    expect(page.locator("#invitations")).to_contain_text("Fabrikam GmbH")


# The others answer


def find_inbound(page: Page, copy: str) -> None:
    """REF-19: it waits on the home page and stands under Inbound; the mail leads to the same place."""
    page.goto("/")
    expect(page.locator("#needs")).to_contain_text(DEAL)
    page.goto("/co-sell/")
    expect(page.locator("#list")).not_to_contain_text(DEAL)
    page.locator("#tabs").get_by_role("link", name="Inbound").click()
    page.get_by_role("link", name=DEAL, exact=True).click()
    expect(page).to_have_url(re.compile(re.escape(copy)))
    expect(page.locator(".o-banner--warning")).to_contain_text("Contoso Yazılım sent you this deal")


def accept(page: Page, copy: str) -> None:
    """REF-12: with a name, a value and a date of its own, and what only it is to know."""
    page.goto(copy)
    page.get_by_role("link", name="Accept").click()
    expect(page.get_by_label("Deal name")).to_have_value(DEAL)
    expect(page.get_by_label("Estimated close date")).to_have_value(f"{timezone.now() + timedelta(days=20):%-d %b %Y}")
    page.get_by_label("Deal name").fill(RENAMED)
    fill_worth(page, "16500", 25)
    page.get_by_text("CRM id, campaign id and a note").click()
    page.get_by_label("CRM id", exact=True).fill("CRM-FABRIKAM-9")
    page.get_by_label("Marketing campaign id").fill("CMP-FABRIKAM")
    page.get_by_role("button", name="Accept").click()
    expect(badges(page)).to_contain_text("Accepted")


def accept_as_it_is(page: Page, copy: str) -> None:
    page.goto(copy)
    page.get_by_role("link", name="Accept").click()
    page.get_by_role("button", name="Accept").click()
    expect(badges(page)).to_contain_text("Accepted")


# They work on it, and win


def write_notes(page: Page, address: str, company: str) -> None:
    """REF-23: one for all who take part, one for the own company."""
    page.goto(address)
    for text, reader in (
        (SHARED[company], "Everyone on the deal"),
        (OWN[company][2], "Only my company"),
    ):
        page.locator("#notes").get_by_role("textbox", name="Note").fill(text)
        page.get_by_label("Who reads it").select_option(label=reader)
        page.get_by_role("button", name="Add note").click()
        expect(page.locator("#notes .o-note").first).to_have_text(text)


def set_stage(page: Page, address: str, stage: str) -> None:
    page.goto(address)
    deals.act(page, "Set sales stage")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(stage).check()
    dialog.get_by_role("button", name="Set sales stage").click()
    expect(page.locator(".o-toast")).to_contain_text("The sales stage was changed.")


def win(page: Page, address: str) -> None:
    """REF-18: warned that it is early, told that it is final; afterwards nothing is left to change."""
    page.goto(address)
    deals.act(page, "Mark as won")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The deal is not 72 hours old.")
    expect(dialog).to_contain_text("nobody can change it any more")
    dialog.get_by_role("button", name="Mark as won now").click()
    expect(badges(page)).to_contain_text("Won")
    for name in ("Mark as won", "Set sales stage", "Edit"):
        expect(page.get_by_role("link", name=name)).to_have_count(0)


def assert_ended(cast: Cast) -> None:
    """REF-11: each copy as its own company left it; nothing else came to be."""
    copies = {r.company_id: r for r in Referral.objects.all()}
    found = {name: copies[company.pk] for name, company in cast.companies.items() if company.pk in copies}
    assert {name: (r.name, r.substatus, r.value, r.won_early) for name, r in found.items()} == {
        "contoso": (DEAL, "Won", 40_000, True),
        "fabrikam": (RENAMED, "Won", 16_500, True),
        "vendor": (DEAL, "Accepted", 40_000, False),
    }
    assert len(copies) == 3
