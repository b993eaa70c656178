"""What becomes of what people keep of the pages when they leave their company."""

from __future__ import annotations

from collections.abc import Sequence

from portal.events.models import Event
from portal.events.services import on
from portal.ui import services


@on("member.deactivated")
def drop_views(events: Sequence[Event]) -> None:
    """ORG-2: whoever leaves loses their views."""
    services.drop_private({event.subject_id for event in events})
