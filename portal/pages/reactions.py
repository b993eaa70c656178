"""What pages do when what they show from changes."""

from __future__ import annotations

from collections.abc import Sequence

from portal.events.models import Event
from portal.events.services import on
from portal.pages.services import exports


@on("member.roles_changed", "member.deactivated")
def withdraw_files(events: Sequence[Event]) -> None:
    """ORG-2: a file made with a person's earlier roles holds deals that they may no longer see."""
    exports.withdraw_exports({event.subject_id for event in events})
