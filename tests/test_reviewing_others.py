"""What reviewers see of other registrations, and partners don't (AUTO-5, REG-18, ORG-6)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from dealreg.models import Registration
from referrals.models import Referral
from tests import build, do
from tests.edge import BIG, Element, Live, parse


def reviewed(live: Live, registration: Registration) -> Element:
    address = reverse("admin:dealreg_registration_change", args=[registration.pk])
    return parse(live.browser(build.REVIEWER).get(address))


def links(section: Element) -> list[str]:
    return [link.attrs["href"] for link in section.all("a")]


@pytest.mark.parametrize("company", ["contoso", "northwind"])
def test_auto_5_the_reviewer_gets_links_to_the_duplicates(live: Live, company: str) -> None:
    now, cast = timezone.now(), live.cast
    days = {"at": now - timedelta(days=1), "created": now - timedelta(days=9)}
    form = {"signed": days["at"].date(), "start": days["at"].date(), "end": days["at"].date() + timedelta(days=300)}
    before = do.route(build.submitted(cast, build.won(cast, **days), at=now, **form), now=now)
    deal = build.won(cast, customer=before.referral.engagement.customer, **days)
    Referral.objects.filter(pk=before.referral_id).update(company=cast.companies[company])
    registration = do.route(build.submitted(cast, deal, at=now, **form), now=now)
    address = reverse("admin:dealreg_registration_change", args=[before.pk])
    review = reviewed(live, registration)
    assert links(review.one("section", id="registered-before")) == [address]
    page = live.browser(build.CONTOSO).get(reverse("deal", args=[deal.public_id])).content.decode()
    assert (address in page, "Northwind" in page) == (False, False)
    assert ("chosen for additional review" in page) == (company != "contoso")
    for why in (review.one("section", id="reasons").text, page):  # of its company, whoever reads it
        assert ("the same company registered this solution" in why, "your company registered" in why) == (
            company == "contoso",
            False,
        )


def test_reg_18_the_reviewer_sees_what_is_renewed_beside_it(live: Live) -> None:
    now, cast = timezone.now(), live.cast
    days = {"at": now - timedelta(days=1), "created": now - timedelta(days=9)}
    form = {"signed": days["at"].date(), "start": days["at"].date(), "end": days["at"].date() + timedelta(days=300)}
    earlier = do.route(build.submitted(cast, build.won(cast, **days), at=now, **form), now=now)
    deal = build.won(cast, customer=earlier.referral.engagement.customer, **days)
    renewal = do.route(build.submitted(cast, deal, at=now, renews=earlier.pk, **form), now=now)
    beside = reviewed(live, renewal).one("section", id="renewed")
    assert links(beside) == [reverse("admin:dealreg_registration_change", args=[earlier.pk])]
    assert "40,000 EUR" in beside.text


def test_reg_6_the_reviewer_reads_what_was_paid_in_twelve_months(live: Live) -> None:
    deal, now = live.won(), timezone.now()
    contract = {"signed": live.day(-5), "start": live.day(-5), "end": live.day(-1)}
    stated = {"pricing": "payg", "payg_year_value": BIG.amount / 2, "tcv": BIG}
    filed = do.route(build.submitted(live.cast, deal, at=now, **contract, **stated), now=now)
    assert "Paid in twelve months" in reviewed(live, filed).one("section", id="claim").text
