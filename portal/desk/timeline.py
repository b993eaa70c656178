"""How what the desk's worker does reads."""

from __future__ import annotations

from collections.abc import Mapping

from portal.events.models import Event
from portal.workflow.blockers import _
from portal.workflow.timeline import Sentence, describe

TOLD = "desk.due_told"


def params(event: Event) -> Mapping[str, str]:
    return {name: str(event.after.get(name, "")) for name in ("due", "overdue")}


describe(
    {TOLD: Sentence("alarm", "neutral", _("The review desk was told of %(due)s due cases, %(overdue)s of them late"))},
    params,
)
