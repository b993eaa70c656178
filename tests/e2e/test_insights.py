"""Insights in a browser: charts that repeat their tables, in either theme, figures that lead to their rows, as those of
home do, and nothing in anybody's way."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from portal.accounts.models import Membership
from portal.demo.cast import Cast
from referrals.services import drafts
from tests import build, do
from tests.e2e import deals
from tests.e2e.conftest import Visit
from tests.e2e.test_access import problems
from tests.edge import Live

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

ADDRESS = reverse("insights") + "?period=1"
CODES = ["funnel", "pipeline", "ageing", "forecast", "win-rate", "times", "registrations", "countries", "solutions"]

#: The charts in which something is painted in this colour, which the theme gives the figures.
PAINTED = """(token) => {
  const probe = document.body.appendChild(document.createElement("span"));
  probe.style.color = `var(${token})`;
  const colour = getComputedStyle(probe).color.match(/\\d+/g).map(Number).join();
  probe.remove();
  const painted = (canvas) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] === 255 && `${data[i]},${data[i + 1]},${data[i + 2]}` === colour) return true;
    }
    return false;
  };
  const shown = [...document.querySelectorAll("canvas")].filter((canvas) => canvas.width && painted(canvas));
  return shown.map((canvas) => canvas.dataset.chart.replace("-table", "")).join();
}"""


def _world(cast: Cast) -> None:
    """Something for each chart: active, won, lost, registered."""
    deals.young(cast, name="Young")
    deals.in_review(cast, deals.won(cast, name="Reviewed"))
    lost = deals.young(cast, name="Lost")
    do.lose(lost, actor=cast.actor(build.CONTOSO), now=timezone.now(), reason_code="budget")


def test_charts_draw_what_their_tables_hold_in_the_colours_of_the_theme(cast: Cast, visit: Visit) -> None:
    _world(cast)
    page = visit(build.CONTOSO)
    page.emulate_media(color_scheme="light")
    page.goto(ADDRESS)
    painted = f"(token) => ({PAINTED})(token) === '{','.join(CODES)}'"
    page.wait_for_function(painted, arg="--o-brand-fill", polling=100)
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")  # else the colour asked for is light's
    page.wait_for_function(painted, arg="--o-brand-fill", polling=100)
    for code in CODES:
        expect(page.locator(f"#{code} table")).to_be_visible()
    with page.expect_download() as download:
        page.locator("#funnel").get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename.startswith("funnel-")
    found = list(problems(page, "insights", ADDRESS))
    found += problems(page, "insights, wrong", reverse("insights") + "?first=2026-02-01&last=2026-01-01")
    assert not found, "\n".join(found)


def test_without_javascript_the_tables_are_all_there_is(cast: Cast, visit: Visit) -> None:
    _world(cast)
    page = visit(build.CONTOSO, java_script_enabled=False)
    page.goto(ADDRESS)
    assert page.locator(".o-chart").count() == len(CODES)
    expect(page.locator(".o-chart >> visible=true")).to_have_count(0)
    expect(page.locator("#win-rate table")).to_be_visible()
    page.get_by_role("link", name="Custom period").click()
    page.get_by_label("From", exact=True).fill("2020-01-01")
    page.get_by_label("To", exact=True).fill("2020-01-31")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".o-banner")).to_contain_text("Nothing you may see was created or received on these days.")


#: What a page's list comes to, as it is shown: its totals by name, and under none the number of its rows.
SHOWN = """() => {
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((found) => found.checkVisibility());
  const totals = shown("data[data-total]").map((total) => [total.dataset.total, total.innerText]);
  const [count] = shown("#tabs [aria-current] .o-count, #count, .o-toolbar .is-on .o-count");
  return Object.fromEntries([...totals, ["", count?.innerText ?? `${shown("#drafts li").length}`]]);
}"""


def test_every_figure_of_home_and_insights_is_clicked_and_its_list_adds_up_to_it(cast: Cast, visit: Visit) -> None:
    """A list is opened once, in a tab of its own, by the first figure that leads to it; all are compared with it."""
    _world(cast)
    _waiting(cast)
    page = visit(build.CONTOSO)
    lists: dict[str, dict[str, str]] = {}
    wrong, figures = [], 0
    for address in (reverse("home"), ADDRESS):
        page.goto(address)
        for figure in page.locator("a[data-figure]").all():
            said, total, rows = (figure.get_attribute(name) or "" for name in ("data-figure", "data-total", "href"))
            if rows not in lists:
                with page.context.expect_page() as opened:
                    figure.click(modifiers=["Control"])
                opened.value.wait_for_load_state("domcontentloaded")
                lists[rows] = opened.value.evaluate(SHOWN)
                opened.value.close()
            shown = lists[rows].get(total, "nothing")
            if re.sub(r"[^\d.]", "", shown) != re.sub(r"\.00$", "", said):
                wrong.append(f"{figure.inner_text()} is {shown} in {rows}")
            figures += 1
    assert not wrong, "\n".join(wrong)
    assert figures > len(lists) > 30, (figures, len(lists))


def _waiting(cast: Cast) -> None:
    """Something for each card of home: a deal to answer, a registration, a draft, and news."""
    live = Live(cast)
    live.received(name="Ovens")
    deals.won(cast, name="Kilns")
    asked = live.deal(days=3, name="Asked")
    build.accept(cast, build.vendor_copy(asked), at=live.ago(1), by=build.SELLER)
    drafts.new(cast.actor(build.CONTOSO), team=[], now=live.now).save()
    Membership.objects.update(told_until=live.ago(2), seen_at=live.now)
