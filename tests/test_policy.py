"""The programme's numbers as rules and services meet them: their defaults, and which version is in force."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from portal.policy import rules, services
from portal.policy.models import PolicyVersion
from portal.policy.rules import Blackout, Policy

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_the_built_in_numbers_are_the_programmes() -> None:
    """REF-6, REF-7, REF-8, REF-13, REF-18, REF-22, ELIG-3, REG-1, REG-5, REG-6, REG-7, REG-8, REG-11, REG-13, AUTO-1,
    FLOW-6, FLOW-8, FX-2: each number as the programme has it."""
    policy = Policy()
    numbers = {f.name: getattr(policy, f.name) for f in fields(Policy)}
    programme: dict[str, Any] = {
        "version": 0,
        "answer_days": 14,
        "safe_win_hours": 72,
        "max_team_members": 50,
        "max_solutions": 50,
        "max_note_length": 10_000,
        "reminder_days": (14, 7, 3, 1),
        "responsiveness_months": 12,
        "minimum_deal_value_usd": 25_000,
        "minimum_acv_usd": 25_000,
        "perpetual_years": 6,
        "registration_window_days": 60,
        "start_window_days": 90,
        "payg_signing_window_years": 1,
        "pracr_since": date(2023, 7, 1),
        "blackouts": (),
        "review_above_acv_usd": 1_000_000,
        "close_after_days": 7,
        "fiscal_year_starts_month": 7,
        "revalidation_above_tcv_usd": 1_000_000,
        "rate_max_age_months": 3,
    }
    assert {name: numbers[name] for name in programme} == programme
    with pytest.raises(FrozenInstanceError):
        policy.answer_days = 1  # type: ignore[misc]


STORED = st.fixed_dictionaries(
    {},
    optional={
        "answer_days": st.integers(0, 100_000),
        "minimum_acv_usd": st.decimals(0, 10**9, places=2),
        "reminder_days": st.lists(st.integers(0, 60), max_size=4).map(tuple),
        "pracr_since": st.dates(),
        "blackouts": st.lists(st.tuples(st.dates(), st.dates()).map(sorted), max_size=2).map(
            lambda periods: tuple(Blackout(*period) for period in periods)
        ),
    },
)


def as_json(value: Any) -> Any:
    match value:
        case Decimal() | date():
            return str(value)
        case Blackout():
            return {"first": str(value.first), "last": str(value.last)}
        case tuple():
            return [as_json(item) for item in value]
    return value


@given(STORED, st.integers(1, 99))
def test_what_is_stored_comes_back(values: dict[str, Any], version: int) -> None:
    """FLOW-7: a decision is replayed under the very numbers it was made by; what isn't stored is built in."""
    stored = {name: as_json(value) for name, value in values.items()}
    assert rules.from_values(stored, version=version) == replace(Policy(version=version), **values)


@given(st.sampled_from([f.name for f in fields(Policy)]), st.none() | st.text(max_size=3) | st.lists(st.integers()))
def test_no_value_breaks_the_reader(name: str, value: Any) -> None:
    """FLOW-7: a policy, or WrongValues with words for the person; never another error."""
    try:
        assert isinstance(rules.from_values({name: value}, version=1), Policy)
    except rules.WrongValues as error:
        wrong = error
    else:
        return
    assert name in str(wrong)
    assert wrong.blocker.message % wrong.blocker.params == str(wrong)


@pytest.mark.django_db
def test_the_latest_version_that_has_begun_is_in_force() -> None:
    """REG-13, FLOW-7: from its very instant on, in whatever order they were made; of two at once the later made."""
    for number, hours in [(1, 0), (2, -5), (3, 7), (4, 0)]:
        values = {"answer_days": number}
        PolicyVersion.objects.create(number=number, effective_from=NOW + timedelta(hours=hours), values=values)
    expected = [
        (NOW - timedelta(hours=5) - SECOND, 0),
        (NOW - timedelta(hours=5), 2),
        (NOW - SECOND, 2),
        (NOW, 4),
        (NOW + timedelta(hours=7) - SECOND, 4),
        (NOW + timedelta(hours=7), 3),
        (NOW + timedelta(days=999), 3),
    ]
    assert [(at, services.current(at).version) for at, _version in expected] == expected
    assert [services.by_version(number).answer_days for number in (0, 1, 2, 3, 4)] == [14, 1, 2, 3, 4]


@pytest.mark.django_db
@pytest.mark.parametrize("number", [0, 1])
def test_the_database_keeps_versions_apart(number: int) -> None:
    """FLOW-7: a version's number is its own, and 0 means the built-in numbers."""
    PolicyVersion.objects.create(number=1, effective_from=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyVersion.objects.create(number=number, effective_from=NOW)
