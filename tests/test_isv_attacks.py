"""ISV Connect against its rules' edges: days, ids of deals that a reader may not see, and what stays as it was."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from isvconnect import sweeps
from portal.demo.cast import Cast
from tests import isv
from tests.isv import DAY, NOW, TODAY


def test_isv_6_a_rate_that_came_is_set_at_once_whenever_the_contract_starts(cast: Cast) -> None:
    """ISV-6: also where nothing is due yet, so that the deal doesn't say that it waits; and due on the very first day."""
    tomorrow, later = isv.deal(cast, start=TODAY + timedelta(days=1)), isv.deal(cast, start=TODAY + timedelta(days=30))
    assert sweeps.issue_due(now=NOW).pk is None
    isv.rates(cast)
    run = sweeps.issue_due(now=NOW)
    assert (run.rated, run.issued, run.waiting) == (2, 0, 0)
    assert [isv.again(deal).percent for deal in (tomorrow, later)] == [Decimal(20)] * 2
    assert isv.again(later).next_due_on == TODAY + timedelta(days=30)


def test_isv_6_what_is_due_today_waits_for_its_rate_today(cast: Cast) -> None:
    deal = isv.deal(cast, start=TODAY + timedelta(days=1))
    assert sweeps.issue_due(now=NOW + DAY).waiting == 1
    isv.rates(cast)
    assert sweeps.issue_due(now=NOW + DAY).issued == 1
    assert isv.numbers(deal) == ["ISV-000001"]
