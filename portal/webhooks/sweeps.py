"""Turning the feed into deliveries, each once; sending them, each at least once and in order for each deal."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

import structlog
from django.db import connection, transaction
from django.db.models import Value
from django.db.models.functions import Coalesce

from portal.events import selectors as feeds
from portal.events.selectors import Cursor
from portal.webhooks import rules
from portal.webhooks.models import Delivery, FeedPosition, Webhook
from portal.webhooks.selectors import Announcement, announcements
from portal.webhooks.services import sending, signing
from portal.webhooks.services.sending import Answer
from portal.webhooks.services.signing import Signer

log = structlog.get_logger(__name__)

#: So many events in one transaction.
BATCH = 500
#: So many requests at once, to all receivers together; they take no connection to the database.
SENDERS = 64
#: A round starts nothing new after so many seconds, so that its task ends long before it is taken for lost.
ROUND_SECONDS = 40.0
#: How soon a round sees what came in meanwhile.
LOOK_SECONDS = 0.5
#: Of the database: whoever holds this is the one that sends. It ends with its connection, however that ends.
SENDING_LOCK = 0x6F7274616B77

# From the feed


@transaction.atomic
def collect_batch(now: datetime) -> int | None:
    """Write the deliveries of what is new in the feed. Returns how many; None at its end, or while another worker reads
    it. How far it came is kept in the same transaction, so that whatever is killed, each event is told once."""
    position = FeedPosition.objects.select_for_update(skip_locked=True).first()
    if position is None:
        FeedPosition.begin()
        return None
    webhooks = {webhook.company_id: webhook for webhook in Webhook.objects.filter(company__closed_at=None)}
    if not webhooks:  # nobody to tell: what happened until now will never be asked for
        _move(position, feeds.end())
        return None
    events = feeds.feed(Cursor(position.xid, position.event_id), limit=BATCH)
    if not events:
        return None
    told = [_delivery(said, webhooks[said.company_id], now) for said in announcements(events, webhooks.keys())]
    wanted = [delivery for delivery in told if delivery.name in delivery.webhook.events]
    Delivery.objects.bulk_create(wanted, ignore_conflicts=True)  # the rest of a transaction that was cut in two
    _move(position, Cursor.of(events[-1]))
    return len(wanted)


def _move(position: FeedPosition, to: Cursor) -> None:
    if (position.xid, position.event_id) != to:
        position.xid, position.event_id = to
        position.save()


def _delivery(said: Announcement, webhook: Webhook, now: datetime) -> Delivery:
    return Delivery(
        webhook=webhook,
        event_id=said.event.pk,
        xid=said.event.xid,
        name=said.name,
        resource_name=said.resource_name,
        resource_id=said.resource_id,
        resource_path=said.resource_path,
        line=said.line,
        changed_at=said.event.at,
        created_at=now,
        next_attempt_at=now,
    )


# To the receivers


@contextlib.contextmanager
def _the_only_sender() -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [SENDING_LOCK])
        held = bool(cursor.fetchone()[0])
    try:
        yield held
    finally:
        if held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [SENDING_LOCK])


def deliver_due(*, now: datetime, seconds: float = ROUND_SECONDS) -> int:
    """Send what is due, until nothing is or the round is over; returns how many were accepted.

    Only one worker sends at a time. What one that was killed had under way is still waiting, and is sent again.
    Receivers don't wait for each other: each has its own lanes, and one that fails or is slow has a single one.
    """
    with _the_only_sender() as alone:
        if not alone:
            return 0
        with ThreadPoolExecutor(SENDERS, thread_name_prefix="webhook") as pool:
            return _Round(now, pool).run(seconds)


@dataclass
class _Round:
    """One worker's time of sending. `started_at` is the instant passed in; the clock only says how long ago it was."""

    started_at: datetime
    pool: ThreadPoolExecutor
    accepted: int = 0
    under_way: dict[Future[Answer], Delivery] = field(default_factory=dict)
    failing: set[int] = field(default_factory=set)
    _begun: float = field(default_factory=time.monotonic)

    @property
    def now(self) -> datetime:
        return self.started_at + timedelta(seconds=time.monotonic() - self._begun)

    def run(self, seconds: float) -> int:
        while True:
            more = None
            if time.monotonic() - self._begun < seconds:
                more = collect_batch(self.now)
                self._start()
            if not self.under_way and more is None:
                return self.accepted
            done, _waiting = wait(self.under_way, LOOK_SECONDS, FIRST_COMPLETED)
            for future in done:
                self._finish(self.under_way.pop(future), future.result())

    @cached_property
    def _signer(self) -> Signer:
        return signing.signer(self.started_at)

    def _start(self) -> None:
        """Fill the free lanes of every receiver for which something is due."""
        for webhook in Webhook.objects.ready(self.now).order_by("pk"):
            lines = [delivery.line for delivery in self.under_way.values() if delivery.webhook_id == webhook.pk]
            room = min(self._lanes(webhook) - len(lines), SENDERS - len(self.under_way))
            if room > 0:
                due = Delivery.objects.next_in_line(self.now).filter(webhook=webhook).exclude(line__in=lines)
                for delivery in due[:room]:
                    delivery.webhook = webhook
                    self._send(delivery)

    def _lanes(self, webhook: Webhook) -> int:
        return 1 if webhook.down_since or webhook.pk in self.failing else rules.LANES

    def _send(self, delivery: Delivery) -> None:
        body = signing.body_of(delivery)
        headers = signing.headers_of(delivery, body, self._signer, self.now)
        self.under_way[self.pool.submit(sending.post, delivery.webhook.url, body, headers)] = delivery

    def _finish(self, delivery: Delivery, answer: Answer) -> None:
        self.accepted += answer.accepted
        if answer.accepted and answer.ms < rules.SLOW_MS:
            self.failing.discard(delivery.webhook_id)
        else:
            self.failing.add(delivery.webhook_id)
        keep(delivery, answer, now=self.now)


@transaction.atomic
def keep(delivery: Delivery, answer: Answer, *, now: datetime) -> None:
    """Write down what came of an attempt, and when the next one is."""
    attempt = {"at": now.isoformat(), "url": delivery.webhook.url, "status": answer.status, "error": answer.error}
    delivery.log = [*delivery.log, {**attempt, "ms": answer.ms, "answer": answer.text}]
    delivery.attempts += 1
    if answer.accepted:
        delivery.delivered_at = now
    elif pause := rules.pause_after(delivery.attempts, name=delivery.name):
        delivery.next_attempt_at = now + pause
    else:
        delivery.parked_at = now
        log.warning("webhook_parked", webhook=str(delivery.webhook.public_id), delivery=str(delivery.public_id))
    kept = {
        name: getattr(delivery, name) for name in ("log", "attempts", "delivered_at", "next_attempt_at", "parked_at")
    }
    Delivery.objects.waiting().filter(pk=delivery.pk).update(**kept)
    _judge_receiver(delivery.webhook, answer, now)


def _judge_receiver(webhook: Webhook, answer: Answer, now: datetime) -> None:
    """Leave a receiver that is down alone for a while; once it is back, send at once what waited for it."""
    own = Webhook.objects.filter(pk=webhook.pk)
    if rules.is_down(answer.status):
        own.update(resting_until=now + rules.REST, down_since=Coalesce("down_since", Value(now)))
    elif answer.accepted and webhook.down_since:
        if own.filter(down_since__lt=now - rules.DOWN).exists():
            Delivery.objects.waiting().filter(webhook=webhook, next_attempt_at__gt=now).update(next_attempt_at=now)
        own.update(resting_until=None, down_since=None)


# What is old


def purge(*, now: datetime) -> int:
    """Delete what was delivered long ago, and tests after a week (F2); what is parked stays. Returns how many."""
    tests = Delivery.objects.filter(name=rules.TEST, created_at__lt=now - rules.KEEP_TESTS)
    old = Delivery.objects.filter(
        delivered_at__lt=now - rules.KEEP_DELIVERED, created_at__lt=now - rules.KEEP_DELIVERED
    )
    return sum(found.delete()[0] for found in (tests, old))
