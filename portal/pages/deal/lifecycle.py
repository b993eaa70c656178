"""The sales stages of a deal as they were really passed, and how it ended (FLOW-5, REF-14, REF-15)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext

from portal.workflow import text
from referrals import rules
from referrals.models import Referral
from referrals.web.deal import Step


def stage_steps(referral: Referral, entered: Mapping[int, datetime], *, now: datetime) -> list[Step]:
    """`entered`: when the copy last entered a stage, as its events tell."""
    passed = _passed(referral, entered)
    stages = rules.stages_for(assessment=referral.is_assessment)
    sold = [percent for percent in stages if percent < rules.WON_STAGE]
    return [*(_stage(percent, stages[percent], referral, passed, now) for percent in sold), _end(referral, now)]


def _passed(referral: Referral, entered: Mapping[int, datetime]) -> dict[int, datetime]:
    """The stages that the sale went through, without those from which it was put back (REF-14)."""
    began = referral.accepted_at or (None if referral.is_inbound else referral.created_at)
    if began is None:  # never accepted
        return {}
    known = {rules.FIRST_STAGE: began, **entered}
    return {
        stage: at
        for stage, at in known.items()
        if not any(lower < stage and later > at for lower, later in known.items())
    }


def _stage(percent: int, label: str, referral: Referral, passed: Mapping[int, datetime], now: datetime) -> Step:
    name = _first(referral) if percent == rules.FIRST_STAGE else gettext(label)
    at = passed.get(percent)
    if not passed or (percent > referral.stage and not referral.won_at):
        return Step(name, "never" if referral.is_closed else "")
    if percent == referral.stage and not referral.is_closed:
        return Step(
            name,
            "now",
            meta=gettext("since %(day)s") % {"day": _short(timezone.localtime(at).date(), now)} if at else "",
        )
    return Step(name, "done", at=at) if at else Step(name, "skip", meta=gettext("skipped"))


def _first(referral: Referral) -> str:
    return gettext("Accepted") if referral.is_inbound else gettext("Created")


def _end(referral: Referral, now: datetime) -> Step:
    if not referral.is_closed:
        until = gettext("expected %(day)s") % {"day": _short(referral.close_date, now)}
        return Step(gettext(rules.SUBSTATUSES[rules.WON]), "", meta=until)
    look = "won" if referral.won_at else "failed"
    return Step(gettext(rules.SUBSTATUSES[referral.substatus]), look, at=referral.closed_at)


def _short(day: date, now: datetime) -> str:
    """Without the year, where it is this one."""
    return text.day(day, year=day.year != now.year)
