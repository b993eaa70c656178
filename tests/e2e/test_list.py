"""The list of deals in a browser: filters and search in place, stars, more rows, a file made by the worker."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from portal.demo.cast import Cast
from portal.pages.models import Export
from referrals import rules
from referrals.models import Referral
from tests import build, do
from tests.e2e.conftest import Visit

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

LED = {"help_code": rules.NO_HELP, "vendor_may_view": True}


def test_the_list_works_in_place(cast: Cast, visit: Visit) -> None:
    """REF-19, REF-20: what is ticked applies at once and the menu stays open; the address always says what is shown."""
    now = timezone.now()
    for n in range(27):
        build.deal(cast, name=f"Fırın {n:02}", at=now - timedelta(hours=n + 1), close_date=now.date(), **LED)
    long = "Kiosks at every station of the line, and one in each depot"
    build.deal(cast, name=long, at=now, close_date=now.date())
    page = visit(build.CONTOSO)
    page.goto("/co-sell/?size=25&exact=1")
    rows = page.locator("#list a.o-rowlink")
    expect(rows).to_have_count(25)
    page.get_by_role("link", name="Load more").click()
    expect(rows).to_have_count(28)
    page.locator("#list td.o-num").first.hover()  # no link lies over what says more
    rows.first.hover()
    expect(page.locator("#list tbody td").nth(1)).to_have_attribute("title", long)

    page.locator("#filters summary", has_text="Deal type").click()
    page.get_by_label("Partner-led").check()
    expect(page).to_have_url(re.compile("type=partner_led"))
    expect(page.locator("#filters .is-on")).to_have_text("Deal type")
    expect(page.locator("#count")).to_have_text("27 deals")
    expect(page.get_by_label("Partner-led")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#look summary").click()
    expect(page.locator("#look nav a").first).to_have_attribute("href", re.compile("type=partner_led"))
    page.keyboard.press("Escape")
    search = page.get_by_label("Search the list")
    search.fill("firin 07")
    expect(rows).to_have_text(["Fırın 07"])
    expect(search).to_be_focused()
    page.get_by_role("button", name="Favorite: Fırın 07").click()
    expect(page.get_by_role("button", name="Remove from favorites: Fırın 07")).to_be_visible()
    expect(page.locator("#count-favorites")).to_have_text("1")
    rows.click()
    expect(page.get_by_role("heading", name="Fırın 07")).to_be_visible()
    page.go_back()
    expect(rows).to_have_text(["Fırın 07"])

    page.goto("/co-sell/")  # remembered: the filter, not the search
    expect(page.locator(".o-active a.is-on")).to_have_text([re.compile("Deal type: Partner-led")])
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator("#count")).to_have_text("28 deals")


def test_the_keyboard_walks_the_list_and_many_deals_get_a_stage(cast: Cast, visit: Visit) -> None:
    """REF-20: arrows walk, Enter opens, *Back* leads to the same place below what was loaded, x ticks; what is ticked
    on other pages gets the stage, too, except what refuses, each with its reason."""
    now, contoso = timezone.now(), cast.actor(build.CONTOSO)
    for n in range(30):
        deal = build.deal(cast, name=f"Fırın {n:02}", at=now - timedelta(hours=n + 1), close_date=now.date(), **LED)
        if n < 4:
            do.lose(deal, actor=contoso, now=now, reason_code="budget")
    page = visit(build.CONTOSO)
    page.goto("/co-sell/?size=25&exact=1")
    rows = page.locator("#list a.o-rowlink")
    page.get_by_role("link", name="Load more").click()
    expect(rows).to_have_count(30)
    expect(page).to_have_url(re.compile("shown=30"))
    heights = page.locator(".o-grid tbody tr").evaluate_all("all => all.map(row => row.getBoundingClientRect().height)")
    assert set(heights) == {40}
    for _step in range(28):
        page.keyboard.press("ArrowDown")
    expect(rows.nth(27)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Fırın 27")).to_be_visible()
    page.go_back()
    expect(rows).to_have_count(30)
    expect(rows.nth(27)).to_be_focused()
    page.keyboard.press("x")
    page.get_by_label("Search the list").fill("firin 03")
    expect(rows).to_have_text(["Fırın 03"])
    expect(page.locator("[data-picked]")).to_contain_text("1 selected")
    page.get_by_role("button", name="Clear", exact=True).click()
    page.goto("/co-sell/?size=50&exact=1")
    page.get_by_label("Select the rows shown").check()
    page.get_by_text("Set stage").click()
    page.locator('select[name="stage"]').select_option("40")
    page.locator('button[value="stage"]').click()
    page.get_by_role("button", name="Carry out 26 rows").click()
    expect(page.get_by_role("link", name="Changed 26")).to_be_visible()
    page.get_by_role("link", name="Refused 4").click()
    expect(page.locator("#rows tbody tr")).to_have_count(4)
    expect(page.locator("#rows tbody tr").first).to_contain_text("Stage:")


def test_a_row_is_edited_by_key_and_what_is_listed_becomes_a_colleagues_view(cast: Cast, visit: Visit) -> None:
    """REF-14, REF-20: `e` makes the row a form, Enter saves it and the row has the focus again; what somebody else
    changed meanwhile is said in it. A view is saved in a dialog, shared, and opened by a colleague from the rail."""
    now, contoso = timezone.now(), cast.actor(build.CONTOSO)
    for n in range(30):
        build.deal(cast, name=f"Fırın {n:02}", at=now - timedelta(hours=n + 1), close_date=now.date(), **LED)
    page = visit(build.CONTOSO)
    page.goto("/co-sell/?size=25&exact=1")
    rows, row = page.locator("#list a.o-rowlink"), page.locator(".o-grid tbody tr").nth(2)
    page.get_by_role("link", name="Load more").click()
    expect(rows).to_have_count(30)
    for _step in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("e")
    expect(row.get_by_label("Sales stage")).to_be_focused()
    row.get_by_label("Sales stage").select_option("60")
    row.get_by_label("Estimated close date").press("Enter")
    expect(row.locator(".is-s60")).to_be_visible()
    expect(rows.nth(2)).to_be_focused()
    page.keyboard.press("e")
    expect(row.get_by_label("Sales stage")).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows.nth(2)).to_be_focused()
    row.locator(".is-edit").last.click()
    expect(row.get_by_label("Sales stage")).to_be_focused()
    do.set_stage(Referral.objects.get(name="Fırın 02"), actor=contoso, now=timezone.now(), stage=80)
    row.get_by_label("Sales stage").select_option("20")
    row.get_by_role("button", name="Save").click()
    expect(row.get_by_role("alert")).to_contain_text(
        "Sales stage: Somebody changed this meanwhile; it is now “Negotiated”"
    )
    row.get_by_role("button", name="Save").click()
    expect(row.locator(".is-s20")).to_be_visible()
    expect(rows.nth(2)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Fırın 02")).to_be_visible()
    page.go_back()
    expect(rows).to_have_count(30)
    expect(rows.nth(2)).to_be_focused()

    page.locator("#filters summary", has_text="Stage").click()
    page.get_by_role("checkbox", name="Qualified").check()
    expect(rows).to_have_text(["Fırın 02"])
    page.keyboard.press("Escape")
    page.locator("#views summary").click()
    page.get_by_role("link", name="Save as a view").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Early ones")
    dialog.get_by_label("Share it with everybody in the company").check()
    dialog.get_by_role("button", name="Save the view").click()
    expect(page.locator("#views summary")).to_contain_text("Early ones")
    phone = visit(build.CONTOSO, viewport={"width": 390, "height": 844})
    phone.goto("/co-sell/?exact=1")
    phone.get_by_role("checkbox", name="Fırın 02").check()  # the link over the row leaves them free
    colleague = visit("viewer@contoso.example")
    colleague.goto("/co-sell/?exact=1")
    expect(colleague.locator("#list a.o-rowlink")).to_have_count(30)
    colleague.locator("#rail").get_by_role("link", name="Early ones").click()
    expect(colleague.locator("#list a.o-rowlink")).to_have_text(["Fırın 02"])


def test_a_worker_makes_the_file(cast: Cast, visit: Visit, tmp_path: Path) -> None:
    """REF-20: of the deals ticked; the bar below the list turns into the download by itself, and the list stays."""
    now = timezone.now()
    for name in ("Ovens", "Kilns", "Kiosks"):
        build.deal(cast, name=name, at=now, close_date=now.date(), **LED)
    page = visit(build.CONTOSO)
    page.goto("/co-sell/")
    for name in ("Ovens", "Kilns"):
        page.get_by_role("checkbox", name=name).check()
    page.get_by_text("Export", exact=True).click()
    page.get_by_role("button", name="CSV", exact=True).click()
    expect(page).to_have_url(re.compile("/co-sell/"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    download.value.save_as(tmp_path / "deals.csv")
    lines = (tmp_path / "deals.csv").read_text("utf-8-sig").splitlines()
    assert len(lines) == 3
    assert not any("Kiosks" in line for line in lines)
    assert Export.objects.get().done == 2
