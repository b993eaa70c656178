"""The timeline's sentences about registrations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext

from dealreg.rules import states
from portal.events.models import Event
from portal.workflow.blockers import _
from portal.workflow.text import show
from portal.workflow.timeline import GROUPS, Sentence, describe
from referrals.timeline import REMINDERS

REGISTRATION, DOCUMENTS = "registration", "documents"
GROUPS.add(REGISTRATION, _("Registration"), order=50)
GROUPS.add(DOCUMENTS, _("Documents"), order=55)


def params(event: Event) -> Mapping[str, str]:
    """What fills the places of the sentences about registrations."""
    code, status = event.after.get("reason_code", ""), event.after.get("status", "")
    reason, state = states.reason_text(code, status=status), states.REGISTRATION_STATES.get(status)
    return {
        "reason": gettext(reason) if reason else "–",
        "state": gettext(state) if state else "",
        "transaction": event.after.get("transaction") or "–",
        "until": show(datetime.fromisoformat(event.after["until"])) if "until" in event.after else "",
        "document": event.after.get("document", ""),
    }


describe(
    {
        "transaction.added": Sentence(
            "receipt", "success", _("The marketplace transaction %(transaction)s was taken in")
        ),
        "transaction.released": Sentence("receipt", "neutral", _("A marketplace transaction was released")),
        "transaction.voided": Sentence("receipt", "warning", _("A marketplace transaction was voided")),
    },
    lambda event: {"transaction": str(event.after.get("transaction_id", ""))},
)
describe(
    {
        "registration.marketplace_reminded": Sentence(
            "alarm",
            "neutral",
            _("%(company)s was reminded of the marketplace transaction, due by %(until)s"),
            REMINDERS,
        ),
        "registration.reminded": Sentence(
            "alarm", "neutral", _("%(company)s was reminded to register the deal"), REMINDERS
        ),
        "registration.action_reminded": Sentence(
            "alarm", "neutral", _("%(company)s was reminded to correct the registration until %(until)s"), REMINDERS
        ),
    },
    params,
)
