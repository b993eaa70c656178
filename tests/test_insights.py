"""Insights: what is counted and what is not, over which days, and that page, file and table say the same."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.http import QueryDict
from django.urls import reverse

from dealreg.models import Registration
from dealreg.rules import states
from dealreg.services import registration as services
from portal.catalog.models import Solution
from portal.demo.cast import ANKARA, Cast
from portal.pages.insights import charts
from portal.pages.insights.period import asked_period
from portal.ui.charts import HOURS, shown
from portal.ui.period import Period, months_before
from portal.workflow.blockers import Money
from referrals import rules
from referrals.models import Referral
from referrals.selectors import figures
from tests import build, do
from tests.build import NOW
from tests.edge import STRANGER, Element, Live, parse

OWNER = build.CONTOSO
TODAY = date(2026, 11, 18)
#: The days on which this module's deals are created; those of tests.build end at NOW.
NOVEMBER = Period(date(2026, 11, 1), TODAY)
ADDRESS = NOVEMBER.address
LED = {"help_code": rules.NO_HELP, "vendor_may_view": True}


@pytest.fixture
def live(cast: Cast) -> Live:
    live = Live(cast)
    live.now = NOW
    return live


def eur(amount: int) -> dict[str, Money]:
    """At 1.10 USD."""
    return {"value": Money(Decimal(amount), "EUR")}


def lost(live: Live, **changes: Any) -> Referral:
    actor = live.cast.actor(OWNER)
    return do.lose(live.deal(**LED, **changes), actor=actor, now=NOW, reason_code="budget")


def errored(live: Live) -> Referral:
    actor = live.cast.actor(OWNER)
    return do.close_as_error(live.deal(**LED, **eur(90_000)), actor=actor, now=NOW, reason_code="test")


def table(live: Live, code: str, period: Period = NOVEMBER, by: str = OWNER) -> dict[str, list[str]]:
    """A chart's rows by what they are about."""
    actor = live.cast.actor(by)
    made = charts.chart(code, figures.Figures(actor, period), period, actor)
    return {line[0]: line[1:] for line in made.file[1]}


# Which days


def asked(query: str) -> Any:
    return asked_period(QueryDict(query), today=date(2026, 11, 20))


@pytest.mark.parametrize(
    ("day", "count", "before"),
    [("2026-11-20", 1, "2026-10-20"), ("2026-03-31", 1, "2026-02-28"), ("2028-02-29", 12, "2027-02-28"),
     ("2026-01-15", 6, "2025-07-15")],
)  # fmt: skip
def test_a_month_back_is_the_same_day_or_the_months_last(day: str, count: int, before: str) -> None:
    assert months_before(date.fromisoformat(day), count) == date.fromisoformat(before)


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", "2026-08-21", "2026-11-20"),
        ("period=1", "2026-10-21", "2026-11-20"),
        ("period=12", "2025-11-21", "2026-11-20"),
        ("period=6&first=garbage", "2026-05-21", "2026-11-20"),
        ("period=custom&first=2026-11-01&last=2026-11-01", "2026-11-01", "2026-11-01"),
        ("first=2026-10-01&last=2026-11-01", "2026-10-01", "2026-11-01"),
        ("period=custom&first=2016-11-20&last=2026-11-20", "2016-11-20", "2026-11-20"),
    ],
)
def test_the_address_says_the_days(query: str, first: str, last: str) -> None:
    found = asked(query)
    assert found.form.errors == {}
    assert (found.period.first.isoformat(), found.period.last.isoformat()) == (first, last)
    again = asked(found.period.address.removeprefix("?"))
    assert again.period == found.period


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("period=custom&first=2026-11-10&last=2026-11-09", {"last": "The last day is before the first one."}),
        ("period=custom&first=x&last=2026-02-30", {"first": "not a day of the calendar", "last": "not a day of the"}),
        ("period=custom", {"first": "Give this day, too.", "last": "Give this day, too."}),
        ("first=2026-11-10", {"last": "Give this day, too."}),
        ("period=custom&first=2016-11-19&last=2026-11-20", {"last": "Look at ten years at most."}),
        ("period=custom&first=1989-12-31&last=9999-12-31", {"first": "nothing before 1990", "last": "before 2101"}),
        ("period=7", {"__all__": "There is no such period."}),
        ("period=%00", {"period": "a character that can't be kept"}),
    ],
)
def test_what_cant_be_meant_is_said_at_its_field_and_leaves_the_usual_period(query: str, wrong: Any) -> None:
    found = asked(query)
    assert found.period == Period.back(3, today=date(2026, 11, 20))
    assert {name: errors[0] for name, errors in found.form.errors.items()}.keys() == wrong.keys()
    assert all(words in found.form.errors[name][0] for name, words in wrong.items())


def test_both_days_count_from_their_first_to_their_last_moment_in_utc(live: Live) -> None:
    moment = timedelta(microseconds=1)
    first, end = datetime(2026, 11, 3, tzinfo=UTC), datetime(2026, 11, 6, tzinfo=UTC)
    for at in (first - moment, first, end - moment, end):
        build.deal(live.cast, at=at, **LED)
    period = Period(date(2026, 11, 3), date(2026, 11, 5))
    assert table(live, "funnel", period)["Created or received"][0] == "2"


# What is counted


def test_the_funnel_counts_how_far_deals_came_and_leaves_errors_out(live: Live) -> None:
    """REF-17: an error is as if it had never been."""
    live.deal(**LED, **eur(10_000))
    live.received(**eur(1_000))
    build.won(live.cast, **eur(30_000))
    registration = build.submitted(live.cast, build.won(live.cast))
    do.route(registration, now=NOW)
    build.submitted(live.cast, build.won(live.cast))
    errored(live)
    assert table(live, "funnel") == {
        "Created or received": ["5", "133100.00", "100.0"],
        "Accepted": ["4", "132000.00", "80.0"],
        "Won": ["3", "121000.00", "60.0"],
        "Registered": ["2", "88000.00", "40.0"],
        "Approved": ["1", "44000.00", "20.0"],
    }


def test_an_approval_counts_on_after_its_registration_is_closed(live: Live) -> None:
    registration = do.route(build.submitted(live.cast, build.won(live.cast)), now=NOW)
    assert do.close(registration, now=NOW + 30 * build.DAY).status == states.CLOSED
    assert table(live, "funnel")["Approved"][0] == "1"
    assert table(live, "registrations")["Approved"][0] == "1"


def test_the_pipeline_sums_active_deals_by_stage(live: Live) -> None:
    actor = live.cast.actor(OWNER)
    for amount, stage in ((10_000, 40), (20_000, 40), (5_000, 10)):
        deal = live.deal(**LED, **eur(amount))
        if stage != rules.FIRST_STAGE:
            do.set_stage(deal, actor=actor, now=NOW, stage=stage)
    lost(live)
    errored(live)
    live.received()
    assert table(live, "pipeline") == {
        "Created / accepted": ["1", "5500.00"],
        "Qualified": ["0", "0"],
        "Developed": ["2", "33000.00"],
        "Proposed": ["0", "0"],
        "Negotiated": ["0", "0"],
        "All active deals": ["3", "38500.00"],
    }


def test_the_win_rate_is_of_deals_won_or_lost_by_count_and_by_value(live: Live) -> None:
    """REF-17: neither what is active nor an error counts; a month is the one of the deal's creation."""
    build.won(live.cast, **eur(40_000))
    build.won(live.cast, **eur(10_000))
    lost(live, **eur(20_000))
    lost(live, days=25, **eur(1_000))
    live.deal(**LED)
    errored(live)
    assert table(live, "win-rate", Period(date(2026, 9, 1), TODAY)) == {
        "2026-09": ["0", "0", "", "0", "0", ""],
        "2026-10": ["0", "1", "0.0", "0", "1100.00", "0.0"],
        "2026-11": ["2", "1", "66.7", "55000.00", "22000.00", "71.4"],
        "Entire period": ["2", "2", "50.0", "55000.00", "23100.00", "70.4"],
    }


def test_times_are_the_median_and_the_90th_percentile(live: Live) -> None:
    """From receipt to acceptance: an own deal, born accepted (REF-10), took no time; from creation to the win."""
    for hours in (2, 4, 9):
        copy = live.received(days=5)
        build.accept(live.cast, copy, at=copy.created_at + timedelta(hours=hours), by=OWNER)
    live.received()
    for days in (5, 10):
        build.won(live.cast, created=NOW - days * build.DAY)
    errored(live)
    assert table(live, "times") == {
        "Time to accept": ["3", "4.00", "8.00"],
        "Time to win": ["2", "156.00", "204.00"],  # 4 and 9 days
    }


def test_times_of_nothing_are_no_times(live: Live) -> None:
    live.deal(**LED)
    assert table(live, "win-rate") == {}
    assert table(live, "times") == {"Time to accept": ["0", "", ""], "Time to win": ["0", "", ""]}


@pytest.mark.parametrize(
    ("hours", "said"),
    [("0.5", "30 minutes"), ("0.02", "1 minute"), ("1.99", "119 minutes"), ("2", "2 hours"), ("47.96", "48 hours"),
     ("48", "2 days"), ("156", "6.5 days"), (None, "–")],
)  # fmt: skip
def test_how_long_it_took_is_said_in_the_largest_unit_that_fits(hours: str | None, said: str) -> None:
    assert shown(Decimal(hours) if hours else None, HOURS) == said


def test_registrations_are_counted_by_result_and_rejected_ones_by_reason(live: Live) -> None:
    reviewer = live.cast.actor(build.REVIEWER)

    def reviewed(reason: str) -> Registration:
        registration = build.in_review(live.cast)
        return services.decide(
            registration, "fail_review", actor=reviewer, now=NOW, reason_code=reason, comment="The contract says so."
        )

    for reason in ("duplicate_registration", "duplicate_registration", "evidence_missing"):
        reviewed(reason)
    do.route(build.submitted(live.cast, build.won(live.cast)), now=NOW)
    build.in_review(live.cast)
    build.won(live.cast)  # not registered yet
    found = table(live, "registrations")
    assert {name: row[0] for name, row in found.items()} == {
        "Registered": "5",
        "Approved": "1",
        "In progress": "1",
        "Rejected": "3",
        "Rejected: The same sale has been registered already.": "2",
        "Rejected: The evidence asked for was not provided.": "1",
    }
    assert found["Rejected"][1] == "132000.00"


def test_countries_are_those_of_the_customers_most_deals_first(live: Live) -> None:
    for customer, amount in (("anadolu", 10_000), ("ege", 10_000), ("isar", 50_000)):
        live.deal(**LED, customer=live.cast.customers[customer], **eur(amount))
    build.won(live.cast, customer=live.cast.customers["isar"], **eur(1_000))
    lost(live, customer=live.cast.customers["isar"], **eur(1_000))
    errored(live)
    found = table(live, "countries")
    assert found == {"Germany": ["3", "57200.00", "1", "50.0"], "Türkiye": ["2", "22000.00", "0", ""]}
    assert list(found) == ["Germany", "Türkiye"]


def test_a_deal_counts_for_each_of_its_solutions(live: Live) -> None:
    both = [live.cast.solutions["factory"], live.cast.solutions["retail"]]
    live.deal(**LED, solutions=both, **eur(10_000))
    live.deal(**LED, **eur(5_000))
    assert table(live, "solutions") == {
        "Contoso Factory Insights (SOL-10001-CTS)": ["2", "16500.00", "0", ""],
        "Contoso Perakende Bulutu (SOL-10002-CTS)": ["1", "11000.00", "0", ""],
    }


def test_of_very_many_solutions_those_with_the_most_deals_are_shown(live: Live, monkeypatch: Any) -> None:
    monkeypatch.setattr(figures, "MAX_ROWS", 1)
    monkeypatch.setattr(charts, "MAX_ROWS", 1)
    both = [live.cast.solutions["factory"], live.cast.solutions["retail"]]
    live.deal(**LED, solutions=both)
    live.deal(**LED)
    assert list(table(live, "solutions")) == ["Contoso Factory Insights (SOL-10001-CTS)"]
    page = parse(live.browser(OWNER).get(reverse("insights") + ADDRESS))
    assert "Only the 1 with the most deals are shown." in page.one("section", id="solutions").text
    assert "with the most deals" not in page.one("section", id="countries").text


def test_deals_without_a_rate_count_without_a_value_and_the_page_says_so(live: Live) -> None:
    deal = live.deal(**LED, **eur(10_000))
    live.deal(**LED, **eur(20_000))
    Referral.objects.filter(pk=deal.pk).update(value_usd=None, usd_rate_month=None)
    assert table(live, "funnel")["Created or received"] == ["2", "22000.00", "100.0"]
    page = parse(live.browser(OWNER).get(reverse("insights") + ADDRESS))
    assert "1 deal has no value in USD yet" in page.one(class_="o-banner").text


# For whom


def test_each_sees_his_company_and_his_scope(live: Live) -> None:
    """ORG-2, ORG-4, ORG-6: other companies' deals, other locations' and other teams' count for nobody else."""
    ankara = {"location": live.cast.locations[ANKARA], "team": [build.member(OWNER)]}
    live.deal(**LED, **eur(10_000))
    live.deal(**LED, **ankara, **eur(20_000))
    live.received(**eur(1_000))
    seen = {
        person: table(live, "funnel", by=person)["Created or received"][:2]
        for person in (OWNER, "viewer@contoso.example", "ankara@contoso.example", "user@contoso.example", STRANGER)
    }
    assert seen == {
        OWNER: ["3", "34100.00"],
        "viewer@contoso.example": ["3", "34100.00"],
        "ankara@contoso.example": ["1", "22000.00"],
        "user@contoso.example": ["1", "11000.00"],
        STRANGER: ["1", "1100.00"],
    }
    assert list(table(live, "countries", by="ankara@contoso.example").values()) == [["1", "22000.00", "0", ""]]
    assert list(table(live, "solutions", by="ankara@contoso.example").values()) == [["1", "22000.00", "0", ""]]


def test_the_vendor_sees_its_own_copies_and_no_registrations(live: Live) -> None:
    """REF-3: what it was asked about, not what it may merely view or never heard of."""
    accepted = live.accepted(**eur(10_000))
    live.deal(**eur(20_000))
    live.deal(**LED)
    live.deal(help_code=rules.NO_HELP, vendor_may_view=False)
    assert accepted.company.name == "Contoso Yazılım"
    assert table(live, "funnel", by=build.SELLER) == {
        "Created or received": ["2", "33000.00", "100.0"],
        "Accepted": ["1", "11000.00", "50.0"],
        "Won": ["0", "0", "0.0"],
    }
    assert table(live, "times", by=build.SELLER)["Time to accept"] == ["1", "1.00", "1.00"]
    seller = live.browser(build.SELLER)
    page = parse(seller.get(reverse("insights") + ADDRESS))
    assert page.all("section", id="registrations") == []
    assert seller.get(reverse("insights_csv", args=["registrations"]) + ADDRESS).status_code == 404


# The page and the files


def read(live: Live, code: str) -> list[list[str]]:
    response = live.browser(OWNER).get(reverse("insights_csv", args=[code]) + ADDRESS)
    assert response.status_code == 200
    assert response.content.startswith(b"\xef\xbb\xbf")  # by it spreadsheets know UTF-8
    assert response["Content-Disposition"] == f'attachment; filename="{code}-2026-11-01-2026-11-18.csv"'
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


def cells(row: Element) -> list[str]:
    return [cell.attrs["data-value"] for cell in row if cell.tag in {"th", "td"}]


def test_each_file_holds_the_rows_of_its_table(live: Live) -> None:
    do.route(build.submitted(live.cast, build.won(live.cast)), now=NOW)
    lost(live)
    live.deal(**LED, campaign_id="Q4")
    page = parse(live.browser(OWNER).get(reverse("insights") + ADDRESS))
    sections = page.one(class_="o-insights").all("section")
    codes = [section.attrs["id"] for section in sections]
    assert codes == [
        "funnel", "pipeline", "ageing", "forecast", "win-rate", "times", "registrations", "countries", "solutions",
        "campaigns",
    ]  # fmt: skip
    for section in sections:
        code = section.attrs["id"]
        head, *lines = read(live, code)
        shown = section.one("table")
        assert lines == [cells(row) for row in shown.all("tr")[1:]]
        heads = [cell.text for cell in shown.one("thead").all("th")]
        assert [name.partition(" (")[0] for name in head] == heads
        assert section.one("a", class_="btn").attrs["href"] == f"/insights/{code}.csv{ADDRESS}"
    assert read(live, "win-rate")[0][3] == "Win rate (%)"
    assert read(live, "times")[0][2] == "Median (hours)"


def test_the_page_says_figures_as_people_read_them(live: Live) -> None:
    build.won(live.cast, **eur(40_000))
    lost(live, **eur(20_000))
    lost(live, **eur(20_000))
    page = parse(live.browser(OWNER).get(reverse("insights") + ADDRESS))
    assert [figure.text for figure in page.all(class_="o-kpi")] == [
        "Created or received 3 88,000 USD",
        "Active now 0 0 USD",
        "Win rate 33% 1 won, 2 lost",
        "Win rate by value 50% 44,000 USD won, 44,000 USD lost",
        "Median time to accept – 90th percentile: –",
        "Median time to win 9 days 90th percentile: 9 days",
    ]
    month, total = page.one("table", id="win-rate-table").all("tr")[1:]
    assert month.text == "Nov 2026 1 2 33% 44,000 44,000 50%"
    assert total.text == "Entire period 1 2 33% 44,000 44,000 50%"
    assert "1 Nov 2026 – 18 Nov 2026 (UTC)" in page.one("header", class_="o-head").text
    assert page.one("a", class_="is-on").text == "Custom period"


def test_names_are_text_on_the_page_and_no_formula_in_the_file(live: Live) -> None:
    live.deal(**LED)
    name = '=HYPERLINK("https://evil.example")<script>alert(1)</script>'
    Solution.objects.filter(code="SOL-10001-CTS").update(name=name)
    response = live.browser(OWNER).get(reverse("insights") + ADDRESS)
    assert "<script>alert" not in response.content.decode()
    row = parse(response).one("table", id="solutions-table").all("tr")[1]
    assert row.one("th").text == f"{name} (SOL-10001-CTS)"
    assert read(live, "solutions")[1][0] == f"'{name} (SOL-10001-CTS)"


def test_wrong_days_are_said_at_their_field_with_what_was_typed(live: Live) -> None:
    wrong = "?period=custom&first=2026-11-10&last=2026-11-09"
    client = live.browser(OWNER)
    page = parse(client.get(reverse("insights") + wrong))
    assert page.one(class_="o-errors").text.endswith("To : The last day is before the first one.")
    assert page.one("input", name="last").attrs["aria-invalid"] == "true"
    assert page.one(id="id_last_error").text.endswith("The last day is before the first one.")
    assert [page.one("input", name=name).attrs["value"] for name in ("first", "last")] == ["10 Nov 2026", "9 Nov 2026"]
    assert "The last 3 months are shown instead." in page.one("header", class_="o-head").text
    answer = client.get(reverse("insights_csv", args=["funnel"]) + wrong)
    assert (answer.status_code, answer["Location"]) == (302, reverse("insights") + wrong)


def test_a_period_without_deals_says_what_to_do(live: Live) -> None:
    errored(live)
    page = parse(live.browser(OWNER).get(reverse("insights") + ADDRESS))
    empty = page.one(class_="o-empty")
    assert "No deals in this period" in empty.text
    assert empty.one("a").attrs["href"] == "?period=12"
    assert page.all("table") == []
    page = parse(live.browser(STRANGER).get(reverse("insights") + "?period=12"))
    assert page.one(class_="o-empty").one("a").attrs["href"] == reverse("deals")


def test_there_is_no_file_of_a_chart_that_does_not_exist(live: Live) -> None:
    assert live.browser(OWNER).get("/insights/deals.csv").status_code == 404
