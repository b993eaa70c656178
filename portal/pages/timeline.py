"""How the events of the programme's own data read: rates, policy, customers, catalogue, files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from portal.events.models import Event
from portal.ui.templatetags.ortak import rate
from portal.workflow.blockers import _
from portal.workflow.text import show
from portal.workflow.timeline import Sentence, describe


def _words(event: Event) -> Mapping[str, str]:
    told = {**event.before, **event.after}
    begins = told.get("effective_from")
    return {
        "name": str(told.get("name", "")),
        "code": str(told.get("code", "")),
        "currency": str(told.get("currency", "")),
        "month": str(told.get("month", "")),
        "rate": _rate(event.after),
        "before": _rate(event.before),
        "number": str(told.get("number", "")),
        "from": show(datetime.fromisoformat(begins)) if begins and "T" in begins else "",
    }


def _rate(told: Mapping[str, str]) -> str:
    return rate(Decimal(told["usd_per_unit"])) if "usd_per_unit" in told else ""


describe(
    {
        "rate.added": Sentence(
            "currency-exchange", "success", _("The rate of %(currency)s for %(month)s was added: %(rate)s USD")
        ),
        "rate.changed": Sentence(
            "currency-exchange",
            "warning",
            _("The rate of %(currency)s for %(month)s was changed: %(rate)s USD; before: %(before)s"),
        ),
        "policy.version_added": Sentence(
            "sliders", "brand", _("Version %(number)s of the policy was published, in force from %(from)s")
        ),
        "policy.version_withdrawn": Sentence(
            "sliders", "warning", _("Version %(number)s of the policy was withdrawn before it was in force")
        ),
        "customer.added": Sentence("building", "success", _("A customer was added to the directory")),
        "customer.imported": Sentence("building", "success", _("A customer was imported into the directory")),
        "customer.named": Sentence("building", "neutral", _("A partner named a customer of its own")),
        "customer.confirmed": Sentence("building", "success", _("A customer that a partner named was confirmed")),
        "customer.merged": Sentence("building", "warning", _("A customer was merged with another")),
        "customer.changed": Sentence("building", "neutral", _("A customer's entry was changed")),
        "customer.managed_changed": Sentence(
            "building", "brand", _("Whether %(vendor)s manages a customer was changed")
        ),
        "solution.added": Sentence("box", "success", _("The solution %(name)s (%(code)s) was added")),
        "solution.tags_changed": Sentence("box", "neutral", _("The tags of a solution of %(company)s were changed")),
        "plan.added": Sentence("box", "success", _("The plan %(name)s (%(code)s) was added")),
        "plan.changed": Sentence("box", "neutral", _("A plan of a solution of %(company)s was changed")),
        "assessment_type.added": Sentence("box", "success", _("The kind of assessment %(name)s was added")),
        "export.finished": Sentence("download", "neutral", _("A file of a list was made")),
        "upload.checked": Sentence("upload", "neutral", _("An uploaded file was read")),
        "upload.finished": Sentence("upload", "success", _("An uploaded file was taken in")),
        "upload.refused": Sentence("upload", "warning", _("An uploaded file was refused")),
    },
    _words,
)
