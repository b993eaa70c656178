"""The council at work in browsers: evidence, two votes, the decision, and the letter (EXC-8, EXC-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from exceptions_council.models import ExceptionRequest, Status
from portal.demo.cast import Cast
from tests import build, do, exceptions
from tests.e2e.conftest import Visit
from tests.e2e.test_access import problems
from tests.edge import Live

if TYPE_CHECKING:
    from playwright.sync_api import Page

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

DOCKET = "/admin/exceptions_council/exceptionrequest/"


def _vote(page: Page, choice: str, rationale: str) -> None:
    page.get_by_role("radio", name=choice).check()
    page.get_by_label("Rationale").fill(rationale)
    page.get_by_role("button", name="Vote").click()


def test_exc_8_two_members_vote_and_the_second_vote_decides(cast: Cast, visit: Visit) -> None:
    live = Live(cast)
    request = exceptions.asked(cast, live.won(customer=exceptions.unmanaged()), now=live.now)
    first, second = (visit(email) for email in exceptions.COUNCIL[:2])
    first.goto(DOCKET)
    first.get_by_role("link", name=request.referral.name).click()
    first.locator("summary", has_text="Ask for evidence").click()
    first.get_by_label("What is asked for").fill("Please add the contract.")
    first.get_by_role("button", name="Ask the partner").click()
    expect(first.locator("#evidence")).to_contain_text("Please add the contract.")
    asked = ExceptionRequest.objects.get(pk=request.pk)
    do.answer_evidence(asked, "It is added.", actor=cast.actor(build.CONTOSO), now=timezone.now())

    second.goto(f"{DOCKET}?mine=open")
    second.get_by_role("link", name=request.referral.name).click()
    expect(second.locator("#standing")).to_contain_text("0 voted; 2 more are needed")
    assert list(problems(first, "a request", f"{DOCKET}{request.pk}/change/")) == []
    first.set_viewport_size({"width": 1440, "height": 900})
    first.reload()
    _vote(first, "Approve", "The contract is there.")
    expect(first.locator("#standing")).to_contain_text("1 voted; 1 more are needed")
    _vote(second, "Approve", "So it is.")  # on a page from before the first vote
    expect(second.locator("#decision")).to_contain_text("Somebody changed this meanwhile.")
    expect(second.get_by_label("Rationale")).to_have_value("So it is.")
    second.get_by_role("button", name="Vote").click()
    expect(second.locator("#decision")).to_contain_text("The decision is final.")
    assert ExceptionRequest.objects.get(pk=request.pk).status == Status.APPROVED
    with second.expect_download() as letter:
        second.get_by_role("link", name="Turkish (PDF)").click()
    assert letter.value.suggested_filename.startswith("karar-")
