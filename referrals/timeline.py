"""How the events of referrals read, and which of them the vendor's people may read at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext

from portal.events.models import Event
from portal.events.services import keep_from_vendor
from portal.workflow import timeline
from portal.workflow.blockers import Blocker, _
from portal.workflow.text import percent, show, text
from portal.workflow.timeline import Sentence, Words, describe
from referrals import rules
from referrals.models import Engagement, Referral, StageName

_REASONS = {**rules.CLOSE_REASONS, **rules.ERROR_REASONS}


def _words(event: Event) -> Mapping[str, str]:
    stage = event.after.get("stage")
    reason = _REASONS.get(event.after.get("reason_code", ""))
    return {
        "until": show(datetime.fromisoformat(event.after["until"])) if "until" in event.after else "",
        "name": event.after.get("name", ""),
        "partner": event.after.get("partner", ""),
        "reason": text(Blocker("", reason)) if reason else "–",
        "stage": _stage(stage, rules.STAGES) if stage in rules.STAGES else "",
    }


def _stage(stage: int, stages: Mapping[int, str]) -> str:
    return f"{gettext(stages[stage])} ({percent(stage)})"


def stages_of(referral: Referral, own: Mapping[int, Sequence[StageName]]) -> Words:
    """What this deal's stages are called: an assessment's have names of their own (REF-15); beside the others stand
    those of the reader's own CRM, `own`, if the company's own event tells it (REF-16)."""
    assessment = referral.is_assessment
    stages = rules.stages_for(assessment=assessment)

    def words(event: Event) -> Mapping[str, str]:
        stage = event.after.get("stage")
        if stage not in stages:
            return {}
        told = own.get(stage, ()) if event.company_id == referral.company_id and not assessment else ()
        return {"stage": " · ".join([_stage(stage, stages), *(name.name for name in told)])}

    return words


describe(
    {
        "referral.created": Sentence("plus-circle", "brand", _("%(company)s created the deal"), timeline.STATUS),
        "referral.received": Sentence("envelope", "info", _("%(company)s was invited"), timeline.PEOPLE),
        "referral.accepted": Sentence("check-circle", "success", _("%(company)s accepted the deal"), timeline.STATUS),
        "referral.declined": Sentence(
            "x-circle", "danger", _("%(company)s declined the deal: %(reason)s"), timeline.STATUS
        ),
        "referral.expired": Sentence(
            "hourglass-bottom", "warning", _("%(company)s did not answer in time"), timeline.STATUS
        ),
        "referral.reminded": Sentence(
            "alarm", "neutral", _("%(company)s was reminded to answer until %(until)s"), timeline.REMINDERS
        ),
        "referral.stage_set": Sentence(
            "signpost-split", "neutral", _("%(company)s moved the sales stage to %(stage)s"), timeline.STATUS
        ),
        "referral.note_added": Sentence("chat-left-text", "neutral", _("%(company)s added a note"), timeline.NOTES),
        "referral.edited": Sentence("pencil", "neutral", _("%(company)s edited the details"), timeline.CHANGES),
        "referral.team_edited": Sentence("people", "neutral", _("%(company)s edited the team"), timeline.PEOPLE),
        "referral.solutions_edited": Sentence(
            "box", "neutral", _("%(company)s edited the solutions"), timeline.CHANGES
        ),
        "referral.partner_invited": Sentence(
            "person-plus", "info", _("%(company)s invited %(partner)s"), timeline.PEOPLE
        ),
        "referral.shared": Sentence("eye", "info", _("%(company)s shared the deal with %(vendor)s"), timeline.PEOPLE),
        "referral.help_requested": Sentence(
            "life-preserver", "info", _("%(company)s asked %(vendor)s for help"), timeline.PEOPLE
        ),
        "referral.win_planned": Sentence(
            "calendar-check", "info", _("The win is planned for the safe hour"), timeline.STATUS
        ),
        "referral.win_cancelled": Sentence(
            "calendar-x", "neutral", _("The planned win was cancelled"), timeline.STATUS
        ),
        "referral.won": Sentence("trophy", "success", _("%(company)s won the deal"), timeline.STATUS),
        "referral.lost": Sentence("emoji-frown", "danger", _("%(company)s lost the deal: %(reason)s"), timeline.STATUS),
        "referral.closed_as_error": Sentence(
            "exclamation-octagon", "danger", _("%(company)s closed the deal as an error: %(reason)s"), timeline.STATUS
        ),
        "stage_name.added": Sentence("tag", "brand", _("“%(name)s” stands for %(stage)s")),
        "stage_name.removed": Sentence("tag", "neutral", _("“%(name)s” no longer stands for %(stage)s")),
    },
    _words,
)


@keep_from_vendor
def private_engagements() -> QuerySet[Any]:
    """REF-3: until a deal is partner-led or co-sell, the vendor's people see nothing of it."""
    return Engagement.objects.filter(vendor_may_view=False).values("public_id")
