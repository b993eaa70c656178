"""ISV Connect in a browser: a won sale with both tags, registered twice, invoiced by the worker; its PDF (ISV-2)."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from isvconnect.models import Invoice, IsvDeal
from portal.demo.cast import Cast
from referrals.models import Referral
from tests import build, do, isv
from tests.e2e import deals
from tests.e2e.conftest import Visit
from tests.e2e.portal import Portal, wait_for
from tests.e2e.test_access import problems
from tests.e2e.test_main_path import expect_state, fill_registration

BANNER = "Registration for Business Applications ISV Connect is required on this sale."


def today() -> date:
    return timezone.now().date()


def address(deal: Referral, name: str = "deal") -> str:
    return reverse(name, args=[deal.public_id])


def own(deal: IsvDeal) -> str:
    return reverse("isv_deal", args=[deal.public_id])


def dates(start: date | None = None) -> dict[str, Any]:
    """A contract of three years from this day on, or today."""
    start = start or today()
    return {"signed": start, "start": start, "end": start.replace(year=start.year + 3) - timedelta(days=1)}


def test_isv_2_a_won_sale_with_both_tags_is_registered_twice_and_invoiced(
    portal: Portal, cast: Cast, visit: Visit
) -> None:
    """ISV-4, ISV-6: what the co-sell registration says is filled in, and the worker issues the first invoice."""
    isv.rates(cast, now=timezone.now())
    deal = deals.won(cast, name="Bakery ovens", solutions=[isv.tagged(cast)])
    page = visit(build.CONTOSO)
    page.goto("/")
    expect(page.locator("#needs")).to_contain_text("Register for ISV Connect: Bakery ovens")
    page.goto(address(deal))
    expect(page.locator("main")).to_contain_text(BANNER)
    expect(page.locator("main")).to_contain_text("Do that first: what you enter there is filled in here.")
    page.get_by_role("link", name="Register now").click()
    fill_registration(page)
    page.get_by_role("button", name="File the registration").click()
    expect_state(page, "Approved")
    page.locator(".o-foot").get_by_role("link", name="Register for ISV Connect").click()
    report(page)
    made = IsvDeal.objects.get()
    assert (made.referral, made.tcv, made.status) == (deal, 40_000, "submitted")
    IsvDeal.objects.update(next_due_on=today())  # a day later
    made.installments.filter(number=1).update(due_on=today())
    portal.beat("isvconnect.tasks.issue_due")
    invoice = wait_for(Invoice.objects.filter(deal=made).first, "the sweep that issues invoices")
    page.goto(own(made))
    expect(page.locator("#invoices")).to_contain_text(invoice.number)
    with page.expect_download() as download:
        page.get_by_role("link", name=f"PDF {invoice.number}").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
    page.get_by_role("link", name="Bakery ovens").click()
    expect(page.locator("main")).not_to_contain_text(BANNER)
    expect(page.locator(".o-head__badges").get_by_role("link", name=re.compile("ISV Connect"))).to_be_visible()


def report(page: Page) -> None:
    """What is missing is typed; the schedule and the dry run follow (ISV-3, ISV-6)."""
    expect(page.locator("#id_tcv")).to_have_value("40,000")
    expect(page.get_by_label("Contract signed")).not_to_have_value("")
    page.get_by_label("Customer tenant").check()
    page.get_by_label("Tenant id of the customer").fill("not an id")
    page.get_by_label("Tenant id of the customer").press("Tab")
    expect(page.locator("#id_tenant_guid_error")).to_contain_text("This is no tenant id")
    page.get_by_label("Tenant id of the customer").fill(str(isv.TENANT))
    expect(page.locator("#id_tenant_guid_error")).to_be_empty()
    expect(page.locator("#schedule")).to_contain_text("Fee: 20% of the solution value")
    expect(page.locator("#judgement")).to_contain_text("This deal can be submitted")
    page.get_by_role("button", name="Submit the deal").click()
    expect(page.locator("main")).to_contain_text("The deal was submitted.")


def test_isv_2_a_direct_sale_is_reported_with_the_customer_found_as_one_types(cast: Cast, visit: Visit) -> None:
    page = visit(build.CONTOSO)
    page.goto(reverse("isv_deals"))
    page.get_by_role("link", name="Report closed ISV Connect deal").first.click()
    page.get_by_label("Country").select_option("TR")
    page.get_by_role("textbox", name="Customer").press_sequentially("ege")
    expect(page.locator("#customers").get_by_role("radio")).to_have_count(1)
    page.get_by_label(re.compile(r"^Solution\W*$")).select_option(label="Contoso Field Service (SOL-10003-CTS)")
    page.get_by_label(re.compile(r"^Location\W*$")).select_option(label="Istanbul (4301001)")
    page.get_by_label("Azure").check()
    page.get_by_label("Partner tenant").check()
    expect(page.get_by_label("Tenant id of the customer")).to_be_hidden()
    page.get_by_label("Total contract value").fill("4000")
    page.get_by_label("Solution value").fill("5000")
    expect(page.locator("#id_tcv_error")).to_contain_text("has to be above 5,000 USD")
    page.get_by_label("Total contract value").fill("9000")
    for name, day in dates().items():
        page.get_by_label(f"Contract {name}").fill(day.isoformat())
    expect(page.locator("#schedule")).to_contain_text("3 invoices")
    expect(page.locator("#schedule")).to_contain_text("No fee rate was in force")
    expect(page.locator("#customers").get_by_role("radio")).to_have_count(1)
    page.get_by_role("button", name="Submit the deal").click()
    expect(page.locator("main")).to_contain_text("The invoices wait for a fee rate.")
    assert IsvDeal.objects.get().customer == cast.customers["ege"]


def test_the_pages_of_isv_connect_have_no_barrier_and_fit_a_phone(cast: Cast, visit: Visit) -> None:
    now = timezone.now()
    isv.rates(cast, now=now)
    waiting = isv.deal(cast, now=now, **dates() | {"signed": date(2019, 1, 1)})
    submitted = isv.deal(cast, now=now, **dates())
    running, cancelled = (isv.deal(cast, now=now - build.DAY, **dates(today() - build.DAY)) for _again in range(2))
    do.issue_invoices(running, now=now)
    isv.cancelled(cast, of=do.issue_invoices(cancelled, now=now), now=now, credit_issued=True)
    sold, done = (deals.won(cast, name=name, solutions=[isv.tagged(cast)]) for name in ("Sold", "Done"))
    isv.deal(cast, referral=done, now=now, **dates())
    before = build.accepted(cast, at=now - build.DAY, name="Before", solutions=[isv.tagged(cast)])
    act = reverse("isv_deal_action", args=[submitted.public_id, "correct"])
    pages = {
        "report": reverse("report_isv_deal"),
        "report of a referral": address(sold, "report_isv_deal_of"),
        "correct": act,
        **{deal.status: own(deal) for deal in (submitted, running)},
        "waiting": own(waiting),
        "cancelled": own(cancelled),
        "sold": address(sold),
        "done": address(done),
        "before": address(before),
        "insights": reverse("insights"),
    }
    page, manager = visit(build.CONTOSO), visit(isv.MANAGER)
    found = [problem for name, url in pages.items() for problem in problems(page, name, url)]
    cancel = reverse("isv_deal_action", args=[running.public_id, "cancel"])
    assert [*found, *problems(manager, "cancel", cancel)] == []
