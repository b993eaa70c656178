"""Webhooks through real workers: what a killed one had under way is sent again, and nothing is lost or told anew."""

from __future__ import annotations

import time
from collections import defaultdict

from django.utils import timezone

from portal.demo.cast import Cast
from portal.webhooks.models import Delivery
from portal.webhooks.services import registration
from referrals.models import Referral
from tests import build, do, receiver
from tests.e2e.portal import Portal, tasks_left, wait_for
from tests.e2e.test_worker_killed import redeliver
from tests.receiver import Receiver, answers, listening

TASK = "portal.webhooks.tasks.deliver"


def sent(portal: Portal) -> None:
    """Rounds of sending, as beat asks for them, until nothing waits."""

    def nothing_waits() -> bool:
        portal.beat(TASK)
        time.sleep(0.5)
        return Delivery.objects.exists() and not Delivery.objects.waiting().exists()

    wait_for(nothing_waits, "all deliveries", seconds=60)
    redeliver()
    wait_for(lambda: tasks_left() == 0, "the worker to finish all tasks")


def test_a_worker_killed_while_it_sends_loses_nothing(portal: Portal, cast: Cast) -> None:
    """JOB: kill -9 with requests under way, twice; every change arrives, each with one id, in order for each deal."""
    now = timezone.now()
    names = ["referral-created", "referral-updated"]
    with listening(receiver.after(0.4, answers(200))) as hook:
        registration.set_up(url=hook.url, names=names, actor=cast.actor("admin@contoso.example"), now=now)
        deals = [build.deal(cast, at=now, close_date=(now + 30 * build.DAY).date()) for _ in range(6)]
        for stage in (40, 60):
            for deal in deals:
                do.set_stage(deal, stage=stage, actor=cast.actor(build.CONTOSO), now=now)
        for more in (3, 9):
            portal.beat(TASK)
            wait_for(lambda more=more: len(hook.received) >= more and hook.at_once, "requests under way")
            portal.worker.kill()
            portal.worker.start()
        sent(portal)
    assert Delivery.objects.filter(delivered_at=None).count() == 0
    assert_complete_and_in_order(hook, deals)


def assert_complete_and_in_order(hook: Receiver, deals: list[Referral]) -> None:
    first_seen: dict[str, str] = {}
    for got in hook.received:
        first_seen.setdefault(got.message, got.json["ResourceUri"].rpartition("/")[2])
    by_deal = defaultdict(list)
    for message, deal in first_seen.items():
        by_deal[deal].append(message)
    assert set(by_deal) == {str(deal.public_id) for deal in deals}
    for deal, messages in by_deal.items():
        kept = Delivery.objects.filter(resource_id=deal).order_by("pk").values_list("public_id", "name")
        assert messages == [str(public_id) for public_id, _name in kept]
        assert [name for _id, name in kept] == ["referral-created", "referral-updated", "referral-updated"]
    assert len(hook.received) >= len(first_seen), "what was under way may come twice, with the same id"
