"""The feed's order (architecture, Feed order): a reader that stores its cursor never misses and never repeats."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from portal import bulk, database
from portal.accounts.rules import SYSTEM
from portal.customers.models import Customer
from portal.events import selectors, services
from portal.events.models import Event
from portal.events.selectors import START, Cursor
from tests.build import NOW

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 30


def happened(number: int = 1) -> list[Event]:
    made = [
        services.new_event(Customer(pk=1), "test.done", actor=SYSTEM, now=NOW, company_id=None) for _ in range(number)
    ]
    return services.record(made)


def read_all(after: Cursor = START, *, limit: int = 3) -> list[int]:
    """Ids, page by page."""
    found: list[int] = []
    while page := selectors.feed(after, limit=limit):
        found += [event.pk for event in page]
        after = Cursor.of(page[-1])
    return found


def settled() -> None:
    """Until everything committed can be read: other tests' transactions on the same server count, too."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while Event.objects.exclude(xid__lt=selectors.HORIZON).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def uncommitted(*, commit: bool = True) -> Iterator[list[int]]:
    """Another connection that has written an event, and commits at the end."""
    written, ended, ids = threading.Event(), threading.Event(), []

    def write() -> None:
        try:
            with transaction.atomic():
                ids.extend(event.pk for event in happened())
                written.set()
                ended.wait(PATIENCE_SECONDS)
                transaction.set_rollback(not commit)
        finally:
            connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    written.wait(PATIENCE_SECONDS)
    yield ids
    ended.set()
    thread.join(PATIENCE_SECONDS)


def test_who_commits_late_is_waited_for() -> None:
    """Its event has the lower id; a reader that went on to the other would never see it."""
    with uncommitted() as late:
        (other,) = happened()
        assert late[0] < other.pk
        assert read_all() == []
    settled()
    assert read_all() == [late[0], other.pk]


def test_who_wrote_first_and_began_last_is_read_later() -> None:
    """The transaction's number counts, not the id: both orders are kept by every reader alike."""
    other = threading.Thread(target=lambda: (happened(), connection.close()))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
        other.start()
        other.join(PATIENCE_SECONDS)
        (own,) = happened()
        assert read_all() == []
    settled()
    assert read_all() == [own.pk, own.pk - 1]


def test_what_is_taken_back_stops_nobody() -> None:
    with uncommitted(commit=False):
        (kept,) = happened()
    settled()
    assert read_all() == [kept.pk]


@pytest.mark.parametrize("many", [1, 100], ids=["few by INSERT", "many by COPY"])
def test_parallel_writers_and_a_reader_that_stores_its_cursor(many: int) -> None:
    """Some commit late, some take back, some write thousands; nothing is missed, nothing comes twice."""
    written: list[int] = []
    done = threading.Event()

    def write(seed: int) -> None:
        dice = random.Random(seed)  # noqa: S311
        try:
            for _turn in range(12):
                kept = dice.random() < 0.8
                with transaction.atomic():
                    ids = [event.pk for event in happened(many if many > 1 else dice.randint(1, 3))]
                    time.sleep(dice.random() * 0.02)
                    transaction.set_rollback(not kept)
                written.extend(ids if kept else ())
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=[seed]) for seed in range(5)]
    read: list[int] = []

    def follow() -> None:
        after = START
        try:
            while True:
                last = done.is_set()
                while page := selectors.feed(after, limit=7 * many):
                    read.extend(event.pk for event in page)
                    after = Cursor.parse(str(Cursor.of(page[-1])))
                if last:
                    return
        finally:
            connection.close()

    reader = threading.Thread(target=follow)
    for thread in [*writers, reader]:
        thread.start()
    for thread in writers:
        thread.join(PATIENCE_SECONDS)
    settled()
    done.set()
    reader.join(PATIENCE_SECONDS)
    assert len(read) == len(set(read))
    assert sorted(read) == sorted(written)
    assert read == read_all(limit=1000)


def test_the_end_of_the_feed() -> None:
    happened(3)
    settled()
    end = selectors.end()
    assert read_all(end) == []
    (later,) = happened()
    settled()
    assert read_all(end) == [later.pk]


@pytest.mark.parametrize("text", ["", "1", "-", "1-", "a-1", "1-2-3", "-1-2", "٣-1", "9" * 19 + "-1", "1 -2"])
def test_what_is_no_cursor(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Cursor.parse(text)


def test_a_backup_restored_on_a_server_that_counted_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """All its events are read, what comes later comes later, and a second migrate changes nothing."""
    before = happened()
    ahead = Event.objects.get().xid + 10**9
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE events_event DISABLE TRIGGER USER")
        cursor.execute("UPDATE events_event SET xid = %s", [ahead])
        cursor.execute("ALTER TABLE events_event ENABLE TRIGGER events_event_stay")
    try:
        assert read_all() == []
        call_command("migrate", "events", verbosity=0)
        monkeypatch.setattr(bulk, "MANY", 1)
        after = happened(2)
        settled()
        assert read_all() == [event.pk for event in [*before, *after]]
        assert _offset() > 10**8
        offset = _offset()
        call_command("migrate", "events", verbosity=0)
        assert _offset() == offset
    finally:
        with connection.cursor() as cursor:
            cursor.execute(database.FEED_OFFSET.format(0))


def _offset() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT events_feed_offset()")
        return cursor.fetchone()[0]


def test_the_feed_reads_its_index() -> None:
    happened(200)
    settled()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE events_event")
        cursor.execute("SET enable_seqscan = off")
    try:
        rows = Event.objects.filter(xid__lt=selectors.HORIZON)
        plan = selectors.beyond(rows, selectors.F("xid"), START, descending=False).order_by("xid", "pk")[:5].explain()
        assert "events_event_feed" in plan
        assert "Sort" not in plan
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET enable_seqscan")
