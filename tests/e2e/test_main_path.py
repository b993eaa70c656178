"""The programme's main job in a browser, on real processes: create, accept, win, register, review, correct, close."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from playwright.sync_api import Page, expect

from dealreg.models import Registration, Status
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.notify.models import Notice
from referrals.models import Referral
from tests import build
from tests.e2e import deals
from tests.e2e.conftest import Visit, sign_in
from tests.e2e.portal import Portal, wait_for

DEAL = "Fırın kameraları"
ISTANBUL_TIME = ZoneInfo("Europe/Istanbul")
WORKER_MS = 5000  # how soon the page must show what the worker found
#: A plain registration takes fewer fields than so many, the win's included (docs/ux.md).
MOST_FIELDS = 12
#: Keeps the name of each field that is filled in, over all pages.
COUNT_FIELDS = """
  document.addEventListener("input", ({ target }) => {
    const filled = new Set(JSON.parse(localStorage.filled ?? "[]")).add(`${location.pathname} ${target.name}`);
    localStorage.filled = JSON.stringify([...filled]);
  }, true);
"""
COMMENT = "The solution value in the contract is lower. Please correct it."


def test_a_deal_from_its_creation_to_its_closed_registration(portal: Portal, cast: Cast, visit: Visit) -> None:
    """REF-10, REF-18, ELIG-9, REG-15, FLOW-1, FLOW-2, FLOW-5: done when 1."""
    contoso = visit()
    sign_in(contoso, build.CONTOSO)
    deal = create_deal(contoso)
    accept_deal(visit(build.SELLER))
    contoso.context.add_init_script(COUNT_FIELDS)
    win_early(contoso, deal)
    contoso.get_by_role("link", name="Register now").click()
    fill_registration(contoso)
    expect_route(contoso, "would go to the review team", "won less than 72 hours after its creation")
    assert len(json.loads(contoso.evaluate("localStorage.filled"))) < MOST_FIELDS
    file(contoso, "File the registration")
    expect_state(contoso, "Review (Pending)", "won less than 72 hours after its creation")

    reviewer = visit(build.REVIEWER)
    send_back(reviewer)
    read_mail(portal, contoso, deal)
    correct(contoso)
    pass_review(reviewer)
    Registration.objects.update(close_due_at=timezone.now())  # a day later
    portal.beat("dealreg.tasks.close_decided")
    closed = Registration.objects.filter(status=Status.CLOSED)
    wait_for(closed.exists, "the close sweep")
    contoso.goto(deal)
    expect_state(contoso, "Review (Passed)", "Closed · Review (Passed)")
    assert_timeline(contoso)


def test_a_deal_won_after_72_hours_is_approved_at_once(cast: Cast, visit: Visit) -> None:
    """FLOW-2, REF-18: nothing sends it to a reviewer, and the page says so before it is filed."""
    contoso = visit(build.CONTOSO)
    contoso.goto(f"/co-sell/{deals.won(cast).public_id}/registration/")
    mistype(contoso)
    fill_registration(contoso)
    expect_route(contoso, "would be approved automatically")
    file(contoso, "File the registration")
    expect_state(contoso, "Approved", "Until it closes the review team may still select it")


# Contoso creates, the vendor's seller accepts


def create_deal(page: Page) -> str:
    """REF-1, REF-5: the customer is found as one types, the deal type follows the answers; returns its address."""
    page.get_by_role("link", name="New deal").click()
    page.get_by_label("Country").select_option("TR")
    page.get_by_role("textbox", name="Customer").press_sequentially("anadolu c")
    found = page.locator("#customers")
    expect(found.get_by_role("radio")).to_have_count(2)
    found.get_by_role("radio", name=re.compile("Istanbul.*510000011")).check()
    page.get_by_label("Contact's name").fill("Deniz Aksoy")
    page.get_by_label("Contact's phone").fill("+90 532 555 01 01")
    page.get_by_label("Contact's e-mail").fill("deniz@customer.example")
    page.get_by_label("The contact agrees that").check()
    expect(page.locator("#saved")).to_contain_text("Draft saved")
    page.goto("/")  # closing the page loses nothing
    page.locator("#drafts").get_by_role("link", name="Deal without a name", exact=True).click()
    expect(page.locator("#deal").get_by_text("Deal name: This has to be filled in.")).to_be_visible()
    page.get_by_role("button", name="Customer").click()
    expect(page.get_by_label("Contact's e-mail")).to_have_value("deniz@customer.example")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Deal name").fill(DEAL)
    page.get_by_label("Estimated value").fill("40000")
    page.get_by_label("Currency").select_option("EUR")
    page.get_by_role("button", name="Choose a day").click()
    page.get_by_role("button", name="The month after").click()
    close = (today().replace(day=1) + timedelta(days=32)).replace(day=15)
    page.get_by_role("button", name=f"{close:%-d %b %Y}", exact=True).click()
    expect(page.get_by_label("Estimated close date")).to_have_value(f"{close:%-d %b %Y}")
    page.get_by_label(re.compile(r"^Location\W*$")).select_option(label="Istanbul (4301001)")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Contoso Factory Insights").check()
    page.get_by_role("button", name="Continue").click()
    forecast = page.locator(".o-forecast")
    expect(forecast).to_contain_text("Can't be registered as it stands")
    expect(forecast).to_contain_text("Private deal")
    page.get_by_label("Proof of concept").check()
    expect(forecast).to_contain_text("Can be registered once won")
    expect(page.get_by_label("Yes, they may view it")).to_be_checked()
    expect(page.get_by_label("No, keep it private")).to_be_disabled()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Create deal").click()
    expect(page.get_by_role("heading", name=DEAL, level=1)).to_be_visible()
    expect(page.locator(".o-head__badges")).to_contain_text("Accepted")
    expect(page.locator(".o-head__sub")).to_contain_text("40,000 EUR")
    return page.url


def accept_deal(page: Page) -> None:
    """REF-12: what waits for an answer stands on the seller's home."""
    page.goto("/")
    page.get_by_role("link", name=re.compile(DEAL)).first.click()
    expect(page.locator(".o-banner--warning")).to_contain_text("Contoso Yazılım sent you this deal")
    page.get_by_role("link", name="Accept").click()
    page.get_by_role("button", name="Accept").click()
    expect(page.locator(".o-head__badges")).to_contain_text("Accepted")


def win_early(page: Page, deal: str) -> None:
    """REF-18: a plain warning that names the hour from which it is safe, in the person's zone; then it is allowed."""
    created = Referral.objects.get(name=DEAL, company__name="Contoso Yazılım").created_at
    safe = timezone.localtime(created + timedelta(hours=72), timezone=ISTANBUL_TIME)
    page.goto(deal)
    deals.act(page, "Mark as won")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(
        f"The deal is not 72 hours old. If you win it before {safe:%-d %b %Y, %H:%M} UTC+03, "
        "its registration goes to the review team and may be rejected."
    )
    expect(dialog.get_by_role("button", name="Win at the safe hour instead")).to_be_visible()
    dialog.get_by_role("button", name="Mark as won now").click()
    expect(page.locator(".o-banner--info")).to_contain_text("This deal can be registered.")


# The registration


def today() -> date:
    return timezone.now().date()


def fill_registration(page: Page) -> None:
    """A year from today on, so that the annual value is the contract's (REG-5)."""
    answer(page, "Is it a marketplace transaction?", "No")
    answer(page, "Where is the solution deployed?", "Azure")
    answer(page, "Tenant type", "Customer tenant")
    answer(page, "Pricing model", "Other")
    answer(page, "Contract term", "Finite")
    page.get_by_label("Contract signed").fill(today().isoformat())
    page.get_by_label("Contract start").fill(today().isoformat())
    page.get_by_label("Contract end").fill((today() + timedelta(days=364)).isoformat())
    expect(page.get_by_label("Total contract value")).to_have_value("40,000")
    page.get_by_label("Solution value").fill("30000")
    page.get_by_label("My company holds the contract with the customer").check()


def mistype(page: Page) -> None:
    """Nothing is said of a field before it was left; afterwards its error and its border go with the mending. Once
    the form was refused there is one list on top, and its heading counts what is left of it."""
    signed, error = page.get_by_label("Contract signed"), page.locator("#id_signed_error")
    errors = page.locator("#errors")
    with page.expect_response("**/registration/check/**"):
        signed.fill((today() + timedelta(days=3)).isoformat())
    expect(error).to_be_empty()
    page.get_by_label("Contract start").focus()
    expect(error).to_contain_text("can't have been signed after today")
    expect(signed).to_have_attribute("aria-invalid", "true")
    signed.fill(today().isoformat())
    expect(error).to_be_empty()
    expect(signed).not_to_have_attribute("aria-invalid", "true")
    expect(errors).to_be_empty()
    page.get_by_role("button", name="File the registration").click()
    expect(errors.get_by_role("listitem")).to_have_count(8)
    expect(errors).to_contain_text("8 things need to be corrected")
    answer(page, "Tenant type", "Customer tenant")
    expect(errors).to_contain_text("7 things need to be corrected")
    expect(errors.get_by_role("listitem")).to_have_count(7)
    expect(page.get_by_label("Contract end")).to_be_hidden()


def answer(page: Page, question: str, choice: str) -> None:
    page.get_by_role("group", name=question).get_by_label(choice, exact=True).check()


def expect_route(page: Page, *words: str) -> None:
    """REG-15: the side card reckons as one types, before anything is filed."""
    side = page.locator("#judgement")
    expect(side.locator("#acv")).to_contain_text("40,000 EUR")
    expect(side.locator("#acv")).to_contain_text("44,000 USD")
    for word in words:
        expect(side.locator(".o-route").first).to_contain_text(word)
    assert Registration.objects.get().submitted_at is None


def file(page: Page, button: str) -> None:
    page.get_by_role("button", name=button).click()
    expect(page.locator("#registration-form")).to_have_count(0)


def expect_state(page: Page, state: str, reason: str = "") -> None:
    """FLOW-1: the page follows by itself, within seconds."""
    expect(page.locator(".o-head__badges")).to_contain_text(state, timeout=WORKER_MS)
    expect(page.locator(".o-deal__ask > .o-banner").first).to_contain_text(reason, timeout=WORKER_MS)


# The review


def send_back(page: Page) -> None:
    """FLOW-5: with a reason and a comment that the partner reads."""
    page.goto("/admin/dealreg/registration/")
    page.get_by_role("link", name=DEAL).click()
    expect(page.locator("#reasons")).to_contain_text("AUTO-4")
    page.locator("summary", has_text="Send back for correction").click()
    form = page.locator("form", has=page.get_by_role("button", name="Send back for correction"))
    form.get_by_label("Reason").select_option("value_does_not_match_contract")
    form.get_by_label("Comment for the partner").fill(COMMENT)
    form.get_by_role("button", name="Send back for correction").click()
    expect(page.locator(".messagelist")).to_contain_text(DEAL)


def read_mail(portal: Portal, page: Page, deal: str) -> None:
    """REF-24, JOB: the worker mails the deal's team; the mail's link leads to the banner with the same words."""
    portal.beat("portal.notify.tasks.deliver_due")
    to, subject = build.CONTOSO, f"Action required: registration of {DEAL}"
    mail = wait_for(lambda: portal.mailbox.find(to=to, subject=subject), f"the mail “{subject}”")
    words = mail.get_body(("plain",)).get_content()
    assert COMMENT in words
    assert deal in words
    sent = Notice.objects.filter(email=to, event__verb="registration.action_required", sent_at__isnull=False)
    wait_for(sent.exists, "the notice to be noted as sent")
    page.goto(deal)
    expect_state(page, "Action required", COMMENT)
    expect(page.locator(".o-deal__ask > .o-banner").first).to_contain_text("The contract value doesn't match")


def correct(page: Page) -> None:
    """FLOW resubmit: what was stated is still there; only now can it be changed."""
    page.get_by_role("link", name="Correct and resubmit").first.click()
    expect(page.locator(".o-banner--danger").first).to_contain_text(COMMENT)
    expect(page.get_by_label("Contract signed")).to_have_value(f"{today():%-d %b %Y}")
    page.get_by_label("Solution value").fill("28000")
    file(page, "Resubmit")
    expect_state(page, "Review (Pending)", "won less than 72 hours after its creation")
    assert Registration.objects.get().solution_value == 28_000


def pass_review(page: Page) -> None:
    page.goto("/admin/dealreg/registration/")
    page.get_by_role("link", name=DEAL).click()
    expect(page.locator("#claim")).to_contain_text("28,000 EUR")
    page.get_by_label("Validated by").select_option("poe")
    page.get_by_role("button", name="Pass the review").click()
    expect(page.locator(".messagelist")).to_contain_text(DEAL)


def assert_timeline(page: Page) -> None:
    """Everything that happened, newest first, as the partner reads it; and each step was one event."""
    assert page.locator("#timeline .o-time__text").all_inner_texts() == [
        "The registration was closed",
        "The registration passed the review",
        "The registration was corrected and resubmitted",
        "The registration was sent back: The contract value doesn't match the signed contract.",
        "The registration was checked: Review (Pending)",
        "The registration was filed",
        "The deal can be registered",
        "Contoso Yazılım won the deal",
        "Microsoft accepted the deal",
        "Microsoft was invited",
        "Contoso Yazılım created the deal",
    ]
    assert Event.objects.filter(verb="registration.routed").count() == 1
