"""Rates and policy change with an event each: who, when, what before, what after."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from portal.accounts.rules import SYSTEM
from portal.demo.cast import Cast
from portal.events.models import Event
from portal.money.models import MonthlyRate
from portal.money.services import Imported, RatesFileRefused
from portal.policy.models import PolicyVersion
from portal.policy.services import TooLate
from portal.programme import services
from tests.test_money import confirm

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
MANAGER, REVIEWER = "manager@vendor.example", "reviewer@vendor.example"


def csv(*lines: str, name: str = "rates.csv") -> io.BytesIO:
    file = io.BytesIO("\n".join(["currency,month,usd_per_unit", *lines]).encode())
    file.name = name
    return file


def of(rate: MonthlyRate) -> list[Event]:
    return list(Event.objects.of_subject(rate).order_by("pk"))


@pytest.fixture
def manager(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.users[MANAGER])
    return client


# Rates


def test_fx_1_an_upload_is_an_event_for_each_rate_it_changes(cast: Cast) -> None:
    actor = cast.actor(MANAGER)
    assert services.upload_rates(csv("AZN,2026-11,0.59", "BGN,2026-11,0.6"), actor=actor, now=NOW).created == 2
    later = NOW + timedelta(hours=1)
    again = services.upload_rates(csv("AZN,2026-11,0.58", "BGN,2026-11,0.6", name="fix.csv"), actor=actor, now=later)
    assert again == Imported(updated=1, unchanged=1)
    added, changed = of(MonthlyRate.objects.get(currency="AZN"))
    assert (added.verb, added.at, added.actor_user, added.company) == ("rate.added", NOW, cast.users[MANAGER], None)
    known = {"currency": "AZN", "month": "2026-11"}
    assert added.before == {}
    assert added.after == {**known, "usd_per_unit": "0.590000000000", "source": "upload", "publication": "rates.csv"}
    assert (changed.verb, changed.at, changed.actor_user) == ("rate.changed", later, cast.users[MANAGER])
    assert changed.before == {**known, "usd_per_unit": "0.590000000000", "source": "upload"}
    assert changed.after == {**known, "usd_per_unit": "0.580000000000", "source": "upload", "publication": "fix.csv"}
    assert [event.verb for event in of(MonthlyRate.objects.get(currency="BGN"))] == ["rate.added"]


def test_fx_1_an_upload_that_is_refused_is_no_event(cast: Cast) -> None:
    before = Event.objects.count()
    with pytest.raises(RatesFileRefused):
        services.upload_rates(csv("AZN,2026-11,0.59", "EUR,2999-12,1"), actor=cast.actor(MANAGER), now=NOW)
    with pytest.raises(PermissionDenied):
        services.upload_rates(csv("AZN,2026-11,0.59"), actor=cast.actor(REVIEWER), now=NOW)
    assert Event.objects.count() == before


def test_fx_1_an_upload_in_the_admin_is_its_persons(cast: Cast, manager: Client) -> None:
    page = reverse("admin:money_monthlyrate_upload")
    refused = manager.post(page, {"file": csv("AZN,2026-10,0.59", "TRX,2026-10,1", "TRY,2999-01,1")}).content.decode()
    assert "Line 3: “TRX” is not a currency code." in refused
    assert "Line 4: 2999-01 is more than a year away" in refused
    assert confirm(manager, manager.post(page, {"file": csv("AZN,2026-10,0.59")})).status_code == 302
    (event,) = of(MonthlyRate.objects.get(currency="AZN"))
    assert (event.verb, event.actor_user) == ("rate.added", cast.users[MANAGER])
    shown = manager.get(reverse("admin:events_event_change", args=[event.pk])).content.decode()
    assert "The rate of AZN for 2026-10 was added: 0.59 USD" in shown
    assert "</strong>: – → 0.59</li>" in shown


@pytest.mark.django_db
def test_fx_1_the_whole_history_is_one_event_a_rate_in_few_statements(django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(10):
        done = services.import_ecb_history(actor=SYSTEM, now=NOW)
    assert done.created > 10_000
    assert Event.objects.filter(verb="rate.added", actor_kind="system").count() == done.created
    call_command("import_rates", stdout=io.StringIO())
    assert Event.objects.count() == done.created  # nothing changed, nothing told


# The policy


def test_flow_7_a_version_of_the_policy_is_an_event(cast: Cast, manager: Client) -> None:
    add = reverse("admin:policy_policyversion_add")
    manager.post(add, {"answer_days": "10", "note": "Shorter"})
    manager.post(add, {"answer_days": "21", "note": ""})
    manager.post(add, {"answer_days": "soon", "note": ""})
    first, second = Event.objects.filter(verb="policy.version_added").order_by("pk")
    versions = list(PolicyVersion.objects.order_by("number"))
    assert [first.subject_id, second.subject_id] == [version.pk for version in versions]
    assert (first.actor_user, first.comment, first.before) == (cast.users[MANAGER], "Shorter", {})
    assert (first.after["number"], first.after["values"]) == (1, {"answer_days": 10})
    assert datetime.fromisoformat(first.after["effective_from"]) == versions[0].effective_from.replace(
        microsecond=versions[0].effective_from.microsecond // 1000 * 1000
    )
    assert second.before == first.after
    assert second.after["values"] == {"answer_days": 21}


def test_flow_7_only_programme_managers_add_versions(cast: Cast) -> None:
    given = {"values": {}, "note": "", "now": NOW}
    with pytest.raises(PermissionDenied):
        services.add_policy_version(**given, effective_from=None, actor=cast.actor(REVIEWER))
    with pytest.raises(TooLate):
        services.add_policy_version(**given, effective_from=NOW - timedelta(days=1), actor=cast.actor(MANAGER))
    assert not Event.objects.filter(verb="policy.version_added").exists()
