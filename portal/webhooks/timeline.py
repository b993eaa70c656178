"""How the events of webhooks read."""

from __future__ import annotations

from portal.workflow.blockers import _
from portal.workflow.timeline import Sentence, describe

WEBHOOKS = {
    "webhook.created": Sentence("broadcast", "success", _("A webhook was set up: %(url)s")),
    "webhook.changed": Sentence("broadcast", "neutral", _("The webhook was changed: %(url)s")),
    "webhook.secret_renewed": Sentence("key", "warning", _("The webhook's secret was renewed")),
    "webhook.paused": Sentence("pause-circle", "warning", _("The webhook was paused")),
    "webhook.resumed": Sentence("play-circle", "success", _("The webhook goes on")),
}
describe(WEBHOOKS, lambda event: {"url": event.after.get("url", "–")})
