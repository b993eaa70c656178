"""The timeline's sentences about referrals, and which of the events the vendor's people may read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext

from portal.events.models import Event
from portal.events.services import keep_from_vendor
from portal.workflow.blockers import Blocker, _
from portal.workflow.text import amount, day, money, percent, phrase, show, text
from portal.workflow.timeline import GROUPS, Change, Changes, Params, Sentence, describe
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
    stage, was = event.after.get("stage"), event.before.get("stage")
    reason = _REASONS.get(event.after.get("reason_code", ""))
    return {
        "until": show(datetime.fromisoformat(event.after["until"])) if "until" in event.after else "",
        "name": event.after.get("name", ""),
        "partner": event.after.get("partner", ""),
        "reason": text(Blocker("", reason)) if reason else "–",
        "stage": _stage(stage, rules.STAGES) if stage in rules.STAGES else "",
        "was": _stage(was, rules.STAGES) if was in rules.STAGES else "–",
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
        was = event.before.get("stage")
        told = own.get(stage, ()) if event.company_id == referral.company_id and not assessment else ()
        return {
            "stage": " · ".join([_stage(stage, stages), *(name.name for name in told)]),
            "was": _stage(was, stages) if was in stages else "–",
        }

    return stage_params


def changes_of(referral: Referral, *, repriced: datetime | None) -> Changes:
    """What events changed on this copy, for its own company alone: what others make of a deal is theirs (REF-3, REF-9).

    `repriced`: when the copy's currency changed last; an event before it that tells of none shows bare amounts.
    """

    def found(event: Event) -> list[Change]:
        if event.company_id != referral.company_id or event.subject_id != referral.pk:
            return []
        since = repriced is None or event.at >= repriced
        held = {"currency": referral.currency if since else ""}
        before, after = {**held, **event.before}, {**held, **event.after}
        changed = [_value(before, after)] if {"value", "currency"} & event.after.keys() else []
        for name, (label, read) in _FIELDS.items():
            if name in event.after and name in event.before:
                changed.append(Change(phrase(label), *read(before[name], after[name])))
        return [change for change in changed if change.old != change.new]

    return found


def _value(before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    def shown(held: Mapping[str, Any]) -> str:
        if "value" not in held:
            return str(held["currency"])
        value = Decimal(str(held["value"]))
        return money(value, held["currency"]) if held["currency"] else amount(value)

    return Change(gettext("Value") if "value" in after else gettext("Currency"), shown(before), shown(after))


def _plain(old: Any, new: Any) -> tuple[str, str]:
    return str(old or ""), str(new or "")


def _days(old: str, new: str) -> tuple[str, str]:
    return day(date.fromisoformat(old)), day(date.fromisoformat(new))


def _intents(old: str, new: str) -> tuple[str, str]:
    return str(Referral.Intent(old).label), str(Referral.Intent(new).label)


def _lists(old: Sequence[str], new: Sequence[str]) -> tuple[str, str]:
    """What went and what came."""
    gone, come = ([one for one in a if one not in b] for a, b in ((old, new), (new, old)))
    return "; ".join(gone), "; ".join(come)


def _contacts(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, str]:
    return _lists(*([str(held[name]) for name in ("name", "phone", "email") if held.get(name)] for held in (old, new)))


#: The fields whose changes are told, with their labels, and how the old and the new value read.
_FIELDS: Mapping[str, tuple[str, Any]] = {
    "name": (_("Name"), _plain),
    "close_date": (_("Estimated close"), _days),
    "crm_id": (_("CRM id"), _plain),
    "campaign_id": (_("Marketing campaign id"), _plain),
    "marketplace_intent": (_("Marketplace purchase"), _intents),
    "team": (_("Team"), _lists),
    "solutions": (_("Solutions"), _lists),
    "contact": (_("Contact"), _contacts),
}


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
