"""Every page for everybody: no barrier that axe finds, no sideways scrolling, by keyboard, and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urljoin

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from dealreg.services import registration as services
from portal.api.services import clients
from portal.demo.cast import ISTANBUL, Cast
from portal.pages.services import exports
from referrals.models import Referral
from referrals.services import drafts
from referrals.web.wizard.draft import STEPS
from tests import build
from tests.e2e import deals
from tests.e2e.conftest import Visit

ADMIN = "admin@contoso.example"
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
#: Not preloaded: of style sheets that import others axe makes inline ones, which the policy of our pages refuses.
EVERYTHING = {"resultTypes": ["violations"], "preload": False}
#: What axe has to say, whatever weight it gives it.
VIOLATIONS = """async (options) => (await axe.run(document, options)).violations.flatMap((found) =>
  found.nodes.slice(0, 3).map((node) => [found.id, node.target.at(-1),
    [...node.any, ...node.all, ...node.none][0]?.message ?? ""].join(" ")))"""
#: How much of the window moved by itself while the page loaded, as Chromium saw it; all of it, not the worst second.
MOVED = """() => document.fonts.ready.then(() => new Promise((done) => {
  let moved = 0;
  const add = (entries) => { for (const e of entries) if (!e.hadRecentInput) moved += e.value; };
  const observer = new PerformanceObserver((list) => add(list.getEntries()));
  observer.observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => { add(observer.takeRecords()); done(moved); }));
}))"""
MOST_MOVED = 0.05

#: What sticks out of the window sideways, and is neither in a box of its own that scrolls nor hidden in a tiny one.
OVERFLOWING = """() => {
  const width = document.documentElement.clientWidth;
  const contains = (e) => ["auto", "scroll"].includes(getComputedStyle(e).overflowX) || e.clientWidth === 1;
  const contained = (e) => e && (contains(e) || contained(e.parentElement));
  const out = [...document.body.querySelectorAll("*")].filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width > 1 && box.left < width && box.right > width + 1 && e.checkVisibility() && !contained(e);
  });
  const wide = document.documentElement.scrollWidth > width;
  return [...(wide ? ["the page"] : []), ...out.map((e) => `${e.tagName}.${e.className}`)].slice(0, 5);
}"""


def problems(
    page: Page, name: str, url: str, then: Callable[[Page], None] | None = None, *, status: int = 200
) -> Iterator[str]:
    """What keeps people from using this page, wide in the light and narrow in the dark, and what moves while it loads;
    `then` opens a dialog on it. The page is loaded once: it follows the window and the scheme."""
    look(page, WIDE, "light")
    opened(page, url, status)
    moved = page.evaluate(MOVED)
    if moved > MOST_MOVED:
        yield f"{name}: {moved:.3f} of the window moved while it loaded"
    if then is not None:
        then(page)
    page.evaluate(AXE_SCRIPT)
    # The scheme changes only the colours, and the width hardly any: two looks show both, where four take twice as long.
    for size, scheme in ((WIDE, "light"), (PHONE, "dark")):
        look(page, size, scheme)
        for found in page.evaluate(VIOLATIONS, EVERYTHING):
            yield f"{name} ({size['width']} px, {scheme}): {found}"
    yield from (f"{name} ({PHONE['width']} px): {thing} sticks out" for thing in page.evaluate(OVERFLOWING))
    look(page, WIDE, "light")


def look(page: Page, size: dict[str, int], scheme: Literal["light", "dark"]) -> None:
    """A window of this size, in this scheme. One that has the size is left alone: it would be drawn anew."""
    if page.viewport_size != size:
        page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")


def address(referral: Referral, name: str = "deal") -> str:
    return reverse(name, args=[referral.public_id])


def test_no_page_of_a_partner_has_a_barrier(cast: Cast, visit: Visit) -> None:
    """Sign-in, home, list, new deal, deals in their states, the registration form and the win's dialog."""
    young, won = deals.young(cast, name="Young"), deals.won(cast, name="Won")
    reviewed, approved, back = (deals.won(cast, name=name) for name in ("Reviewed", "Approved", "Sent back"))
    deals.in_review(cast, reviewed)
    deals.filed(cast, approved)
    sent_back(cast, back)
    draft = drafts.new(cast.actor(build.CONTOSO), team=[], now=timezone.now())
    draft.data["tried"] = ["customer", "deal", "team"]
    draft.save()
    found = list(problems(visit(), "sign-in", reverse("account_login")))
    page = visit(build.CONTOSO)
    for name, url in {
        "home": "/",
        "list": reverse("deals"),
        "new deal": reverse("new_deal"),
        **{f"new deal, {step}": reverse("new_deal_step", args=[draft.public_id, step]) for step in STEPS},
        "invitation": reverse("new_deal_invitation", args=[draft.public_id, "0123456789ab"]),
        "deal, active": address(young),
        "deal, to register": address(won),
        "deal, in review": address(reviewed),
        "deal, approved": address(approved),
        "deal, sent back": address(back),
        "registration": address(won, "registration"),
    }.items():
        found += problems(page, name, url)
    found += problems(page, "win", address(young), open_win)
    assert not found, "\n".join(found)


def test_no_page_of_the_vendor_has_a_barrier(cast: Cast, visit: Visit) -> None:
    """A deal to answer, what accepting asks, the reviewer's queue and the review page."""
    received = build.vendor_copy(build.deal(cast, at=timezone.now() - build.DAY, name="Received"))
    registration = deals.in_review(cast, deals.won(cast, name="Reviewed"))
    found = []
    for email, pages in {
        build.SELLER: {
            "deal, received": address(received),
            "send a deal": reverse("send_deal"),
            "accept": reverse("act", args=[received.public_id, "accept"]),
        },
        build.REVIEWER: {
            "queue": "/admin/dealreg/registration/",
            "review": f"/admin/dealreg/registration/{registration.pk}/change/",
        },
    }.items():
        page = visit(email)
        for name, url in pages.items():
            found += problems(page, name, url)
    assert not found, "\n".join(found)


def test_no_page_of_the_settings_has_a_barrier_nor_what_says_no(cast: Cast, visit: Visit, browser: Browser) -> None:
    """What companies keep and people choose, what they have made and been told, and the pages that refuse."""
    owner, now = cast.actor(build.CONTOSO), timezone.now()
    young, company = deals.young(cast, name="Young"), cast.companies["contoso"]
    who = {"actor": cast.actor(ADMIN), "now": now}
    client = clients.create(company=company, name="CRM", scopes=["referrals.read"], role="viewer", **who)[0]
    made = exports.request_export("", kind="csv", actor=owner, now=now)
    admin, found = visit(ADMIN), []
    settings = ("people", "invite_person", "locations", "add_location", "stage_names", "api_clients", "webhook")
    for name, url in {
        **{name: reverse(name) for name in (*settings, "add_api_client")},
        "location": reverse("edit_location", args=[cast.locations[ISTANBUL].pk]),
        "API client": reverse("api_client", args=[client.public_id]),
    }.items():
        found += problems(admin, name, url)
    page = visit(build.CONTOSO)
    for name, url in {
        **{name: reverse(name) for name in ("profile", "notification_settings", "notices", "exports")},
        **{name: reverse(name) for name in ("account_change_password", "account_logout")},
        "export": reverse("export", args=[made.public_id]),
        **{name: address(young, name) for name in ("edit_details", "edit_team", "edit_solutions", "invite_partner")},
    }.items():
        found += problems(page, name, url)
    # What refuses is told of by the browser as well, so nobody listens to it here.
    state = page.context.storage_state()
    refused = browser.new_context(base_url=urljoin(page.url, "/"), storage_state=state).new_page()
    found += problems(refused, "not there", "/nowhere/", status=404)
    found += problems(refused, "not allowed", reverse("people"), status=403)
    found += problems(refused, "spoilt invitation", reverse("invite", args=["x" * 43]), status=404)
    refused.context.close()
    page.get_by_role("button", name="Türkçe").first.click()
    page.wait_for_load_state()
    for name, url in {"home": "/", "list": reverse("deals"), "deal": address(young)}.items():
        found += problems(page, f"{name}, in Turkish", url)
    assert not found, "\n".join(found)


def test_a_name_without_a_space_fits_a_phone(cast: Cast, visit: Visit) -> None:
    """REF-6: two hundred letters in one word, wherever the deal is named."""
    deal, page = deals.young(cast, name="Ç" * 200), visit(build.CONTOSO)
    draft = drafts.new(cast.actor(build.CONTOSO), team=[], now=timezone.now())
    draft.data["deal"] = {"name": [deal.name]}
    draft.save()
    page.set_viewport_size(PHONE)
    for url in (
        "/",
        reverse("deals") + "?tab=outbound&exact=1",
        address(deal),
        address(deal, "edit_details"),
        reverse("new_deal"),
        reverse("new_deal_step", args=[draft.public_id, "team"]),
    ):
        assert opened(page, url).evaluate(OVERFLOWING) == [], url


def open_win(page: Page) -> None:
    deals.act(page, "Mark as won")
    expect(page.get_by_role("dialog")).to_be_visible()


def opened(page: Page, url: str, status: int = 200) -> Page:
    answer = page.goto(url)
    assert answer.status == status, f"{url} answers {answer.status}"
    return page


def sent_back(cast: Cast, referral: Referral) -> None:
    services.decide(
        deals.in_review(cast, referral),
        "require_action",
        actor=cast.actor(build.REVIEWER),
        now=timezone.now(),
        reason_code="other",
        comment="Please look at the dates again.",
    )


def test_a_deal_is_won_with_the_keyboard_alone(cast: Cast, visit: Visit) -> None:
    """Tab reaches the main action, Escape leaves the dialog and leads back to it, `/` finds the search."""
    soon = timezone.now().date() + timedelta(days=7)  # then the win is the main action
    page = opened(visit(build.CONTOSO), address(deals.young(cast, close_date=soon)))
    action = page.get_by_role("link", name="Mark as won")
    tab_to(page, action)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(":focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(action).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search", exact=True)).to_be_focused()
    page.keyboard.type("plant")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Results for “plant”", level=1)).to_be_visible()
    expect(page.locator("main a.o-hit")).to_have_count(1)


def tab_to(page: Page, target: Any) -> None:
    """As somebody without a mouse does, past everything before it."""
    for _step in range(100):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail("Tab never reaches it")


def test_a_deal_is_created_with_the_keyboard_alone(cast: Cast, visit: Visit) -> None:
    """Every step of the wizard: typed, chosen with the arrows, sent with Enter."""
    page = visit(build.CONTOSO)
    page.goto(reverse("new_deal"))
    tab_to(page, page.get_by_label("Country"))
    page.keyboard.type("Germ")
    tab_to(page, page.get_by_role("textbox", name="Customer"))
    page.keyboard.type("nordw")
    expect(page.get_by_role("radio", name=re.compile("Nordwerk"))).to_be_checked()
    tab_to(page, page.get_by_label("Contact's name"))
    page.keyboard.type("Deniz Aksoy")
    with page.expect_navigation():
        page.keyboard.press("Enter")  # in a field: on with the next step
    tab_to(page, page.get_by_label("Deal name"))
    page.keyboard.type("Typed deal")
    tab_to(page, page.get_by_label("Estimated value"))
    page.keyboard.type("40000")
    tab_to(page, page.get_by_label("Currency"))
    page.keyboard.type("EUR")
    tab_to(page, page.get_by_label("Estimated close date"))
    page.keyboard.type((timezone.now() + timedelta(days=30)).strftime("%d %b %Y"))
    tab_to(page, page.get_by_label(re.compile(r"^Location\W*$")))
    page.keyboard.type("Ber")
    press(page, "Continue")
    press(page, "Add a person")
    expect(page.get_by_label("First name").nth(1)).to_be_focused()
    press(page, "Remove person 2")
    press(page, "Continue")
    tab_to(page, page.get_by_label("Contoso Factory Insights"))
    page.keyboard.press("Space")
    press(page, "Continue")
    tab_to(page, page.get_by_label("No help required"))
    tab_to(page, page.get_by_label("No, keep it private"))
    page.keyboard.press("ArrowDown")
    expect(page.locator(".o-forecast")).to_contain_text("Partner-led")
    press(page, "Continue")
    press(page, "Create deal")
    expect(page.get_by_role("heading", name="Typed deal", level=1)).to_be_visible()


def press(page: Page, button: str) -> None:
    """The button of this name, by Tab and Enter; on to what it opens."""
    tab_to(page, page.get_by_role("button", name=button, exact=True))
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_the_main_path_works_without_javascript(cast: Cast, visit: Visit) -> None:
    """Create (the customer by the button *Find*), accept, win, and see the form to register."""
    plain = {"java_script_enabled": False}
    contoso = visit(build.CONTOSO, **plain)
    contoso.goto("/")
    create(contoso)
    deal = contoso.url
    seller = visit(build.SELLER, **plain)
    seller.goto("/")
    seller.get_by_role("link", name=re.compile("Plain deal")).first.click()
    seller.get_by_role("link", name="Accept").click()
    seller.get_by_role("button", name="Accept").click()
    expect(seller.locator(".o-head__badges")).to_contain_text("Accepted")
    contoso.goto(deal)
    deals.act(contoso, "Mark as won")
    expect(contoso.locator("main .o-banner--warning").first).to_contain_text("The deal is not 72 hours old.")
    contoso.get_by_role("button", name="Mark as won now").click()
    contoso.get_by_role("link", name="Register now").click()
    contoso.get_by_role("button", name="File the registration").click()
    expect(contoso.locator(".o-errors")).to_contain_text("Say whether this is a marketplace sale.")


def create(page: Page) -> None:
    page.get_by_role("link", name="New deal").click()
    page.get_by_label("Country").select_option("DE")
    page.get_by_role("textbox", name="Customer").fill("nordw")
    page.get_by_label("Contact's name").fill("Deniz Aksoy")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("radio", name=re.compile("Nordwerk Maschinenbau"))).to_be_checked()
    expect(page.locator(".o-errors")).to_have_count(0)
    expect(page.get_by_label("Contact's name")).to_have_value("Deniz Aksoy")
    page.get_by_label("Contact's phone").fill("+90 532 555 01 01")
    page.get_by_label("Contact's e-mail").fill("deniz@customer.example")
    page.get_by_label("The contact agrees that").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Deal name").fill("Plain deal")
    page.get_by_label("Estimated value").fill("40000")
    page.get_by_label("Currency").select_option("EUR")
    page.get_by_label("Estimated close date").fill((timezone.now() + timedelta(days=30)).date().isoformat())
    page.get_by_label(re.compile(r"^Location\W*$")).select_option(label="Berlin (4301003)")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Add a person").click()
    expect(page.get_by_role("group", name="Person 2")).to_be_visible()
    page.get_by_role("button", name="Remove person 2").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Contoso Factory Insights").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Proof of concept").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Create deal").click()
    expect(page.get_by_role("heading", name="Plain deal", level=1)).to_be_visible()
