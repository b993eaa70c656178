"""A reviewer's day at the desk, with the keyboard alone (FLOW-12, FLOW-13)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from portal.demo.cast import Cast
from portal.desk.models import Case
from tests import build
from tests.edge import Live

if TYPE_CHECKING:
    from playwright.sync_api import Page

DESK = "/admin/desk/case/"
CASES = 12


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def passed() -> int:
    return Case.objects.filter(outcome="passed").count()


def test_flow_12_the_desk_by_keyboard(visit: Any, cast: Cast) -> None:
    """Take next; one plain case passed in two keys; ten in one go; no key does anything while one types."""
    live = Live(cast)
    for number in range(CASES):
        live.in_review(live.won(name=f"Deal {number:02}"))
    page = visit(build.REVIEWER)
    page.goto(DESK)
    press(page, "?")
    keys = page.get_by_role("dialog", name="Keys")
    keys.wait_for()
    press(page, "Escape")
    keys.wait_for(state="hidden")
    press(page, "n")
    page.wait_for_url(re.compile("/admin/dealreg/registration/"))
    assert Case.objects.get(claimed_by__email=build.REVIEWER).title == "Deal 00"
    page.goto(DESK)
    search = page.get_by_role("searchbox", name="Deal, partner")
    search.focus()
    press(page, "p", "n")
    assert search.input_value() == "pn"
    page.goto(DESK)
    press(page, "p")
    page.wait_for_url(re.compile("/pass/"))
    expect(page.get_by_role("button", name="Pass 1 case")).to_be_focused()
    press(page, "Enter")
    page.get_by_text("1 of 1 was passed.").wait_for()
    assert passed() == 1
    page.goto(DESK)
    press(page, *["j", "x"] * 10, "p")
    page.wait_for_url(re.compile("/pass/"))
    expect(page.get_by_role("button", name="Pass 10 cases")).to_be_focused()
    press(page, "Enter")
    page.get_by_text("10 of 10 were passed.").wait_for()
    assert passed() == CASES - 1
    page.get_by_role("link", name="Back to the desk").last.click()
    page.wait_for_url(re.compile(DESK + r"(\?|$)"))
    press(page, "j", "c")
    page.get_by_role("cell", name="You", exact=True).wait_for()
