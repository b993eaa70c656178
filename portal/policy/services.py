"""Which policy is in force."""

from __future__ import annotations

from datetime import datetime

from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy


def current(now: datetime) -> Policy:
    """The policy in force at `now`; version 0 is the built-in one."""
    version = PolicyVersion.objects.in_force(now)
    return version.as_policy() if version else Policy()


def by_version(number: int) -> Policy:
    """The policy a past decision was made under, for replaying it (FLOW-7)."""
    return PolicyVersion.objects.get(number=number).as_policy() if number else Policy()
