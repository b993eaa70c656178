"""Registrations in a browser, with a real worker: the draft, renewals, marketplace sales, and an end taken back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from dealreg import sweeps
from dealreg.models import MarketplaceTransaction, Registration, RegistrationDraft, Status
from dealreg.rules.marketplace import COLUMNS
from portal.demo.cast import Cast
from portal.policy import services as policies
from referrals.models import Referral
from tests import build, do
from tests.e2e import deals
from tests.e2e.conftest import Visit
from tests.e2e.portal import wait_for
from tests.e2e.test_access import problems
from tests.e2e.test_main_path import expect_state, fill_registration

MANAGER = "manager@vendor.example"
IMPORT = "admin:dealreg_marketplacetransaction_import"


def today() -> date:
    return timezone.now().date()


def address(deal: Referral, name: str = "deal") -> str:
    return reverse(name, args=[deal.public_id])


def test_reg_19_the_draft_survives_closing_the_tab_and_moves_the_deadline(cast: Cast, visit: Visit) -> None:
    """FLOW-8: the day follows the signing that was typed, on the deal's page, home and Deadlines."""
    deal, policy = deals.won(cast, name="Ovens"), policies.current(timezone.now())
    signed = today() - timedelta(days=50)
    window = timedelta(days=policy.registration_window_days)
    perhaps, certain = (f"{day + window:%-d %b}" for day in (deal.closed_at.date(), signed))
    page = visit(build.CONTOSO)
    pages = {address(deal): ".o-deal__ask > .o-banner", "/": "#needs", reverse("deadlines"): ".o-deadlines"}
    for url, place in pages.items():
        page.goto(url)
        expect(page.locator(place).first).to_contain_text(perhaps)
    page.goto(address(deal, "registration"))
    page.get_by_label("Contract signed").fill(signed.isoformat())
    page.get_by_label("Total contract value").fill("1.000,5 or so")
    expect(page.locator("#judgement")).to_contain_text("Draft saved by Rüya İpekçi")
    typed = RegistrationDraft.objects.filter(answers__contains={"tcv": "1.000,5 or so"})
    wait_for(typed.exists, "the second field to be saved, too")
    browser = page.context
    page.close()

    page = browser.new_page()
    page.goto(address(deal, "registration"))
    expect(page.get_by_label("Contract signed")).to_have_value(f"{signed:%-d %b %Y}")
    expect(page.get_by_label("Total contract value")).to_have_value("1.000,5 or so")
    for url, place in pages.items():
        page.goto(url)
        expect(page.locator(place).first).to_contain_text(certain)
        expect(page.locator(place).first).not_to_contain_text("on the day of the win")
    assert RegistrationDraft.objects.get().signed == signed
    assert Registration.objects.get().submitted_at is None


def test_reg_18_a_renewal_is_filed_and_the_reviewer_sees_both(cast: Cast, visit: Visit) -> None:
    """Its start, too long ago otherwise, isn't judged; the reviewer reads the two beside each other."""
    first = deals.filed(cast, deals.won(cast, name="First year"))
    sweeps.route_once(first, now=timezone.now())
    first = Registration.objects.with_context().get(pk=first.pk)
    assert first.status == Status.APPROVED
    deal = deals.won(cast, name="Second year", customer=first.referral.engagement.customer)
    page = visit(build.CONTOSO)
    page.goto(address(deal, "registration"))
    fill_registration(page)
    page.get_by_label("Total contract value").fill("4000000")
    page.get_by_label("Contract start").fill((today() - timedelta(days=300)).isoformat())
    side, too_old = page.locator("#judgement"), page.locator("#id_start_error")
    expect(too_old).to_contain_text("90 days")
    page.get_by_label("Renewal of").select_option(str(first.public_id))
    expect(too_old).to_be_empty()
    expect(side).to_contain_text("raise the solution value by the amount of the renewal")
    expect(side.locator(".o-route").first).to_contain_text("would go to the review team")
    page.get_by_role("button", name="File the registration").click()
    expect_state(page, "Review (Pending)")
    assert Registration.objects.get(referral=deal).renews == first

    reviewer = visit(build.REVIEWER)
    reviewer.goto("/admin/dealreg/registration/")
    reviewer.get_by_role("link", name="Second year").click()
    renewed = reviewer.locator("#renewed")
    expect(renewed.get_by_role("link", name="First year")).to_be_visible()
    expect(renewed).to_contain_text("40,000 EUR")
    expect(reviewer.locator("#claim")).to_contain_text("4,000,000 EUR")
    assert list(problems(reviewer, "renewal", reviewer.url)) == []


def sales(*lines: tuple[str, ...]) -> dict[str, object]:
    """A CSV file of these lines, as a browser sends it."""
    rows = [",".join(line) for line in (COLUMNS, *lines)]
    return {"name": "sales.csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode()}


def sale(number: str, *, customer: str = "510000011", amount: str = "1250.50") -> tuple[str, ...]:
    return (number, "4301001", customer, "SOL-10001-CTS", today().isoformat(), amount, "EUR")


def on_the_marketplace(cast: Cast, **changes: Any) -> Referral:
    """A deal whose registration waits for its transaction."""
    deal, now = deals.won(cast, name="Kilns", customer=cast.customers["anadolu"], **changes), timezone.now()
    terms = {"signed": now.date(), "start": now.date(), "end": now.date() + timedelta(days=364)}
    filed = build.submitted(cast, deal, at=now, marketplace=True, marketplace_date=now.date(), **terms)
    sweeps.route_once(filed, now=now)
    assert Registration.objects.get(pk=filed.pk).status == Status.MARKETPLACE_PENDING
    return deal


def look_at_a_file(manager: Page) -> None:
    """Send one line that is good and one that isn't, for the preview."""
    manager.get_by_label("CSV file").set_input_files(sales(sale("MP-8"), sale("MP-9", amount="much")))
    manager.get_by_role("button", name="Look at it").click()
    expect(manager.get_by_role("table", name="New transactions")).to_contain_text("MP-8")


def test_flow_3_the_good_lines_of_a_file_are_taken_in_and_a_worker_matches(cast: Cast, visit: Visit) -> None:
    """Shown before anything is written, the refused lines with their reasons; then the deal's page follows."""
    deal = on_the_marketplace(cast)
    manager = visit(MANAGER)
    manager.goto(reverse("admin:dealreg_marketplacetransaction_changelist"))
    manager.get_by_role("link", name="Load transactions").click()
    manager.wait_for_url(f"**{reverse(IMPORT)}")
    wrong = [sale("MP-2", amount="much"), sale("MP-3", customer="999999999")]
    manager.get_by_label("CSV file").set_input_files(sales(sale("MP-1"), *wrong))
    manager.get_by_role("button", name="Look at it").click()
    refused = manager.locator("#content-main .errorlist")
    expect(refused).to_contain_text("Line 3: “much” is not an amount above zero")
    expect(refused).to_contain_text("Line 4:")
    expect(refused).to_contain_text("999999999")
    expect(manager.get_by_role("table", name="New transactions")).to_contain_text("MP-1")
    expect(manager.get_by_role("table", name="New transactions")).not_to_contain_text("MP-2")
    assert not MarketplaceTransaction.objects.exists()
    manager.get_by_role("button", name="Import 1 transaction").click()
    expect(manager.locator(".messagelist")).to_contain_text("Transactions: 1 new, 0 as before, 2 refused.")
    assert MarketplaceTransaction.objects.get().transaction_id == "MP-1"
    listed = reverse("admin:dealreg_marketplacetransaction_changelist")
    found = [*problems(manager, "transactions", listed), *problems(manager, "import", reverse(IMPORT), look_at_a_file)]
    assert found == []

    page = visit(build.CONTOSO)
    page.goto(address(deal))
    expect_state(page, "Marketplace validation (Passed)")
    expect(page.locator("#registration")).to_contain_text("MP-1")
    expect(page.locator("#timeline")).to_contain_text("The marketplace transaction was confirmed: MP-1")


def end(page: Page, action: str) -> None:
    """Press it on the deal's page, and again in the dialog that asks whether it is meant."""
    deals.act(page, action)
    page.get_by_role("dialog").get_by_role("button", name=action).click()


def test_flow_withdraw_ends_what_was_sent_back_and_says_so(cast: Cast, visit: Visit) -> None:
    """Withdrawn means closed, for good: no button brings it back."""
    deal = deals.won(cast, name="Sent back")
    back = {"reason_code": "other", "comment": "Send the signed order form."}
    reviewer = cast.actor(build.REVIEWER)
    do.decide(deals.in_review(cast, deal), "require_action", actor=reviewer, now=timezone.now(), **back)
    page = visit(build.CONTOSO)
    page.goto(address(deal))
    expect_state(page, "Action required", "Send the signed order form.")
    assert list(problems(page, "withdraw", address(deal, "withdraw"))) == []
    page.goto(address(deal))
    end(page, "Withdraw the registration")
    expect_state(page, "Not registered", "The registration was withdrawn")
    expect(page.get_by_role("link", name="Register after all")).to_have_count(0)
    registration = Registration.objects.get()
    assert registration.status == Status.CLOSED
    assert registration.was_withdrawn


def test_flow_register_after_all_opens_what_was_closed_unregistered(cast: Cast, visit: Visit) -> None:
    """And then it can be filed, as if it had never been closed."""
    deal = deals.won(cast, name="Not yet")
    page = visit(build.CONTOSO)
    page.goto(address(deal))
    end(page, "Close without registering")
    expect_state(page, "Not registered", "You can register it after all")
    assert list(problems(page, "register after all", address(deal, "register_after_all"))) == []
    page.goto(address(deal))
    end(page, "Register after all")
    expect_state(page, "Registration (Pending)", "This deal can be registered.")
    page.get_by_role("link", name="Register now").click()
    fill_registration(page)
    page.get_by_role("button", name="File the registration").click()
    expect_state(page, "Approved")


def grown(cast: Cast, **changes: Any) -> Referral:
    """A pay-as-you-go deal whose registration passed its review at 40,000 EUR."""
    deal, now = deals.won(cast, name="Meters", **changes), timezone.now()
    terms = {"signed": now.date() - build.DAY, "start": now.date() - build.DAY, "end": now.date(), "pricing": "payg"}
    filed = build.submitted(cast, deal, at=now, **terms)
    sweeps.route_once(filed, now=now)
    pending = Registration.objects.get(pk=filed.pk)
    do.decide(pending, "pass_review", actor=cast.actor(build.REVIEWER), now=now, validated_by="figures")
    return deal


def test_flow_6_a_registration_is_revalidated_at_a_new_value(cast: Cast, visit: Visit) -> None:
    deal, page = grown(cast), visit(build.CONTOSO)
    page.goto(address(deal))
    deals.act(page, "Revalidate at a new value")
    form = page.get_by_role("dialog")
    expect(form.get_by_label("Total contract value (EUR)")).to_have_value("40,000")
    form.get_by_role("button", name="Revalidate at a new value").click()
    expect(form).to_contain_text("needs a total contract value above 1,000,000 USD")
    form.get_by_label("Total contract value (EUR)").fill("950000")
    form.get_by_label("Solution value (EUR)").fill("900000")
    assert list(problems(page, "revalidate", address(deal, "revalidate"))) == []
    page.goto(address(deal, "revalidate"))
    page.get_by_label("Total contract value (EUR)").fill("950000")
    page.get_by_label("Solution value (EUR)").fill("900000")
    page.get_by_role("button", name="Revalidate at a new value").click()
    expect_state(page, "Review (Pending)")
