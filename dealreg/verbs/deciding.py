"""What happens to a filed registration: its route, the reviewer's decisions, its end (FLOW)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import ClassVar, TypeVar

from dealreg import rules
from dealreg.models import Registration
from dealreg.policies import may_review
from dealreg.rules import states
from dealreg.selectors.marketplace import wait_until
from dealreg.selectors.registration import partner_count
from dealreg.timeline import REGISTRATION
from portal.accounts.rules import Actor
from portal.workflow.blockers import Blocker, _, to_json
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Effect, Verb, worker


class Route(Verb[Registration, None]):
    """Approve, or send to review or marketplace validation, with the reasons (FLOW-2, FLOW-3)."""

    name = "route"
    label = _("Route")
    event = "registration.routed"
    sentence = Sentence("signpost", "info", _("The registration was checked: %(state)s"), REGISTRATION)
    who = (worker,)

    def blockers(self, record: Registration, context: Context) -> Iterable[Blocker]:
        if record.submitted_at is None:
            yield Blocker("not_submitted", _("The registration has not been filed yet."), "FLOW-1")

    def apply(self, record: Registration, inputs: None, context: Context) -> Effect:
        found = _route_of(record, context)
        record.route(found.state)
        record.route_reasons = [to_json(reason) for reason in found.reasons]
        record.approved_at = record.review_pending_at = record.close_due_at = None
        if found.state == states.APPROVED:
            record.approved_at = context.now
            record.close_due_at = context.now + timedelta(days=context.policy.close_after_days)
        elif found.state == states.REVIEW_PENDING:
            record.review_pending_at = context.now
        elif found.state == states.MARKETPLACE_PENDING:
            record.marketplace_until = wait_until(record, context)
        return Effect(reasons=found.reasons)


def _route_of(record: Registration, context: Context) -> rules.Route:
    """The route, computed from the facts that were stored on submission."""
    assert record.acv_usd is not None
    facts = rules.RegistrationFacts(
        today=context.now.date(),
        created=record.referral.created_at.date(),
        partner_count=partner_count(record.referral),
        won_early=record.referral.won_early,
    )
    return rules.route_for(record.claim, facts, Fraction(record.acv_usd), context.policy)


class SelectForReview(Verb[Registration, None]):
    """A closer look at an approved registration (FLOW-4)."""

    name = "select_for_review"
    label = _("Select for review")
    event = "registration.selected"
    sentence = Sentence("search", "info", _("The registration was selected for review"), REGISTRATION)
    who = (may_review,)
    chosen = Blocker(
        "selected_for_review",
        _("The review team selected this approved registration for a closer look; you need to do nothing now."),
        "FLOW-4",
    )

    def apply(self, record: Registration, inputs: None, context: Context) -> Effect:
        record.select_for_review()
        record.review_pending_at, record.close_due_at = context.now, None
        record.route_reasons = [to_json(self.chosen)]
        return Effect(reasons=[self.chosen])


@dataclass(frozen=True)
class Comment:
    """A comment for the partner."""

    comment: str = ""


@dataclass(frozen=True)
class Decision(Comment):
    """A decision's reason code, and the comment that the partner reads."""

    reason_code: str = ""


#: What a decision takes.
C = TypeVar("C", bound=Comment, contravariant=True)


class Deciding(Verb[Registration, C]):
    """A reviewer's verb that decides the registration: the transition of its name, and what the partner reads."""

    who: tuple[Callable[[Actor, Registration], bool], ...] = (may_review,)

    def apply(self, record: Registration, inputs: C, context: Context) -> Effect:
        getattr(record, self.name)()
        record.reason_code = inputs.reason_code if isinstance(inputs, Decision) else ""
        record.comment = inputs.comment.strip()
        record.decided_at = record.close_due_at = context.now
        return Effect(comment=record.comment)


class Passing(Deciding[Comment]):
    """A decision that approves."""


class Refusing(Deciding[Decision]):
    """A decision that refuses, with a reason code and a comment for the partner (FLOW-5)."""

    danger = True
    reasons: ClassVar[Mapping[str, str]] = states.FAIL_REASONS

    def input_blockers(self, record: Registration, inputs: Decision, context: Context) -> Iterable[Blocker]:
        if inputs.reason_code not in self.reasons:
            yield Blocker("reason_required", _("Choose the reason."), "FLOW-5", "reason_code")
        if not inputs.comment.strip():
            yield Blocker("comment_required", _("Write the comment the partner will read."), "FLOW-5", "comment")


class PassReview(Passing):
    name = "pass_review"
    label = _("Pass the review")
    event = "registration.passed"
    sentence = Sentence("check-circle", "success", _("The registration passed the review"), REGISTRATION)


class FailReview(Refusing):
    name = "fail_review"
    label = _("Fail the review")
    event = "registration.failed"
    sentence = Sentence("x-circle", "danger", _("The registration failed the review: %(reason)s"), REGISTRATION)


class RequireAction(Refusing):
    """Send the registration back to the partner; only in this state can its fields be edited again."""

    name = "require_action"
    label = _("Send back for correction")
    event = "registration.action_required"
    sentence = Sentence("pencil", "warning", _("The registration was sent back: %(reason)s"), REGISTRATION)
    danger = False
    reasons = states.ACTION_REASONS

    def apply(self, record: Registration, inputs: Decision, context: Context) -> Effect:
        record.require_action()
        record.reason_code, record.comment = inputs.reason_code, inputs.comment.strip()
        record.action_required_at = context.now
        return Effect(comment=record.comment)


class Close(Verb[Registration, None]):
    """End a decided registration; its last state becomes the outcome."""

    name = "close"
    label = _("Close")
    event = "registration.closed"
    sentence = Sentence("archive", "neutral", _("The registration was closed"), REGISTRATION)
    who = (worker,)

    def apply(self, record: Registration, inputs: None, context: Context) -> Effect:
        record.outcome, record.closed_at, record.close_due_at = record.status, context.now, None
        record.close()
        return Effect()


ROUTE, SELECT_FOR_REVIEW, CLOSE = Route(), SelectForReview(), Close()
PASS_REVIEW, FAIL_REVIEW, REQUIRE_ACTION = PassReview(), FailReview(), RequireAction()
