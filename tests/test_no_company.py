"""Somebody who acts for no company, as a customer's administrator: nothing is theirs, nor what is nobody's (ORG-6)."""

from __future__ import annotations

from portal.accounts.policies import may_change as may_change_people
from portal.accounts.rules import SYSTEM, Actor, may_keep
from portal.catalog.models import Solution
from portal.demo.cast import Cast
from portal.events import services as events
from portal.events.models import Event
from portal.people.timeline import of_company
from referrals.models import Referral
from referrals.policies import acts_for_company, may_change, may_read, may_register, may_send
from tests import build
from tests.build import NOW

CUSTOMER = Actor(kind="person", email="it@customer.example", name="Customer's administrator")


def test_who_has_no_company_sees_no_deal_and_may_do_nothing_to_one(cast: Cast) -> None:
    deal = build.deal(cast)
    assert not Referral.objects.visible_to(CUSTOMER).exists()
    assert not Referral.objects.all().of_company(CUSTOMER).exists()
    assert not any(may(CUSTOMER, deal) for may in (may_read, may_change, may_register))
    assert not any((may_send(CUSTOMER), acts_for_company(CUSTOMER), may_keep(CUSTOMER)))
    assert not may_change_people(CUSTOMER, deal.company_id)
    assert CUSTOMER.own_company_id == 0


def test_what_belongs_to_no_company_is_not_theirs(cast: Cast) -> None:
    """The programme's own events have no company either."""
    deal = build.deal(cast)
    group = deal.event_group
    events.record([events.new_event(deal, "test.happened", actor=SYSTEM, now=NOW, company_id=None, group=group)])
    seen = Event.objects.all().timeline(group=group, actor=CUSTOMER, others=[])
    assert list(seen) == []
    assert list(of_company(CUSTOMER)) == []
    assert not Solution.objects.all().own(CUSTOMER).exists()
