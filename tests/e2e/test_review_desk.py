"""A reviewer's day with the keyboard alone: the next case, what changed, sending back, passing, a slip taken back."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from dealreg import sweeps
from dealreg.models import Registration, Status
from portal.demo.cast import Cast
from portal.workflow.blockers import Money
from tests import build, do
from tests.e2e import deals
from tests.e2e.conftest import Visit

MANAGER = "manager@vendor.example"
COMMENT = "The contract names 64,000 EUR."


def test_a_reviewer_works_with_the_keyboard_and_a_manager_takes_a_slip_back(cast: Cast, visit: Visit) -> None:
    """FLOW-5, FLOW-7, FLOW-9, FLOW-13: from the desk to the closed registration."""
    registration = deals.in_review(cast, deals.won(cast, name="Fırın"))
    page = visit(build.REVIEWER)
    page.goto(reverse("admin:desk_case_changelist"))
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="Fırın")).to_be_visible()
    address = page.url
    _three_tabs(page)

    page.keyboard.press("b")
    _press(page, "Send back for correction")
    expect(page.locator("#require_action_reason_code_error")).to_contain_text("Choose the reason.")
    page.locator("#require_action_reason_code").focus()
    page.keyboard.type("The contract value doesn")
    page.keyboard.press("Tab")
    page.keyboard.type(COMMENT)
    _press(page, "Send back for correction")
    expect(page.locator(".messagelist")).to_contain_text("Fırın")

    _correct(cast, registration, 3_000_000)
    page.goto(address)
    expect(page.locator("#claim-tcv")).to_contain_text("4,000,000 EUR → 3,000,000 EUR")
    expect(page.locator("#claim-tcv")).to_have_class(re.compile("is-different"))
    stale = visit(build.REVIEWER)
    stale.goto(address)
    do.decide(
        _now(registration), "require_action", reason_code="other", comment="Once more.", **_by(cast, build.REVIEWER)
    )
    _correct(cast, registration, 2_500_000)
    _pass(stale)
    refused = stale.locator("details[open]", has_text="Pass the review")
    expect(refused).to_contain_text("Total contract value: 3,000,000 EUR → 2,500,000 EUR")
    _pass(stale)
    expect(stale.locator(".messagelist")).to_contain_text("Fırın")

    manager = visit(MANAGER)
    manager.goto(address)
    expect(manager.locator("#decision")).to_contain_text("A programme manager can retract this decision until")
    manager.get_by_label("Comment for the partner").focus()
    manager.keyboard.type("The wrong deal.")
    _press(manager, "Retract the decision")
    expect(manager.locator(".messagelist")).to_contain_text("Fırın")
    assert _now(registration).status == Status.REVIEW_PENDING
    page.goto(address)
    _pass(page)
    expect(page.locator(".messagelist")).to_contain_text("Fırın")
    sweeps.close_decided(now=timezone.now() + timedelta(hours=25))
    assert _now(registration).outcome == Status.REVIEW_PASSED


def _three_tabs(page: Page) -> None:
    """From the page's top to the decision: past the skip links, the third stop is the first of the decisions."""
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the decision")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#decision summary").first).to_be_focused()


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).focus()
    page.keyboard.press("Enter")


def _pass(page: Page) -> None:
    """With the key, the choice in the list, and Enter on the button."""
    page.locator("body").press("p")
    page.locator("#pass_review_validated_by").focus()
    page.keyboard.type("Proof")
    _press(page, "Pass the review")


def _by(cast: Cast, email: str) -> dict[str, Any]:
    return {"actor": cast.actor(email), "now": timezone.now()}


def _now(registration: Registration) -> Registration:
    return Registration.objects.with_context().get(pk=registration.pk)


def _correct(cast: Cast, registration: Registration, tcv: int) -> None:
    found, today = _now(registration), timezone.now().date()
    form = build.form(tcv=Money(Decimal(tcv), "EUR"), signed=today, start=today, end=today + timedelta(days=364))
    do.resubmit(found, form, **_by(cast, build.CONTOSO))
