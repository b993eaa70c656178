"""The timeline's sentences about referrals, and which of the events the vendor's people may read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext

from portal.events.models import Event
from portal.events.services import keep_from_vendor
from portal.workflow.blockers import Blocker, _
from portal.workflow.text import percent, show, text
from portal.workflow.timeline import GROUPS, Params, Sentence, describe
from referrals import rules
from referrals.models import Referral, StageName

STATUS, CHANGES, NOTES, PEOPLE, REMINDERS = "status", "changes", "notes", "people", "reminders"
GROUPS.add(STATUS, _("Status and stages"), order=10)
GROUPS.add(CHANGES, _("Changes"), order=20)
GROUPS.add(NOTES, _("Notes"), order=30)
GROUPS.add(PEOPLE, _("People and invitations"), order=40)
GROUPS.add(REMINDERS, _("Reminders"), order=60)

_REASONS = {**rules.CLOSE_REASONS, **rules.ERROR_REASONS}


def params(event: Event) -> Mapping[str, str]:
    """The values for the placeholders in sentences about deals."""
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


def stages_of(referral: Referral, own: Mapping[int, Sequence[StageName]]) -> Params:
    """The names of this deal's stages: an assessment has its own (REF-15); other deals add the reader's CRM names,
    `own`, to events of the reader's company (REF-16)."""
    assessment = referral.is_assessment
    stages = rules.stages_for(assessment=assessment)

    def stage_params(event: Event) -> Mapping[str, str]:
        stage = event.after.get("stage")
        if stage not in stages:
            return {}
        told = own.get(stage, ()) if event.company_id == referral.company_id and not assessment else ()
        return {"stage": " · ".join([_stage(stage, stages), *(name.name for name in told)])}

    return stage_params


describe(
    {
        "referral.reminded": Sentence(
            "alarm", "neutral", _("%(company)s was reminded to answer until %(until)s"), REMINDERS
        ),
        "stage_name.added": Sentence("tag", "brand", _("“%(name)s” stands for %(stage)s")),
        "stage_name.removed": Sentence("tag", "neutral", _("“%(name)s” no longer stands for %(stage)s")),
    },
    params,
)


@keep_from_vendor
def of_private_deal() -> Exists:
    """Whether an event is about a copy that the vendor's people must not see: neither partner-led nor co-sell (REF-3).

    A copy that was closed in private stays so, whatever becomes of the engagement (REF-11). Events of a company that
    was merged into another stay its own, and the copy is the other's.
    """
    its = Q(company_id=OuterRef("company_id")) | Q(company__absorbed=OuterRef("company_id"))
    private = Referral.objects.filter(its, vendor_may_view=False)
    return Exists(private.filter(engagement__public_id=OuterRef("group")))
