"""How the events of referrals read."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext

from portal.events.models import Event
from portal.workflow.blockers import Blocker, _
from portal.workflow.text import percent, text
from portal.workflow.timeline import Sentence, describe
from referrals import rules

_REASONS = {**rules.CLOSE_REASONS, **rules.ERROR_REASONS}


def _words(event: Event) -> Mapping[str, str]:
    stage = event.after.get("stage")
    reason = _REASONS.get(event.after.get("reason_code", ""))
    return {
        "reason": text(Blocker("", reason)) if reason else "–",
        "stage": f"{gettext(rules.STAGES[stage])} ({percent(stage)})" if stage in rules.STAGES else "",
    }


describe(
    {
        "referral.created": Sentence("plus-circle", "brand", _("%(company)s created the deal")),
        "referral.received": Sentence("envelope", "info", _("%(company)s was invited")),
        "referral.accepted": Sentence("check-circle", "success", _("%(company)s accepted the deal")),
        "referral.declined": Sentence("x-circle", "danger", _("%(company)s declined the deal: %(reason)s")),
        "referral.expired": Sentence("hourglass-bottom", "warning", _("%(company)s did not answer in time")),
        "referral.stage_set": Sentence(
            "signpost-split", "neutral", _("%(company)s moved the sales stage to %(stage)s")
        ),
        "referral.win_planned": Sentence("calendar-check", "info", _("The win is planned for the safe hour")),
        "referral.win_cancelled": Sentence("calendar-x", "neutral", _("The planned win was cancelled")),
        "referral.won": Sentence("trophy", "success", _("%(company)s won the deal")),
        "referral.lost": Sentence("emoji-frown", "danger", _("%(company)s lost the deal: %(reason)s")),
        "referral.closed_as_error": Sentence(
            "exclamation-octagon", "danger", _("%(company)s closed the deal as an error: %(reason)s")
        ),
    },
    _words,
)
