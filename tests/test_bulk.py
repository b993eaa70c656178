"""Many rows by COPY are the same rows as a few by INSERT, whatever people typed."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
from django.db import DataError, IntegrityError, transaction

from portal import bulk
from portal.accounts.models import User
from portal.accounts.rules import SYSTEM
from portal.customers.models import Customer
from portal.demo.cast import Cast
from portal.events import services as events
from portal.events.models import Event
from portal.notify import services as notify
from portal.notify.models import Notice
from portal.notify.services import Message
from tests.build import CONTOSO, NOW

GROUP = UUID("01999999-0000-7000-8000-000000000001")
#: What COPY's format gives a meaning of its own, and what is hard to write otherwise.
AWKWARD = {
    "backslashes": r"C:\new\table \\ \N \. \x41",
    "one at the end": "the end\\",
    "tabs and lines": "one\ttwo\nthree\rfour\r\nfive\v\f\b",
    "its null": r"\N",
    "its end": "\\.",
    "nothing": "",
    "blanks": "  ",
    "Turkish": "Işıl Çağlar, ŞİŞLİ",
    "emoji": "👩‍💻 \u202e \ufeff \x7f \x01",
    "quotes": """'single' "double" {curly} %s %(name)s""",
}


@pytest.fixture
def by_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MANY", 1)


def event(text: str = "", **given: Any) -> Event:
    return events.new_event(Customer(pk=1), "test.done", actor=SYSTEM, now=NOW, company_id=None, comment=text, **given)


def awkward_events(company_id: int) -> list[Event]:
    """Each text as a text, in JSON as key and as value; each other column with and without a value."""
    made = [event(text, before={text: [text, None, 1.5, True]}, reasons=[{"a": text}]) for text in AWKWARD.values()]
    numbers = {"large": 2**70, "small": 1e-300, 3: "a key"}
    made.append(event(group=GROUP, shared=True, version=3, policy_version=7, after=numbers))
    made[-1].company_id = company_id
    return made


def columns(rows: Iterable[Any], *own: str) -> list[dict[str, Any]]:
    pks = [row.pk for row in rows]
    assert pks == sorted(set(pks)), "keys ascend"
    found = type(next(iter(rows)))._default_manager.filter(pk__in=pks).order_by("pk").values()
    return [{name: value for name, value in row.items() if name not in own} for row in found]


def test_copied_rows_are_the_inserted_ones(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    inserted, copied = (awkward_events(cast.companies["contoso"].pk) for _ in range(2))
    bulk.insert(inserted)
    monkeypatch.setattr(bulk, "MANY", 1)
    monkeypatch.setattr(bulk, "BATCH", 3)
    bulk.insert(copied)
    found = columns(copied, "id", "public_id")
    assert found == columns(inserted, "id", "public_id")
    assert [row["comment"] for row in found] == [*AWKWARD.values(), ""]
    assert {row.public_id for row in Event.objects.filter(pk__in=[e.pk for e in copied])} == {
        e.public_id for e in copied
    }
    assert not any(e._state.adding for e in copied)
    later = event()
    later.save()
    assert later.pk > copied[-1].pk


def test_what_the_database_refuses_stays_refused(cast: Cast, by_copy: None) -> None:
    """A NUL, a surrogate without its other half, a row that is there already: Django's own errors, and no row."""
    before = Event.objects.count()
    kept = event()
    kept.save()
    for refused in (event("a\0b"), event(after={"a": "\0"}), event(after={"a": "\ud800"})):
        with pytest.raises(DataError), transaction.atomic():
            bulk.insert([event(), refused])
    again = event()
    again.public_id = kept.public_id
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert([event(), again])
    assert Event.objects.count() == before + 1
    bulk.insert([])


def test_ref_24_an_address_hears_once_of_an_event_by_copy_too(cast: Cast, by_copy: None) -> None:
    """REF-24: within one call, and over several; the first message counts."""
    told, other = events.record([event(), event()])
    user = User.objects.get(email=CONTOSO)

    def message(about: Event, subject: str) -> Message:
        params: dict[str, Any] = {"a": None, "b": "\\"}
        return Message(about, [CONTOSO.upper(), CONTOSO], subject, "Body\t\\N", params=params, category="answer")

    notify.notify([message(told, "First"), message(told, "Second")])
    notify.notify([message(told, "Third"), message(other, "Fourth")])
    found = Notice.objects.filter(event__in=[told, other]).order_by("pk")
    assert [(n.event_id, n.subject, n.user_id) for n in found] == [
        (told.pk, "First", user.pk),
        (other.pk, "Fourth", user.pk),
    ]
    assert found[0].params == {"a": None, "b": "\\"}
    assert (found[0].body, found[0].read_at, found[0].attempts) == ("Body\t\\N", None, 0)


def test_a_batch_isnt_searched_for_reference_cycles_until_it_ends() -> None:
    """However it ends, and whatever batch is inside of it."""
    with pytest.raises(ZeroDivisionError), bulk.uncollected():
        assert 1 / gc.isenabled()
    assert gc.isenabled()
    with bulk.uncollected():
        with bulk.uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
