"""Issuing many invoices is issuing each, column by column, with the same events and notices (ISV-6, JOB)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from isvconnect import sweeps
from isvconnect.models import Installment, Invoice, IsvDeal
from portal import bulk
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.notify.models import Notice
from portal.workflow.blockers import Money
from tests import do, isv
from tests.isv import DAY, NOW
from tests.test_sweeps import OF_EVENT, OF_NOTICE, columns, people

pytestmark = pytest.mark.django_db

OWN = {"id", "public_id", "group", "creation_key", "referral_id", "customer_id"}
OF_INVOICE = {"id", "public_id", "number", "deal_id", "run_id", "parties"}


@pytest.fixture(autouse=True)
def by_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rows are written as many are, one row as one is."""
    monkeypatch.setattr(bulk, "MANY", 2)


def everything_about(deals: list[IsvDeal]) -> list[Any]:
    found = []
    for deal in deals:
        ids = {deal.public_id: "deal", deal.group: "group"}
        events = Event.objects.of_subject(deal).order_by("pk")
        notices = Notice.objects.filter(event__in=events).order_by("email", "pk").values()
        numbers = dict(Invoice.objects.filter(deal=deal).values_list("number", "year"))
        told = [{**n, "params": {**n["params"], "numbers": numbers.get(n["params"].get("numbers"))}} for n in notices]
        found.append(
            (
                columns(IsvDeal.objects.filter(pk=deal.pk).values(), OWN, ids),
                columns(Installment.objects.filter(deal=deal).order_by("number").values(), {"id", "deal_id"}, ids),
                columns(Invoice.objects.filter(deal=deal).order_by("year").values(), OF_INVOICE, ids),
                columns(events.values(), OF_EVENT - {"version"}, ids),
                columns(told, OF_NOTICE, ids),
            )
        )
    return found


def prepare(cast: Cast) -> list[IsvDeal]:
    """Of one year and of three, from a referral and direct, in two currencies, and one that is at its second year."""
    dollars = {"tcv": Money(Decimal(90_000), "USD"), "solution_value": Money(Decimal(70_000), "USD")}
    return [
        isv.deal(cast),
        isv.deal(cast, **isv.one_year()),
        isv.deal(cast, referral=isv.won(cast, team=people())),
        isv.deal(cast, solution=isv.tagged(cast, "standard").pk, **dollars),
        do.issue_invoices(isv.deal(cast, now=NOW), now=NOW + DAY),
    ]


def test_isv_6_job_issuing_many_is_issuing_each(cast: Cast) -> None:
    isv.rates(cast)
    one_by_one, swept = prepare(cast), prepare(cast)
    for later in (DAY, 365 * DAY):
        for deal in one_by_one:
            if isv.again(deal).next_due_on and isv.again(deal).next_due_on <= (NOW + later).date():  # type: ignore[operator]
                do.issue_invoices(deal, now=NOW + later)
        done = [isv.again(deal).pk for deal in one_by_one]
        IsvDeal.objects.filter(pk__in=done).update(next_due_on=None)  # the sweep's are the others
        sweeps.issue_due(now=NOW + later)
        _give_back(one_by_one)
    assert everything_about(swept) == everything_about(one_by_one)
    numbers = sorted(Invoice.objects.values_list("number", flat=True))
    assert numbers == [f"ISV-{number:06}" for number in range(1, len(numbers) + 1)]


def _give_back(deals: list[IsvDeal]) -> None:
    """Their next due days, which were hidden from the sweep."""
    for deal in deals:
        following = deal.installments.unissued().first()
        IsvDeal.objects.filter(pk=deal.pk).update(next_due_on=following.due_on if following else None)


def test_isv_6_job_setting_many_fees_is_setting_each(cast: Cast) -> None:
    one_by_one, swept = ([isv.deal(cast), isv.deal(cast, **isv.one_year())] for _times in range(2))
    isv.rates(cast)
    for deal in one_by_one:
        do.set_fees(deal, now=NOW)
    assert sweeps.issue_due(now=NOW).rated == 2
    found, expected = everything_about(swept), everything_about(one_by_one)
    for one in (*found, *expected):
        one[4].clear()  # managers were told of the first deal only
    assert found == expected
