"""A manager's day with companies, in a browser: one is closed, and goes into the one that it doubles (ORG-1, ORG-2)."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import expect

from portal.accounts import services
from portal.accounts.models import Company
from portal.accounts.rules import Grant
from portal.demo.cast import Cast
from tests.e2e.conftest import Visit

MANAGER, ADMIN = "manager@vendor.example", "admin@contoso.example"


def test_a_company_is_closed_and_merged_while_somebody_of_it_is_signed_in(visit: Visit, cast: Cast) -> None:
    by = {"actor": cast.actor(MANAGER), "now": timezone.now()}
    twin = services.create_company(name="Contoso Yazilim A.S.", country="TR", **by)
    person = cast.users["referrals@northwind.example"]
    services.set_membership(user=person, company=twin, grants=[Grant("account_admin")], **by)
    services.set_membership(user=person, company=cast.companies["northwind"], grants=[], is_active=False, **by)
    theirs = visit(person.email)
    theirs.goto("/")
    expect(theirs.get_by_role("main")).to_be_visible()

    page = visit(MANAGER)
    page.goto(f"/admin/accounts/company/{twin.pk}/change/")
    page.get_by_role("link", name="Close", exact=True).click()
    page.get_by_role("button", name="Close the company").click()
    expect(page.get_by_text("Say why.")).to_be_visible()
    page.get_by_label("Why it is closed").fill("The same as Contoso Yazılım")
    page.get_by_role("button", name="Close the company").click()
    expect(page.get_by_text("The same as Contoso Yazılım").first).to_be_visible()

    theirs.reload()
    expect(theirs.get_by_text("Contoso Yazilim A.S. was closed in this programme")).to_be_visible()

    Company.objects.filter(pk=twin.pk).update(closed_at=timezone.now() - timedelta(minutes=2))
    page.get_by_role("link", name="Merge", exact=True).click()
    page.get_by_label("Contoso Yazılım · TR").check()
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("table", name="What follows")).to_be_visible()
    page.get_by_role("button", name="Merge into Contoso Yazılım").click()
    expect(page.get_by_text("Contoso Yazilim A.S. was merged into Contoso Yazılım.")).to_be_visible()
