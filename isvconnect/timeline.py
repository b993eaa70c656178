"""The timeline's sentences about ISV Connect deals."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from portal.events.models import Event
from portal.workflow import text
from portal.workflow.blockers import _
from portal.workflow.timeline import GROUPS, Sentence, describe

ISV_CONNECT = "isvconnect"
GROUPS.add(ISV_CONNECT, _("ISV Connect"), order=53)


def params(event: Event) -> Mapping[str, str]:
    """What fills the places of the sentences about ISV Connect deals."""
    after = event.after
    return {
        "years": ", ".join(str(number) for number in after.get("years", ())),
        "amount": text.money(Decimal(after["amount"]), after["currency"]) if "amount" in after else "",
        "percent": text.percent(Decimal(after["percent"])) if after.get("percent") else "–",
        "numbers": ", ".join(after.get("credit_notes", ())) or "–",
    }


describe(
    {
        "fee_rate.set": Sentence("percent", "brand", _("A fee rate of ISV Connect was set")),
        "fee_rate.removed": Sentence("percent", "warning", _("A fee rate of ISV Connect was removed")),
    },
    params,
)
