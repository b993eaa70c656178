"""Licences in two browsers: a partner hands them out, a customer's admin without an account consents and assigns."""

from __future__ import annotations

import re
from typing import Any

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from isvconnect.models import IsvDeal
from licensing.models import Licences, Relationship
from portal.demo.cast import Cast
from tests import build, licences
from tests.e2e.conftest import Visit
from tests.e2e.portal import Portal, wait_for
from tests.e2e.test_access import PHONE, problems
from tests.licences import ADMIN


def address(deal: IsvDeal, name: str = "isv_licences", *more: Any) -> str:
    return reverse(name, args=[deal.public_id, *more])


def mailed(portal: Portal, subject: str, pattern: str) -> str:
    """What the newest mail to the customer's admin says."""
    portal.beat("portal.notify.tasks.deliver_due")
    mail = wait_for(lambda: portal.mailbox.find(to=ADMIN, subject=subject), subject)
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(pattern, body.get_content(), re.MULTILINE)
    assert found, body.get_content()
    return found[1]


def invited(page: Page) -> str:
    """The link, as the partner copies it."""
    page.get_by_role("button", name="Invite new customer for consent").click()
    field = page.get_by_label("Link", exact=True)
    expect(field).to_have_attribute("readonly", "")
    return field.input_value()


def consented(page: Page, portal: Portal, link: str) -> None:
    """The customer's admin accepts, in a browser of their own."""
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("Contoso Yazılım asks for your consent")
    page.get_by_label("Your name").fill("Defne Kaya")
    page.get_by_label("Your e-mail address").fill(ADMIN)
    page.get_by_role("button", name="Accept: send me a code").click()
    expect(page.locator("main")).to_contain_text(f"A code was sent to {ADMIN}.")
    page.get_by_label("Code").fill(mailed(portal, "Your code for Contoso Yazılım", r"^\s*(\d{6})\s*$"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You consented")


def count_of(page: Page, plan: str) -> Any:
    return page.get_by_label(f"Licences of {plan}")


def test_lic_4_from_the_invitation_to_a_reduction_that_is_refused(cast: Cast, portal: Portal, visit: Visit) -> None:
    deal = licences.isv_deal(cast)
    partner, customer = visit(build.CONTOSO), visit()
    partner.goto(address(deal, "isv_deal"))
    partner.get_by_role("link", name="Manage licences").click()
    update = partner.get_by_role("button", name="Update licences", exact=True)
    expect(update).to_be_disabled()
    expect(partner.locator("#judgement")).to_contain_text("Choose a customer")
    consented(customer, portal, invited(partner))
    partner.get_by_role("link", name="Done").click()
    expect(partner.locator("#invitations")).to_contain_text("Accepted")
    partner.get_by_label("Plan to add").select_option("Basic")
    partner.get_by_role("button", name="Add plan").click()
    expect(update).to_be_disabled()
    count_of(partner, "Basic").fill("30")
    expect(partner.locator("#judgement")).to_contain_text("Ready to update")
    update.click()
    expect(partner.locator("main")).to_contain_text("The licences were updated.")
    expect(partner.locator("#history")).to_contain_text("Basic 0 → 30")
    customer.get_by_role("link", name="Open the licence page").click()
    customer.get_by_role("link", name="People with Basic").click()
    customer.get_by_label("E-mail addresses").fill("\n".join(licences.people(12)))
    customer.get_by_role("button", name="Give them a licence").click()
    expect(customer.locator("main")).to_contain_text("Done: 12 of 30 licences are given out.")
    expect(customer.locator("#people")).to_contain_text("person11@anadolu.example")
    count_of(partner, "Basic").fill("5")  # the page is older than what the customer did
    update = partner.get_by_role("button", name="Update licences", exact=True)
    expect(partner.locator("#judgement")).to_contain_text("12 licences of Basic are assigned.")
    expect(update).to_be_disabled()
    count_of(partner, "Basic").press("Enter")
    expect(partner.get_by_role("alert")).to_contain_text("12 licences of Basic are assigned.")
    expect(count_of(partner, "Basic")).to_have_value("5")
    expect(partner.locator("main")).not_to_contain_text("person11@anadolu.example")
    count_of(partner, "Basic").fill("12")
    expect(partner.locator("#judgement")).to_contain_text("Ready to update")
    partner.get_by_role("button", name="Update licences", exact=True).click()
    expect(partner.locator("#history")).to_contain_text("Basic 30 → 12")
    assert licences.counts(Licences.objects.get()) == {"basic": (12, 12)}


def test_lic_4_the_link_in_the_mail_opens_the_page_once(cast: Cast, portal: Portal, visit: Visit) -> None:
    """Then it is asked for again; taking the consent back freezes the counts (LIC-7)."""
    deal = licences.isv_deal(cast)
    licences.updated(cast, deal, licences.consented(cast, deal, now=timezone.now()), now=timezone.now(), basic=3)
    page = visit()
    page.goto(reverse("licence_link"))
    page.get_by_label("E-mail").fill(ADMIN.upper())
    page.get_by_role("button", name="Send me the link").click()
    expect(page.locator("main")).to_contain_text("a link to its licence page is on its way")
    link = mailed(portal, "Contoso Yazılım lisansları için bağlantınız", r"(http\S+/licences/\S+/)")
    page.goto(link)
    page.get_by_role("button", name="Open the licence page").click()
    expect(page.locator("main")).to_contain_text("Basic")
    again = visit().request.get(link)
    assert (again.status, "This link was used already" in again.text()) == (410, True)
    page.get_by_role("link", name="Take the consent back").click()
    page.get_by_role("button", name="Take the consent back").click()
    expect(page.locator("main")).to_contain_text("You took the consent back.")
    partner = visit(build.CONTOSO)
    partner.goto(address(deal))
    expect(partner.locator("main")).to_contain_text("The customer took the consent back")
    count_of(partner, "Basic").fill("4")
    expect(partner.locator("#judgement")).to_contain_text("but not raised")


def test_the_pages_of_licences_work_without_javascript(cast: Cast, portal: Portal, visit: Visit) -> None:
    deal = licences.isv_deal(cast)
    licences.consented(cast, deal, now=timezone.now())
    page = visit(build.CONTOSO, java_script_enabled=False)
    page.goto(address(deal))
    page.get_by_label("Plan to add").select_option("Basic")
    page.get_by_role("button", name="Add plan").click()
    count_of(page, "Basic").fill("0")
    page.locator("#update").get_by_role("button", name="Update licences").click()
    expect(page.get_by_role("alert")).to_contain_text("above zero")
    count_of(page, "Basic").fill("7")
    page.locator("#update").get_by_role("button", name="Update licences").click()
    expect(page.locator("main")).to_contain_text("The licences were updated.")
    page.get_by_role("link", name="Remove Basic").click()
    page.get_by_role("button", name="Remove the plan").click()
    expect(page.locator("main")).to_contain_text("Basic was removed.")


def test_the_pages_of_licences_have_no_barrier_and_fit_a_phone(cast: Cast, portal: Portal, visit: Visit) -> None:
    now = timezone.now()
    given = licences.given(cast, now=now, basic=10, premium=3)
    licences.assigned(given, *licences.people(3), "a" * 60 + "@" + "ö" * 60 + ".example", now=now)
    fresh = licences.isv_deal(cast)
    waiting = licences.invited(cast, fresh, now=now)
    asked = licences.invited(cast, licences.isv_deal(cast), now=now)
    plan = licences.plan(given.deal)
    partner = visit(build.CONTOSO)
    found = []
    for name, url in {
        "deal": address(given.deal, "isv_deal"),
        "manage": address(given.deal),
        "manage, before the first update": address(fresh),
        "remove": address(given.deal, "isv_remove_plan", plan.pk),
        "withdraw": address(fresh, "isv_withdraw_invitation", waiting.invitation.public_id),
    }.items():
        found += problems(partner, name, url)
    partner.goto(address(fresh))
    invited(partner)
    partner.set_viewport_size(PHONE)
    customer = visit()
    relationship = Relationship.objects.get()
    for name, url in {
        "consent": reverse("consent", args=[asked.token]),
        "code": reverse("consent", args=[asked.token]) + "?code",
        "licence link": reverse("licence_link"),
        "enter": reverse("licence_page", args=[licences.newest_link(relationship)]),
    }.items():
        found += problems(customer, name, url)
    customer.get_by_role("button", name="Open the licence page").click()
    for name, url in {
        "licences": reverse("customer_licences", args=[relationship.public_id]),
        "people": reverse("customer_plan", args=[relationship.public_id, given.public_id, plan.pk]),
        "revoke": reverse("revoke_consent", args=[relationship.public_id]),
    }.items():
        found += problems(customer, name, url)
    assert not found, "\n".join(found)
