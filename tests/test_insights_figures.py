"""Insights: every figure of the page is followed to its rows and adds up; periods are compared; what stands still, what
campaigns brought, and what the open deals are expected to bring."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from portal.demo.cast import ANKARA
from portal.policy.models import PolicyVersion
from portal.ui.period import Period
from portal.workflow.blockers import Money
from referrals import rules
from tests import build, do, isv
from tests.edge import Element, Live, parse
from tests.test_insights_programme import MANAGER, programme
from tests.test_isv_pages import reported

IN_ANKARA = "ankara@contoso.example"
LED = {"help_code": rules.NO_HELP, "vendor_may_view": True}


def usd(amount: int) -> dict[str, Money]:
    return {"value": Money(Decimal(amount), "USD")}


def insights(live: Live, email: str = build.CONTOSO, period: str = "12") -> Element:
    response = live.browser(email).get(reverse("insights"), {"period": period})
    assert response.status_code == 200
    return parse(response)


def lines(page: Element, code: str) -> dict[str, list[str]]:
    """A chart's table, row by row."""
    rows = page.one("table", id=f"{code}-table").all("tr")[1:]
    return {row.one("th").text: [cell.text for cell in row.all("td")] for row in rows}


# Every figure


def world(live: Live) -> None:
    """Deals of every way; some that stand still, some overdue; two campaigns; ISV Connect with invoices."""
    contoso = live.cast.actor(build.CONTOSO)
    programme(live)
    old = live.accepted(days=130, close_date=live.day(-20), name="Old", campaign_id="Q4 fair")
    do.set_stage(old, stage=40, actor=contoso, now=live.ago(45))
    live.accepted(days=75, close_date=live.day(500), name="Older", location=live.cast.locations[ANKARA])
    live.approved(live.won(name="Fair", campaign_id="Q4 fair", location=live.cast.locations[ANKARA]))
    do.lose(live.deal(campaign_id="Mailing"), actor=contoso, now=live.now, reason_code="budget")
    isv.rates(live.cast)
    do.issue_invoices(reported(live), now=live.now + timedelta(days=1))
    reported(live, solution=isv.tagged(live.cast, "standard").pk)
    isv.cancelled(live.cast, now=live.now)


def wrong(live: Live, email: str, page: Element) -> list[str]:
    """The figures whose list says another total."""
    followed: dict[str, list[Element]] = defaultdict(list)
    for link in page.all("a"):
        if "data-figure" in link.attrs:
            followed[link.attrs["href"]].append(link)
    browser, found = live.browser(email), []
    for address, links in followed.items():
        listed = parse(browser.get(address))
        (tab,) = [tab for tab in listed.one("nav", id="tabs").all("a") if tab.attrs.get("aria-current")]
        totals = {data.attrs["data-total"]: data.attrs["value"] for data in listed.all("data")}
        totals[""] = tab.one("span", class_="o-count").text
        for link in links:
            total = totals.get(link.attrs.get("data-total", ""))
            if total is None or Decimal(total) != Decimal(link.attrs["data-figure"]):
                found.append(f"{link.text} is {total} in {address}")
    return found


def test_ref_17_every_figure_of_the_page_is_the_total_of_its_list(live: Live) -> None:
    world(live)
    for email, least in ((build.CONTOSO, 100), (IN_ANKARA, 40), (build.SELLER, 50), (MANAGER, 100)):
        page = insights(live, email, "6")
        assert wrong(live, email, page) == [], email
        followed = [link for link in page.all("a") if "data-figure" in link.attrs]
        assert len(followed) > least, email
        amounts = [cell for cell in page.all("td") if cell.attrs.get("data-value", "").strip("0.")]
        assert [cell.text for cell in amounts if not cell.all("a")] == [], email


def test_ref_17_an_isv_figure_counts_deals_under_way_and_ended_ones(live: Live) -> None:
    """Both are in one tab of the list, which has one for all."""
    isv.rates(live.cast)
    start = live.now.date() - timedelta(days=400)
    ended = reported(live, signed=start, start=start, end=start + timedelta(days=364))
    do.issue_invoices(ended, now=live.now + timedelta(days=1))
    reported(live)
    page = insights(live)
    (row,) = page.one("table", id="isv-value-table").one("tbody").all("tr")
    assert row.all("td")[0].text == "2"
    listed = parse(live.browser(build.CONTOSO).get(row.one("th").one("a").attrs["href"]))
    assert {tab.text for tab in listed.one("nav", id="tabs").all("a")} >= {"Submitted 1", "Closed 1", "All reported 2"}
    assert wrong(live, build.CONTOSO, page) == []


# The period before


@pytest.mark.parametrize(
    ("period", "before"),
    [
        (Period.back(1, today=date(2026, 3, 31)), ("2026-01-29", "2026-02-28")),
        (Period.back(3, today=date(2026, 11, 22)), ("2026-05-23", "2026-08-22")),
        (Period.back(12, today=date(2026, 11, 22)), ("2024-11-23", "2025-11-22")),
        (Period(date(2026, 11, 1), date(2026, 11, 10)), ("2026-10-22", "2026-10-31")),
        (Period(date(2026, 11, 1), date(2026, 11, 1)), ("2026-10-31", "2026-10-31")),
    ],
)
def test_the_period_before_is_as_long_and_ends_where_this_one_begins(period: Period, before: tuple[str, str]) -> None:
    assert (period.before.first.isoformat(), period.before.last.isoformat()) == before


def figures(page: Element) -> dict[str, str]:
    return {figure.one("dt").text: figure.text for figure in page.all("div", class_="o-kpi")}


def test_figures_are_compared_with_the_period_before(live: Live) -> None:
    contoso = live.cast.actor(build.CONTOSO)
    live.deal(**LED, **usd(30_000))
    live.won(days=4, won=1, **usd(40_000))
    live.won(days=3, won=1, **usd(30_000))
    alone = insights(live, period="1")
    assert "before:" not in alone.text
    assert "Compared with" not in alone.text
    live.won(days=50, won=45, **usd(20_000))
    lost = live.deal(days=50, **usd(60_000), **LED)
    do.lose(lost, actor=contoso, now=live.ago(40), reason_code="budget")
    page = insights(live, period="1")
    assert figures(page) == {
        "Created or received": "Created or received 3 100,000 USD 1 more before: 2 · 80,000 USD",
        "Active now": "Active now 1 30,000 USD 1 more before: 0 · 0 USD",
        "Win rate": "Win rate 100% 2 won, 0 lost 50 points higher before: 50%",
        "Win rate by value": "Win rate by value 100% 70,000 USD won, 0 USD lost 75 points higher before: 25%",
        "Median time to accept": "Median time to accept – 90th percentile: –",
        "Median time to win": "Median time to win 2.5 days 90th percentile: 2.9 days 2.5 days shorter before: 5 days",
        "Not moved for 30 days": "Not moved for 30 days 0 0 USD",
        "Expected, by stage": "Expected, by stage 3,000 USD of 30,000 USD in open deals",
    }
    assert "Compared with" in page.one("header", class_="o-head").text
    assert [change.text for change in page.all(class_="is-better")] == [
        "1 more", "50 points higher", "75 points higher", "2.5 days shorter",
    ]  # fmt: skip
    assert wrong(live, build.CONTOSO, page) == []


# What stands still


def test_ref_14_open_deals_age_from_their_last_change_of_stage_or_status(live: Live) -> None:
    contoso = live.cast.actor(build.CONTOSO)
    for days, amount in ((10, 1_000), (30, 2_000), (31, 4_000), (61, 8_000), (400, 16_000)):
        live.deal(days=days, **LED, **usd(amount))
    moved = live.deal(days=300, **LED, **usd(32_000))
    do.set_stage(moved, stage=40, actor=contoso, now=live.ago(40))
    do.add_note(moved, text="No move", actor=contoso, now=live.now)
    answered = live.received(days=100, **usd(64_000))
    build.accept(live.cast, answered, at=live.ago(95), by=build.CONTOSO)
    live.won(days=300, won=200)
    live.received(days=5)
    page = insights(live, period="1")
    assert lines(page, "ageing") == {
        "Created / accepted": ["6", "2", "1", "1", "2", "92,000"],
        "Qualified": ["0", "0", "0", "0", "0", "0"],
        "Developed": ["1", "0", "1", "0", "0", "32,000"],
        "Proposed": ["0", "0", "0", "0", "0", "0"],
        "Negotiated": ["0", "0", "0", "0", "0", "0"],
        "All open deals": ["7", "2", "2", "1", "2", "124,000"],
    }
    assert figures(page)["Not moved for 30 days"] == "Not moved for 30 days 5 124,000 USD"


def test_ref_11_the_vendors_open_deals_are_those_that_partners_still_sell(live: Live) -> None:
    contoso = live.cast.actor(build.CONTOSO)
    selling = live.accepted(days=50, **usd(30_000))
    do.set_stage(selling, stage=60, actor=contoso, now=live.ago(5))
    live.won(days=20)
    page = insights(live, build.SELLER)
    assert lines(page, "ageing")["Proposed"] == ["1", "1", "0", "0", "0", "0"]
    assert lines(page, "ageing")["All open deals"][0] == "1"
    assert lines(page, "pipeline")["Proposed"] == ["1", "30,000"]
    assert figures(page)["Active now"].startswith("Active now 1 30,000 USD")


# Campaigns


def test_a_campaign_says_what_it_brought_to_its_own_company_only(live: Live) -> None:
    contoso = live.cast.actor(build.CONTOSO)
    live.approved(live.won(campaign_id="Q4 fair", **usd(40_000)))
    do.lose(live.deal(campaign_id="Q4 fair", **usd(10_000)), actor=contoso, now=live.now, reason_code="budget")
    live.deal(campaign_id="Mailing", **usd(30_000))
    live.deal()
    page = insights(live)
    found = lines(page, "campaigns")
    acv = found["Q4 fair"].pop()
    assert found == {
        "Q4 fair": ["2", "50,000", "1", "40,000", "50%"],
        "Mailing": ["1", "30,000", "0", "0", "–", "0"],
    }
    assert acv != "0"
    answer = live.browser(build.CONTOSO).get(reverse("insights_csv", args=["campaigns"]), {"period": "12"})
    assert [line[0] for line in csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))][1:] == list(found)
    manager = live.browser(MANAGER)
    assert not insights(live, MANAGER).all("section", id="campaigns")
    assert manager.get(reverse("insights_csv", args=["campaigns"])).status_code == 404
    listed = parse(manager.get(reverse("insights_deals"), {"campaign": "Q4 fair", "exact": "1"}))
    assert listed.one("nav", id="tabs").one("span", class_="o-count").text == "0"


def test_without_campaign_ids_the_chart_says_what_they_are_good_for(live: Live) -> None:
    live.deal()
    section = insights(live).one("section", id="campaigns")
    assert "None of these deals has a campaign id." in section.text
    assert not section.all("table")


# Forecast


def test_ref_14_the_forecast_weighs_open_deals_by_their_stage(live: Live) -> None:
    contoso = live.cast.actor(build.CONTOSO)
    live.deal(days=40, close_date=live.day(-1), **LED, **usd(10_000))
    near = live.deal(close_date=live.day(0), **LED, **usd(20_000))
    do.set_stage(near, stage=80, actor=contoso, now=live.now)
    live.deal(close_date=live.day(800), **LED, **usd(40_000))
    live.won(**usd(500_000))
    found = lines(insights(live, period="1"), "forecast")
    assert len(found) == 15
    this = live.now.strftime("%b %Y")
    assert (found["Overdue"], found[this], found["Later"], found["All open deals"]) == (
        ["1", "10,000", "1,000"],
        ["1", "20,000", "16,000"],
        ["1", "40,000", "4,000"],
        ["3", "70,000", "21,000"],
    )
    PolicyVersion.objects.create(number=1, effective_from=live.ago(1), values={"forecast_created_percent": 50})
    page = insights(live, period="1")
    assert lines(page, "forecast")["All open deals"] == ["3", "70,000", "41,000"]
    assert "Created / accepted 50%" in page.one("section", id="forecast").text


def test_a_period_without_deals_still_shows_those_that_are_open(live: Live) -> None:
    live.deal(days=60, **LED, **usd(10_000))
    page = insights(live, period="1")
    assert [section.attrs["id"] for section in page.one(class_="o-insights").all("section")] == ["ageing", "forecast"]
    assert list(figures(page)) == ["Not moved for 30 days", "Expected, by stage"]
    assert "Nothing you may see was created or received on these days." in page.one(class_="o-banner").text
