"""The timeline's sentences about exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from django.utils.translation import gettext

from exceptions_council.rules import states
from portal.events.models import Event
from portal.workflow.blockers import _
from portal.workflow.text import day, show
from portal.workflow.timeline import GROUPS, Sentence, describe
from referrals.timeline import REMINDERS

EXCEPTION = "exception"
GROUPS.add(EXCEPTION, _("Exception"), order=52)


def params(event: Event) -> Mapping[str, str]:
    """What fills the places of the sentences about exceptions."""
    kind, until = states.KINDS.get(event.after.get("kind", "")), event.after.get("until", "")
    open_until = event.after.get("open_until")
    return {
        "kind": gettext(kind) if kind else "",
        "until": show(datetime.fromisoformat(until)) if until else "",
        "open_until": day(date.fromisoformat(open_until)) if open_until else "",
    }


describe(
    {
        "exception.evidence_reminded": Sentence(
            "alarm", "neutral", _("%(company)s was reminded to answer the council until %(until)s"), REMINDERS
        ),
        "exception.asking_reminded": Sentence(
            "alarm",
            "neutral",
            _("%(company)s was reminded that an exception can be asked for until %(until)s"),
            REMINDERS,
        ),
    },
    params,
)
