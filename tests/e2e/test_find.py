"""The search of the top bar in a browser: what is found stands under the field as one types, and keys lead to it."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from portal.demo.cast import Cast
from tests import build
from tests.e2e import deals
from tests.e2e.conftest import Visit
from tests.e2e.portal import wait_for
from tests.e2e.test_access import problems

sync_api = pytest.importorskip("playwright.sync_api")
expect, Page = sync_api.expect, sync_api.Page


def type_search(page: Page, text: str = "firin") -> None:
    page.keyboard.press("/")
    page.keyboard.type(text)
    expect(page.locator("#search-found")).to_be_visible()


def test_the_search_is_walked_with_the_keyboard(cast: Cast, visit: Visit) -> None:
    """REF-20: from three letters on; arrows walk through what is found, Escape leaves it, Enter opens."""
    deals.won(cast, name="Fırın kameraları", customer=cast.customers["isik"])
    deals.young(cast, name="Fırın ölçümü")
    page = visit(build.CONTOSO)
    page.goto("/")
    field, panel = page.get_by_role("searchbox", name="Search"), page.locator("#search-found")
    hits = panel.locator("a.o-hit")
    type_search(page, "fi")
    expect(panel).to_have_text(re.compile("Search starts at 3 letters."))
    page.keyboard.type("rin")
    expect(hits.locator("strong")).to_have_text(["Fırın ölçümü", "Fırın kameraları", "Fırın kameraları"])
    for key, place in (
        ("ArrowDown", hits.nth(0)),
        ("ArrowDown", hits.nth(1)),
        ("ArrowUp", hits.nth(0)),
        ("ArrowUp", field),
        ("ArrowUp", panel.get_by_role("link", name="All results")),
    ):
        page.keyboard.press(key)
        expect(place).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(field).to_be_focused()
    expect(field).to_have_value("firin")
    page.keyboard.type(" ka")
    expect(hits).to_have_count(2)
    page.keyboard.press("Tab")
    page.mouse.click(700, 500)
    expect(panel).to_be_hidden()
    field.focus()
    expect(panel).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Fırın kameraları")).to_be_visible()
    type_search(page)
    hits.nth(0).click()
    expect(page.get_by_role("heading", name="Fırın ölçümü")).to_be_visible()
    type_search(page, "işık")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Results for “işık”")).to_be_visible()
    page.get_by_role("link", name=re.compile("Işık Lojistik .*Managed")).click()
    expect(page.locator("#list a.o-rowlink")).to_have_text(["Fırın kameraları"])


def test_what_is_typed_while_the_scripts_load_is_searched(cast: Cast, visit: Visit) -> None:
    """As on a slow line: the page is there, and one of its scripts still on its way."""
    deals.young(cast, name="Fırın ölçümü")
    page, late = visit(build.CONTOSO), []
    page.route("**/days*.js", lambda route: late.append(route))
    page.goto("/", wait_until="commit")
    page.get_by_role("searchbox", name="Search").press_sequentially("firin")
    wait_for(lambda: page.wait_for_timeout(50) or late, "the script to be asked for")
    late[0].continue_()
    expect(page.locator("#search-found a.o-hit strong")).to_have_text(["Fırın ölçümü"])


def test_the_search_has_no_barrier(cast: Cast, visit: Visit) -> None:
    deals.won(cast, name="Fırın kameraları", customer=cast.customers["isik"])
    page, address = visit(build.CONTOSO), reverse("search")
    found = [
        *problems(page, "search", address),
        *problems(page, "found", f"{address}?q=işık"),
        *problems(page, "found below", "/", type_search),
        *problems(page, "palette", "/", open_palette),
        *problems(page, "palette as a page", reverse("palette")),
    ]
    assert not found, "\n".join(found)


def test_a_deal_is_found_by_three_letters_and_opened_in_five_keys(cast: Cast, visit: Visit) -> None:
    """Ctrl K, three letters, Enter, however fast they come (docs/ux.md); the palette does what its page offers, too."""
    deals.won(cast, name="Kiosks")  # whose notes and customer are found by other letters
    young = deals.young(cast, name="Fırın ölçümü")
    page = visit(build.CONTOSO)
    page.goto("/")
    palette = page.locator("#palette")
    field, chosen = palette.get_by_role("combobox"), palette.locator("[aria-selected=true]")
    for key in ("Control+k", "f", "i", "r", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_role("heading", name="Fırın ölçümü", level=1)).to_be_visible()

    page.locator(".o-foot summary").focus()
    page.keyboard.press("Control+k")
    expect(palette.get_by_role("group", name="This deal").get_by_role("option", name="Mark as won")).to_be_visible()
    expect(chosen).to_be_visible()
    page.keyboard.press("ArrowUp")
    expect(chosen).to_have_text(re.compile("Refusals and reasons"))
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    expect(page.locator(".o-foot summary")).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("mark as w")
    expect(chosen).to_have_text(re.compile("Mark as won"))
    expect(field).to_have_attribute("aria-activedescendant", chosen.get_attribute("id") or "")
    page.keyboard.press("Enter")
    expect(page.locator("#dialog")).to_contain_text("Mark as won")
    page.keyboard.press("Escape")

    page.get_by_role("link", name="Pages and actions").click()
    page.keyboard.type("türkçe")
    expect(chosen).to_have_text(re.compile("Türkçe"))
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "tr")
    expect(page).to_have_url(re.compile(str(young.public_id)))
    page.keyboard.press("Control+k")
    page.keyboard.type("ayarlar")
    expect(chosen).to_have_text(re.compile("^\\s*Ayarlar"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/settings/"))


def open_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("fır")
    expect(page.locator("#palette [role=option]").first).to_be_visible()


def test_the_search_works_without_javascript(cast: Cast, visit: Visit) -> None:
    deals.young(cast, name="Fırın")
    page = visit(build.CONTOSO, java_script_enabled=False)
    page.goto("/")
    page.get_by_role("searchbox", name="Search").fill("firin")
    page.keyboard.press("Enter")
    expect(page.locator("main a.o-hit strong")).to_have_text(["Fırın"])
    page.get_by_role("link", name="Pages and actions").click()
    page.locator("main").get_by_role("button", name="Theme: Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("heading", name="Results for “firin”")).to_be_visible()
