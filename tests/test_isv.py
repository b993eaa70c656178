"""ISV Connect deals by their verbs (ISV-1 to ISV-7)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from isvconnect import sweeps
from isvconnect.models import Invoice, IsvDeal
from portal.demo.cast import Cast
from tests import isv
from tests.isv import DAY, NOW

pytestmark = pytest.mark.django_db


def test_isv_5_isv_6_from_the_report_to_the_last_invoice(cast: Cast) -> None:
    """ISV-5, ISV-6: one invoice for each contract year at its start, numbered, at the rate of the signing."""
    isv.rates(cast)
    deal = isv.deal(cast)
    assert (deal.status, deal.tag, deal.percent) == ("submitted", "premium", Decimal(20))
    assert [year.fee for year in deal.installments.in_order()] == [Decimal("800.00")] * 3
    states = []
    for year in range(3):
        run = sweeps.issue_due(now=NOW + DAY + year * 365 * DAY)
        states.append((run.deals, run.issued, isv.again(deal).status))
    assert states == [(1, 1, "invoiced"), (1, 1, "invoiced"), (1, 1, "completed")]
    assert isv.numbers(deal) == ["ISV-000001", "ISV-000002", "ISV-000003"]
    assert {i.amount for i in Invoice.objects.all()} == {Decimal("800.00")}
    assert IsvDeal.objects.to_invoice((NOW + 2000 * DAY).date()).count() == 0
