"""The programme's numbers: versions are added, never changed; what makes no policy is refused (FLOW-7, REG-13)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.demo.cast import Cast
from portal.policy import rules, services
from portal.policy.models import PolicyVersion
from portal.policy.rules import Blackout, Policy

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
ADD = "admin:policy_policyversion_add"


def client_of(cast: Cast, email: str) -> Client:
    client = Client()
    client.force_login(cast.users[email])
    return client


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "Write the numbers"),
        (None, "Write the numbers"),
        ({"answer_day": 10}, "answer_day is not a field of the policy."),
        ({"version": 3}, "version is not a field of the policy."),
        ({"answer_days": "soon"}, "answer_days can't be 'soon'."),
        ({"answer_days": 1.5}, "answer_days can't be 1.5."),
        ({"answer_days": None}, "answer_days can't be None."),
        ({"answer_days": -1}, "answer_days must be from 0 to 100000."),
        ({"answer_days": 10**12}, "answer_days must be from 0 to 100000."),
        ({"perpetual_years": 0}, "perpetual_years must be from 1 to 100."),
        ({"minimum_acv_usd": float("nan")}, "minimum_acv_usd can't be nan."),
        ({"minimum_acv_usd": "Infinity"}, "minimum_acv_usd must be from 0"),
        ({"reminder_days": "14"}, "reminder_days can't be '14'."),
        ({"pracr_since": "1 July"}, "pracr_since can't be '1 July'."),
        ({"blackouts": [{"first": "2026-12-24"}]}, "blackouts can't be"),
        ({"blackouts": [{"first": "2026-12-31", "last": "2026-12-24"}]}, "blackouts can't be"),
    ],
)
def test_flow_7_values_that_make_no_policy_are_refused_by_name(values: Any, said: str) -> None:
    with pytest.raises(rules.WrongValues) as refused:
        rules.from_values(values, version=1)
    assert str(refused.value).startswith(said)


def test_reg_13_stored_values_become_the_policy() -> None:
    values = {
        "answer_days": 10,
        "minimum_acv_usd": "30000.50",
        "reminder_days": [7, 1],
        "pracr_since": "2024-07-01",
        "blackouts": [{"first": "2026-12-24", "last": "2026-12-31"}],
    }
    assert rules.from_values(values, version=4) == Policy(
        version=4,
        answer_days=10,
        minimum_acv_usd=Decimal("30000.50"),
        reminder_days=(7, 1),
        pracr_since=date(2024, 7, 1),
        blackouts=(Blackout(date(2026, 12, 24), date(2026, 12, 31)),),
    )


@pytest.mark.django_db
def test_flow_7_a_version_counts_from_its_instant_and_the_past_stays() -> None:
    assert services.current(NOW) == Policy()
    first = services.add_version(values={"answer_days": 10}, effective_from=None, note="", by=None, now=NOW)
    later = NOW + timedelta(days=3)
    second = services.add_version(values={}, effective_from=later, note="", by=None, now=NOW)
    assert (first.number, second.number) == (1, 2)
    assert services.current(NOW - timedelta(seconds=1)).version == 0
    assert (services.current(NOW).version, services.current(NOW).answer_days) == (1, 10)
    assert (services.current(later).version, services.current(later).answer_days) == (2, 14)
    assert services.by_version(1).answer_days == 10
    with pytest.raises(services.TooLate):
        services.add_version(values={}, effective_from=NOW - timedelta(days=1), note="", by=None, now=NOW)
    with pytest.raises(rules.WrongValues):
        services.add_version(values={"x": 1}, effective_from=None, note="", by=None, now=NOW)
    assert PolicyVersion.objects.count() == 2


def test_flow_7_a_programme_manager_adds_versions_and_changes_none(cast: Cast) -> None:
    manager = client_of(cast, "manager@vendor.example")
    add, today = reverse(ADD), timezone.now().date()
    wrong = manager.post(add, {"answer_days": "ten", "sample_percent": "101", "reminder_days": "14; x"})
    assert wrong.context["adminform"].form.errors.keys() == {"answer_days", "sample_percent", "reminder_days"}
    past = {"in_force_from": today.isoformat(), "note": ""}
    assert "never from an earlier one" in manager.post(add, past).content.decode()
    assert not PolicyVersion.objects.exists()

    assert manager.post(add, {"answer_days": "10", "note": "Shorter"}).status_code == 302
    first = PolicyVersion.objects.get()
    assert (first.number, first.values, first.note) == (1, {"answer_days": 10}, "Shorter")
    assert first.created_by == cast.users["manager@vendor.example"]
    assert abs(timezone.now() - first.effective_from) < timedelta(minutes=1)
    assert manager.get(add).context["adminform"].form["answer_days"].value() == 10  # the next starts from this one

    tomorrow = today + timedelta(days=1)
    manager.post(add, {"answer_days": "21", "in_force_from": tomorrow.isoformat()})
    second = PolicyVersion.objects.get(number=2)
    assert second.effective_from == datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=UTC)
    for version in (first, second):
        change = reverse("admin:policy_policyversion_change", args=[version.pk])
        assert manager.get(change).status_code == 200
        assert manager.post(change, {"answer_days": "9", "note": ""}).status_code == 403
        delete = reverse("admin:policy_policyversion_delete", args=[version.pk])
        assert manager.post(delete, {"post": "yes"}).status_code == 403
    assert PolicyVersion.objects.get(number=1).values == {"answer_days": 10}

    reviewer = client_of(cast, "reviewer@vendor.example")
    assert reviewer.get(reverse("admin:policy_policyversion_changelist")).status_code == 200
    assert reviewer.post(add, {"note": ""}).status_code == 403
