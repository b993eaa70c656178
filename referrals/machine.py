"""The referral's machine (REF-11..18): its verbs, what blocks each, and what each needs beyond its inputs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.money import services as money
from portal.policy.rules import Policy
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, Money, _
from referrals import rules
from referrals.models import Engagement, Referral
from referrals.policies import may


def usd_value(value: Money, *, now: datetime, policy: Policy) -> tuple[Decimal | None, date | None]:
    """The value at the rate of the month of `now`, with that rate's month; nothing where no rate is known (FX-2)."""
    try:
        usd = money.to_usd(value.amount, value.currency, month=now.date(), policy=policy)
    except money.RateMissing:
        return None, None
    return usd.amount, usd.rate_month


def _lock(pk: int) -> Referral:
    """The engagement's row first, then the referral's: verbs on copies of one engagement never run at once."""
    Engagement.objects.select_for_update().get(referrals=pk)
    return Referral.objects.select_for_update(of=("self",)).with_context().prefetch_related("team").get(pk=pk)


def _accept_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    if context.inputs is None:
        return
    inputs = context.inputs
    yield from rules.detail_blockers(
        name=inputs["name"], value=inputs["value"], notes=inputs.get("notes", ""), policy=context.policy
    )
    if inputs.get("team"):
        yield from rules.team_blockers(inputs["team"], policy=context.policy)


def _accept_extras(referral: Referral, context: workflow.Context) -> dict[str, Any]:
    assert context.inputs is not None
    usd, month = usd_value(context.inputs["value"], now=context.now, policy=context.policy)
    return {"value_usd": usd, "usd_rate_month": month}


def _win_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    return rules.win_blockers(stage=referral.stage, assessment=referral.is_assessment)


def _win_extras(referral: Referral, context: workflow.Context) -> dict[str, Any]:
    usd, month = usd_value(referral.money, now=context.now, policy=context.policy)
    early = rules.is_early(created=referral.created_at, now=context.now, policy=context.policy)
    return {"won_early": early, "value_usd": usd, "usd_rate_month": month}


def _reason(reasons: Iterable[str], rule: str) -> Any:
    def blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
        if context.inputs is None:
            return ()
        inputs = context.inputs
        return rules.reason_blockers(inputs["reason_code"], inputs.get("comment", ""), reasons, rule=rule)

    return blockers


def _stage_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    if context.inputs is None:
        return ()
    return rules.stage_blockers(context.inputs["stage"], current=referral.stage, assessment=referral.is_assessment)


def _schedule_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    if referral.win_at is not None:
        yield Blocker(
            "already_scheduled",
            _("The deal will be marked Won on %(at)s; cancel that first."),
            "REF-18",
            params={"at": referral.win_at},
        )
    if not rules.is_early(created=referral.created_at, now=context.now, policy=context.policy):
        yield Blocker("not_early", _("The safe hour has passed: win the deal now."), "REF-18")
    yield from _win_blockers(referral, context)


def _schedule_extras(referral: Referral, context: workflow.Context) -> dict[str, Any]:
    return {"win_at": rules.safe_win_at(referral.created_at, context.policy)}


def _cancel_blockers(referral: Referral, context: workflow.Context) -> Iterable[Blocker]:
    if referral.win_at is None:
        yield Blocker("not_scheduled", _("Nothing is planned that could be cancelled."), "REF-18")


MACHINE = workflow.register(
    workflow.Machine(
        model=Referral,
        may=may,
        lock=_lock,
        state=lambda referral: rules.SUBSTATUSES[referral.substatus],
        verbs=[
            workflow.Verb("accept", "referral.accepted", _("Accept"), _accept_blockers, _accept_extras, shared=True),
            workflow.Verb(
                "decline",
                "referral.declined",
                _("Decline"),
                _reason(rules.CLOSE_REASONS, "REF-12"),
                shared=True,
                final=True,
            ),
            workflow.Verb("expire", "referral.expired", _("Expire"), shared=True, by_worker=True),
            workflow.Verb("set_stage", "referral.stage_set", _("Set sales stage"), _stage_blockers, shared=True),
            workflow.Verb("cancel_win", "referral.win_cancelled", _("Cancel the planned win"), _cancel_blockers),
            workflow.Verb(
                "schedule_win", "referral.win_planned", _("Win at the safe hour"), _schedule_blockers, _schedule_extras
            ),
            workflow.Verb(
                "close_as_error",
                "referral.closed_as_error",
                _("Close as error"),
                _reason(rules.ERROR_REASONS, "REF-17"),
                shared=True,
                final=True,
            ),
            workflow.Verb(
                "lose",
                "referral.lost",
                _("Mark as lost"),
                _reason(rules.CLOSE_REASONS, "REF-17"),
                shared=True,
                final=True,
            ),
            workflow.Verb("win", "referral.won", _("Mark as won"), _win_blockers, _win_extras, shared=True, final=True),
        ],
    )
)
