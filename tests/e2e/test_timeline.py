"""A deal's timeline in a browser: filtered in its place, the page staying where it is; axe agrees (REF-14)."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from portal.demo.cast import Cast
from portal.events import services as events
from tests import build
from tests.e2e import deals
from tests.e2e.conftest import Visit
from tests.e2e.test_access import address, problems

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect


def test_the_timeline_is_filtered_in_its_place(cast: Cast, visit: Visit) -> None:
    referral = deals.won(cast, name="Ovens")
    said = {"company_id": referral.company_id, "group": referral.event_group, "now": timezone.now()}
    actor = cast.actor(build.CONTOSO)
    events.record([events.new_event(referral, "referral.edited", actor=actor, **said) for _n in range(25)])
    page = visit(build.CONTOSO, viewport={"width": 390, "height": 700})
    page.goto(address(referral))
    lines = page.locator("#timeline .o-time__text")
    expect(lines).to_have_count(20)
    changes = page.get_by_role("link", name=re.compile("^Changes"))
    changes.scroll_into_view_if_needed()
    there = page.evaluate("window.scrollY")
    assert there > 100
    changes.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"timeline=changes$"))
    expect(changes).to_have_attribute("aria-current", "true")
    expect(changes).to_be_focused()
    assert abs(page.evaluate("window.scrollY") - there) < 5
    page.get_by_role("link", name="Load more").click()
    expect(lines).to_have_count(25)
    page.get_by_role("link", name=re.compile("^Status and stages")).click()
    expect(lines).to_have_text([re.compile("won the deal"), re.compile("accepted"), re.compile("created the deal")])
    page.reload()
    expect(lines).to_have_count(3)
    found = list(problems(page, "timeline", page.url))
    assert not found, "\n".join(found)
