"""The sentences about consents and licences: on the deal's timeline, and in the history that the customer reads.

None holds an address of the customer's people: events are kept for good, and partners read them (LIC-4).
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext

from licensing.rules.counts import CONSENT_REVOKED, DEAL_CANCELLED
from portal.events.models import Event
from portal.workflow.blockers import _
from portal.workflow.timeline import GROUPS, Sentence, describe

LICENCES = "licences"
GROUPS.add(LICENCES, _("Licences"), order=57)

_WHY = {DEAL_CANCELLED: _("the deal was cancelled"), CONSENT_REVOKED: _("the customer took the consent back")}


def params(event: Event) -> Mapping[str, str]:
    """What fills the places of the sentences about consents and licences."""
    after = event.after
    why = _WHY.get(after.get("frozen", ""))
    return {
        "customer": after.get("customer", ""),
        "plan": ", ".join(after.get("plans", {}).values()),
        "changes": _changes(event),
        "people": str(after.get("people", 0)),
        "why": gettext(why) if why else "",
    }


def _changes(event: Event) -> str:
    """Such as: Basic 30 → 40, Premium 0 → 5."""
    was, names = event.before.get("counts", {}), event.after.get("plans", {})
    counts = event.after.get("counts", {})
    return ", ".join(f"{names.get(code, code)} {was.get(code, 0)} → {count}" for code, count in counts.items())


# About mail to customers: these stand on no deal's timeline.
describe(
    {
        "licence_mail.code": Sentence("shield-lock", "neutral", _("A code was mailed to a customer")),
        "licence_mail.link": Sentence("envelope", "neutral", _("A link to licences was mailed to a customer")),
    },
    params,
)
