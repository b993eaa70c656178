"""When somebody was here last for a company, so that home can tell what happened since."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from portal.accounts.models import Membership

#: A visit is over after so long without a request. What counts web visits agrees on it, and nobody is bound by it: no
#: number of the programme's.
VISIT_ENDS = timedelta(minutes=30)
#: What is known of a visit is as exact as that: no request writes within it.
KEPT_EVERY = timedelta(minutes=5)


def note(membership: Membership, now: datetime) -> None:
    """Keep that the person is here. A visit in which they saw home ends what home has to tell; others leave it."""
    last = membership.seen_at
    if last is not None and now - last < KEPT_EVERY:
        return
    changes: dict[str, Any] = {"seen_at": now}
    if last is not None and now - last >= VISIT_ENDS:
        changes["saw_home"] = False
        if membership.saw_home:
            changes["told_until"] = last
    Membership.objects.filter(pk=membership.pk, seen_at=last).update(**changes)
    for name, value in changes.items():
        setattr(membership, name, value)


def note_home(membership: Membership) -> None:
    """Keep that home was seen in this visit; one write for each visit."""
    if not membership.saw_home:
        Membership.objects.filter(pk=membership.pk).update(saw_home=True)


def hide_steps(membership: Membership) -> None:
    """The person doesn't want to be told their first steps any more."""
    Membership.objects.filter(pk=membership.pk).update(hides_steps=True)
