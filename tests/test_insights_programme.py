"""Insights of the programme: every figure leads to its rows, and the sums agree; as many queries for any number."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from dealreg.models import Registration
from portal.accounts.rules import Actor
from portal.pages.insights import charts
from portal.pages.insights.listing import COUNTED
from portal.ui.charts import Chart
from portal.ui.period import Period
from referrals import rules
from referrals.models import Referral
from referrals.selectors.figures import Figures
from tests import build, do
from tests.edge import Live, parse

MANAGER = "manager@vendor.example"
ROWS = reverse("insights_deals")


def programme(live: Live) -> None:
    """A deal of each way, of two partners, in several months; and what counts for nobody."""
    contoso = live.cast.actor(build.CONTOSO)
    live.deal(name="Open")
    live.accepted(name="Active", days=40)
    do.lose(live.accepted(name="Lost"), actor=contoso, now=live.now, reason_code="budget")
    live.approved(live.won(name="Approved"))
    live.approved(live.won(name="Older", days=50))
    live.in_review(live.won(name="In review"))
    live.decided(live.in_review(live.won(name="Passed")), "pass_review")
    for reason in ("duplicate_registration", "evidence_missing"):
        given = {"reason_code": reason, "comment": "As the contract says."}
        live.decided(live.in_review(live.won(name=reason)), "fail_review", **given)
    sent = live.decided(live.in_review(live.won(name="Withdrawn")), "require_action", reason_code="other", comment="?")
    do.withdraw(sent, actor=contoso, now=live.now)
    do.close_as_error(live.deal(name="Error"), actor=contoso, now=live.now, reason_code="test")
    live.deal(name="Private", help_code=rules.NO_HELP, vendor_may_view=False)


def made(live: Live, email: str = MANAGER) -> tuple[Actor, Period, list[Chart]]:
    actor = live.cast.actor(email)
    period = Period.back(12, today=timezone.now().date())
    figures = Figures(actor, period)
    return actor, period, [charts.chart(code, figures, period, actor) for code in charts.offered(actor)]


def test_ref_17_org_6_the_programme_of_a_deal_of_each_way(live: Live) -> None:
    """Counted by everything, linked, in files, and shown to those whose figures count them."""
    programme(live)
    _counts_the_partners_deals_by_everything(live)
    _the_page_links_its_figures_and_each_table_is_a_file(live)
    _the_list_shows_only_what_ones_own_figures_count(live)


def _counts_the_partners_deals_by_everything(live: Live) -> None:
    actor, period, offered = made(live)
    by_code = {chart.code: chart for chart in offered}
    for code in ("partners", "countries"):
        assert sum(int(row[1].value) for row in by_code[code].rows) == Figures(actor, period).totals["created"] == 10
    registered = Figures(actor, period).totals["registered"]
    assert registered == 7
    for code in ("registered-partners", "registered-countries", "registered-solutions", "registered-months"):
        rows = by_code[code].rows
        assert sum(int(row[1].value) for row in rows) == registered, code
        for row in rows:
            assert int(row[1].value) == sum(int(cell.value) for cell in row[2:6]), code
    results = {row[0].value: row[1].value for row in by_code["registrations"].rows}
    assert results == {
        "Registered": "7", "Approved": "3", "In progress": "1", "Withdrawn": "1", "Rejected": "2",
        "Rejected: The same sale has been registered already.": "1",
        "Rejected: The evidence asked for was not provided.": "1",
    }  # fmt: skip
    assert [row[1].value for row in by_code["review-times"].rows] == ["3", "1", "2"]
    assert "registered-partners" not in charts.offered(live.cast.actor(build.CONTOSO))
    assert "registered-partners" not in charts.offered(live.cast.actor(build.SELLER))


def _the_page_links_its_figures_and_each_table_is_a_file(live: Live) -> None:
    browser = live.browser(MANAGER)
    page = parse(browser.get(reverse("insights"), {"period": "12"}))
    tops = page.one("dl", class_="o-kpis").all("a")
    assert len(tops) == 7
    for link in (*tops, *page.one("table", id="registered-partners-table").all("a")):
        assert browser.get(link.attrs["href"]).status_code == 200
    shown = parse(browser.get(tops[0].attrs["href"]))
    assert shown.one("nav", id="tabs").one("span", class_="o-count").text == "10"
    for code in charts.offered(live.cast.actor(MANAGER)):
        if code.startswith("isv-"):
            continue
        answer = browser.get(reverse("insights_csv", args=[code]), {"period": "12"})
        lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        table = page.one("table", id=f"{code}-table")
        assert len(lines) - 1 == len(table.all("tr")) - 1, code


def _the_list_shows_only_what_ones_own_figures_count(live: Live) -> None:
    for email, private in ((MANAGER, False), (build.CONTOSO, True), ("referrals@fabrikam.example", False)):
        actor = live.cast.actor(email)
        names = set(COUNTED.visible(actor).values_list("name", flat=True))
        assert ("Private" in names) is private, email
        assert "Error" not in names
    assert not COUNTED.visible(live.cast.actor("referrals@fabrikam.example")).exists()
    vendors = Referral.objects.filter(company__kind="vendor").values("pk")
    assert not COUNTED.visible(live.cast.actor(MANAGER)).filter(pk__in=vendors).exists()


def test_ref_17_the_review_takes_from_its_beginning_to_the_decision(live: Live) -> None:
    registration = live.decided(live.in_review(live.won()), "pass_review")
    begun = registration.decided_at - timedelta(hours=30)
    Registration.objects.filter(pk=registration.pk).update(review_pending_at=begun)
    _actor, _period, offered = made(live)
    (times,) = [chart for chart in offered if chart.code == "review-times"]
    assert [cell.value for cell in times.rows[0]] == ["All reviews", "1", "30.00", "30.00"]


def test_ref_17_a_thousand_registrations_ask_as_often_as_ten(live: Live) -> None:
    registration = live.approved(live.won())
    live.decided(live.in_review(live.won()), "pass_review")
    browser = live.browser(MANAGER)
    addresses = [reverse("insights") + "?period=12", f"{ROWS}?step=registered&exact=1"]

    def asked() -> list[int]:
        counts = []
        for address in addresses:
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(address).status_code == 200
            counts.append(len(queries))
        return counts

    def add(count: int) -> None:
        copies = build.multiply(registration.referral, count)
        (mine,) = [copy for copy in copies if copy[0].company_id == registration.referral.company_id]
        rows = [
            Registration(
                **{
                    f.attname: getattr(registration, f.attname)
                    for f in Registration._meta.concrete_fields
                    if f.attname not in {"id", "public_id", "referral_id"}
                },
                referral=copy,
            )
            for copy in mine
        ]
        Registration.objects.bulk_create(rows)

    add(8)
    asked()  # what is kept of a list is written the first time
    few = asked()
    add(990)
    assert asked() == few
    assert max(few) < 40
