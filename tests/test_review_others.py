"""What the reviewer finds beside a registration: what it renews, and what was registered of the same sale before."""

from __future__ import annotations

import pytest
from django.utils import timezone

from dealreg.models import Registration
from portal.demo import do
from portal.demo.cast import Cast
from tests import build
from tests.edge import BIG, Element, Live, parse
from tests.test_reviewing import url


@pytest.fixture
def live(cast: Cast) -> Live:
    return Live(cast)


def again(live: Live, earlier: Registration, **answers: object) -> Element:
    """The review page of another registration of this sale."""
    deal, now = live.won(customer=earlier.referral.engagement.customer), timezone.now()
    contract = {"signed": live.day(-5), "start": live.day(-5), "end": live.day(-1)}
    filed = do.route(build.submitted(live.cast, deal, at=now, **contract, **answers), now=now)
    return parse(live.browser(build.REVIEWER).get(url(filed)))


def test_auto_5_the_reviewer_finds_the_earlier_registration(live: Live) -> None:
    earlier = live.approved()
    found = again(live, earlier).one("section", id="others")
    assert url(earlier) in [link.attrs["href"] for link in found.all("a")]


def test_reg_18_the_reviewer_sees_both_side_by_side(live: Live) -> None:
    earlier = live.approved()
    page = again(live, earlier, renews=earlier.pk, tcv=BIG)
    both = page.one("section", id="renewal")
    assert url(earlier) in [link.attrs["href"] for link in both.all("a")]
    rows = {row.one("th").text.strip(): [cell.text for cell in row.all("td")] for row in both.all("tr")[1:]}
    assert list(map(len, rows.values())) == [2] * 6
    assert page.all("section", id="others") == []


def test_reg_6_the_reviewer_reads_what_was_paid_in_twelve_months(live: Live) -> None:
    answers = {"pricing": "payg", "payg_year_value": BIG.amount / 2, "tcv": BIG}
    page = again(live, live.approved(), **answers)
    assert "Paid in twelve months" in page.one("section", id="claim").text
