"""What has become of a link to a licence page (LIC-4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from portal.workflow.blockers import Blocker, _

GOOD = "good"
USED = "used"
EXPIRED = "expired"


def link_state(*, expires_at: datetime, used_at: datetime | None, now: datetime) -> str:
    """Good once, until it expires."""
    if used_at is not None:
        return USED
    return EXPIRED if expires_at <= now else GOOD


def link_blockers(state: str) -> Iterator[Blocker]:
    """Why a link opens nothing; '' for one that we never made."""
    if state == USED:
        yield Blocker("link_used", _("This link was used already. Have a new one mailed to you."), "LIC-4")
    elif state == EXPIRED:
        yield Blocker("link_expired", _("This link has expired. Have a new one mailed to you."), "LIC-4")
    elif state != GOOD:
        message = _("This link is not complete, or was never made here. Copy it from the mail as a whole.")
        yield Blocker("link_unknown", message, "LIC-4")
