"""Deadlines in a browser, and their calendar over HTTP, read by a parser that knows nothing of us (FLOW-8)."""

from __future__ import annotations

import re
from datetime import timedelta

import icalendar
import pytest
from django.utils import timezone

from portal.demo.cast import Cast
from tests import build
from tests.e2e import deals
from tests.e2e.conftest import Visit
from tests.e2e.portal import Portal, answer
from tests.e2e.test_access import OVERFLOWING, PHONE, problems

sync_api = pytest.importorskip("playwright.sync_api")
expect, Page = sync_api.expect, sync_api.Page

#: The ids that a page has more than once.
TWICE = """() => [...document.querySelectorAll("[id]")].map((e) => e.id).filter((id, n, all) => all.indexOf(id) < n)"""


def test_flow_8_a_calendar_reads_the_deadlines_until_its_address_is_revoked(
    cast: Cast, portal: Portal, visit: Visit
) -> None:
    close = timezone.now().date() + timedelta(days=9)
    deals.won(cast, name="Ovens")
    build.accepted(cast, at=timezone.now() - timedelta(days=2), name="Kilns", close_date=close)
    page = visit(build.CONTOSO)
    page.goto("/")
    page.get_by_role("link", name="All deadlines").click()
    expect(page.get_by_role("link", name="Kilns")).to_be_visible()
    expect(page.get_by_role("link", name="Ovens")).to_be_visible()
    page.get_by_role("link", name="Planned wins").click()
    expect(page.get_by_text("Nothing of this kind is due.")).to_be_visible()
    page.get_by_role("link", name="Show all deadlines").click()

    page.get_by_role("button", name="Make an address").click()
    address = page.get_by_label("Your private address").input_value()
    assert address.startswith(f"{portal.url}/calendar/")
    status, body = answer(address)
    assert status == 200
    read = icalendar.Calendar.from_ical(body)
    events = {str(event["summary"]): event for event in read.walk("VEVENT")}
    assert set(events) == {"Estimated close: Kilns", "Register this won deal: Ovens"}
    assert events["Estimated close: Kilns"].decoded("dtstart") == close

    found = list(problems(page, "deadlines", "/deadlines/"))
    assert not found, "\n".join(found)
    page.get_by_role("button", name="Make a new address").click()
    renewed = page.get_by_label("Your private address").input_value()
    assert [answer(each)[0] for each in (address, renewed)] == [404, 200]
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("button", name="Make an address")).to_be_visible()
    assert answer(renewed)[0] == 404
    token = re.search(r"/calendar/([^/]+)/", renewed)
    assert token is not None
    assert token[1] not in portal.web.log.read_text()


def test_a_refusal_leads_to_what_the_reference_says_of_it(cast: Cast, visit: Visit) -> None:
    referral = deals.won(cast, name="Ovens")
    page = visit(build.CONTOSO)
    page.goto(f"/co-sell/{referral.public_id}/registration/")
    page.get_by_role("button", name="File the registration").click()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Why? pricing_required").first.click()
    reference = opened.value
    entry = reference.locator("#pricing_required")
    expect(entry).to_be_in_viewport()
    expect(entry).to_contain_text("REG-10")
    assert reference.evaluate(TWICE) == []
    reference.set_viewport_size(PHONE)
    assert reference.evaluate(OVERFLOWING) == []
    found = list(problems(reference, "refusals", "/help/refusals/", shorten))
    assert not found, "\n".join(found)


def shorten(page: Page) -> None:
    """Hundreds of entries are made alike; axe looks at thirty of them, which takes it long enough."""
    page.evaluate("() => [...document.querySelectorAll('.o-refusal')].slice(30).forEach((entry) => entry.remove())")
    expect(page.locator(".o-refusal")).to_have_count(30)
