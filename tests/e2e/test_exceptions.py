"""Exceptions in a browser: asked for with a document, decided by the council, and what that opens, or doesn't."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from dealreg.models import Registration, Status
from dealreg.rules import states as registrations
from exceptions_council.models import ExceptionDraft, ExceptionRequest
from portal.demo.cast import Cast
from referrals.models import Referral
from tests import build, do, exceptions, files
from tests.e2e import deals
from tests.e2e.conftest import Visit
from tests.e2e.portal import wait_for
from tests.e2e.test_access import PHONE, problems
from tests.e2e.test_main_path import fill_registration

WHY = "The portal was down when the contract was signed; the mails show it."


def today() -> date:
    return timezone.now().date()


def address(deal: Referral, name: str = "deal") -> str:
    return reverse(name, args=[deal.public_id])


def own(request: ExceptionRequest) -> str:
    return reverse("exception", args=[request.public_id])


def ineligible(cast: Cast, **changes: object) -> Referral:
    return deals.won(cast, customer=exceptions.unmanaged(), **changes)


def ask(page: Page) -> None:
    """From the deal's page through the form, with its dates, to the request's page."""
    page.get_by_role("link", name="Request exception").first.click()
    page.wait_for_url("**/exception/**")
    page.get_by_label("Justification").fill(WHY)
    expect(page.locator("#justification-count")).to_contain_text(f"Justification: {len(WHY)} of 5,000")


def confirm(page: Page) -> None:
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("main")).to_contain_text("There is one request for each deal, ever.")
    page.get_by_role("button", name="Send for good").click()
    expect(page.locator("main")).to_contain_text("With the exception council.")


def upload(page: Page, place: Path) -> None:
    path = place / "contract.pdf"
    path.write_bytes(files.GOOD["pdf"])
    page.locator("#documents").get_by_label("Add documents").set_input_files(path)
    page.locator("#documents").get_by_role("button", name="Upload").click()
    expect(page.locator("#documents-list")).to_contain_text("contract.pdf")


def test_exc_9_a_rejection_is_asked_about_answered_approved_corrected_and_passed(
    cast: Cast, visit: Visit, tmp_path: Path
) -> None:
    now = timezone.now()
    registration = exceptions.rejected(cast, at=now - 3 * build.DAY)
    deal = registration.referral
    page = visit(build.CONTOSO)
    page.goto(address(deal))
    ask(page)
    upload(page, tmp_path)
    confirm(page)
    request = ExceptionRequest.objects.get()
    do.ask_evidence(request, "When was it signed?", actor=cast.actor(build.REVIEWER), now=timezone.now())
    page.goto(address(deal))
    page.get_by_role("link", name="Answer the council").first.click()
    expect(page.locator("main")).to_contain_text("When was it signed?")
    page.get_by_role("textbox", name="Answer").fill("See page 2 of the contract.")
    page.get_by_role("button", name="Answer the council").click()
    expect(page.locator("#evidence")).to_contain_text("See page 2 of the contract.")
    exceptions.approved(cast, ExceptionRequest.objects.get(), now=timezone.now())
    page.goto(own(request))
    expect(page.locator("#letter")).to_contain_text("The registration is open again.")
    page.get_by_role("link", name="Correct and resubmit").click()
    expect(page.get_by_label(re.compile(r"^Solution value\W*$"))).to_be_disabled()
    signed = today() - timedelta(days=200)
    page.get_by_label("Contract signed").fill(signed.isoformat())
    page.get_by_label("Contract start").fill(signed.isoformat())
    page.get_by_label("Contract end").fill((signed + timedelta(days=364)).isoformat())
    expect(page.locator("#judgement")).to_contain_text("would go to the review team")
    page.get_by_role("button", name="Resubmit").click()
    expect(page.locator("main")).to_contain_text("In review.")
    again = exceptions.registration_of(deal)
    assert (again.status, again.signed) == (Status.REVIEW_PENDING, signed)
    passed = do.decide(again, "pass_review", actor=cast.actor(build.REVIEWER), now=timezone.now(), validated_by="poe")
    do.close(passed, now=timezone.now() + 60 * build.DAY)
    page.goto(address(deal))
    expect(page.locator("#life-exception")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Passed")
    closed = Registration.objects.get()
    assert (closed.status, closed.outcome) == (registrations.CLOSED, registrations.REVIEW_PASSED)


def test_exc_12_a_won_but_ineligible_deal_is_registered_after_a_pre_registration(cast: Cast, visit: Visit) -> None:
    deal = ineligible(cast)
    signed = today() - timedelta(days=100)
    page = visit(build.CONTOSO)
    page.goto(address(deal))
    ask(page)
    expect(page.get_by_role("radio", name="Pre-registration")).to_be_checked()
    expect(page.locator("#judgement")).to_contain_text("answers are missing")
    page.get_by_label("Tenant type").check()
    expect(page.locator("#id_tenant_error")).to_contain_text("The tenant type can't be changed.")
    page.get_by_label("Tenant type").uncheck()
    page.get_by_label("Contract term").select_option("finite")
    page.get_by_label("Contract signed").fill(signed.isoformat())
    page.get_by_label("Contract start").fill(signed.isoformat())
    page.get_by_label("Contract end").fill((signed + timedelta(days=364)).isoformat())
    expect(page.locator("#judgement")).to_contain_text("This request can be sent")
    last = {"end": (signed + timedelta(days=364)).isoformat()}
    wait_for(ExceptionDraft.objects.filter(answers__contains=last).exists, "the last field to be saved")
    page.goto(address(deal, "ask_exception"))  # the draft is kept
    expect(page.get_by_label("Justification")).to_have_value(WHY)
    confirm(page)
    exceptions.approved(cast, ExceptionRequest.objects.get(), now=timezone.now())
    page.goto(address(deal))
    expect(page.locator("#eligibility")).to_contain_text("approved an exception on")
    page.get_by_role("link", name="Register the deal").click()
    fill_registration(page)
    page.get_by_label("Contract signed").fill(signed.isoformat())
    page.get_by_label("Contract start").fill(signed.isoformat())
    page.get_by_label("Contract end").fill((signed + timedelta(days=364)).isoformat())
    page.get_by_role("button", name="File the registration").click()
    expect(page.locator("main")).to_contain_text("Approved automatically.")
    assert exceptions.registration_of(deal).signed == signed


def test_exc_6_a_denial_offers_nothing_also_on_a_phone(cast: Cast, visit: Visit) -> None:
    deal = ineligible(cast)
    signed = today() - timedelta(days=100)
    dates = {"signed": signed, "start": signed, "end": signed + timedelta(days=364)}
    form = exceptions.asking(**dates)
    request = do.ask_exception(deal, form, actor=cast.actor(build.CONTOSO), now=timezone.now())
    exceptions.denied(cast, request, now=timezone.now())
    page = visit(build.CONTOSO)
    page.set_viewport_size(PHONE)
    for url in (own(request), address(deal)):
        page.goto(url)
        expect(page.locator("main")).to_contain_text("The decision is final.")
        expect(page.get_by_text("Request exception")).to_have_count(0)
        expect(page.get_by_text("Register the deal")).to_have_count(0)
    page.goto(address(deal, "ask_exception"))
    assert page.url.endswith(own(request))
    expect(page.locator("#letter")).to_contain_text("was denied")


def test_the_pages_of_exceptions_have_no_barrier_and_fit_a_phone(cast: Cast, visit: Visit) -> None:
    now, day = timezone.now(), today()
    dates = {"signed": day - timedelta(days=100), "start": day, "end": day + timedelta(days=264)}
    form, actor = exceptions.asking(**dates), cast.actor(build.CONTOSO)
    open_deal = ineligible(cast)
    waiting, approved = (do.ask_exception(ineligible(cast), form, actor=actor, now=now) for _again in range(2))
    exceptions.approved(cast, approved, now=now)
    rejected = exceptions.rejected(cast, at=now - 3 * build.DAY)
    reopened = do.ask_exception(rejected.referral, exceptions.asking("rejected"), actor=actor, now=now)
    exceptions.approved(cast, reopened, now=now)
    do.ask_evidence(waiting, "When was the contract signed?", actor=cast.actor(build.REVIEWER), now=now)
    page = visit(build.CONTOSO)
    pages = {
        "list": reverse("exceptions"),
        "form": address(open_deal, "ask_exception"),
        "offer": address(open_deal),
        "asked": own(waiting),
        "answer": address(waiting.referral, "answer_exception"),
        "approved": own(approved),
        "deal": address(waiting.referral),
        "reopened": address(rejected.referral, "registration"),
    }
    assert [problem for name, url in pages.items() for problem in problems(page, name, url)] == []
