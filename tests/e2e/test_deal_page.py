"""The deal's page in a browser: its one main action, at every width (docs/ux.md counts the clicks)."""

from __future__ import annotations

import pytest

from portal.demo.cast import Cast
from tests import build, do
from tests.e2e import deals
from tests.e2e.conftest import Visit
from tests.e2e.test_access import address, problems
from tests.edge import Live

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

#: What a person presses, as docs/ux.md promises.
ACCEPT_CLICKS = 2


def test_the_main_action_is_always_there_and_an_inbound_deal_is_accepted_from_home(cast: Cast, visit: Visit) -> None:
    """REF-12, REF-14: one primary button in a bar of one line; what can't be done now says why under *More*."""
    live, owner = Live(cast), cast.actor(build.CONTOSO)
    inbound, deal = live.received(name="Ovens"), live.accepted(name="Kilns", days=4)
    do.add_note(deal, text="The board decides on Wednesday.", actor=owner, now=live.now)
    page = visit(build.CONTOSO)
    page.goto("/")
    clicks = [
        page.get_by_role("link", name="Accept: Ovens"),
        page.get_by_role("button", name="Accept"),
    ]
    assert len(clicks) == ACCEPT_CLICKS
    for click in clicks:
        click.click()
    page.wait_for_url(f"**{address(inbound)}")
    expect(page.locator(".o-head__badges")).to_contain_text("Accepted")
    more = page.locator(".o-more-actions > summary")
    more.click()
    expect(page.locator(".o-menu__shut").first).to_contain_text("started")
    page.goto(address(deal))
    for width in (1440, 1366, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.locator(".o-foot > .btn-primary")).to_have_text("Set sales stage")
        assert page.locator(".o-foot").bounding_box()["height"] < 60
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1440, "height": 900})
    for first in ("#eligibility summary", "#team", "#notes .o-note", ".o-banner strong"):
        expect(page.locator(first).first).to_be_in_viewport()
    deals.act(page, "Mark as lost")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    found = list(problems(page, "deal", page.url))
    assert not found, "\n".join(found)
