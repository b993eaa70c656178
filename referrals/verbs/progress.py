"""The verbs that move a sale on: its stage, won, lost, or closed as an error (REF-14..18)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from portal.workflow.blockers import Blocker, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Effect, worker
from referrals import rules
from referrals.models import Referral
from referrals.policies import may_change
from referrals.timeline import STATUS
from referrals.verbs import copies
from referrals.verbs.base import ClosingVerb, DealVerb, Reason, close


@dataclass(frozen=True)
class Stage:
    """The stage of the sale, in per cent (REF-14, REF-15)."""

    stage: int


class SetStage(DealVerb[Stage]):
    """Set the stage. Stages may be skipped or corrected; each change is recorded (REF-14)."""

    name = "set_stage"
    label = _("Set sales stage")
    event = "referral.stage_set"
    sentence = Sentence(
        "signpost-split", "neutral", _("%(company)s moved the sales stage: %(was)s → %(stage)s"), STATUS
    )
    shared = True

    def input_blockers(self, record: Referral, inputs: Stage, context: Context) -> Iterable[Blocker]:
        return rules.stage_blockers(inputs.stage, current=record.stage, assessment=record.is_assessment)

    def apply(self, record: Referral, inputs: Stage, context: Context) -> Effect:
        record.set_stage()
        record.stage = inputs.stage
        return Effect()


_NOT_PLANNED = Blocker("not_scheduled", _("Nothing is planned that could be cancelled."), "REF-18")


@dataclass(frozen=True)
class Signing:
    """The day on which the contract was signed, where known (REF-18); the registration window counts from it
    (FLOW-8). The worker that wins a planned deal takes the day of the plan."""

    signed_on: date | None = None


class Win(DealVerb[Signing]):
    """Mark as won; winning before the safe hour is recorded (REF-17, REF-18). The USD value freezes (FX-2)."""

    name = "win"
    label = _("Mark as won")
    primary = True
    event = "referral.won"
    sentence = Sentence("trophy", "success", _("%(company)s won the deal"), STATUS)
    who = (may_change, worker)
    shared = final = True

    def blockers(self, record: Referral, context: Context) -> Iterable[Blocker]:
        if context.actor.is_system and record.win_at is None:  # cancelled since the worker looked for what is due
            yield _NOT_PLANNED
        yield from rules.win_blockers(stage=record.stage, assessment=record.is_assessment)

    def input_blockers(self, record: Referral, inputs: Signing, context: Context) -> Iterable[Blocker]:
        return rules.signing_blockers(inputs.signed_on, today=context.now.date())

    def apply(self, record: Referral, inputs: Signing, context: Context) -> Effect:
        planned = record.signed_on if context.actor.is_system else inputs.signed_on
        record.win()
        close(record, context)
        record.signed_on = planned
        record.stage = rules.WON_STAGE
        record.won_early = rules.is_early(created=record.created_at, now=context.now, policy=context.policy)
        copies.set_value(record, record.money, context)
        return Effect()


class ScheduleWin(DealVerb[Signing]):
    """Let the worker mark the deal as won at the safe hour, with the day it was signed (REF-18)."""

    name = "schedule_win"
    label = _("Win at the safe hour")
    event = "referral.win_planned"
    sentence = Sentence("calendar-check", "info", _("The win is planned for the safe hour"), STATUS)

    def blockers(self, record: Referral, context: Context) -> Iterable[Blocker]:
        if record.win_at is not None:
            message = _("The deal will be marked Won on %(at)s; cancel that first.")
            yield Blocker("already_scheduled", message, "REF-18", params={"at": record.win_at})
        if not rules.is_early(created=record.created_at, now=context.now, policy=context.policy):
            yield Blocker("not_early", _("The safe hour has passed: win the deal now."), "REF-18")
        yield from WIN.blockers(record, context)

    def input_blockers(self, record: Referral, inputs: Signing, context: Context) -> Iterable[Blocker]:
        return rules.signing_blockers(inputs.signed_on, today=context.now.date())

    def apply(self, record: Referral, inputs: Signing, context: Context) -> Effect:
        record.schedule_win()
        record.win_at, record.signed_on = rules.safe_win_at(record.created_at, context.policy), inputs.signed_on
        return Effect()


class CancelWin(DealVerb[None]):
    """Cancel a planned win before it happens (REF-18)."""

    name = "cancel_win"
    label = _("Cancel the planned win")
    event = "referral.win_cancelled"
    sentence = Sentence("calendar-x", "neutral", _("The planned win was cancelled"), STATUS)

    def blockers(self, record: Referral, context: Context) -> Iterable[Blocker]:
        if record.win_at is None:
            yield _NOT_PLANNED

    def apply(self, record: Referral, inputs: None, context: Context) -> Effect:
        record.cancel_win()
        record.win_at = record.signed_on = None
        return Effect()


class EndWinPlan(DealVerb[None]):
    """End a plan at whose hour a rule stands in the way of the win; its reasons are the event's (REF-18)."""

    name = "end_win_plan"
    label = _("End the planned win")
    event = "referral.win_plan_ended"
    sentence = Sentence("calendar-x", "warning", _("The planned win could not happen, and the plan ended"), STATUS)
    who = (worker,)

    def blockers(self, record: Referral, context: Context) -> Iterable[Blocker]:
        if record.win_at is None or not any(WIN.blockers(record, context)):  # somebody was faster
            yield _NOT_PLANNED

    def apply(self, record: Referral, inputs: None, context: Context) -> Effect:
        record.end_win_plan()
        reasons = tuple(WIN.blockers(record, context))
        record.win_at = record.signed_on = None
        return Effect(reasons=reasons)


class Lose(ClosingVerb):
    """Mark as lost, with the reason (REF-17)."""

    name = "lose"
    label = _("Mark as lost")
    event = "referral.lost"
    sentence = Sentence("emoji-frown", "danger", _("%(company)s lost the deal: %(reason)s"), STATUS)
    reasons = rules.CLOSE_REASONS

    def apply(self, record: Referral, inputs: Reason, context: Context) -> Effect:
        record.lose()
        close(record, context, inputs)
        return Effect(comment=inputs.comment)


class CloseAsError(ClosingVerb):
    """Close a deal that was created by mistake; insights leave it out (REF-17)."""

    name = "close_as_error"
    label = _("Close as error")
    event = "referral.closed_as_error"
    sentence = Sentence(
        "exclamation-octagon", "danger", _("%(company)s closed the deal as an error: %(reason)s"), STATUS
    )
    reasons = rules.ERROR_REASONS

    def apply(self, record: Referral, inputs: Reason, context: Context) -> Effect:
        record.close_as_error()
        close(record, context, inputs)
        return Effect(comment=inputs.comment)


SET_STAGE, WIN, SCHEDULE_WIN, CANCEL_WIN, END_WIN_PLAN = SetStage(), Win(), ScheduleWin(), CancelWin(), EndWinPlan()
LOSE, CLOSE_AS_ERROR = Lose(), CloseAsError()
