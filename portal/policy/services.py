"""Which policy is in force."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django.db.models import Max

from portal import once
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy


def current(now: datetime) -> Policy:
    """The policy in force at `now`; version 0 is the built-in one."""
    if once.inside():
        version = next((v for v in _versions() if v.effective_from <= now), None)
    else:
        version = PolicyVersion.objects.in_force(now)
    return version.as_policy() if version else Policy()


def by_database_clock() -> Policy:
    """The policy in force as the database's clock has it: for what only reads, such as a search. Decisions are told
    when they are made, and ask current()."""
    version = next((v for v in _versions() if v.in_force), None)  # type: ignore[attr-defined]
    return version.as_policy() if version else Policy()


def _versions() -> list[PolicyVersion]:
    return once.answer("policy_versions", lambda: list(PolicyVersion.objects.with_clock()))


def by_version(number: int) -> Policy:
    """The policy a past decision was made under, for replaying it (FLOW-7)."""
    return PolicyVersion.objects.get(number=number).as_policy() if number else Policy()


def newest() -> int:
    """The number of the version added last, in force or not yet; 0 before the first."""
    return PolicyVersion.objects.aggregate(last=Max("number"))["last"] or 0


class TooLate(ValueError):
    """What is in force, or was, stays: a version can't change what was decided before it was made (FLOW-7)."""


class DayTaken(ValueError):
    """Another version begins on that day already; one of the two would never count."""

    def __init__(self, version: PolicyVersion) -> None:
        self.version = version
        super().__init__(str(version))


def add_version(
    *,
    values: dict[str, Any],
    effective_from: datetime | None,
    note: str,
    by: int | None,
    now: datetime,
    after: int | None = None,
) -> PolicyVersion:
    """The next version, in force from an instant to come or (None) at once; versions are never changed (FLOW-7).

    `values` are what differs from the built-in numbers, not from the version before. `after`: the version they are to
    follow, if only that one. Raises rules.WrongValues, TooLate, DayTaken, or IntegrityError if somebody was faster.
    """
    if effective_from is not None:
        if effective_from < now:
            raise TooLate
        day = effective_from.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        same_day = (day, datetime.combine(day, time.max, UTC))  # no day follows the last one of the calendar
        if taken := PolicyVersion.objects.coming(now).filter(effective_from__range=same_day).first():
            raise DayTaken(taken)
    number = (newest() if after is None else after) + 1
    version = PolicyVersion(
        number=number, values=values, effective_from=effective_from or now, note=note, created_by_id=by
    )
    version.as_policy()
    version.save()
    once.forget("policy_versions")
    return version


def withdraw(version: PolicyVersion, *, now: datetime) -> PolicyVersion:
    """Take back a version whose time has not come; it keeps its number. Raises TooLate; once is enough."""
    fresh = PolicyVersion.objects.select_for_update().get(pk=version.pk)
    if fresh.effective_from <= now:
        raise TooLate
    if fresh.withdrawn_at is None:
        fresh.withdrawn_at = now
        fresh.save(update_fields=["withdrawn_at"])
    once.forget("policy_versions")
    return fresh
