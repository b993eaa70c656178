"""What the desk does when what its cases name changes."""

from __future__ import annotations

from collections.abc import Sequence

from portal.desk import services
from portal.events.models import Event
from portal.events.services import on


@on("customer.merged")
def move_cases(events: Sequence[Event]) -> None:
    """The cases of an entry that is another one go to that one, and are found by its name, too (REF-5)."""
    for event in events:
        services.move_customer(event.after["merged"], event.subject_id)
