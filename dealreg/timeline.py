"""How the events of registrations read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext

from dealreg import states
from portal.events.models import Event
from portal.workflow import timeline
from portal.workflow.blockers import _
from portal.workflow.text import show
from portal.workflow.timeline import Sentence, describe


def _words(event: Event) -> Mapping[str, str]:
    code, status = event.after.get("reason_code", ""), event.after.get("status", "")
    reason, state = states.reason_text(code, status=status), states.REGISTRATION_STATES.get(status)
    return {
        "reason": gettext(reason) if reason else "–",
        "state": gettext(state) if state else "",
        "until": show(datetime.fromisoformat(event.after["until"])) if "until" in event.after else "",
    }


describe(
    {
        "registration.opened": Sentence(
            "clipboard-plus", "brand", _("The deal can be registered"), timeline.REGISTRATION
        ),
        "registration.reminded": Sentence(
            "alarm", "neutral", _("%(company)s was reminded to register until %(until)s"), timeline.REMINDERS
        ),
        "registration.submitted": Sentence("send", "info", _("The registration was filed"), timeline.REGISTRATION),
        "registration.routed": Sentence(
            "signpost", "info", _("The registration was checked: %(state)s"), timeline.REGISTRATION
        ),
        "registration.resubmitted": Sentence(
            "send", "info", _("The registration was corrected and resubmitted"), timeline.REGISTRATION
        ),
        "registration.selected": Sentence(
            "search", "info", _("The registration was selected for review"), timeline.REGISTRATION
        ),
        "registration.passed": Sentence(
            "check-circle", "success", _("The registration passed the review"), timeline.REGISTRATION
        ),
        "registration.failed": Sentence(
            "x-circle", "danger", _("The registration failed the review: %(reason)s"), timeline.REGISTRATION
        ),
        "registration.action_required": Sentence(
            "pencil", "warning", _("The registration was sent back: %(reason)s"), timeline.REGISTRATION
        ),
        "registration.matched": Sentence(
            "check-circle", "success", _("The marketplace transaction was confirmed"), timeline.REGISTRATION
        ),
        "registration.not_matched": Sentence(
            "x-circle", "danger", _("No marketplace transaction was found: %(reason)s"), timeline.REGISTRATION
        ),
        "registration.closed": Sentence("archive", "neutral", _("The registration was closed"), timeline.REGISTRATION),
    },
    _words,
)
