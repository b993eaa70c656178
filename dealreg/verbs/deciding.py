"""What happens to a filed registration: its route, and what reviewers decide (FLOW)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, TypeVar

from dealreg.models import Registration, Validation
from dealreg.policies import may_review
from dealreg.rules import reopening, states
from dealreg.selectors import desk
from dealreg.selectors.marketplace import wait_until
from dealreg.selectors.registration import belongs_to
from dealreg.timeline import REGISTRATION
from dealreg.verbs.base import RegistrationVerb
from dealreg.verbs.routing import set_route
from portal.accounts.rules import Actor
from portal.desk.selectors import claim_blockers_of
from portal.workflow.blockers import Blocker, _, to_json
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Effect, worker


class Route(RegistrationVerb[None]):
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
        found = set_route(record, context)
        record.route(found.state)
        record.approved_at = record.review_pending_at = record.close_due_at = None
        if found.state == states.APPROVED:
            record.approved_at = context.now
            record.close_due_at = context.now + timedelta(days=context.policy.close_after_days)
        elif found.state == states.REVIEW_PENDING:
            record.review_pending_at = context.now
        elif found.state == states.MARKETPLACE_PENDING:
            record.marketplace_until = wait_until(record, context)
        return Effect(reasons=found.reasons)


@dataclass(frozen=True)
class Comment:
    """A comment for the partner."""

    comment: str = ""


@dataclass(frozen=True)
class Approval(Comment):
    """A pass: by what the claim was found true (FLOW-10), and a comment for the partner."""

    validated_by: str = ""


@dataclass(frozen=True)
class Decision(Comment):
    """A decision's reason code, and the comment that the partner reads."""

    reason_code: str = ""


#: What a decision takes.
C = TypeVar("C", bound=Comment | None, contravariant=True)


class Reviewing(RegistrationVerb[C]):
    """What the vendor's people do in the administration; `takes` is the kind of its inputs."""

    takes: ClassVar[type[Comment]] = Comment

    def blockers(self, record: Registration, context: Context) -> Iterable[Blocker]:
        """Who belongs to the company that registered the deal doesn't decide on it, nor anybody else while somebody
        works on it (FLOW-13)."""
        if context.actor.user_id and context.once("own_registration", lambda: belongs_to(context.actor, record)):
            message = _("You belong to the company that registered this deal; somebody else has to decide.")
            yield Blocker("own_registration", message, "FLOW-7")
        if context.actor.user_id:
            yield from context.once(
                "claim", lambda: claim_blockers_of(desk.REGISTRATION, record.pk, context.actor, context.now)
            )


class SelectForReview(Reviewing[Comment | None]):
    """A closer look at an approved registration: a reviewer's choice, or the random sample's (FLOW-4)."""

    name = "select_for_review"
    label = _("Select for review")
    event = "registration.selected"
    sentence = Sentence("search", "info", _("The registration was selected for review"), REGISTRATION)
    who = (may_review, worker)
    chosen = Blocker(
        "selected_for_review",
        _("The review team selected this approved registration for a closer look."),
        "FLOW-4",
    )

    drawn = Blocker(
        "selected_at_random",
        _("This approved registration was chosen at random for a closer look."),
        "FLOW-4",
    )

    def blockers(self, record: Registration, context: Context) -> Iterable[Blocker]:
        yield from super().blockers(record, context)
        if record.close_due_at and record.close_due_at > context.now + context.policy.select_within:
            message = _("An approved registration is selected in the %(days)s days before it closes.")
            yield Blocker("selected_too_early", message, "FLOW-4", params={"days": context.policy.selection_days})

    def apply(self, record: Registration, inputs: Comment | None, context: Context) -> Effect:
        why = self.drawn if context.actor.is_system else self.chosen
        record.select_for_review()
        record.review_pending_at, record.close_due_at = context.now, None
        record.route_reasons = [to_json(why)]
        record.comment = inputs.comment.strip() if inputs else ""
        return Effect(reasons=[why], comment=record.comment)


class Deciding(Reviewing[C]):
    """A reviewer's verb that decides the registration: the transition of its name, and what the partner reads.

    It closes only some time later, so that a slip can be retracted.
    """

    who: tuple[Callable[[Actor, Registration], bool], ...] = (may_review,)

    def apply(self, record: Registration, inputs: C, context: Context) -> Effect:
        record.decided_from = record.status
        getattr(record, self.name)()
        record.reason_code = inputs.reason_code if isinstance(inputs, Decision) else ""
        record.validated_by = inputs.validated_by if isinstance(inputs, Approval) else ""
        record.comment = inputs.comment.strip() if isinstance(inputs, Comment) else ""
        record.decided_at = context.now
        record.close_due_at = context.now + context.policy.close_decided_within
        return Effect(comment=record.comment)


class Passing(Deciding[C]):
    """A decision that approves."""


class Refusing(Deciding[Decision]):
    """A decision that refuses, with a reason code and a comment for the partner (FLOW-5)."""

    danger = True
    takes = Decision
    reasons: ClassVar[Mapping[str, str]] = states.FAIL_REASONS

    def input_blockers(self, record: Registration, inputs: Decision, context: Context) -> Iterable[Blocker]:
        if inputs.reason_code not in self.reasons:
            yield Blocker("reason_required", _("Choose the reason."), "FLOW-5", "reason_code")
        if not inputs.comment.strip():
            yield Blocker("comment_required", _("Write the comment the partner will read."), "FLOW-5", "comment")


class PassReview(Passing[Approval]):
    """Find the claim true, and say by what (FLOW-10)."""

    name = "pass_review"
    label = _("Pass the review")
    event = "registration.passed"
    sentence = Sentence("check-circle", "success", _("The registration passed the review"), REGISTRATION)
    takes = Approval

    def input_blockers(self, record: Registration, inputs: Approval, context: Context) -> Iterable[Blocker]:
        if inputs.validated_by not in Validation:
            yield Blocker("validated_by_required", _("Say what you validated it by."), "FLOW-10", "validated_by")
        elif record.is_reopened:
            yield from reopening.passing_blockers(inputs.validated_by)


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
        record.action_due_at = context.now + context.policy.act_within
        return Effect(comment=record.comment)


ROUTE, SELECT_FOR_REVIEW = Route(), SelectForReview()
PASS_REVIEW, FAIL_REVIEW, REQUIRE_ACTION = PassReview(), FailReview(), RequireAction()
