"""How the events of registrations read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext

from dealreg import states
from portal.events.models import Event
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
        "registration.opened": Sentence("clipboard-plus", "brand", _("The deal can be registered")),
        "registration.reminded": Sentence(
            "alarm", "neutral", _("%(company)s was reminded to register until %(until)s")
        ),
        "registration.submitted": Sentence("send", "info", _("The registration was filed")),
        "registration.routed": Sentence("signpost", "info", _("The registration was checked: %(state)s")),
        "registration.resubmitted": Sentence("send", "info", _("The registration was corrected and resubmitted")),
        "registration.selected": Sentence("search", "info", _("The registration was selected for review")),
        "registration.passed": Sentence("check-circle", "success", _("The registration passed the review")),
        "registration.failed": Sentence("x-circle", "danger", _("The registration failed the review: %(reason)s")),
        "registration.action_required": Sentence("pencil", "warning", _("The registration was sent back: %(reason)s")),
        "registration.matched": Sentence("check-circle", "success", _("The marketplace transaction was confirmed")),
        "registration.not_matched": Sentence(
            "x-circle", "danger", _("No marketplace transaction was found: %(reason)s")
        ),
        "registration.closed": Sentence("archive", "neutral", _("The registration was closed")),
    },
    _words,
)
